"""Carry a proposal out on a book: claims move to their new days and sources, quantities and promises follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.availability import Timeline
from core.domain.book import SkuBook
from core.domain.book_supplies import mark_delayed
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.promising import slices_of
from core.domain.quotas import move_use
from core.domain.records import Line, LineFact, Peg
from core.domain.repromising.books import WAITS_FOR_QUOTA
from core.domain.repromising.effects import Effect, Why
from core.domain.repromising.rooms import counts_as, days_used
from core.domain.states import BackorderCause, PegKind, PromiseReason

Part = tuple[int, int, int, bool]
"""(location id, day as ordinal, units, has a source)."""
CAUSE = "repromised"


def apply(
    book: SkuBook,
    network: Network,
    run_id: int,
    changes: Mapping[int, Sequence[Part]],
    evidence: Mapping[int, dict[str, Any]],
    *,
    reallocates: bool = True,
) -> list[Line]:
    """Give each line (by id) the parts it is to have at the locations where something changes (`moved_parts`).

    All claims that move are taken out first. Then the latest days are served first, each from the latest supply that is
    in time, and what is left, the earliest first, from stock: whatever order is feasible on the days is feasible on the
    sources. What finds no source keeps its day without one. Each line is settled and, where days or quantities by day
    move, promised anew with the run as its cause; one that loses to a younger line is bumped. Returns the lines that
    were given stock.
    """
    had: dict[int, int] = {}
    told = {line_id: _by_day(book, book.lines[line_id], network) for line_id in changes}
    todo: list[tuple[int, int, Line, int, bool]] = []
    curves = _Curves(book, {})
    for line_id, parts in changes.items():
        for place in {location_id for location_id, *_ in parts}:
            curves.remember(place, book.lines[line_id])
    for line_id, parts in changes.items():
        line = book.lines[line_id]
        had[line_id] = line.allocated
        for place in sorted({location_id for location_id, *_ in parts}):
            kept = _take_out(book, line, place, [part for part in parts if part[0] == place], run_id, reallocates)
            todo += [(day, place, line, units, sourced) for _, day, units, sourced in kept]
    before = {id(peg) for peg in book.pegs}
    rest: list[tuple[date, int, Line, int]] = []
    for day, location_id, line, units, sourced in sorted(todo, key=lambda t: (-t[0], t[1], t[2].id or 0)):
        when = date.fromordinal(day)
        if not sourced:
            curves.open_places.append((location_id, when, units, line, CAUSE))
            continue
        covered = _from_supply(curves, line, location_id, when, units) if when > book.today[location_id] else 0
        rest.append((when, location_id, line, units - covered))
    for when, location_id, line, units in reversed(rest):
        missing, waits = _from_stock(curves, line, location_id, when, units, run_id)
        curves.open_places.append((location_id, when, missing, line, CAUSE))
        curves.open_places.append((location_id, when, waits, line, WAITS_FOR_QUOTA))
    for location_id, need_date, units, line, cause in curves.open_places:
        book.add_peg(location_id, need_date, units, PegKind.OPEN, line=line, cause=cause)
    for peg in book.pegs:
        if peg.id is None and id(peg) not in before and peg.line is not None and peg.line.id in changes:
            peg.run_id, peg.cause = run_id, WAITS_FOR_QUOTA if peg.cause == WAITS_FOR_QUOTA else CAUSE
    lines = [book.lines[line_id] for line_id in changes]
    for line_id, days in days_used(book, lines).items():
        for day_used in days:
            move_use(book, book.lines[line_id], day_used)
    for line in lines:
        gained = line.allocated - had[line.id or 0]
        if gained > 0:
            book.line_facts.append(LineFact(line, "ALLOCATED", gained))
    by_evidence: dict[int, dict[str, Any]] = defaultdict(dict, evidence)
    outranked = [line for line in lines if by_evidence[line.id or 0].get("why") == Why.OUTRANKED]
    book.bump([line for line in lines if by_evidence[line.id or 0].get("effect") == Effect.GAINED], outranked)
    for line in lines:
        why, last_day, sequence = by_evidence[line.id or 0], line.promised, line.promise_sequence
        moved = _by_day(book, line, network) != told[line.id or 0]
        conclude(book, network, [line], PromiseReason.REPROMISED, cause_id=run_id, evidence=why, always=moved)
        if line.promise_sequence > sequence and line.promised == last_day:
            units = line.ordered - line.cancelled
            book.line_facts.append(LineFact(line, "LINE_CHANGED", units, reason=str(PromiseReason.REPROMISED)))
        _blame(book, line, why)
    for line in lines:
        if any(p.supply is not None and _usable(book, p) > p.need_date for p in book.pegs_of(line)):
            mark_delayed(book, line, str(PromiseReason.REPROMISED))
    return [line for line in lines if line.allocated > had[line.id or 0]]


def _by_day(book: SkuBook, line: Line, network: Network) -> Counter[tuple[int, str, str | None]]:
    """Units of the line by location, ship day and delivery day: what a customer is told, whatever the source is."""
    units: Counter[tuple[int, str, str | None]] = Counter()
    for part in slices_of(book, line, network, book.now)[0]:
        units[part["location"], part["shipDate"], part["deliveryDate"]] += part["quantity"]
    return units


def _blame(book: SkuBook, line: Line, evidence: dict[str, Any]) -> None:
    """A line that is short because others were preferred needs no search for the cause."""
    backorder = book.backorder_of(line)
    if backorder is not None and backorder.is_new and backorder.cause is None and evidence.get("why") == Why.OUTRANKED:
        backorder.cause = BackorderCause.ALLOCATION_CHOICE
        backorder.evidence = {"shortage": backorder.quantity, "explained": backorder.quantity, **evidence}


def moved_parts(before: Sequence[Part], after: Sequence[Part]) -> list[Part]:
    """Of the parts a line is to have, those at locations where they differ from what it has."""
    places = {part[0] for part in (*before, *after)}
    differ = {p for p in places if sorted(x for x in before if x[0] == p) != sorted(x for x in after if x[0] == p)}
    return [part for part in after if part[0] in differ]


def _take_out(
    book: SkuBook, line: Line, location_id: int, parts: list[Part], run_id: int, reallocates: bool
) -> list[Part]:
    """Take the line's movable claims at a location off the book; stock that it keeps stays, and is no part any more."""
    today = book.today[location_id].toordinal()
    wanted_now = sum(units for _, day, units, sourced in parts if sourced and day == today)
    kept = 0
    for peg in book.pegs_of(line):
        if peg.location_id != location_id or not is_movable(peg, line):
            continue
        if peg.kind != PegKind.HARD:
            book.drop_peg(peg)
        elif reallocates:
            stays = min(peg.quantity, wanted_now - kept)
            kept += stays
            if stays < peg.quantity:
                book.release(peg, peg.quantity - stays, CAUSE, run_id)
    left: list[Part] = []
    for place, day, units, sourced in parts:
        off = min(kept, units) if sourced and day == today else 0
        kept -= off
        if units > off:
            left.append((place, day, units - off, sourced))
    return left


