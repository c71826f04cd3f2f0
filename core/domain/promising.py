"""Delivery proposal: from where and when a quantity can be delivered.

`propose` only reads a book, so that an availability answer and an order come from one rule; `commit` carries a
proposal out on the book.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from core.domain import shelf_life
from core.domain.allowance import Allowance, WaitsFor, blocker, marks, room
from core.domain.binding import BindingKind, Spot, spot_on
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.promises import commit, complete_date, promise, slices_of
from core.domain.proposals import DEFAULT_LEAD_TIME_DAYS, Demand, Proposal, ProposedSlice
from core.domain.shelf_life import on_hand

__all__ = [
    "DEFAULT_LEAD_TIME_DAYS",
    "Demand",
    "Proposal",
    "ProposedSlice",
    "available_now",
    "commit",
    "complete_date",
    "promise",
    "propose",
    "slices_of",
]

_ORDER = {"ON_HAND": 0, "DATED": 0, "TRANSFER": 1, "LEAD_TIME": 2}


def available_now(
    book: SkuBook,
    sources: list[int],
    demand_class: str = "",
    allowances: Sequence[Allowance] = (),
    destination_id: int | None = None,
    min_life: int | None = None,
) -> int:
    """ATP today over the given locations, the tightest quota applied: what an order of the class is allocated now."""
    asker = Demand(0, destination_id, demand_class=demand_class, min_life=min_life)
    total, allowances = 0, _with_release(book, allowances)
    claims: list[tuple[date, int]] = []
    for location_id in sources:
        units = on_hand(book, location_id, asker)
        limit = room(allowances, book.today[location_id], claims)
        units = units if limit is None else min(units, limit)
        claims.append((book.today[location_id], units))
        total += units
    return total


def _with_release(book: SkuBook, allowances: Sequence[Allowance]) -> Sequence[Allowance]:
    """A pre-order is also bound by its release day."""
    if book.available_from is None:
        return allowances
    return [*allowances, Allowance(((book.available_from, None),), WaitsFor.RELEASE_DATE)]


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to cover units: at most `limit` in all of its location (or donor), whose days are taken in ascending order."""

    key: tuple
    part: ProposedSlice
    limit: int | None
    claim_day: date
    """The day that counts for quotas."""


class _Asking:
    """One question under way: what was taken where, and what is still wanted."""

    def __init__(self, book: SkuBook, demand: Demand, network: Network, now: datetime) -> None:
        self.book, self.demand, self.network, self.now = book, demand, network, now
        self.slices: list[ProposedSlice] = []
        self.taken: dict[int, int] = {}
        self.claims: list[tuple[date, int]] = []
        self.remaining = demand.quantity

    def take(self, part: ProposedSlice, limit: int | None, claim_day: date) -> None:
        """Take as much of an option as is wanted, left and allowed."""
        place = part.donor_id or part.location_id
        units = min(part.quantity, self.remaining) if part.quantity else self.remaining
        units = units if limit is None else min(units, limit - self.taken.get(place, 0))
        allowed = room(self.demand.allowances, claim_day, self.claims)
        units = units if allowed is None else min(units, allowed)
        if units > 0:
            self.taken[place] = self.taken.get(place, 0) + units
            self.slices.append(replace(part, quantity=units))
            self.claims.append((claim_day, units))
            self.remaining -= units


def propose(book: SkuBook, demand: Demand, network: Network, now: datetime) -> Proposal:
    """The earliest complete answer for `demand`: no way to deliver all of it by an earlier day is left out.

    Of the ways that are as early, stock on hand comes first (as `shelf` says, else one location that covers all, else
    in order of preference, always the remaining quantity), then dated supply and transfers by date, then the lead time
    of ordering anew, which also answers for what lies beyond the horizon. Quotas and the release of a pre-order bound
    what may be claimed by which day. Raises nothing: without any source the proposal is empty.
    """
    if not demand.sources:
        return Proposal([], None, demand.requested_date)
    demand = replace(demand, allowances=_with_release(book, demand.allowances))
    asking = _Asking(book, demand, network, now)
    for part in _own(book, demand, network, now):
        asking.take(part, None, part.ship_date if part.kind == "DATED" else book.today[part.location_id])
    free = {
        location_id: max(0, on_hand(book, location_id, demand) - asking.taken.get(location_id, 0))
        for location_id in demand.sources
    }
    if demand.shelf is not None:
        free = {location_id: min(units, demand.shelf.get(location_id, 0)) for location_id, units in free.items()}
    shelf = {place: _delivery(network, demand, place, network.first_ship_day(place, now)) for place in demand.sources}
    whole = next((p for p in demand.sources if free[p] >= asking.remaining and _stock_is_free(book, demand, p)), None)
    if demand.shelf is None and (whole is None or shelf[whole] > min(shelf.values())) and asking.remaining:
        last = _complete_day(asking, free, shelf)
        free = {place: units if shelf[place] <= last else 0 for place, units in free.items()}
        whole = next((place for place in demand.sources if free[place] >= asking.remaining), None)
    home = whole or next((place for place in demand.sources if free[place] > 0), demand.sources[0])
    home = asking.slices[0].location_id if asking.slices else home
    ship_by = _ship_by(book, demand, network, home)
    for place in [whole] if whole else [home, *(s for s in demand.sources if s != home)]:
        day = network.first_ship_day(place, now)
        limit = free.get(place, 0) + asking.taken.get(place, 0)
        asking.take(ProposedSlice("ON_HAND", place, 0, day, None), limit, book.today[place])
    if asking.remaining:
        for option in sorted(_options(asking, home), key=lambda o: o.key):
            asking.take(option.part, option.limit, option.claim_day)
            if not asking.remaining:
                break
    slices = [
        replace(s, delivery_date=network.delivery_date(s.location_id, demand.destination_id, s.ship_date))
        for s in asking.slices
    ]
    slices = _waiting(slices, book, demand)
    limiting = book.timeline(home, demand.demand_class).binding(book.today[home])
    return Proposal(slices, home, ship_by, limiting, _spot(book, demand, slices, network), demand.allowances)


