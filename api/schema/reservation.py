"""Reservations: stock held for a while that is not yet an order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.errors import UserError
from api.schema.node import build, register
from api.schema.order import Order
from api.schema.sku import Customer, Location, Sku


@register
@strawberry.type(description="One item of a reservation.")
class ReservationItem:
    """One held row."""

    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    quantity: int = field(description="Base units held; of a pool, what is left of it.")
    used: int = field(description="Base units that orders have taken of it.")
    need_date: date = field(description="The day it claims, in the zone of its location.")

    @field(description="What is held.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Where it is held.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))


@strawberry.type(description="Stock held for a while, all items or none.")
class Reservation:
    """One group of held rows."""

    customer_id: strawberry.Private[int | None]
    order_id: strawberry.Private[int | None]
    id: strawberry.ID = field(description="Its id, hard to guess; whoever has it may use it: pass it to orderPlace.")
    kind: enums.ReservationKind = field(description="For what.")
    state: enums.ReservationState = field(description="Where it stands at the instant of this answer.")
    is_live: bool = field(description="Is the stock still held.")
    holder: str = field(description="Who made it.")
    channel: str | None = field(description="The channel whose times and locations it has.")
    created_at: datetime = field(description="When it was made.")
    expires_at: datetime = field(description="Until when it is held, unless it is extended.")
    can_extend_until: datetime | None = field(description="The latest end it can get; null once it has ended.")
    items: list[ReservationItem] = field(description="What is held.")

    @field(description="The only customer whose orders may use it; null: whoever knows its id.")
    async def customer(self, info: Info) -> Customer | None:
        if self.customer_id is None:
            return None
        return build("Customer", await info.context.loaders.customer_by_id.load(self.customer_id))

    @field(description="The order that used it up.")
    async def order(self, info: Info) -> Order | None:
        if self.order_id is None:
            return None
        return build("Order", await info.context.loaders.order_by_id.load(self.order_id))


@strawberry.input(description="Which reservations.")
class ReservationFilter:
    """All given conditions must hold."""

    is_live: bool | None = field(default=None, description="Only those that still hold stock, or only the others.")
    kind: enums.ReservationKind | None = field(default=None, description="Of this kind.")
    sku: str | None = field(default=None, description="That hold this SKU.")
    customer: str | None = field(default=None, description="Bound to the customer with this code.")
    channel: str | None = field(default=None, description="Of this channel.")
    holder: str | None = field(default=None, description="Made by this caller.")


@strawberry.type(description="Answer of the reservation mutations.")
class ReservationPayload:
    """The reservation after it."""

    reservation: Reservation | None = field(description="The reservation.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


def reservation_of(rows: Sequence[Any]) -> Reservation | None:
    """A reservation from the rows of its group: live while any row is, else what most of it became."""
    if not rows:
        return None
    first, live = rows[0], [row for row in rows if row["is_live"]]
    states = {row["state"] for row in live or rows}
    state = next(s for s in ("held", "committed", "expired", "released") if s in states)
    return Reservation(
        id=strawberry.ID(str(first["group_id"])),
        kind=first["kind"],
        state=enums.ReservationState(state),
        is_live=bool(live),
        holder=first["holder"],
        channel=first["channel"],
        customer_id=first["customer_id"],
        order_id=first["order_id"],
        created_at=first["created_at"],
        expires_at=min(row["expires_at"] for row in live or rows),
        can_extend_until=min(row["hold_until_latest"] for row in live) if live else None,
        items=[build("ReservationItem", row) for row in rows],
    )