def is_movable(peg: Peg, line: Line) -> bool:
    """May a run move this claim? Not what is on a planned shipment, of a lot, or waits for a quota."""
    if peg.lot_id is not None or peg.cause == WAITS_FOR_QUOTA:
        return False
    return peg.kind != PegKind.HARD or line.ready == 0


def _usable(book: SkuBook, peg: Peg) -> date:
    assert peg.supply is not None
    return peg.supply.effective_date(book.today[peg.location_id])


@dataclass(slots=True)
class _Curves:
    """What is free at each location while claims are laid out, without the places of claims that have no source.

    Those are either laid out here or were weighed when the run was decided; later promises, holds and protected stock
    count, as far as there were units for them before anything was moved: what was short already takes nothing away.
    """

    book: SkuBook
    before: dict[tuple[int, str], Timeline]
    open_places: list[tuple[int, date, int, Line, str]] = field(default_factory=list)
    _known: dict[tuple[int, str], Timeline] = field(default_factory=dict)

    def remember(self, location_id: int, line: Line) -> None:
        """Note what is free to the line before anything is moved."""
        name = self.book.protection_class(location_id, line.demand_class)
        if (location_id, name) not in self.before:
            self.before[location_id, name] = self._curve(location_id, name)

    def free(self, location_id: int, line: Line) -> int:
        """Units of stock that the line may have today."""
        name = self.book.protection_class(location_id, line.demand_class)
        if (location_id, name) not in self._known:
            self._known[location_id, name] = self._curve(location_id, name)
        return self._known[location_id, name].free_beside(self.before[location_id, name])

    def _curve(self, location_id: int, name: str) -> Timeline:
        places = [peg for peg in self.book.pegs if peg.kind == PegKind.OPEN]
        return self.book.timeline_without(location_id, places, name)

    def take(self, location_id: int, day: date, units: int) -> None:
        for (place, _), curve in self._known.items():
            if place == location_id:
                curve.add(day, -units)


def _from_supply(curves: _Curves, line: Line, location_id: int, day: date, units: int) -> int:
    """Claim `units` on `day` from dated supply; how many found one."""
    covered = curves.book.cover_dated(line, location_id, day, units, CAUSE) if units else 0
    curves.take(location_id, day, covered)
    return covered


def _from_stock(curves: _Curves, line: Line, location_id: int, day: date, units: int, run_id: int) -> tuple[int, int]:
    """Give `units` for `day` from stock; returns what found none, and what is there but has to wait for the window of
    a quota.
    """
    book, today = curves.book, curves.book.today[location_id]
    free = 0 if book.is_preorder(location_id) else book.shelf(location_id, line)
    if day > today:  # what is for today was weighed against what is kept back when the run was decided
        free = min(free, curves.free(location_id, line))
    free = max(0, min(units, free))
    given = free if counts_as(book, line, day, today) else 0
    if given:
        book.allocate(line, location_id, given, CAUSE, run_id)
        curves.take(location_id, today, given)
    left = units - given
    left -= _from_supply(curves, line, location_id, day, left)  # an exchange of sources may carry the smaller rest
    waits = min(left, free - given)
    return left - waits, waits
