"""How a claim whose supply comes too late is covered: other supply, stock, what is less late, or a lesser promise's source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from core.domain.availability import Timeline
from core.domain.book import SkuBook, claim_order
from core.domain.book_supplies import expected_of
from core.domain.edge_value import DEFAULT_MARGIN, gain, points
from core.domain.eta import should_move
from core.domain.network import Network
from core.domain.quotas import may_serve, move_use
from core.domain.records import Line, LineFact, Peg, Supply
from core.domain.states import BackorderState, PegKind, PromiseReason


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """When a customer's day may move: an estimate by at least `hysteresis_days`; earlier only from `pull_in_days` on
    (None: never by itself); later for the sake of another only where that is worth `value_margin`."""

    hysteresis_days: int = 2
    pull_in_days: int | None = None
    value_margin: float = DEFAULT_MARGIN
    """Points x days per unit (`edge_value.gain`)."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a supply changed: the reason the customer reads, whether somebody said so, and the row that proves it."""

    reason: PromiseReason
    certain: bool = True
    id: int | None = None
    evidence: dict | None = None


def day_of(book: SkuBook, peg: Peg) -> date:
    """When the source of a claim is usable."""
    assert peg.supply is not None
    return peg.supply.effective_date(book.today[peg.location_id])


def proof_of(book: SkuBook, peg: Peg) -> dict[str, Any]:
    """The row that shows a late supply, in the terms of `causes`."""
    supply = peg.supply
    assert supply is not None
    day = day_of(book, peg)
    return {
        "id": supply.id or (supply.split_from.id if supply.split_from is not None else None),
        "purchaseOrderLineId": supply.purchase_order_line_id,
        "quantity": peg.quantity,
        "daysLate": (day - peg.need_date).days,
        "expected": day.isoformat(),
    }


_STOPPED = frozenset({BackorderState.ON_HOLD, BackorderState.CANCEL_PENDING})
"""What waits for somebody takes nothing from others."""


class _Room:
    """What is free of a place for a late claim, where all others that are late wait for their supply; made when asked."""

    def __init__(self, book: SkuBook, place: int, line: Line, late: list[Peg]) -> None:
        self.book, self.place, self.line, self.late = book, place, line, late
        self._curve: Timeline | None = None

    @property
    def curve(self) -> Timeline:
        if self._curve is None:
            self._curve = self.book.timeline_without(self.place, self.late, self.line.demand_class)
            for peg in self.late:
                if peg.location_id == self.place:
                    self._curve.add(day_of(self.book, peg), -peg.quantity)
        return self._curve

    def for_exchange(self, need: date, other: date) -> int | None:
        """Units that a claim of `need` may have of one of `other`, which waits longer than both; None: any number.

        What somebody else wants is the same before and after it on every day but those from `need` to `other`: what is
        short on another day binds nobody.
        """
        if other > need:
            return self.curve.free_until(need, other)
        lots = self.book.lots
        spoils = () if lots is None else lots.expiring(self.place, lots.min_life)
        return 0 if any(other < day <= need for day, _ in spoils) else None

    def exchanged(self, need: date, other: date, units: int) -> None:
        """Count an exchange: `units` are claimed for `need` now, and no longer for `other`."""
        if self._curve is not None:
            self._curve.add(need, -units)
            if self.book.lots is None:  # else what it would have taken before it spoils counts on as claimed
                self._curve.add(other, units)


