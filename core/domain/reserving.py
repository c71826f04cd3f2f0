"""Holds on stock that is not yet an order: how long they last and where their units come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.states import LocationKind, ReservationKind
from core.errors import InvalidInput

_DAY = 86_400
DEFAULTS: dict[ReservationKind, tuple[int, int]] = {
    ReservationKind.CART: (600, 3_600),
    ReservationKind.QUOTE: (7 * _DAY, 30 * _DAY),
    ReservationKind.PREORDER: (30 * _DAY, 365 * _DAY),
    ReservationKind.POOL: (30 * _DAY, 365 * _DAY),
}
"""Seconds a hold lasts when nobody says, and the most it may ever last, by kind."""


@dataclass(frozen=True, slots=True)
class HoldTime:
    """`seconds` when nobody says, `maximum` counted from the creation of the hold."""

    seconds: int
    maximum: int

    def expiry(self, now: datetime, ttl_seconds: int | None, latest: datetime | None = None) -> datetime:
        """When a hold made or extended `now` ends, never after `latest` (default: now + maximum).

        Raises InvalidInput for a time that is not positive.
        """
        seconds = self.seconds if ttl_seconds is None else ttl_seconds
        if seconds <= 0:
            raise InvalidInput(
                f"A reservation of {seconds} seconds holds nothing.", path=("input", "ttlSeconds"), value=seconds
            )
        latest = self.latest(now) if latest is None else latest
        return min(now + timedelta(seconds=min(seconds, self.maximum)), latest)

    def latest(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.maximum)


def hold_time(policy: Mapping[str, Any] | None, kind: ReservationKind) -> HoldTime:
    """The policy `reservation_ttl`: `seconds` and `maximumSeconds` for carts, an object of them per other kind."""
    seconds, maximum = DEFAULTS[kind]
    value: Mapping[str, Any] = policy or {}
    if isinstance(value.get(kind.value), Mapping):
        value = value[kind.value]
    elif kind != ReservationKind.CART:
        value = {}
    maximum = int(value.get("maximumSeconds", maximum))
    return HoldTime(min(int(value.get("seconds", seconds)), maximum), maximum)


def places_to_hold(network: Network) -> list[int]:
    """Where stock for an unknown customer is held: locations that ship to some customer, else all that hold stock."""
    shipping = {
        lane.from_location_id
        for lane in network.lanes.values()
        if (end := network.locations.get(lane.to_location_id)) is not None and end.kind == LocationKind.DESTINATION
    }
    everywhere = network.sources(None)
    return [place for place in everywhere if place in shipping] or everywhere


def split_hold(book: SkuBook, quantity: int, places: Sequence[int], day: date | None) -> list[tuple[int, int]]:
    """(location, units) that hold `quantity` on `day` (None: today), one place if one suffices; short when ATP is."""
    free = {place: book.timeline(place).atp(day) for place in places}
    whole = next((place for place in places if free[place] >= quantity), None)
    if whole is not None:
        return [(whole, quantity)]
    parts: list[tuple[int, int]] = []
    for place in sorted(places, key=lambda p: -free[p]):
        units = min(quantity, free[place])
        if units > 0:
            parts.append((place, units))
            quantity -= units
    return parts
