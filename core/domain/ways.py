"""The ways to cover a question: stock, dated supply, transfers and ordering anew, each with its day and how much it gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from core.domain import shelf_life
from core.domain.allowance import marks, room
from core.domain.availability import Step
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.proposals import Demand, ProposedSlice
from core.domain.shelf_life import on_hand

KIND_ORDER = {"ON_HAND": 0, "DATED": 0, "TRANSFER": 1, "LEAD_TIME": 2}


@dataclass(frozen=True, slots=True)
class Option:
    """A way to cover units: at most `limit` in all of its location (or donor), whose days are taken in ascending order."""

    key: tuple
    part: ProposedSlice
    limit: int | None
    claim_day: date
    """The day that counts for quotas."""

    @property
    def arrives(self) -> date:
        """By when it is at the customer; what is in time is as good as the day asked for."""
        return self.key[0]


class Asking:
    """One question under way: what was taken where, and what is still wanted."""

    def __init__(self, book: SkuBook, demand: Demand, network: Network, now: datetime) -> None:
        self.book, self.demand, self.network, self.now = book, demand, network, now
        self.slices: list[ProposedSlice] = []
        self.taken: dict[int, int] = {}
        self.later: dict[int, list[Step]] = {}
        """What its own reservation claims for later days, by place: not counted in `taken`, but on the curve."""
        self.claims: list[tuple[date, int]] = []
        self.remaining = demand.quantity
        self.complete = date.min
        """By when what was taken reaches the customer, as its options count it."""

    def copy(self) -> Asking:
        """The same question, to go on with in another way."""
        other = Asking(self.book, self.demand, self.network, self.now)
        other.slices, other.taken, other.later = list(self.slices), dict(self.taken), self.later
        other.claims, other.remaining, other.complete = list(self.claims), self.remaining, self.complete
        return other

    def take_first(self, options: Iterable[Option]) -> None:
        """Take of the options that come first, until nothing is wanted."""
        for option in sorted(options, key=lambda o: o.key):
            self.take(option)
            if not self.remaining:
                break

    def take_own(self, part: ProposedSlice) -> None:
        """Take what the asker's own reservation covers, before anything else is taken."""
        place, before = part.location_id, self.remaining
        is_later = part.kind == "DATED"
        day = part.ship_date if is_later else self.book.today[place]
        self.take(Option((date.min,), part, None, day))
        if is_later and (units := before - self.remaining):
            self.taken[place] -= units
            self.later.setdefault(place, []).append((day, units))

    def take(self, option: Option, most: int | None = None) -> None:
        """Take as much of an option as is wanted, left and allowed, at most `most`."""
        part = option.part
        place = part.donor_id or part.location_id
        units = min(part.quantity, self.remaining) if part.quantity else self.remaining
        units = units if most is None else min(units, most)
        units = units if option.limit is None else min(units, option.limit - self.taken.get(place, 0))
        allowed = room(self.demand.allowances, option.claim_day, self.claims) if units > 0 else None
        units = units if allowed is None else min(units, allowed)
        if units > 0:
            self.taken[place] = self.taken.get(place, 0) + units
            self.slices.append(replace(part, quantity=units))
            self.claims.append((option.claim_day, units))
            self.remaining -= units
            self.complete = max(self.complete, option.arrives)


def delivery_day(network: Network, demand: Demand, location_id: int, ship_date: date) -> date:
    return network.delivery_date(location_id, demand.destination_id, ship_date) or ship_date


def ship_by_day(book: SkuBook, demand: Demand, network: Network, home: int) -> date | None:
    """The last day to ship in time; a pre-order is in time when it ships on its release day."""
    ship_by = None
    if demand.requested_date is not None:
        ship_by = network.latest_ship_day(home, demand.destination_id, demand.requested_date)
    if book.is_preorder(home) and book.available_from is not None:
        ship_by = max(ship_by or date.min, network.ship_day_from(home, book.available_from))
    return ship_by


