"""What limits a promise: the day on which the balance is smallest, and the events that make it so or end it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from heapq import nsmallest
from typing import Any

from msgspec import Struct

from core.domain.availability import Timeline
from core.domain.book import SkuBook
from core.domain.states import PegKind

MOST_EVENTS = 20
"""Claims, and as many others, that a constraint names: a promise does not keep all that is claimed of a SKU."""


class BindingKind(StrEnum):
    """Why a promise is not earlier."""

    NONE = "NONE"
    STOCK = "STOCK"
    LATER_PROMISE = "LATER_PROMISE"
    HOLD = "HOLD"
    PROTECTED_STOCK = "PROTECTED_STOCK"
    SUPPLY = "SUPPLY"
    TRANSFER = "TRANSFER"
    LEAD_TIME = "LEAD_TIME"
    QUOTA = "QUOTA"
    RELEASE_DATE = "RELEASE_DATE"
    CUTOFF = "CUTOFF"
    CALENDAR = "CALENDAR"
    REQUESTED_DATE = "REQUESTED_DATE"


class DayEvent(Struct, frozen=True):
    """What moves the curve on a day, in base units (negative: a claim); at most one of the ids is given."""

    kind: BindingKind
    day: date
    quantity: int
    supply_id: int | None = None
    order_line_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"kind": str(self.kind), "date": self.day.isoformat(), "quantity": self.quantity}
        if self.supply_id is not None:
            row["supplyId"] = self.supply_id
        if self.order_line_id is not None:
            row["orderLineId"] = self.order_line_id
        return row


class Spot(Struct, frozen=True):
    """Where to look: a constraint that is known by its `kind`, or (None) two days of a curve whose events decide.

    `limit_day`: where the balance of the look-ahead from today on is smallest; `day`: the one that ends the wait.
    `free`: units that can be promised for today there.
    """

    kind: BindingKind | None
    location_id: int
    day: date
    free: int = 0
    limit_day: date | None = None
    demand_class: str = ""

    @property
    def days(self) -> list[date]:
        """The days whose events name the constraint."""
        return [] if self.limit_day is None else sorted({self.limit_day, self.day})


class Binding(Struct, frozen=True):
    """The constraint that limits a promise: its kind, its day, what was free there today, the events behind it."""

    kind: BindingKind
    day: date
    location_id: int
    free: int
    events: Sequence[DayEvent] = ()

    def as_json(self) -> dict[str, Any]:
        """As the evidence of a promise keeps it."""
        return {
            "kind": str(self.kind),
            "date": self.day.isoformat(),
            "location": self.location_id,
            "free": self.free,
            "events": [event.as_json() for event in _largest(self.events)],
        }


def _largest(events: Sequence[DayEvent]) -> Sequence[DayEvent]:
    """The largest claims and the largest others, in the order in which they stood."""
    if len(events) <= MOST_EVENTS:
        return events
    claims = sorted((e for e in events if e.quantity < 0), key=lambda e: e.quantity)[:MOST_EVENTS]
    others = sorted((e for e in events if e.quantity > 0), key=lambda e: -e.quantity)[:MOST_EVENTS]
    kept = {id(event) for event in (*claims, *others)}
    return [event for event in events if id(event) in kept]


def spot_on(curve: Timeline, location_id: int, day: date, demand_class: str) -> Spot:
    """Units of this curve come on `day`: the event that limits today, or the one that comes only then, binds."""
    return Spot(None, location_id, day, curve.atp(), curve.binding(curve.today), demand_class)


def name_binding(spot: Spot, events: Sequence[DayEvent]) -> Binding:
    """The constraint at a spot, from the events of `spot.days`.

    A claim on the smallest day between today and the promised one limits it (the largest names the kind); when the
    balance is smallest today already, what comes only on the promised day does. Lead times, transfers, quotas, release
    days, cut-offs and calendars are known by themselves.
    """
    days = spot.days
    relevant = sorted(
        (e for e in events if e.day in days), key=lambda e: (e.day, e.quantity, str(e.kind), e.order_line_id or 0)
    )
    if spot.kind is not None:
        return Binding(spot.kind, spot.day, spot.location_id, spot.free, relevant)
    limit_day = spot.limit_day or spot.day
    claims = [e for e in relevant if e.day == limit_day and e.quantity < 0]
    relief = [e for e in relevant if e.day == spot.day and e.quantity > 0 and e.day != limit_day]
    if claims and limit_day < spot.day and not _only_today(relevant, limit_day):
        return Binding(claims[0].kind, limit_day, spot.location_id, spot.free, [*claims, *relief])
    if relief:
        kind = max(relief, key=lambda e: e.quantity).kind
        return Binding(kind, spot.day, spot.location_id, spot.free, [*claims, *relief])
    return Binding(BindingKind.STOCK, spot.day, spot.location_id, spot.free, relevant)


def _only_today(events: Sequence[DayEvent], limit_day: date) -> bool:
    """Is the smallest balance that of today, with stock on the shelf: then stock is short, nobody later is to blame."""
    return any(e.kind == BindingKind.STOCK and e.day == limit_day for e in events)


def events_on(book: SkuBook, location_id: int, days: Sequence[date], demand_class: str) -> list[DayEvent]:
    """What moves the class's curve at a location on these days, of the claims of each day the largest; what is overdue
    counts today."""
    wanted, today = set(days), book.today[location_id]
    found: list[DayEvent] = []

    def note(kind: BindingKind, day: date, quantity: int, **more: int | None) -> None:
        day = max(day, today)
        if day in wanted and quantity:
            found.append(DayEvent(kind, day, quantity, **more))

    note(BindingKind.STOCK, today, book.level(location_id).available)
    for supply in book.supplies:
        if supply.location_id == location_id:
            kind = BindingKind.TRANSFER if supply.kind == "transfer" else BindingKind.SUPPLY
            note(kind, supply.effective_date(today), supply.open, supply_id=supply.id)
    claims: dict[date, list[tuple[int, int]]] = {day: [] for day in sorted(wanted)}
    for peg in book.pegs:
        if peg.location_id == location_id and peg.kind != PegKind.HARD:
            of_day = claims.get(peg.need_date if peg.need_date > today else today)
            if of_day is not None:
                of_day.append((-peg.quantity, (peg.line.id if peg.line is not None else peg.line_id) or 0))
    for day, of_day in claims.items():  # no more are named, and thousands may wait for one day
        for quantity, line_id in nsmallest(MOST_EVENTS, of_day):
            note(BindingKind.LATER_PROMISE, day, quantity, order_line_id=line_id or None)
    for hold in book.holds:
        if hold.location_id == location_id:
            note(BindingKind.HOLD, hold.need_date, -hold.quantity)
    for day, rise in book.protection_rises(location_id, demand_class):
        note(BindingKind.PROTECTED_STOCK, day, -rise)
    return found
