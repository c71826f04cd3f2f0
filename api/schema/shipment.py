"""Shipments to customers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.lots import Lot
from api.schema.node import Node, build, build_all, register
from api.schema.order import ShipTo, ship_to_of
from api.schema.sku import SEES_LOTS, Location

if TYPE_CHECKING:
    from api.schema.order import Order, OrderLine


@register
@strawberry.type(description="A quantity of one order line in a shipment.")
class ShipmentLine:
    """One line of a shipment."""

    sku_id: strawberry.Private[int]
    order_line_id: strawberry.Private[int]
    shipment_id: strawberry.Private[int]
    quantity: int = field(description="Base units.")
    lot_id: strawberry.Private[int | None] = None

    @field(description="The lot that left; null while it is planned, and for callers who do not work with stock.")
    async def lot(self, info: Info) -> Lot | None:
        if self.lot_id is None or info.context.principal.role not in SEES_LOTS:
            return None
        return build("Lot", await info.context.loaders.lot_by_key.load((self.sku_id, self.lot_id)))

    @field(description="Serial numbers that left; empty for callers who do not work with stock.")
    async def serials(self, info: Info) -> list[str]:
        if info.context.principal.role not in SEES_LOTS:
            return []
        key = (self.sku_id, self.shipment_id, self.order_line_id, self.lot_id or 0)
        return [row["code"] for row in await info.context.loaders.serials_by_shipped_key.load(key)]

    @field(description="The order line.")
    async def order_line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")]:
        return build("OrderLine", await info.context.loaders.line_by_key.load((self.sku_id, self.order_line_id)))


@register
@strawberry.type(description="Goods of one order that leave one location together.")
class Shipment(Node):
    """One shipment."""

    key: strawberry.Private[int]
    order_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    rest_of: strawberry.Private[int | None]
    number: str = field(description="Our number.")
    status: enums.ShipmentStatus = field(description="Where it stands.")
    carrier: str | None = field(description="Who carries it.", default=None)
    tracking_number: str | None = field(description="The carrier's number.", default=None)
    planned_ship_date: date | None = field(
        description="Day it should leave, in the zone of its location.", default=None
    )
    shipped_at: datetime | None = field(description="When it left.", default=None)
    delivered_at: datetime | None = field(description="When it arrived.", default=None)
    version: int = field(description="Raised by every change.")

    @field(description="Where it leaves from.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The order it belongs to.")
    async def order(self, info: Info) -> Annotated[Order, strawberry.lazy("api.schema.order")]:
        return build("Order", await info.context.loaders.order_by_id.load(self.order_id))

    @field(description="Where it goes; null to an auditor, and where no address was given.")
    async def ship_to(self, info: Info) -> ShipTo | None:
        return await ship_to_of(info, self.order_id)

    @field(
        name="restOf",
        description="The shipment of which its warehouse lacked these units; nobody is told of them until shipmentSendAnew. "
        "Null where it is a shipment of its own.",
    )
    async def whole(self, info: Info) -> Shipment | None:
        if self.rest_of is None:
            return None
        return build("Shipment", await info.context.loaders.shipment_by_id.load(self.rest_of))

    @field(description="What is in it.")
    async def lines(self, info: Info) -> list[ShipmentLine]:
        return build_all("ShipmentLine", await info.context.loaders.lines_by_shipment_id.load(self.key))


@strawberry.input(description="Which shipments.")
class ShipmentFilter:
    """All given conditions must hold."""

    status: list[enums.ShipmentStatus] | None = field(default=None, description="One of these states.")
    location: str | None = field(default=None, description="Leaving the location with this code.")
    number: str | None = field(default=None, description="With this number.")
    order_number: str | None = field(default=None, description="Of the order with this number.")
    planned_from: date | None = field(default=None, description="Planned to leave on this day or later.")
    planned_before: date | None = field(default=None, description="Planned to leave before this day.")
