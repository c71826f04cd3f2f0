"""Delivery proposal: from where and when a quantity can be delivered.

`propose` only reads a book, so that an availability answer and an order come from one rule; `commit` carries a
proposal out on the book.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from core.domain import shelf_life
from core.domain.allowance import Allowance, WaitsFor, blocker, room
from core.domain.binding import BindingKind, Spot, spot_on
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.promises import commit, complete_date, promise, slices_of
from core.domain.proposals import DEFAULT_LEAD_TIME_DAYS, Demand, Proposal, ProposedSlice
from core.domain.shelf_life import on_hand
from core.domain.ways import KIND_ORDER, Asking, Option, delivery_day, options_of, ship_by_day, stock_options
from core.domain.windows import earlier_through_windows

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


def propose(book: SkuBook, demand: Demand, network: Network, now: datetime) -> Proposal:
    """The earliest complete answer for `demand`: no way to deliver all of it by an earlier day is left out.

    Of the ways that are as early, stock on hand comes first (as `shelf` says, else one location that covers all, else
    in order of preference, always the remaining quantity), then dated supply and transfers by date, then the lead time
    of ordering anew, which also answers for what lies beyond the horizon. Quotas and the release of a pre-order bound
    what may be claimed by which day. What the asker holds it has by its day, and sooner where that is free: nobody is later
    for having held something. Raises nothing: without any source the proposal is empty.
    """
    if not demand.sources:
        return Proposal([], None, demand.requested_date)
    if book.available_from is not None:
        demand = replace(demand, allowances=_with_release(book, demand.allowances))
    found = _found(book, demand, network, now)
    if any(hold.need_date > book.today[hold.location_id] for hold in demand.held):
        free = _found(book, replace(demand, held=[]), network, now)  # a later day was held than is possible now
        return min(found, free, key=lambda proposal: _lateness(proposal, demand))
    return found


def _lateness(proposal: Proposal, demand: Demand) -> tuple[int, date, int]:
    """What is left out, the day all of it is there, and how late its units are: less is better."""
    asked = demand.requested_date or date.min
    days = [(max(part.delivery_date or part.ship_date, asked), part.quantity) for part in proposal.slices]
    last = max((day for day, _ in days), default=asked)
    return -proposal.quantity, last, sum(day.toordinal() * units for day, units in days)


def _found(book: SkuBook, demand: Demand, network: Network, now: datetime) -> Proposal:
    """The answer that gives what is held as it is held, and then the rest."""
    asking = Asking(book, demand, network, now)
    for part in _own(book, demand, network, now):
        asking.take_own(part)
    free = {
        place: on_hand(book, place, demand, later=asking.later.get(place, ())) - asking.taken.get(place, 0)
        for place in demand.sources
    }
    free = {place: max(0, units) for place, units in free.items()}
    if demand.shelf is not None:
        free = {location_id: min(units, demand.shelf.get(location_id, 0)) for location_id, units in free.items()}
    shelf = {
        place: delivery_day(network, demand, place, network.first_ship_day(place, now)) for place in demand.sources
    }
    whole = next((p for p in demand.sources if free[p] >= asking.remaining and _stock_is_free(book, demand, p)), None)
    if whole is not None and asking.remaining == demand.quantity > 0:
        chosen = demand.shelf is not None and not demand.allowances
        if chosen or shelf[whole] <= min(shelf.values()):
            return _from_one_shelf(book, demand, network, now, whole)
    stock = stock_options(asking, free, shelf)
    own, ways = asking.copy() if demand.allowances else asking, None
    if demand.shelf is None and (whole is None or shelf[whole] > min(shelf.values())) and asking.remaining:
        ways = [*options_of(asking, demand.sources[0]), *stock]
        last = _complete_day(asking, ways)
        free = {place: units if shelf[place] <= last else 0 for place, units in free.items()}
        whole = next((place for place in demand.sources if free[place] >= asking.remaining), None)
    home = whole or next((place for place in demand.sources if free[place] > 0), demand.sources[0])
    home = asking.slices[0].location_id if asking.slices else home
    ship_by = ship_by_day(book, demand, network, home)
    left = {option.part.location_id: option for option in stock_options(asking, free, shelf)}
    for place in [whole] if whole else [home, *(s for s in demand.sources if s != home)]:
        asking.take(left[place])
    if asking.remaining:
        asking.take_first(options_of(asking, home))
    if demand.allowances and asking.complete > max(demand.requested_date or date.min, min(shelf.values())):
        asking = earlier_through_windows(own, ways or [*options_of(own, demand.sources[0]), *stock], asking)
    slices = [
        replace(s, delivery_date=network.delivery_date(s.location_id, demand.destination_id, s.ship_date))
        for s in asking.slices
    ]
    return _proposal(book, demand, network, home, ship_by, _waiting(slices, book, demand))


def _from_one_shelf(book: SkuBook, demand: Demand, network: Network, now: datetime, place: int) -> Proposal:
    """Everything from the stock of one location, when that is as soon as can be: the common case, and nothing to weigh."""
    ship = network.first_ship_day(place, now)
    arrives = network.delivery_date(place, demand.destination_id, ship)
    part = ProposedSlice("ON_HAND", place, demand.quantity, ship, arrives)
    return _proposal(book, demand, network, place, ship_by_day(book, demand, network, place), [part])


def _proposal(
    book: SkuBook, demand: Demand, network: Network, home: int, ship_by: date | None, slices: list[ProposedSlice]
) -> Proposal:
    limiting = book.timeline(home, demand.demand_class).binding(book.today[home])
    return Proposal(slices, home, ship_by, limiting, _spot(book, demand, slices, network), demand.allowances)


def _stock_is_free(book: SkuBook, demand: Demand, location_id: int) -> bool:
    return room(demand.allowances, book.today[location_id], ()) is None


def _complete_day(asking: Asking, ways: list[Option]) -> date:
    """The earliest day by which all can have reached the customer, or the day asked for when that is later."""
    trial = asking.copy()
    trial.take_first(ways)
    days = [delivery_day(asking.network, asking.demand, s.location_id, s.ship_date) for s in trial.slices]
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
    last = max(slices, key=lambda s: (s.delivery_date or s.ship_date, s.ship_date, KIND_ORDER[s.kind]))
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
