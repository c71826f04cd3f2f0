"""Delivery proposal: from where and when a quantity can be delivered, and the promise that follows.

`propose` only reads a book, so that an availability answer and an order come from one rule; `commit` carries a
proposal out on the book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Hold, Line, LineFact, PromiseDraft, Supply
from core.domain.states import PegKind, PromiseReason

DEFAULT_LEAD_TIME_DAYS = 30


@dataclass(frozen=True, slots=True)
class ProposedSlice:
    """Part of a proposal. `kind`: ON_HAND (now), DATED (supply under way), TRANSFER (from `donor_id`), LEAD_TIME."""

    kind: str
    location_id: int
    quantity: int
    ship_date: date
    delivery_date: date | None
    donor_id: int | None = None
    arrival_date: date | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Slices in the order of their dates; `binding` is the day whose balance limits what is free today."""

    slices: list[ProposedSlice]
    home_id: int | None
    ship_by: date | None
    binding: date | None = None

    @property
    def quantity(self) -> int:
        return sum(s.quantity for s in self.slices)

    @property
    def available_now(self) -> int:
        return sum(s.quantity for s in self.slices if s.kind == "ON_HAND")


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked: `quantity` base units to `destination_id`, delivered by `requested_date` (None: at once)."""

    quantity: int
    destination_id: int | None
    requested_date: date | None = None
    sources: list[int] = field(default_factory=list)
    """Locations that may ship, in order of preference."""
    lead_time_days: int = DEFAULT_LEAD_TIME_DAYS
    """P80 of ordering anew, in calendar days."""
    held: list[Hold] = field(default_factory=list)
    """The asker's own reservation, no longer on the timeline: its units are its own, whatever else is promised."""
    demand_class: str = ""
    """Whose protected stock the asker keeps off."""
    shelf: Mapping[int, int] | None = None
    """Units to take from stock per location, besides `held`, as they were chosen for the whole order; None: nobody has
    chosen, the line decides alone."""


def available_now(book: SkuBook, sources: list[int], demand_class: str = "") -> int:
    """ATP today over the given locations: exactly what an order of the class would be allocated now."""
    return sum(_on_hand(book, location_id, demand_class) for location_id in sources)


def _on_hand(book: SkuBook, location_id: int, demand_class: str) -> int:
    """ATP today that stands in the shelf: supply that is due today is promised, but not allocated before it is there."""
    return max(0, min(book.timeline(location_id, demand_class).atp(), book.level(location_id).available))


def propose(book: SkuBook, demand: Demand, network: Network, now: datetime) -> Proposal:
    """The earliest complete answer for `demand`.

    Stock on hand first (as `shelf` says, else one location that covers all, else in order of preference, always the
    remaining quantity), then dated supply and transfers by date, then the lead time of ordering anew. Raises nothing:
    without any source the proposal is empty.
    """
    if not demand.sources:
        return Proposal([], None, demand.requested_date)
    sources, slices = demand.sources, []
    taken = dict.fromkeys(sources, 0)
    for part in _own(book, demand, network, now):
        slices.append(part)
        taken[part.location_id] += part.quantity
    remaining = demand.quantity - sum(taken.values())
    free = {
        location_id: max(0, _on_hand(book, location_id, demand.demand_class) - taken[location_id])
        for location_id in sources
    }
    if demand.shelf is not None:
        free = {location_id: min(units, demand.shelf.get(location_id, 0)) for location_id, units in free.items()}
    whole = next((location_id for location_id in sources if free[location_id] >= remaining), None)
    home = whole or next((location_id for location_id in sources if free[location_id] > 0), sources[0])
    if slices:
        home = slices[0].location_id
    ship_by = (
        None
        if demand.requested_date is None
        else network.latest_ship_day(home, demand.destination_id, demand.requested_date)
    )

    def slice_at(kind: str, location_id: int, quantity: int, day: date, **more: Any) -> ProposedSlice:
        delivery = network.delivery_date(location_id, demand.destination_id, day)
        return ProposedSlice(kind, location_id, quantity, day, delivery, **more)

    for location_id in [whole] if whole else [home, *(s for s in sources if s != home)]:
        quantity = min(remaining, free[location_id])
        if quantity > 0:
            slices.append(slice_at("ON_HAND", location_id, quantity, network.first_ship_day(location_id, now)))
            taken[location_id] += quantity
            remaining -= quantity
    binding = book.timeline(home, demand.demand_class).binding(book.today[home])
    if remaining:
        donors_left: dict[int, int] = {}
        for _, option, limit in sorted(_options(book, demand, network, now, ship_by), key=lambda o: o[0]):
            if option.kind == "TRANSFER":
                donor = option.donor_id or 0
                quantity = min(remaining, donors_left.setdefault(donor, limit))
                donors_left[donor] -= max(quantity, 0)
            else:
                quantity = min(remaining, limit - taken[option.location_id])
                taken[option.location_id] += max(quantity, 0)
            if quantity > 0:
                slices.append(
                    slice_at(
                        option.kind,
                        option.location_id,
                        quantity,
                        _as_late(network, demand, ship_by, option.location_id, option.ship_date),
                        donor_id=option.donor_id,
                        arrival_date=option.arrival_date,
                    )
                )
                remaining -= quantity
            if not remaining:
                break
    if remaining:
        day = network.ship_day_from(home, book.today[home] + timedelta(days=demand.lead_time_days))
        slices.append(slice_at("LEAD_TIME", home, remaining, _as_late(network, demand, ship_by, home, day)))
    return Proposal(slices, home, ship_by, binding)