def _stock_is_free(book: SkuBook, demand: Demand, location_id: int) -> bool:
    return room(demand.allowances, book.today[location_id], ()) is None


def _delivery(network: Network, demand: Demand, location_id: int, ship_date: date) -> date:
    return network.delivery_date(location_id, demand.destination_id, ship_date) or ship_date


def _ship_by(book: SkuBook, demand: Demand, network: Network, home: int) -> date | None:
    """The last day to ship in time; a pre-order is in time when it ships on its release day."""
    ship_by = None
    if demand.requested_date is not None:
        ship_by = network.latest_ship_day(home, demand.destination_id, demand.requested_date)
    if book.is_preorder(home) and book.available_from is not None:
        ship_by = max(ship_by or date.min, network.ship_day_from(home, book.available_from))
    return ship_by


def _complete_day(asking: _Asking, free: dict[int, int], shelf: dict[int, date]) -> date:
    """The earliest day by which all can have reached the customer, or the day asked for when that is later."""
    trial = _Asking(asking.book, asking.demand, asking.network, asking.now)
    trial.remaining, trial.taken, trial.claims = asking.remaining, dict(asking.taken), list(asking.claims)
    options = _options(asking, asking.demand.sources[0])
    for order, (place, units) in enumerate(free.items()):
        part = ProposedSlice("ON_HAND", place, 0, asking.network.first_ship_day(place, asking.now), None)
        key = (max(shelf[place], asking.demand.requested_date or date.min), -1, part.ship_date, order, 0)
        options.append(_Option(key, part, units + asking.taken.get(place, 0), asking.book.today[place]))
    for option in sorted(options, key=lambda o: o.key):
        trial.take(option.part, option.limit, option.claim_day)
        if not trial.remaining:
            break
    days = [_delivery(asking.network, asking.demand, s.location_id, s.ship_date) for s in trial.slices]
    return max([*days, asking.demand.requested_date or date.min])


def _own(book: SkuBook, demand: Demand, network: Network, now: datetime) -> list[ProposedSlice]:
    """What the asker's own reservation covers: a claim takes the place of the hold, unit for unit, so no ATP falls."""
    slices: list[ProposedSlice] = []
    if not demand.held:
        return slices
    remaining = demand.quantity
    shelf = {hold.location_id: max(0, shelf_life.shelf(book, hold.location_id, demand)) for hold in demand.held}
    free = {place: on_hand(book, place, demand) for place in shelf}
    for hold in sorted(demand.held, key=lambda h: h.need_date):
        place, quantity = hold.location_id, min(remaining, hold.quantity)
        if place not in demand.sources:
            continue
        if hold.need_date <= book.today[place]:
            quantity = min(quantity, shelf[place])
            parts = [("ON_HAND", quantity, network.first_ship_day(place, now))]
        else:
            now_free = min(quantity, free[place], shelf[place])  # a later day may have been held on stock
            parts = [
                ("ON_HAND", now_free, network.first_ship_day(place, now)),
                ("DATED", quantity - now_free, network.ship_day_from(place, hold.need_date)),
            ]
        for kind, units, day in parts:
            if units > 0:
                slices.append(ProposedSlice(kind, place, units, day, None, None, hold.need_date))
                remaining -= units
        shelf[place] -= parts[0][1]
        free[place] = max(0, free[place] - parts[0][1])
    return slices


