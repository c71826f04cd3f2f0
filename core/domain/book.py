"""The book of one SKU: everything its gate guards, in memory, with the few operations that may change it.

A service loads a book under the gate, decides, changes it through these operations and saves it; each operation keeps
the identities of the data model and records what has to be written. Quantities are base units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from core.domain.allowance import WaitsFor
from core.domain.availability import Timeline
from core.domain.backorder_life import follow
from core.domain.claims_by_owner import ClaimsByOwner
from core.domain.lots import Lots
from core.domain.order import check_line_move, line_status
from core.domain.pegging import Exchange, make_room, take_unpegged
from core.domain.priority import PriorityWeights, serve_order
from core.domain.quotas import may_serve, move_use
from core.domain.records import (
    Backorder,
    BackorderFact,
    Hold,
    Line,
    LineFact,
    Lot,
    Movement,
    Peg,
    PromiseDraft,
    Quota,
    QuotaUse,
    StockLevel,
    Supply,
    Transfer,
)
from core.domain.states import OrderLineStatus, PegKind
from core.errors import InvariantBroken, QuantityExceeded


def claim_order(peg: Peg) -> tuple[int, int, date, int]:
    """Who gets scarce stock first: transfers already planned, then priority, the earlier promise, and age."""
    line = peg.line
    return (0, 0, date.min, 0) if line is None else (1, *serve_order(line.priority, line.promised, line.id))


def _rises(steps: Iterable[tuple[date, int]]) -> list[tuple[date, int]]:
    """Steps of a level as its changes."""
    rises, before = [], 0
    for day, level in steps:
        rises.append((day, level - before))
        before = level
    return rises


@dataclass(slots=True)
class SkuBook:
    """`today` is the calendar day per location; `lines` holds the lines that were asked for, by id."""

    sku_id: int
    sku: str
    version: int
    now: datetime
    today: dict[int, date]
    levels: dict[int, StockLevel] = field(default_factory=dict)
    supplies: list[Supply] = field(default_factory=list)
    pegs: list[Peg] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    protected: dict[str, dict[int, list[tuple[date, int]]]] = field(default_factory=dict)
    """Protected stock per demand class and location as steps (from date, quantity), ascending; '' is the default.

    A class without steps of its own at a location keeps off the default's there; a step of 0 exempts it.
    """
    status: str | None = None
    """The SKU's `SkuStatus`, read behind its gate; None where only some claims were loaded."""
    available_from: date | None = None
    """Release day of a pre-order: nothing is given out before it. None: it is on sale."""
    horizon_days: int | None = None
    """Policy `promise_horizon_days`: dated supply is promised up to so many days ahead; None: up to the lead time."""
    quotas: list[Quota] = field(default_factory=list)
    quota_used: dict[tuple[int, date], int] = field(default_factory=dict)
    """Units used, by quota id and day."""
    quota_uses: list[QuotaUse] = field(default_factory=list)
    """What this change uses up."""
    quota_shares: dict[tuple[int, int], dict[date, int]] = field(default_factory=dict)
    """Units used per day by the lines that were loaded, by quota id and line id."""
    quota_rewrites: set[tuple[int, int]] = field(default_factory=set)
    """Of these, those whose days have changed."""
    off_shipments: dict[tuple[int, int], int] = field(default_factory=dict)
    """Units that come off planned shipments because their stock was lost, by line id and location."""
    run_id: int | None = None
    """The re-promising run that changes it: its customers get one notice per order, of that run."""
    lines: dict[int, Line] = field(default_factory=dict)
    backorders: list[Backorder] = field(default_factory=list)
    lots: Lots | None = None
    """The lots of a SKU that tracks them: then every movement is one of a lot, and every HARD peg names its lot."""
    tracks_serials: bool = False

    new_lines: list[Line] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    promises: list[PromiseDraft] = field(default_factory=list)
    backorder_facts: list[BackorderFact] = field(default_factory=list)
    line_facts: list[LineFact] = field(default_factory=list)
    removed_pegs: list[int] = field(default_factory=list)
    bumped: list[Line] = field(default_factory=list)
    """Lines whose `times_bumped` has grown."""
    weights: PriorityWeights | None = None
    """By what its waiting lines were ranked; None where they were not."""
    is_changed: bool = False
    """Something has to be written."""
    is_whole: bool = True
    """False when only some claims were loaded: enough to move stock, not to judge what is free."""
    curve_changed: bool = False
    """Some ATP may be another now."""
    _timelines: dict[int, dict[str, Timeline]] = field(default_factory=dict)
    """Per location and class with a protection of its own ('' for all others)."""
    _owners: ClaimsByOwner = field(default_factory=ClaimsByOwner, compare=False, repr=False)

    # --- reading ---------------------------------------------------------------------------------------------------

    def level(self, location_id: int) -> StockLevel:
        if location_id not in self.levels:
            self.levels[location_id] = StockLevel(location_id)
        return self.levels[location_id]

    def protection_class(self, location_id: int, demand_class: str) -> str:
        """Whose protected stock a demand class keeps off at a location: its own, else the default's ('')."""
        return demand_class if location_id in self.protected.get(demand_class, ()) else ""

    def protected_at(self, location_id: int, demand_class: str, day: date) -> int:
        """Units kept from the class on `day`."""
        steps = self.protected.get(self.protection_class(location_id, demand_class), {}).get(location_id, ())
        return next((quantity for from_date, quantity in reversed(steps) if from_date <= day), 0)

    def protection_rises(self, location_id: int, demand_class: str) -> list[tuple[date, int]]:
        """The changes of what is kept from the class, by day."""
        name = self.protection_class(location_id, demand_class)
        return _rises(self.protected.get(name, {}).get(location_id, ()))

    def is_preorder(self, location_id: int) -> bool:
        """Is the release day still to come there?"""
        return self.available_from is not None and self.today[location_id] < self.available_from

    def may_have_stock(self, peg: Peg) -> bool:
        """May the claim get units today: not before the release of a pre-order, nor before the window of its quota."""
        return not self.is_preorder(peg.location_id) and not self.waits_for_quota(peg)

    def waits_for_quota(self, peg: Peg) -> bool:
        """Does the claim wait for the window of a quota that has not begun?"""
        waits = peg.kind == PegKind.OPEN and peg.cause == WaitsFor.QUOTA
        return waits and peg.need_date > self.today[peg.location_id]

    def timeline(self, location_id: int, demand_class: str = "") -> Timeline:
        """The SKU's curve at a location for a demand class, kept up to date by every operation."""
        kept = self._timelines.setdefault(location_id, {})
        name = self.protection_class(location_id, demand_class)
        if name not in kept:
            kept[name] = self._build(location_id, frozenset(), name)
        return kept[name]

    def timeline_without(self, location_id: int, pegs: Iterable[Peg], demand_class: str = "") -> Timeline:
        """The class's curve as if the given pegs claimed nothing."""
        name = self.protection_class(location_id, demand_class)
        return self._build(location_id, frozenset(id(peg) for peg in pegs), name)

    def _build(self, location_id: int, left_out: frozenset[int], protection_class: str) -> Timeline:
        if not self.is_whole:
            raise InvariantBroken("timeline_of_a_whole_book", self.sku)
        today = self.today[location_id]
        line = Timeline(today)
        line.add(today, self.level(location_id).available)
        for supply in self.supplies:
            if supply.location_id == location_id:
                line.add(supply.effective_date(today), supply.open)
        for peg in self.pegs:
            if peg.location_id == location_id and peg.kind != PegKind.HARD and id(peg) not in left_out:
                self._claim(line, protection_class, peg, peg.quantity)
        for hold in self.holds:
            if hold.location_id == location_id:
                line.add(hold.need_date, -hold.quantity)
        own = self.protection_rises(location_id, protection_class)
        for from_date, rise in own:
            line.add(from_date, -rise)
        for name in {"", *self.protected} - {protection_class}:
            if self.protection_class(location_id, name) == name:
                for from_date, rise in self.protection_rises(location_id, name):
                    line.keep_from(name, from_date, rise)
                for from_date, rise in own:
                    line.keep_from(name, from_date, -rise)
        if self.lots is not None:
            line.expire(
                self.lots.expiring(location_id, self.lots.min_life),
                [
                    *((h.need_date, h.quantity) for h in self.holds if h.location_id == location_id),
                    *(
                        (p.need_date, p.quantity)
                        for p in self.pegs
                        if p.location_id == location_id and p.kind != PegKind.HARD and id(p) not in left_out
                    ),
                ],
            )
        return line

    def _claim(self, timeline: Timeline, protection_class: str, peg: Peg, quantity: int) -> None:
        """Count `quantity` of a claim on the curve of a class; without a source it gives way to what it may not touch."""
        demand_class = peg.line.demand_class if peg.line is not None else peg.demand_class
        name = self.protection_class(peg.location_id, demand_class)
        if peg.kind == PegKind.OPEN and name != protection_class:
            timeline.wait(name, peg.need_date, quantity)
        else:
            timeline.add(peg.need_date, -quantity)

    def _shift_claim(self, peg: Peg, quantity: int) -> None:
        """`quantity` more (negative: less) of a claim without stock."""
        self.is_changed = self.curve_changed = True
        if self.lots is not None:
            self._timelines.pop(peg.location_id, None)
        for name, timeline in self._timelines.get(peg.location_id, {}).items():
            self._claim(timeline, name, peg, quantity)

    def _shift(self, location_id: int, day: date, quantity: int) -> None:
        self.is_changed = True
        if quantity:
            self.curve_changed = True
        if self.lots is not None:  # what expires first depends on every claim: the curve is made anew
            self._timelines.pop(location_id, None)
        for timeline in self._timelines.get(location_id, {}).values():
            timeline.add(day, quantity)

    def add_hold(self, hold: Hold) -> None:
        """Count a live reservation; its row is written by the one who made it."""
        self.holds.append(hold)
        self._shift(hold.location_id, hold.need_date, -hold.quantity)

    def drop_hold(self, hold: Hold) -> None:
        """Stop counting a reservation: its holder is served now."""
        self.holds.remove(hold)
        self._shift(hold.location_id, hold.need_date, hold.quantity)

    def pegs_of(self, line: Line) -> list[Peg]:
        return [peg for peg in self._owners.of(self.pegs, line) if peg.quantity]

    def waiting(self, *kinds: PegKind) -> list[Peg]:
        """Pegs of lines of the given kinds, in the order in which they are served."""
        found = [peg for peg in self.pegs if peg.quantity and peg.kind in kinds and peg.line is not None]
        return sorted(found, key=claim_order)

    def forget_curves(self) -> None:
        """Work the timelines out anew when next asked: something they are made of was set from outside."""
        self._timelines.clear()

    def live_on(self, now: datetime, today: dict[int, date]) -> None:
        """Let time pass for a book that is played forward: what is overdue then slides, what is due counts."""
        self.now, self.today = now, today
        if self.lots is not None:
            self.lots.now = now
        self.forget_curves()

    def bump(self, served: Iterable[Line], waiting: Iterable[Line]) -> None:
        """Count for each line that still waits that a younger one was served just now."""
        winners = {id(line): line.id or 1 << 62 for line in served}
        youngest = max(winners.values(), default=0)
        for line in {id(line): line for line in waiting}.values():
            if id(line) not in winners and line.id is not None and line.id < youngest:
                line.times_bumped += 1
                self.bumped.append(line)

    def backorder_of(self, line: Line) -> Backorder | None:
        return next((b for b in self.backorders if b.line is line and b.closed_at is None), None)

    def forget_unborn(self) -> None:
        """Drop backorders that were opened and closed in this very change: nobody was ever short, nobody is told."""
        unborn = {id(b) for b in self.backorders if b.is_new and b.closed_at is not None}
        if unborn:
            self.backorders = [b for b in self.backorders if id(b) not in unborn]
            self.backorder_facts = [f for f in self.backorder_facts if id(f.backorder) not in unborn]

    def shelf(self, location_id: int, line: Line) -> int:
        """Units that can be allocated to the line here now: free, and in lots that still live long enough for it."""
        available = self.level(location_id).available
        if self.lots is None or available <= 0:
            return available
        return min(available, self.lots.free(location_id, self.lots.keep_of(location_id, line)))

    def min_life(self, line: Line) -> int | None:
        """Days of life the line's lots must have left at delivery; None where no lots are tracked."""
        return None if self.lots is None else self.lots.min_life_for(line)

    # --- the door to stock -----------------------------------------------------------------------------------------

    def move(self, movement: Movement) -> None:
        """Change counters and ledger by the same figures. Raises QuantityExceeded when a counter would turn illegal."""
        level = self.level(movement.location_id)
        on_hand = level.on_hand + movement.on_hand
        unsellable = level.unsellable + movement.unsellable
        allocated = level.allocated + movement.allocated
        if min(on_hand, unsellable, allocated) < 0 or allocated + unsellable > on_hand:
            wanted = max(abs(movement.on_hand), abs(movement.allocated), abs(movement.unsellable))
            raise QuantityExceeded(f"of SKU {self.sku} free at this location", wanted, level.available)
        if self.lots is not None:
            self.lots.apply(movement)
        level.on_hand, level.unsellable, level.allocated, level.is_changed = on_hand, unsellable, allocated, True
        self.movements.append(movement)
        self._shift(
            movement.location_id,
            self.today[movement.location_id],
            movement.on_hand - movement.unsellable - movement.allocated,
        )

    # --- pegs ------------------------------------------------------------------------------------------------------

    def add_peg(
        self,
        location_id: int,
        need_date: date,
        quantity: int,
        kind: PegKind,
        *,
        line: Line | None = None,
        line_id: int | None = None,
        transfer: Transfer | None = None,
        supply: Supply | None = None,
        lot: Lot | None = None,
        cause: str | None = None,
    ) -> Peg | None:
        """Claim `quantity` for a line or a transfer; equal claims are merged. A dated supply is pegged by as much.

        A claim that waits for its quota stays apart from those that may be served at any time.

        `line_id` names the owner where its line was not loaded.
        """
        line_id = line.id if line is not None else line_id
        if quantity <= 0:
            return None
        if supply is not None:
            if supply.unpegged < quantity:
                raise InvariantBroken("supply_not_over_pegged", (self.sku, supply.id, supply.unpegged, quantity))
            supply.pegged += quantity
            supply.is_changed = True
        peg = next(
            (
                p
                for p in (self.pegs if line is None else self._owners.of(self.pegs, line))
                if p.quantity
                and p.kind == kind
                and p.location_id == location_id
                and p.supply is supply
                and p.need_date == need_date
                and p.lot is lot
                and p.line is line
                and p.line_id == line_id
                and p.transfer is transfer
                and (kind != PegKind.OPEN or (p.cause == WaitsFor.QUOTA) == (cause == WaitsFor.QUOTA))
            ),
            None,
        )
        if peg is None:
            peg = Peg(None, location_id, need_date, 0, kind, line=line, transfer=transfer, supply=supply, cause=cause)
            peg.lot = lot
            peg.line_id = line_id
            self._owners.add(self.pegs, peg)
        peg.quantity += quantity
        peg.is_changed = True
        if kind != PegKind.HARD:
            self._shift_claim(peg, quantity)
        if line is not None:
            line.is_changed = True
        self.is_changed = True
        return peg

    def drop_peg(self, peg: Peg, quantity: int | None = None) -> None:
        """Give up `quantity` (default: all) of a claim; a HARD one gives nothing back to stock by itself."""
        quantity = peg.quantity if quantity is None else quantity
        if not 0 <= quantity <= peg.quantity:
            raise InvariantBroken("peg_quantity", (self.sku, peg.id, peg.quantity, quantity))
        peg.quantity -= quantity
        peg.is_changed = True
        if peg.supply is not None:
            peg.supply.pegged -= quantity
            peg.supply.is_changed = True
        if peg.kind != PegKind.HARD:
            self._shift_claim(peg, -quantity)
        if peg.line is not None:
            peg.line.is_changed = True
            if peg.id is not None and peg.kind != PegKind.HARD:
                peg.line.dropped_claims |= {(peg.location_id, peg.need_date)}
        if peg.quantity == 0:
            self._owners.remove(self.pegs, peg)
            if peg.id is not None:
                self.removed_pegs.append(peg.id)
        self.is_changed = True

    def peg_dated(self, line: Line, location_id: int, need_date: date, quantity: int, cause: str) -> int:
        """Cover `quantity` by dated supply usable on `need_date`, exchanging sources of other pegs if need be.

        What no supply covers becomes an OPEN peg on the same day. Returns the quantity covered by supplies.
        """
        covered = self.cover_dated(line, location_id, need_date, quantity, cause)
        self.add_peg(location_id, need_date, quantity - covered, PegKind.OPEN, line=line, cause=cause)
        return covered

    def cover_dated(self, line: Line, location_id: int, need_date: date, quantity: int, cause: str) -> int:
        """As `peg_dated`, but what no supply covers is left to the caller.

        A line that is not validated yet is covered SOFT: its sources are known, and given up to a validated line that
        would be late without them.
        """
        today = self.today[location_id]
        supplies = [s for s in self.supplies if s.location_id == location_id and s.open > 0]
        shares = take_unpegged(supplies, need_date, quantity, today)
        if sum(share.quantity for share in shares) < quantity:
            exchanges, shares = make_room(supplies, [p for p in self.pegs if p.quantity], need_date, quantity, today)
            self._exchange(exchanges)
        kind = PegKind.SOFT if line.status == OrderLineStatus.RECEIVED else PegKind.FIRM
        for share in shares:
            self.add_peg(location_id, need_date, share.quantity, kind, line=line, supply=share.supply, cause=cause)
        covered = sum(share.quantity for share in shares)
        if covered < quantity and kind == PegKind.FIRM and self._give_up_soft(supplies, need_date, quantity - covered):
            covered += self.cover_dated(line, location_id, need_date, quantity - covered, cause)
        return covered

    def source(self, peg: Peg, cause: str) -> int:
        """Give an OPEN claim dated supply in time, as `cover_dated` finds it; it keeps its day. Returns the units that have some."""
        assert peg.line is not None
        covered = self.cover_dated(peg.line, peg.location_id, peg.need_date, peg.quantity, cause)
        self.drop_peg(peg, covered)
        return covered

    def _give_up_soft(self, supplies: list[Supply], need_date: date, quantity: int) -> int:
        """Free up to `quantity` usable by `need_date` that lines hold which are not validated; they keep their place."""
        usable = {id(s) for s in supplies if s.effective_date(self.today[s.location_id]) <= need_date}
        soft = [p for p in self.pegs if p.kind == PegKind.SOFT and p.supply is not None and id(p.supply) in usable]
        freed = 0
        for peg in sorted(soft, key=claim_order, reverse=True):
            part = min(peg.quantity, quantity - freed)
            if part > 0:
                self.soften(peg, part, "given_up")
                freed += part
        return freed

    def soften(self, peg: Peg, quantity: int, cause: str) -> None:
        """Take the source from `quantity` of a claim; it keeps its place on the timeline, OPEN."""
        line, location_id, need_date = peg.line, peg.location_id, peg.need_date
        self.drop_peg(peg, quantity)
        self.add_peg(location_id, need_date, quantity, PegKind.OPEN, line=line, line_id=peg.line_id, cause=cause)

    def _exchange(self, exchanges: list[Exchange]) -> None:
        """Give pegs other sources; (location, need date, quantity) stay, so no ATP changes and no line does."""
        lines = {id(e.peg.line): e.peg.line for e in exchanges if e.peg.line is not None}
        as_they_were = [(line, line.is_changed) for line in lines.values()]
        for exchange in exchanges:  # all leave before any arrives: a supply has room only once others have left it
            self.drop_peg(exchange.peg, exchange.quantity)
        for exchange in exchanges:
            peg = exchange.peg
            self.add_peg(
                peg.location_id,
                peg.need_date,
                exchange.quantity,
                peg.kind,
                line=peg.line,
                line_id=peg.line_id,
                transfer=peg.transfer,
                supply=exchange.supply,
                cause="repegged",
            )
        for line, was_changed in as_they_were:
            line.is_changed = was_changed

    # --- lines -----------------------------------------------------------------------------------------------------

    def allocate(
        self, line: Line, location_id: int, quantity: int, cause_kind: str, cause_id: int | None = None
    ) -> None:
        """Give stock on hand to a line (a HARD peg). Call `settle` once the line's other pegs are right.

        Where lots are tracked the units come from those that live long enough for the line, first expired first; what
        no such lot has stays an OPEN claim of today (`shelf` says beforehand how much there is).
        """
        if quantity <= 0:
            return
        today = self.today[location_id]
        keep = 0 if self.lots is None else self.lots.keep_of(location_id, line)
        for lot, units in self._pick(location_id, quantity, keep):
            self.move(
                Movement(
                    location_id,
                    "allocated",
                    allocated=units,
                    cause_kind=cause_kind,
                    cause_id=cause_id,
                    line=line,
                    lot=lot,
                )
            )
            self.add_peg(location_id, today, units, PegKind.HARD, line=line, lot=lot, cause=cause_kind)
            line.allocated += units
            quantity -= units
        self.add_peg(location_id, today, quantity, PegKind.OPEN, line=line, cause="no_fitting_lot")

    def _pick(self, location_id: int, quantity: int, keep_days: int) -> list[tuple[Lot | None, int]]:
        """Which lots the units come from: one nameless portion where none are tracked."""
        if self.lots is None:
            return [(None, quantity)]
        return list(self.lots.pick(location_id, quantity, keep_days))

    def release(self, peg: Peg, quantity: int, cause_kind: str, cause_id: int | None = None) -> None:
        """Take allocated stock back from a line; the units are free again."""
        line = peg.line
        assert line is not None
        assert peg.kind == PegKind.HARD
        self.drop_peg(peg, quantity)
        line.allocated -= quantity
        self.move(
            Movement(
                peg.location_id,
                "released",
                allocated=-quantity,
                cause_kind=cause_kind,
                cause_id=cause_id,
                line=line,
                lot=peg.lot,
            )
        )

    def is_late(self, line: Line, peg: Peg) -> bool:
        """Is a claim without stock part of the backordered quantity: late, or without a source (but for a pre-order)?"""
        unsourced = peg.kind == PegKind.OPEN and not self.is_preorder(peg.location_id)
        return unsourced or line.ship_by is None or peg.need_date > line.ship_by

    def settle(self, line: Line, reason: str) -> None:
        """Set open, backordered and status of a line from its pegs, and its backorder from that.

        Late is what is promised after `ship_by` (any later day when no date was asked) or has no dated source; a
        line that is not validated has no backorder yet. Raises InvariantBroken when pegs and quantities disagree.
        """
        waiting = [peg for peg in self.pegs_of(line) if peg.kind != PegKind.HARD]
        remaining = line.ordered - line.allocated - line.shipped - line.cancelled
        if sum(peg.quantity for peg in waiting) != remaining:
            raise InvariantBroken("line_pegs", (self.sku, line.id, remaining, [(p.kind, p.quantity) for p in waiting]))
        late = 0
        if line.status != OrderLineStatus.RECEIVED:
            late = sum(peg.quantity for peg in waiting if self.is_late(line, peg))
        line.open, line.backordered = remaining - late, late
        line.ready = min(line.ready, line.allocated)
        status = status_of(line)
        check_line_move(f"{self.sku}/{line.id}", line.status, status)
        line.status = status
        line.is_changed = True
        self.is_changed = True
        self.backorder_facts += follow(self.backorders, line, waiting, self.now, reason)

    # --- supplies --------------------------------------------------------------------------------------------------

    def add_supply(self, supply: Supply) -> Supply:
        supply.is_new = True
        self.supplies.append(supply)
        self._shift(supply.location_id, supply.effective_date(self.today[supply.location_id]), supply.open)
        return supply

    def redate_supply(self, supply: Supply, usable_date: date, basis: str, sequence: str | None) -> None:
        """Believe another day. Pegs stay; the caller decides what becomes of those that are late now."""
        today = self.today[supply.location_id]
        self._shift(supply.location_id, supply.effective_date(today), -supply.open)
        supply.usable_date, supply.date_basis = usable_date, basis
        supply.date_revision += 1
        supply.last_sequence = sequence or supply.last_sequence
        supply.is_changed = True
        self._shift(supply.location_id, supply.effective_date(today), supply.open)

    def slide_supply(self, supply: Supply, overdue_days: int, today: date) -> None:
        """An overdue supply is believed to come `overdue_days` from today; its own day, which has passed, stays."""
        self._shift(supply.location_id, supply.effective_date(today), -supply.open)
        supply.overdue_days, supply.overdue_checked_on = overdue_days, today
        supply.is_changed = True
        self._shift(supply.location_id, supply.effective_date(today), supply.open)

    def split_supply(
        self, supply: Supply, quantity: int, usable_date: date, basis: str, sequence: str | None
    ) -> Supply:
        """Move `quantity` of the open part to a supply of its own; pegs that no longer fit follow it, least first."""
        today = self.today[supply.location_id]
        if not 0 < quantity <= supply.open or quantity == supply.quantity:
            raise QuantityExceeded(f"of SKU {self.sku} open on this supply", quantity, supply.open)
        supply.quantity -= quantity
        supply.is_changed = True
        self._shift(supply.location_id, supply.effective_date(today), -quantity)
        part = Supply(
            None,
            supply.location_id,
            supply.kind,
            quantity,
            usable_date,
            paper_date=supply.paper_date,
            overdue_days=supply.overdue_days,
            date_basis=basis,
            date_revision=supply.date_revision + 1,
            last_sequence=sequence,
            supplier_id=supply.supplier_id,
            purchase_order_line_id=supply.purchase_order_line_id,
            split_from=supply,
        )
        self.add_supply(part)
        for peg, lost in self._overhang(supply):
            self.drop_peg(peg, lost)
            self.add_peg(
                peg.location_id,
                peg.need_date,
                lost,
                peg.kind,
                line=peg.line,
                line_id=peg.line_id,
                transfer=peg.transfer,
                supply=part,
                cause="split",
            )
        return part

    def cancel_supply(self, supply: Supply, quantity: int, cause: str) -> list[Line]:
        """Supply that will not come. Pegs that no longer fit become OPEN on the same day; returns their lines."""
        if not 0 <= quantity <= supply.open:
            raise QuantityExceeded(f"of SKU {self.sku} open on this supply", quantity, supply.open)
        supply.cancelled += quantity
        supply.is_changed = True
        self._shift(supply.location_id, supply.effective_date(self.today[supply.location_id]), -quantity)
        losers: list[Line] = []
        for peg, lost in self._overhang(supply):
            line, location_id, need_date = peg.line, peg.location_id, peg.need_date
            self.drop_peg(peg, lost)
            if line is not None:
                self.add_peg(location_id, need_date, lost, PegKind.OPEN, line=line, cause=cause)
                losers.append(line)
        return losers

    def _overhang(self, supply: Supply) -> list[tuple[Peg, int]]:
        """Pegs (and how much of each) that exceed what is open, least claim first."""
        excess, found = supply.pegged - supply.open, []
        mine = [p for p in self.pegs if p.supply is supply]
        for peg in sorted(mine, key=lambda p: (p.kind == PegKind.SOFT, claim_order(p)), reverse=True):
            if excess <= 0:
                break
            lost = min(excess, peg.quantity)
            found.append((peg, lost))
            excess -= lost
        return found

    def receive(
        self,
        supply: Supply,
        quantity: int,
        damaged: int,
        cause_kind: str,
        cause_id: int | None,
        lot: Lot | None = None,
    ) -> list[Line]:
        """Book `quantity` arrived on a supply, of it `damaged` unsellable; its pegs become stock by priority, then age.

        A damaged unit covers nobody: pegs it would have covered turn OPEN, and so do all before a pre-order's release
        day and a claim for which no lot here lives long enough; what is claimed for a later window of a quota that has
        no room now waits for it. `lot` is where the units are, for a SKU that tracks lots. Returns the lines that gained
        or lost.
        """
        if not 0 < quantity <= supply.open or not 0 <= damaged <= quantity:
            raise QuantityExceeded(f"of SKU {self.sku} open on this supply", quantity, supply.open)
        location_id, today = supply.location_id, self.today[supply.location_id]
        supply.received += quantity
        supply.is_changed = True
        self._shift(location_id, supply.effective_date(today), -quantity)
        kind = "transfer_in" if supply.kind == "transfer" else "received"
        self.move(Movement(location_id, kind, on_hand=quantity, cause_kind=cause_kind, cause_id=cause_id, lot=lot))
        if damaged:
            self.move(
                Movement(
                    location_id, "quarantined", unsellable=damaged, cause_kind=cause_kind, cause_id=cause_id, lot=lot
                )
            )
        touched: list[Line] = []
        free = quantity - damaged
        too_early: set[int] = set()
        for peg in sorted((p for p in self.pegs if p.supply is supply), key=claim_order):
            line, may = peg.line, may_serve(self, peg, today)
            if peg.quantity > may:
                too_early.add(id(peg))
            if line is None or peg.kind == PegKind.SOFT or self.is_preorder(location_id):
                continue
            given = min(free, may, self.shelf(location_id, line))
            if given <= 0:
                continue
            self.drop_peg(peg, given)
            self.allocate(line, location_id, given, cause_kind, cause_id)
            move_use(self, line, today)
            self.line_facts.append(LineFact(line, "ALLOCATED", given))
            free -= given
            touched.append(line)
        cause = "preorder" if self.is_preorder(location_id) else "damaged"
        for peg, lost in self._overhang(supply):
            line, need_date = peg.line, peg.need_date
            self.drop_peg(peg, lost)
            if line is not None:
                why = str(WaitsFor.QUOTA) if id(peg) in too_early else cause
                self.add_peg(location_id, need_date, lost, PegKind.OPEN, line=line, cause=why)
                touched.append(line)
        return touched

    def _keep_on_the_way(self, from_location_id: int, to_location_id: int, usable_date: date, line: Line | None) -> int:
        """Days a lot has to live when it leaves, to reach another location and from there the customer of `line`.

        Without a line: to be sold from there on the day it arrives, with the life that the SKU asks for.
        """
        if self.lots is None or not self.lots.tracks_expiry:
            return 0
        on_the_way = (usable_date - self.today[from_location_id]).days
        if line is None:
            return on_the_way + self.lots.keep_days(to_location_id, None, self.lots.min_life)
        return on_the_way + self.lots.keep_of(to_location_id, line)

    def may_leave(
        self, from_location_id: int, to_location_id: int, usable_date: date, line: Line, quantity: int
    ) -> int:
        """Up to `quantity` units that may be moved for a line: all where no lots are tracked, else what lives long enough."""
        if self.lots is None:
            return quantity
        keep = self._keep_on_the_way(from_location_id, to_location_id, usable_date, line)
        return sum(units for _, units in self._pick(from_location_id, quantity, keep))

    def plan_transfer(
        self,
        from_location_id: int,
        to_location_id: int,
        quantity: int,
        usable_date: date,
        cause_kind: str,
        line: Line | None = None,
    ) -> Supply:
        """Move stock to another location: reserved at the source now, a dated supply at the destination.

        Lots leave first expired first, of those that live long enough to reach the customer of `line` from there, or
        without a line to be sold there. Raises QuantityExceeded when there are not as many units of such lots.
        """
        transfer = Transfer(None, from_location_id, to_location_id, quantity, is_new=True)
        self.transfers.append(transfer)
        today = self.today[from_location_id]
        picked = self._pick(
            from_location_id, quantity, self._keep_on_the_way(from_location_id, to_location_id, usable_date, line)
        )
        if sum(units for _, units in picked) < quantity:
            raise QuantityExceeded(f"of SKU {self.sku} in lots that may leave", quantity, sum(u for _, u in picked))
        for lot, units in picked:
            self.move(
                Movement(
                    from_location_id, "allocated", allocated=units, cause_kind=cause_kind, transfer=transfer, lot=lot
                )
            )
            self.add_peg(from_location_id, today, units, PegKind.HARD, transfer=transfer, lot=lot, cause=cause_kind)
        return self.add_supply(
            Supply(
                None,
                to_location_id,
                "transfer",
                quantity,
                usable_date,
                paper_date=usable_date,
                date_basis="TRANSFER",
                transfer=transfer,
            )
        )


def status_of(line: Line) -> OrderLineStatus:
    """A line's state from its quantities; it stays RECEIVED until it is validated."""
    return line_status(
        ordered=line.ordered,
        open=line.open,
        allocated=line.allocated,
        backordered=line.backordered,
        shipped=line.shipped,
        cancelled=line.cancelled,
        ready=line.ready,
        delivered=line.delivered,
        is_validated=line.status != OrderLineStatus.RECEIVED,
    )