def _as_late(network: Network, demand: Demand, ship_by: date | None, location_id: int, earliest: date) -> date:
    """The day a dated claim takes: no earlier than the customer asked for, so that early supply stays free."""
    if demand.requested_date is None or ship_by is None:
        return earliest
    last = min(ship_by, network.latest_ship_day(location_id, demand.destination_id, demand.requested_date))
    return max(earliest, network.locations[location_id].calendar.previous_working_day(last))


def _own(book: SkuBook, demand: Demand, network: Network, now: datetime) -> list[ProposedSlice]:
    """What the asker's own reservation covers: a claim takes the place of the hold, unit for unit, so no ATP falls."""
    slices: list[ProposedSlice] = []
    if not demand.held:
        return slices
    remaining = demand.quantity
    shelf = {hold.location_id: max(0, book.level(hold.location_id).available) for hold in demand.held}
    free = {place: _on_hand(book, place, demand.demand_class) for place in shelf}
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
                delivery = network.delivery_date(place, demand.destination_id, day)
                slices.append(ProposedSlice(kind, place, units, day, delivery, None, hold.need_date))
                remaining -= units
        shelf[place] -= parts[0][1]
        free[place] = max(0, free[place] - parts[0][1])
    return slices


def _options(
    book: SkuBook, demand: Demand, network: Network, now: datetime, ship_by: date | None
) -> list[tuple[tuple, ProposedSlice, int]]:
    """What could still cover the rest, with sort key and cumulative limit: dated ATP per source, donors' stock."""
    options: list[tuple[tuple, ProposedSlice, int]] = []
    for order, location_id in enumerate(demand.sources):
        today = book.today[location_id]
        for day, atp in book.timeline(location_id, demand.demand_class).steps():
            if day > today or atp > book.level(location_id).available:
                ship = network.ship_day_from(location_id, day)
                in_time = max(ship, ship_by) if ship_by else ship
                options.append(
                    ((in_time, 0, ship, order, 0), ProposedSlice("DATED", location_id, 0, ship, None, None, day), atp)
                )
        for rank, donor_id in enumerate(network.donors(location_id)):
            limit = _on_hand(book, donor_id, demand.demand_class) if donor_id not in demand.sources else 0
            if limit > 0:
                lane = network.lanes[(donor_id, location_id)]
                arrives = network.arrive(lane, network.first_ship_day(donor_id, now))
                ship = network.ship_day_from(location_id, arrives)
                in_time = max(ship, ship_by) if ship_by else ship
                options.append(
                    (
                        (in_time, 1, ship, order, rank),
                        ProposedSlice("TRANSFER", location_id, 0, ship, None, donor_id, arrives),
                        limit,
                    )
                )
    return options