class Rescue:
    """Late claims under way: whose lines are touched, which of them moved and why, and who is still to come."""

    def __init__(self, book: SkuBook, network: Network, cause: Cause, policy: MovePolicy) -> None:
        self.book, self.network, self.cause, self.policy = book, network, cause, policy
        self.lines: dict[int, tuple[Line, date | None]] = {}
        """With the day that the line's backorder expected before."""
        self.told: dict[int, date | None] = {}
        self.before: dict[int, tuple] = {}
        self.moved: dict[int, PromiseReason] = {}
        self.stocked: set[int] = set()
        self.blamed: dict[int, list[dict[str, Any]]] = {}
        self.gave_way: dict[int, list[dict[str, Any]]] = {}
        """By line: to whom it gave its source, and what that was worth."""
        self.takers: list[Line] = []
        self.late: list[Peg] = []
        self.proofs: dict[int, dict[str, Any]] = {}
        """What shows why a claim is late that took a source which is late as well, by peg."""
        self.points: dict[int, float] = {}
        """By line, as `edge_value.points` has them."""

    def touch(self, peg: Peg) -> None:
        line = peg.line
        assert line is not None
        if id(line) not in self.lines:
            self.lines[id(line)] = line, expected_of(self.book, line)
            self.told[id(line)] = line.promised
            self.before[id(line)] = self._state(line), line.is_changed

    def is_as_it_was(self, line: Line) -> bool:
        """Has nothing come of it for the line: the same quantities and claims, nothing to write of its backorder?

        What there is to tell of a backorder (`book.backorder_facts`) the caller has seen.
        """
        backorder = self.book.backorder_of(line)
        is_written = backorder is not None and (backorder.is_new or backorder.is_changed)
        return not is_written and self.before[id(line)] == (self._state(line), False)

    def _state(self, line: Line) -> tuple:
        claims = sorted((p.kind, p.location_id, p.need_date, id(p.supply), p.quantity) for p in self.book.pegs_of(line))
        return line.open, line.backordered, line.allocated, line.ready, line.status, claims

    def cover(self, late: list[Peg]) -> None:
        """Cover late claims in this order; those who give way to one come last."""
        self.late = late
        while self.late:
            peg = self.late.pop(0)
            if peg.quantity:
                self._rescue(peg)
        bumped = self.gave_way.keys() & self.moved.keys()
        self.book.bump(self.takers, [line for key, (line, _) in self.lines.items() if key in bumped])

    def evidence(self, line: Line) -> dict[str, Any] | None:
        gave = self.gave_way.get(id(line))
        return {**(self.cause.evidence or {}), "gaveWay": gave} if gave else self.cause.evidence

    def _rescue(self, peg: Peg) -> None:
        book, cause, line, supply, place = self.book, str(self.cause.reason), peg.line, peg.supply, peg.location_id
        assert line is not None
        assert supply is not None
        need, day, left = peg.need_date, day_of(book, peg), peg.quantity
        proof = self.proofs.get(id(peg)) or proof_of(book, peg)
        may = may_serve(book, peg, book.today[place])
        may_stock = book.may_have_stock(peg)
        book.drop_peg(peg)
        left -= book.cover_dated(line, place, need, left, cause)
        room = _Room(book, place, line, self.late)
        given = min(left, may, book.shelf(place, line)) if may_stock else 0
        given = min(given, room.curve.atp()) if given > 0 else 0
        if given > 0:
            book.allocate(line, place, given, "reschedule", self.cause.id)
            move_use(book, line, book.today[place])
            book.line_facts.append(LineFact(line, "ALLOCATED", given))
            self.stocked.add(id(line))
            left -= given
            room = _Room(book, place, line, self.late)
        left -= self._take_sooner(line, room, need, day, left, proof)
        if left:
            left -= self._take_over(line, supply, room, need, left)
        target = self.network.ship_day_from(place, day)
        moves = left > 0 and should_move(need, target, self.policy.hysteresis_days, self.cause.certain)
        if moves:
            self.moved[id(line)] = self.cause.reason
            self.blamed.setdefault(id(line), []).append(proof)
        book.add_peg(place, target if moves else need, left, PegKind.FIRM, line=line, supply=supply, cause=cause)

    def _take_sooner(self, line: Line, room: _Room, need: date, day: date, wanted: int, proof: dict[str, Any]) -> int:
        """Unpegged supply that comes late as well, but sooner than `day` by what is worth telling; each is late anew."""
        book, place, taken = self.book, room.place, 0
        target = self.network.ship_day_from(place, day)
        latest = target - timedelta(days=max(1, self.policy.hysteresis_days))
        today = book.today[place]
        found = [s for s in book.supplies if s.location_id == place and s.unpegged > 0] if wanted else []
        for supply in sorted(found, key=lambda s: (s.effective_date(today), s.id or 0)):
            usable = supply.effective_date(today)
            if taken == wanted or self.network.ship_day_from(place, usable) > latest:
                break
            units = min(wanted - taken, supply.unpegged, room.curve.free_until(usable, target))
            peg = book.add_peg(place, need, units, PegKind.FIRM, line=line, supply=supply, cause="sooner")
            if peg is not None:
                taken += units
                room.curve.add(usable, -units)
                self.proofs.setdefault(id(peg), {**proof, "quantity": units})
                if not any(p is peg for p in self.late):
                    self.late.insert(0, peg)
        return taken

    def _take_over(self, line: Line, supply: Supply, room: _Room, need: date, wanted: int) -> int:
        """The sources of promises that weigh less by the margin, the least first; they get as much of the late supply."""
        book, place, margin, taken = self.book, room.place, self.policy.value_margin, 0
        target = self.network.ship_day_from(place, supply.effective_date(book.today[place]))
        if not should_move(need, target, self.policy.hysteresis_days, self.cause.certain):
            return 0
        saved, backorder = (target - need).days, book.backorder_of(line)
        stopped = backorder is not None and backorder.state in _STOPPED
        if stopped or self._points(line) * saved < margin:
            return 0
        full = date.max
        for worth, peg in self._givers(line, place, need, target, saved, margin):
            giver, source, their_need = peg.line, peg.supply, peg.need_date
            assert giver is not None
            assert source is not None
            free = room.for_exchange(need, their_need) if their_need < full else 0
            if free == 0:  # nor for who waits longer: every day up to theirs counts for those as well
                full = min(full, their_need) if their_need > need else full
                continue
            units = min(wanted - taken, peg.quantity, free or peg.quantity)
            self.touch(peg)
            book.drop_peg(peg, units)
            book.add_peg(place, need, units, PegKind.FIRM, line=line, supply=source, cause="took_over")
            later = book.add_peg(place, their_need, units, PegKind.FIRM, line=giver, supply=supply, cause="gave_way")
            assert later is not None
            room.exchanged(need, their_need, units)
            if not any(p is later for p in self.late):
                self.late.append(later)
            self.gave_way.setdefault(id(giver), []).append({"toLine": line.id, "units": units, "gain": round(worth)})
            self.takers.append(line)
            taken += units
            if taken == wanted:
                break
        return taken

    def _points(self, line: Line) -> float:
        if (known := self.points.get(id(line))) is None:
            known = self.points[id(line)] = points(line)
        return known

    def _givers(
        self, line: Line, place: int, need: date, target: date, saved: int, margin: float
    ) -> list[tuple[float, Peg]]:
        """Claims whose source would be in time for `need`, with what a unit of it would win: the most first."""
        today, own, found = self.book.today[place], self._points(line), []
        for peg in self.book.pegs:
            giver = peg.line
            if peg.kind != PegKind.FIRM or peg.location_id != place or peg.supply is None or giver is None:
                continue
            usable = peg.supply.effective_date(today)
            if giver is line or usable > need or usable > peg.need_date or peg.need_date >= target:
                continue
            worth = gain(own, saved, self._points(giver), (target - peg.need_date).days)
            if worth >= margin:
                found.append((worth, peg))
        found.sort(key=lambda pair: claim_order(pair[1]), reverse=True)
        return sorted(found, key=lambda pair: -pair[0])
