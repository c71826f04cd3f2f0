"""What becomes of claims and promises when a lane, a calendar or a cut-off changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from core.domain.book import SkuBook, claim_order
from core.domain.book_supplies import expected_of, mark_delayed, refresh_expected
from core.domain.late_pegs import MovePolicy
from core.domain.network import Network
from core.domain.promises import complete_date, promise, slices_of
from core.domain.quotas import may_serve
from core.domain.records import Line, Peg
from core.domain.release_days import judge_by_day, move_claim
from core.domain.states import OrderLineStatus, PegKind, PromiseReason

REASON = PromiseReason.ROUTE_CHANGED


Slices = Sequence[Mapping[str, Any]]
"""The parts of a promise as its customer was told them."""


def rejudge(
    book: SkuBook, network: Network, places: Collection[int], policy: MovePolicy, told: Mapping[int, Slices]
) -> list[Line]:
    """Bring claims and promises of lines that are served from `places` in step with the ways as they are now.

    A claim on a day that is not worked any more takes the next one; one that would be late by the new way comes
    earlier, by rank, as far as its source, its quota and the promises of others allow. A promise that would be broken
    moves later at once: that is certain, not an estimate; earlier only as the policy `promise_pull_in_days` says, or where a
    claim takes another day in any case. A claim on another day is promised anew, also where the day of all stays.
    `told` is the present promise per line id: a line whose way is what it was keeps its day, and units on hand leave on
    the day that was told, however late it is now. A line that nothing changes for is not touched.
    Returns the lines it has looked at.
    """
    lines: dict[int, tuple[Line, date | None]] = {}
    unsettled: set[int] = set()
    redated: set[int] = set()
    for peg in sorted((p for p in book.pegs if p.location_id in places), key=claim_order):
        line = peg.line
        if line is None:
            continue
        if id(line) not in lines:
            lines[id(line)] = (line, expected_of(book, line))
            before = line.ship_by
            judge_by_day(book, network, line)
            if line.ship_by != before:
                unsettled.add(id(line))
        day = peg.need_date if peg.kind == PegKind.HARD else _day(book, network, peg, line)
        if day != peg.need_date:
            move_claim(book, peg, day, str(REASON))
            redated.add(id(line))
    for key, (line, expected) in lines.items():
        if key in unsettled or key in redated:
            book.settle(line, str(REASON))
        if line.status == OrderLineStatus.RECEIVED:
            continue
        slices = told.get(line.id or 0, ())
        if key in redated or line.promised is None or _goes_otherwise(network, line, slices):
            _tell(book, network, line, slices, policy, is_redated=key in redated)
        refresh_expected(book, line, network, expected, str(REASON))
    return [line for line, _ in lines.values()]


def _day(book: SkuBook, network: Network, peg: Peg, line: Line) -> date:
    """The day that a claim without stock takes now."""
    place, today = peg.location_id, book.today[peg.location_id]
    if peg.need_date < today:
        return peg.need_date
    day = network.ship_day_from(place, peg.need_date)
    if peg.supply is None or line.requested_date is None:
        return day
    last = network.latest_ship_day(place, line.destination_id, line.requested_date)
    earliest = network.ship_day_from(place, peg.supply.effective_date(today))
    earliest = max(earliest, network.first_ship_day(place, book.now))
    better = max(earliest, network.locations[place].calendar.previous_working_day(last))
    if day <= last or better >= peg.need_date or may_serve(book, peg, better) < peg.quantity:
        return day
    free = book.timeline(place, line.demand_class).free_until(better, peg.need_date)
    return better if free >= peg.quantity else day


def _goes_otherwise(network: Network, line: Line, told: Slices) -> bool:
    """Would what was told arrive on another day over the ways as they are now?"""
    for part in told:
        place, ship = part["location"], date.fromisoformat(part["shipDate"])
        delivery = network.delivery_date(place, line.destination_id, network.ship_day_from(place, ship))
        if part["deliveryDate"] != (delivery.isoformat() if delivery else None):
            return True
    return False


def _tell(book: SkuBook, network: Network, line: Line, slices: Slices, policy: MovePolicy, *, is_redated: bool) -> None:
    told, due = line.promised, complete_date(slices_of(book, line, network, book.now)[0])
    if due is None:
        return
    is_later = told is None or min(due, _as_told(book, network, line, slices)) > told
    is_earlier = (
        told is not None and policy.pull_in_days is not None and (told - due).days >= max(1, policy.pull_in_days)
    )
    if is_later or is_earlier or is_redated:
        promise(book, line, network, book.now, REASON, cause_kind=REASON, only_if_moved=True)
        if is_later:
            mark_delayed(book, line, str(REASON), told)


def _as_told(book: SkuBook, network: Network, line: Line, told: Slices) -> date:
    """When the line is complete if its units on hand leave on the day that was told: the clock alone delays nothing."""
    days = []
    pegs = book.pegs_of(line)
    for peg in pegs:
        place, ship = peg.location_id, peg.need_date
        if peg.kind == PegKind.HARD:
            waiting = sum(p.quantity for p in pegs if p.location_id == place and p.kind != PegKind.HARD)
            ship = _told_ship_day(told, place, waiting)
            ship = network.first_ship_day(place, book.now) if ship is None else network.ship_day_from(place, ship)
        days.append(network.delivery_date(place, line.destination_id, ship) or ship)
    return max(days)


def _told_ship_day(told: Slices, place: int, waiting: int) -> date | None:
    """The day on which the last unit but for the `waiting` ones was told to leave; None: nothing was told of the place."""
    here = sorted(
        (date.fromisoformat(part["shipDate"]), part["quantity"]) for part in told if part["location"] == place
    )
    left = sum(quantity for _, quantity in here) - waiting
    for day, quantity in here:
        left -= quantity
        if left <= 0:
            return day
    return None
