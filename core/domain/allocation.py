"""Who gets what has come free: waiting claims without a source, by priority or by fair shares of groups."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain.availability import Timeline
from core.domain.book import SkuBook
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.pegging import take_unpegged
from core.domain.quotas import may_serve, move_use
from core.domain.ranking import rank_again
from core.domain.records import Line, LineFact, Peg
from core.domain.serving import CompleteLines, FairShares, ServePolicy
from core.domain.states import BackorderState, OrderLineStatus, PegKind, PromiseReason, ShipPolicy

_NOT_SERVED = frozenset({BackorderState.ON_HOLD, BackorderState.CANCEL_PENDING})
DEFAULT = ServePolicy()


def serve_waiting(
    book: SkuBook,
    network: Network,
    held: Collection[int] = (),
    allowed: Mapping[int, Sequence[int] | None] | None = None,
    policy: ServePolicy = DEFAULT,
) -> list[tuple[Line, int]]:
    """Offer free stock, then unpegged dated supply, then stock of other locations; returns (line, units of stock).

    Claims are served that have no source, or (by policy) one that comes too late: the highest rank first, or within
    the fair shares of their groups and then the highest rank. A claim gets stock of its own location first, then of
    every place that ships straight to its destination (`allowed` narrows per order id); what then still has no source
    in time is moved here over a lane, as a transfer at once. Never above the stock that is there nor the ATP computed
    without the claims that are served: later promises, holds, protected stock and the places of orders on hold
    (`held`) stay untouched. A line that waits on while a younger one was served is bumped: another call may find
    something for who ranks higher by that, and in fair shares of what a whole line could not use. Lines are concluded, each once
    (one promise, one fact); load the book with its waiting lines.
    """
    rank_again(book, {id(p.line): p.line for p in book.pegs if p.line is not None}.values(), book.now)
    wanting = wanting_claims(book) if policy.redistribution.rescue_late else book.waiting(PegKind.OPEN)
    claims = [peg for peg in wanting if _may_be_served(book, peg, held)]
    serving = _Serving(book, network, policy, claims, {k: _list(v) for k, v in (allowed or {}).items()})
    fair = policy.fair(book.sku)
    if fair is not None:
        serving.share_out(fair)
    for peg in claims:
        if peg.quantity and (fair is None or serving.may_have_rest(fair, peg)):
            serving.give_stock(peg)
        if peg.quantity and peg.kind == PegKind.OPEN:
            serving.give_dated(peg)
        if peg.quantity and policy.redistribution.is_on:
            serving.move_here(peg)
    return serving.conclude()


@dataclass(slots=True)
class _Serving:
    """One sharing out: the curves without the claims that are served, and who got what."""

    book: SkuBook
    network: Network
    policy: ServePolicy
    claims: list[Peg]
    allowed: dict[int, list[int] | None]
    curves: dict[int, dict[str, Timeline]] = field(default_factory=dict)
    stock: dict[int, tuple[Line, int]] = field(default_factory=dict)
    dated: dict[int, Line] = field(default_factory=dict)
    groups: dict[str, list[Peg]] = field(default_factory=dict)
    """The claims of each group among whom shares are made, by rank."""
    left_out: set[int] = field(default_factory=set)
    """Lines that have to be whole and cannot be now, by id()."""

    def places(self, peg: Peg) -> list[int]:
        line = peg.line
        assert line is not None
        others = self.network.sources(line.destination_id, self.allowed.get(line.order_id))
        return [peg.location_id, *(other for other in others if other != peg.location_id)]

    def free(self, place: int, demand_class: str) -> int:
        """Units of a place that the claims may get."""
        of_place, protection = self.curves.setdefault(place, {}), self.book.protection_class(place, demand_class)
        if protection not in of_place:
            of_place[protection] = self.book.timeline_without(place, self.claims, protection)
        return max(0, min(of_place[protection].atp(), self.book.level(place).available))

    def free_units(self) -> int:
        """What all claims together can get from the shelves they reach."""
        reached: dict[int, int] = {}
        for peg in self.claims:
            assert peg.line is not None
            for place in self.places(peg):
                reached[place] = max(reached.get(place, 0), self.free(place, peg.line.demand_class))
        return sum(reached.values())

    def share_out(self, fair: FairShares) -> None:
        """Give stock in the shares of the groups; what a group cannot use is shared among the others until nobody can.

        Every sharing goes on from what each group has: floors, packs and the least gift hold for all of them together.
        """
        for peg in self.claims:
            if peg.line is not None:
                self.groups.setdefault(fair.group_of(peg.line), []).append(peg)
        had: dict[str, int] = {}
        full: set[str] = set()
        while True:
            wanted = fair.budgets(self.free_units(), [peg for peg in self.claims if peg.quantity], had, full)
            more = {group: units - had.get(group, 0) for group, units in wanted.items() if units > had.get(group, 0)}
            if not more:
                return
            for group, units in more.items():
                got = self.give_group(fair, group, units, had.get(group, 0))
                had[group] = had.get(group, 0) + got
                if got < units:
                    full.add(group)

    def may_have_rest(self, fair: FairShares, peg: Peg) -> bool:
        """May the claim get what no share has used: any unit, or whole packs by which a whole line becomes whole?"""
        line = peg.line
        assert line is not None
        if fair.is_by_units:
            return True
        wanted = self.waits_for(line)
        return self.must_be_whole(line) and wanted == peg.quantity and fair.sendable(wanted, 0) == wanted

    def give_group(self, fair: FairShares, group: str, limit: int, had: int) -> int:
        """Up to `limit` units to the claims of a group, by rank; in whole packs, tried in a copy where those count."""
        while limit > 0 and not fair.is_by_units:
            usable = fair.sendable(self.copied().give_claims(group, limit), had)
            if usable == limit:
                break
            limit = usable
        return self.give_claims(group, limit)

    def give_claims(self, group: str, limit: int) -> int:
        """Up to `limit` units to the claims of a group, by rank; what they got."""
        given = 0
        for peg in self.groups.get(group, ()):
            if given < limit and peg.quantity:
                given += self.give_stock(peg, limit - given)
        return given

    def copied(self) -> _Serving:
        """The same sharing out on a copy of the book, to see what would come of a gift."""
        memo: dict[int, Any] = {id(shared): shared for shared in (self.network, self.policy)}
        trial = copy.deepcopy(self, memo)
        trial.left_out = {id(memo[key]) for key in self.left_out if key in memo}
        return trial

    def take(self, place: int, day: date, units: int) -> None:
        for curve in self.curves.get(place, {}).values():
            curve.add(day, -units)

    def give_stock(self, peg: Peg, limit: int | None = None) -> int:
        """Stock that can leave straight away, at most `limit` units; returns what the claim got."""
        line, total = peg.line, 0
        assert line is not None
        if self.must_be_whole(line):
            if limit is not None and limit < self.waits_for(line):
                return 0
            if not self.is_whole_now(line):
                return 0
        limit = peg.quantity if limit is None else limit
        for place in self.places(peg):
            today = self.book.today[place]
            given = min(limit - total, self.free(place, line.demand_class), self.book.shelf(place, line))
            given = min(given, may_serve(self.book, peg, today))
            if given > 0:
                self.take(place, today, given)
                self.book.drop_peg(peg, given)
                self.book.allocate(line, place, given, "allocate_waiting")
                move_use(self.book, line, today)
                total += given
            if not peg.quantity or total == limit:
                break
        if total:
            self.book.line_facts.append(LineFact(line, "ALLOCATED", total))
            self.stock[id(line)] = (line, self.stock.get(id(line), (line, 0))[1] + total)
        return total

    def must_be_whole(self, line: Line) -> bool:
        """Does the line take stock only when that makes it whole?"""
        whole = line.ship_policy == ShipPolicy.COMPLETE or line.order_ships_complete
        return whole and self.policy.complete_lines is CompleteLines.FREE

    def waits_for(self, line: Line) -> int:
        return sum(peg.quantity for peg in self.book.pegs_of(line) if peg.kind != PegKind.HARD)

    def is_whole_now(self, line: Line) -> bool:
        """Is all that the line waits for in reach? If not, its place on the timeline is kept from those who rank lower."""
        if id(line) in self.left_out:
            return False
        mine = [peg for peg in self.claims if peg.line is line and peg.quantity]
        waiting = self.waits_for(line)
        places = {place for peg in mine for place in self.places(peg)}
        free = sum(self.free(place, line.demand_class) for place in places)
        may = sum(may_serve(self.book, peg, self.book.today[peg.location_id]) for peg in mine)
        if may == waiting and free >= waiting:
            return True
        self.left_out.add(id(line))
        for peg in mine:
            self.take(peg.location_id, peg.need_date, peg.quantity)
        return False

    def give_dated(self, peg: Peg) -> None:
        """Dated supply that nobody has pegged and that comes in time; the claim keeps its day, so no ATP changes."""
        place, line, need_date = peg.location_id, peg.line, peg.need_date
        assert line is not None
        supplies = [supply for supply in self.book.supplies if supply.location_id == place]
        shares = take_unpegged(supplies, need_date, peg.quantity, self.book.today[place])
        for share in shares:
            self.book.drop_peg(peg, share.quantity)
            self.book.add_peg(
                place, need_date, share.quantity, PegKind.FIRM, line=line, supply=share.supply, cause="pegged"
            )
        if shares:
            self.dated[id(line)] = line

    def move_here(self, peg: Peg) -> None:
        """Stock of locations that do not ship to the customer: a transfer at once, the nearest donor first.

        The claim takes the day on which the units can leave from here. Nothing is moved where unpegged supply comes
        as soon, nor for a line that has to be whole.
        """
        line, place, rule = peg.line, peg.location_id, self.policy.redistribution
        assert line is not None
        if id(line) in self.left_out:
            return
        today = self.book.today[place]
        soonest = min(
            (s.effective_date(today) for s in self.book.supplies if s.location_id == place and s.unpegged > 0),
            default=date.max,
        )
        for donor in self.network.donors(place):
            lane = self.network.lanes[donor, place]
            now = self.book.now
            arrives = self.network.moved_by(donor, place, self.network.first_ship_day(donor, now), now)
            ships = max(self.network.ship_day_from(place, arrives), self.network.first_ship_day(place, now))
            if (rule.max_cost is not None and lane.cost > rule.max_cost) or arrives >= soonest:
                continue
            if (rule.max_days is not None and (ships - today).days > rule.max_days) or not self.is_better(peg, ships):
                continue
            units = min(may_serve(self.book, peg, ships), self.free(donor, line.demand_class))
            units = self.book.may_leave(donor, place, arrives, line, units)
            if units > 0:
                self.take(donor, self.book.today[donor], units)
                self.book.drop_peg(peg, units)
                supply = self.book.plan_transfer(donor, place, units, arrives, "redistribution", line)
                self.book.add_peg(
                    place, ships, units, PegKind.FIRM, line=line, supply=supply, cause=str(PromiseReason.SUPPLY_DATED)
                )
                move_use(self.book, line, ships)
                self.dated[id(line)] = line
            if not peg.quantity:
                break

    def is_better(self, peg: Peg, ships: date) -> bool:
        """Any source is better than none; a late one is left only for one that comes sooner."""
        if peg.supply is None:
            return True
        return ships < peg.supply.effective_date(self.book.today[peg.location_id])

    def conclude(self) -> list[tuple[Line, int]]:
        """Bump who was passed over, settle and promise anew; who gained, with the units of stock."""
        waiting = [peg.line for peg in self.claims if peg.quantity and peg.line is not None]
        self.book.bump([line for line, _ in self.stock.values()], waiting)
        conclude(self.book, self.network, (line for line, _ in self.stock.values()), PromiseReason.ALLOCATED)
        later = {key: line for key, line in self.dated.items() if key not in self.stock}
        conclude(self.book, self.network, later.values(), PromiseReason.SUPPLY_DATED)
        return [*self.stock.values(), *((line, 0) for line in later.values())]


def _list(places: Sequence[int] | None) -> list[int] | None:
    return None if places is None else list(places)


def wanting_claims(book: SkuBook) -> list[Peg]:
    """Claims without a source, and those whose source fails them, in the order in which they are served.

    A source fails a claim when it comes after the day the claim stands on, or when the customer had to be told a later
    day (the backorder is DELAYED).
    """
    delayed = {id(b.line) for b in book.backorders if b.closed_at is None and b.state == BackorderState.DELAYED}
    return [
        peg
        for peg in book.waiting(PegKind.OPEN, PegKind.FIRM)
        if peg.supply is None
        or id(peg.line) in delayed
        or peg.supply.effective_date(book.today[peg.location_id]) > peg.need_date
    ]


def _may_be_served(book: SkuBook, peg: Peg, held: Collection[int]) -> bool:
    line = peg.line
    if line is None or line.status == OrderLineStatus.RECEIVED or line.order_id in held or not book.may_have_stock(peg):
        return False
    backorder = book.backorder_of(line)
    return backorder is None or backorder.state not in _NOT_SERVED
