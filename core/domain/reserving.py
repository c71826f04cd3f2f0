"""Holds on stock that is not yet an order: how long they last and where their units come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from core.domain.access import Role
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.proposals import Demand
from core.domain.records import Hold
from core.domain.shelf_life import curve
from core.domain.states import LocationKind, ReservationKind
from core.errors import InvalidInput

_DAY = 86_400
DEFAULTS: dict[ReservationKind, tuple[int, int]] = {
    ReservationKind.CART: (600, 3_600),
    ReservationKind.QUOTE: (7 * _DAY, 30 * _DAY),
    ReservationKind.PREORDER: (30 * _DAY, 365 * _DAY),
    ReservationKind.INTERNAL: (_DAY, 90 * _DAY),
    ReservationKind.PROMOTION: (30 * _DAY, 365 * _DAY),
}
"""Seconds a hold lasts when nobody says, and the most it may ever last, by kind."""

POOLS = frozenset({ReservationKind.INTERNAL, ReservationKind.PROMOTION})
"""Many orders draw on one of these; of the others an order takes what it needs and the rest is free at once."""
_STAFF = frozenset({Role.PLANNER, Role.ADMIN, Role.SYSTEM})


def may_manage(kind: ReservationKind | str, role: Role) -> bool:
    """Who may make, extend, release and see a reservation by its id: pools are the planners' own."""
    return role in _STAFF or (role is Role.STOREFRONT and kind not in POOLS)


def may_use(kind: ReservationKind | str, owner_id: int | None, customer_id: int | None, role: Role) -> bool:
    """May an order of `customer_id`, placed by a caller of `role`, use up this reservation?

    A reservation bound to a customer (`owner_id`) serves that customer's orders only. An unbound one serves whoever
    knows its id, which is random (122 bits) and told to its maker alone. Internal stock is the planners', a promotion
    is drawn on through the shop and not by a customer's own call.
    """
    if kind == ReservationKind.INTERNAL and role not in _STAFF:
        return False
    if kind == ReservationKind.PROMOTION and role is Role.CUSTOMER:
        return False
    return owner_id is None or owner_id == customer_id


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

    def latest(self, since: datetime) -> datetime:
        """The last instant of units that were held first `since` then, under whatever kinds meanwhile."""
        return since + timedelta(seconds=self.maximum)


def hold_time(policy: Mapping[str, Any] | None, kind: ReservationKind, channel: str | None = None) -> HoldTime:
    """The policy `reservation_ttl` for a kind, as a channel may have its own.

    `seconds` and `maximumSeconds` are those of carts, an object of the two under the name of another kind is that
    kind's; `channels` holds the same again by channel code, and what it names goes before.
    """
    value: Mapping[str, Any] = policy or {}
    of_channel = (value.get("channels") or {}).get(channel) or {}
    figures = {**_figures(value, kind), **_figures(of_channel, kind)}
    seconds, maximum = DEFAULTS[kind]
    maximum = int(figures.get("maximumSeconds", maximum))
    return HoldTime(min(int(figures.get("seconds", seconds)), maximum), maximum)


def _figures(value: Mapping[str, Any], kind: ReservationKind) -> Mapping[str, Any]:
    own = value.get(kind.value)
    if isinstance(own, Mapping):
        return own
    return value if kind == ReservationKind.CART else {}


def places_to_hold(network: Network, allowed: Sequence[int] | None = None) -> list[int]:
    """Where stock for an unknown customer is held: locations that ship to some customer, else all that hold stock.

    `allowed` narrows them to those a channel sells from.
    """
    shipping = {
        lane.from_location_id
        for lane in network.lanes.values()
        if (end := network.locations.get(lane.to_location_id)) is not None and end.kind == LocationKind.DESTINATION
    }
    everywhere = network.sources(None, None if allowed is None else list(allowed))
    return [place for place in everywhere if place in shipping] or everywhere


def split_hold(
    book: SkuBook,
    quantity: int,
    places: Sequence[int],
    day: date | None,
    demand_class: str = "",
    min_life: int | None = None,
) -> list[tuple[int, int]]:
    """(location, units) that hold `quantity` on `day` (None: today), one place if one suffices; short when ATP is.

    Of a SKU whose lots expire only units count that still live `min_life` days (None: as the SKU says) when they leave
    on that day; the way to a customer who is not known yet is not counted.
    """
    asker = Demand(0, None, demand_class=demand_class, min_life=min_life)
    free = {place: curve(book, place, asker).atp(day) for place in places}
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


@dataclass(slots=True)
class Held:
    """A live reservation whose gates are held; `rows` are (SKU id, hold), each hold with what is left of it."""

    group_id: str
    kind: str
    customer_id: int | None
    rows: list[tuple[int, Hold]] = field(default_factory=list)

    @property
    def is_pool(self) -> bool:
        return self.kind in POOLS


@dataclass(frozen=True, slots=True)
class HoldUse:
    """What an order took of one row and what it left; what is left of a pool stays held, of another kind it is free."""

    sku_id: int
    hold_id: int
    used: int
    left: int
    is_pool: bool
    order_id: int


def take_own(books: Mapping[int, SkuBook], held: Held) -> dict[int, list[Hold]]:
    """The order's own holds by SKU, off the timeline now that it is served; copies, to be used up line by line."""
    own: dict[int, list[Hold]] = defaultdict(list)
    for sku_id, hold in sorted(held.rows, key=lambda row: (row[0], row[1].need_date, row[1].id)):
        if sku_id in books:
            book = books[sku_id]
            book.drop_hold(next(counted for counted in book.holds if counted.id == hold.id))
            own[sku_id].append(replace(hold))
    return own


def use_up(own: list[Hold], parts: Iterable[tuple[int, int]]) -> None:
    """Take what a line has got, (location, units), off the holds: the order's next line of the SKU has only the rest."""
    for location_id, units in parts:
        for hold in own:
            if hold.location_id == location_id and units:
                used = min(units, hold.quantity)
                hold.quantity -= used
                units -= used


def close_use(books: Mapping[int, SkuBook], held: Held, own: Mapping[int, list[Hold]], order_id: int) -> list[HoldUse]:
    """Settle a reservation after its order was served: a pool's rest is held again, in the books and in `held`."""
    rest = {hold.id: hold.quantity for holds in own.values() for hold in holds}
    uses: list[HoldUse] = []
    kept: list[tuple[int, Hold]] = []
    for sku_id, hold in held.rows:
        left = rest.get(hold.id, hold.quantity)
        if held.is_pool and left:
            kept.append((sku_id, replace(hold, quantity=left)))
            if sku_id in books:
                books[sku_id].add_hold(replace(hold, quantity=left))
        if hold.id in rest or not held.is_pool:
            uses.append(HoldUse(sku_id, hold.id, hold.quantity - left, left, held.is_pool, order_id))
    held.rows = kept
    return uses