def commit(book: SkuBook, line: Line, proposal: Proposal, reason: PromiseReason, *, validated: bool = True) -> None:
    """Carry a proposal out for a line whose quantity is not covered yet.

    A line that is not validated takes its place on the timeline (OPEN pegs) but no stock and no transfer.
    """
    line.location_id, line.ship_by = proposal.home_id, proposal.ship_by
    for part in proposal.slices:
        if part.kind == "ON_HAND" and validated:
            book.allocate(line, part.location_id, part.quantity, "order_line", line.order_id)
        elif part.kind == "DATED" and validated:
            book.peg_dated(line, part.location_id, part.ship_date, part.quantity, reason)
        elif part.kind == "TRANSFER" and validated:
            assert part.donor_id is not None
            assert part.arrival_date is not None
            supply = book.plan_transfer(part.donor_id, part.location_id, part.quantity, part.arrival_date, "order_line")
            book.add_peg(
                part.location_id, part.ship_date, part.quantity, PegKind.FIRM, line=line, supply=supply, cause=reason
            )
        else:
            book.add_peg(part.location_id, part.ship_date, part.quantity, PegKind.OPEN, line=line, cause=reason)
    book.settle(line, reason)


_SOURCE = {"purchase": "PURCHASE_ORDER", "transfer": "TRANSFER", "return": "RETURN", "production": "PRODUCTION"}


def slices_of(
    book: SkuBook, line: Line, network: Network, now: datetime
) -> tuple[list[dict[str, Any]], list[Supply | None]]:
    """The line's present coverage as promise slices, by ship day; the second list names each slice's supply."""
    rows: list[tuple[date, dict[str, Any], Supply | None]] = []
    for peg in book.pegs_of(line):
        supply = peg.supply
        if peg.kind == PegKind.HARD:
            ship, source, basis = network.first_ship_day(peg.location_id, now), "ON_HAND", "ON_HAND"
        elif supply is None:
            ship, source, basis = peg.need_date, "LEAD_TIME", "LEAD_TIME"
        else:
            ship, basis = peg.need_date, supply.date_basis
            source = "SHIP_NOTICE" if supply.ship_notice_line_id else _SOURCE[supply.kind]
        delivery = network.delivery_date(peg.location_id, line.destination_id, ship)
        rows.append(
            (
                ship,
                {
                    "location": peg.location_id,
                    "quantity": peg.quantity,
                    "source": source,
                    "basis": basis,
                    "shipDate": ship.isoformat(),
                    "deliveryDate": delivery.isoformat() if delivery else None,
                    "p50": None,
                    "p80": None,
                    "p95": None,
                    "supply": None,
                },
                supply,
            )
        )
    rows.sort(key=lambda row: (row[0], row[1]["location"]))
    return [row[1] for row in rows], [row[2] for row in rows]


def complete_date(slices: list[dict[str, Any]]) -> date | None:
    """When the last slice reaches the customer (its ship day where no delivery date is known)."""
    days = [date.fromisoformat(s["deliveryDate"] or s["shipDate"]) for s in slices]
    return max(days, default=None)


def promise(
    book: SkuBook,
    line: Line,
    network: Network,
    now: datetime,
    reason: PromiseReason,
    *,
    cause_kind: str,
    cause_id: int | None = None,
    evidence: dict[str, Any] | None = None,
    only_if_moved: bool = False,
) -> bool:
    """Append a promise that says how the line is covered now; True when one was written.

    With `only_if_moved` a coverage that keeps the promised day writes nothing. A day that moves is a PROMISE_MOVED
    fact with its reason; the first promise is not.
    """
    slices, supplies = slices_of(book, line, network, now)
    if not slices:
        return False
    promised, previous = complete_date(slices), line.promised
    if only_if_moved and promised == previous:
        return False
    line.promise_sequence += 1
    line.promised = promised
    line.is_changed = book.is_changed = True
    quantity = sum(s["quantity"] for s in slices)
    book.promises.append(
        PromiseDraft(
            line,
            line.promise_sequence,
            quantity,
            quantity == line.ordered - line.cancelled - line.shipped,
            slices,
            supplies,
            cause_kind,
            cause_id,
            {"reason": str(reason), **(evidence or {})},
        )
    )
    if line.promise_sequence > 1 and promised != previous:
        book.line_facts.append(
            LineFact(line, "PROMISE_MOVED", quantity, promised=promised, previous_promised=previous, reason=str(reason))
        )
    backorder = book.backorder_of(line)
    if backorder is not None:
        backorder.expected_date = promised
        backorder.is_changed = True
    return True