def stock_options(asking: Asking, free: dict[int, int], shelf: dict[int, date]) -> list[Option]:
    """Stock on hand that leaves at once: `free` units per location, there on the day of `shelf`."""
    asked, found = asking.demand.requested_date or date.min, []
    for order, (place, units) in enumerate(free.items()):
        part = ProposedSlice("ON_HAND", place, 0, asking.network.first_ship_day(place, asking.now), None)
        key = (max(shelf[place], asked), -1, part.ship_date, order, 0)
        found.append(Option(key, part, units + asking.taken.get(place, 0), asking.book.today[place]))
    return found


def options_of(asking: Asking, home: int) -> list[Option]:
    """What could cover the rest: dated ATP per source, donors' stock over their lanes, the lead time.

    In time is as good as early; what is later goes by the day it reaches the customer.
    """
    book, demand, network, now = asking.book, asking.demand, asking.network, asking.now
    asked, ship_by = demand.requested_date or date.min, ship_by_day(book, demand, network, home)
    found: list[Option] = []

    def offer(part: ProposedSlice, limit: int | None, order: int, rank: int = 0, not_before: date = date.min) -> None:
        earliest = max(part.ship_date, network.first_ship_day(part.location_id, now))
        arrives = max(delivery_day(network, demand, part.location_id, earliest), asked, not_before)
        key, late = (
            (arrives, KIND_ORDER[part.kind], earliest, order, rank),
            _as_late(network, demand, ship_by, part.location_id, earliest),
        )
        found.append(Option(key, replace(part, ship_date=late), limit, late))
        if demand.allowances and late != earliest:  # where the window of the day asked for is full, one before may do
            found.append(Option((*key, 1), replace(part, ship_date=earliest), limit, earliest))

    for order, place in enumerate(demand.sources):
        curve = shelf_life.curve(book, place, demand, asking.slices, later=asking.later.get(place, ()))
        today = book.today[place]
        more = shelf_life.refund(book, place, asking.slices)
        days = [day for day, atp in curve.steps() if day > today or atp + more > book.level(place).available]
        for day in sorted({*days, *marks(demand.allowances, today)}):
            ship = network.ship_day_from(place, day)
            offer(ProposedSlice("DATED", place, 0, ship, None, None, day), curve.atp(day) + more, order)
        for rank, donor in enumerate(network.donors(place)):
            if donor in demand.sources:
                continue
            arrives = network.moved_by(donor, place, network.first_ship_day(donor, now), now)
            limit = on_hand(book, donor, demand, shelf_life.detour(book, donor, place, arrives, demand))
            if limit > 0:
                for day in [book.today[donor], *marks(demand.allowances, book.today[donor])]:
                    ship = network.ship_day_from(place, max(arrives, day))
                    offer(ProposedSlice("TRANSFER", place, 0, ship, None, donor, arrives), limit, order, rank)
    at_once = [_ordered_anew_at(asking, home)]
    for place in demand.sources if demand.allowances else at_once:  # who ships later may claim an earlier window
        again = book.today[place] + timedelta(days=demand.lead_time_days)
        horizon = book.today[place] + timedelta(days=demand.horizon_days or book.horizon_days or 0)
        beyond = delivery_day(network, demand, place, network.ship_day_from(place, horizon))
        for day in [again, *marks(demand.allowances, again)]:
            ship = network.ship_day_from(place, day)
            offer(
                ProposedSlice("LEAD_TIME", place, 0, ship, None, None, day), None, int(place not in at_once), 0, beyond
            )
    return found


def _ordered_anew_at(asking: Asking, home: int) -> int:
    """Where what has no source is ordered to: the place from which it reaches the customer first, home among equals.

    Otherwise a unit of stock far away would draw the rest of the order there, and more stock mean a later day.
    """
    book, demand, network = asking.book, asking.demand, asking.network

    def arrives(place: int) -> tuple[date, bool]:
        day = network.ship_day_from(place, book.today[place] + timedelta(days=demand.lead_time_days))
        return delivery_day(network, demand, place, day), place != home

    return min(demand.sources, key=arrives)


def _as_late(network: Network, demand: Demand, ship_by: date | None, location_id: int, earliest: date) -> date:
    """The day a dated claim takes: no earlier than the customer asked for, so that early supply stays free."""
    if demand.requested_date is None or ship_by is None:
        return earliest
    last = min(ship_by, network.latest_ship_day(location_id, demand.destination_id, demand.requested_date))
    return max(earliest, network.locations[location_id].calendar.previous_working_day(last))