def _options(asking: _Asking, home: int) -> list[_Option]:
    """What could cover the rest: dated ATP per source, donors' stock over their lanes, the lead time.

    In time is as good as early; what is later goes by the day it reaches the customer.
    """
    book, demand, network, now = asking.book, asking.demand, asking.network, asking.now
    asked, ship_by = demand.requested_date or date.min, _ship_by(book, demand, network, home)
    found: list[_Option] = []

    def offer(part: ProposedSlice, limit: int | None, order: int, rank: int = 0, not_before: date = date.min) -> None:
        earliest = part.ship_date
        arrives = max(_delivery(network, demand, part.location_id, earliest), asked, not_before)
        key, late = (
            (arrives, _ORDER[part.kind], earliest, order, rank),
            _as_late(network, demand, ship_by, part.location_id, earliest),
        )
        found.append(_Option(key, replace(part, ship_date=late), limit, late))
        if demand.allowances and late != earliest:  # where the window of the day asked for is full, one before may do
            found.append(_Option((*key, 1), part, limit, earliest))

    for order, place in enumerate(demand.sources):
        today, curve = book.today[place], shelf_life.curve(book, place, demand, asking.slices)
        more = shelf_life.refund(book, place, asking.slices)
        days = [day for day, atp in curve.steps() if day > today or atp + more > book.level(place).available]
        for day in sorted({*days, *marks(demand.allowances, today)}):
            ship = network.ship_day_from(place, day) if day > today else network.first_ship_day(place, now)
            offer(ProposedSlice("DATED", place, 0, ship, None, None, day), curve.atp(day) + more, order)
        for rank, donor in enumerate(network.donors(place)):
            if donor in demand.sources:
                continue
            arrives = network.arrive(network.lanes[(donor, place)], network.first_ship_day(donor, now))
            limit = on_hand(book, donor, demand, shelf_life.detour(book, donor, place, arrives, demand))
            if limit > 0:
                for day in [book.today[donor], *marks(demand.allowances, book.today[donor])]:
                    ship = network.ship_day_from(place, max(arrives, day))
                    offer(ProposedSlice("TRANSFER", place, 0, ship, None, donor, arrives), limit, order, rank)
    place = _ordered_anew_at(asking, home)
    again = book.today[place] + timedelta(days=demand.lead_time_days)
    horizon = book.today[place] + timedelta(days=demand.horizon_days or book.horizon_days or 0)
    for day in [again, *marks(demand.allowances, again)]:
        ship = network.ship_day_from(place, day)
        beyond = _delivery(network, demand, place, network.ship_day_from(place, horizon))
        offer(ProposedSlice("LEAD_TIME", place, 0, ship, None, None, day), None, 0, 0, beyond)
    return found


def _ordered_anew_at(asking: _Asking, home: int) -> int:
    """Where what has no source is ordered to: the place from which it reaches the customer first, home among equals.

    Otherwise a unit of stock far away would draw the rest of the order there, and more stock mean a later day.
    """
    book, demand, network = asking.book, asking.demand, asking.network

    def arrives(place: int) -> tuple[date, bool]:
        day = network.ship_day_from(place, book.today[place] + timedelta(days=demand.lead_time_days))
        return _delivery(network, demand, place, day), place != home

    return min(demand.sources, key=arrives)


def _as_late(network: Network, demand: Demand, ship_by: date | None, location_id: int, earliest: date) -> date:
    """The day a dated claim takes: no earlier than the customer asked for, so that early supply stays free."""
    if demand.requested_date is None or ship_by is None:
        return earliest
    last = min(ship_by, network.latest_ship_day(location_id, demand.destination_id, demand.requested_date))
    return max(earliest, network.locations[location_id].calendar.previous_working_day(last))


def _waiting(slices: list[ProposedSlice], book: SkuBook, demand: Demand) -> list[ProposedSlice]:
    """Mark what a quota or the release day has made late: units were there to be promised for an earlier day."""
    if not demand.allowances:
        return slices
    marked: list[ProposedSlice] = []
    claims: list[tuple[date, int]] = []
    for part in slices:
        before = (part.arrival_date or part.ship_date) - timedelta(days=1)
        why = blocker(demand.allowances, max(before, book.today[part.location_id]), claims)
        late = part.kind != "ON_HAND" and part.ship_date > book.today[part.location_id]
        marked.append(replace(part, waits_for=why) if late and why is not None else part)
        claims.append((book.today[part.location_id] if part.kind == "ON_HAND" else part.ship_date, part.quantity))
    return marked


def _spot(book: SkuBook, demand: Demand, slices: list[ProposedSlice], network: Network) -> Spot | None:
    """Where the constraint of the last part is to be found."""
    if not slices:
        return None
    last = max(slices, key=lambda s: (s.delivery_date or s.ship_date, s.ship_date, _ORDER[s.kind]))
    place, today = last.location_id, book.today[last.location_id]
    curve = book.timeline(place, demand.demand_class)
    kind = None
    if last.waits_for is not None:
        kind = BindingKind(last.waits_for)
    elif last.kind == "ON_HAND":
        kind, working = BindingKind.NONE, network.locations[place].calendar.is_working(today)
        if last.ship_date > today:
            kind = BindingKind.CUTOFF if working else BindingKind.CALENDAR
    elif demand.requested_date is not None and (last.delivery_date or last.ship_date) <= demand.requested_date:
        return Spot(BindingKind.REQUESTED_DATE, place, demand.requested_date, max(0, curve.atp()))
    elif last.kind in ("TRANSFER", "LEAD_TIME"):
        kind = BindingKind(last.kind)
    if kind is None:
        return spot_on(curve, place, last.arrival_date or last.ship_date, demand.demand_class)
    limit_day = curve.binding(today) if last.kind == "LEAD_TIME" else None
    return Spot(kind, place, last.ship_date, curve.atp(), limit_day, demand.demand_class)
