"""Orders and their lines."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.dates import pegs_of, promise_of, record_of
from api.schema.enums import described
from api.schema.lots import LineKit
from api.schema.node import Connection, Node, PageAfter, PageFirst, build, build_all, connection, register
from api.schema.promise import Peg, Promise, PromiseRecord
from api.schema.sku import Customer, Sku
from core.domain.access import Role

if TYPE_CHECKING:
    from api.schema.backorder import Backorder
    from api.schema.events import OrderEvent
    from api.schema.returns import GoodsReturn
    from api.schema.shipment import Shipment


@register
@strawberry.type(description="Something that stops an order.")
class Hold:
    """A live hold."""

    reason: enums.HoldReason = field(description="Why.")
    placed_at: datetime = field(description="Since when.")
    release_deadline: datetime | None = field(description="When onDeadline happens.", default=None)
    on_deadline: enums.HoldDeadlineAction = field(description="What happens at the deadline.")


@register
@strawberry.type(
    description="A line of an order. Always: ordered = open + allocated + backordered + shipped + cancelled (base units)."
)
class OrderLine(Node):
    """One line."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    order_id: strawberry.Private[int]
    line_number: int = field(description="Number within the order, from 1.")
    status: enums.OrderLineStatus = field(description="Where it stands.")
    ordered: int = field(description="Units that were ordered.")
    open: int = field(description="Accepted, not yet given stock, and not short.")
    allocated: int = field(description="Stock on hand is given to these.")
    backordered: int = field(description="Short: promised later than asked for, or without a date.")
    shipped: int = field(description="Have left.")
    cancelled: int = field(description="Are cancelled.")
    requested_date: date | None = field(description="Day of delivery that was asked for.", default=None)
    ship_policy: enums.ShipPolicy = field(description="What to do when it cannot be shipped whole.")
    substitutes_allowed: bool = field(description="May another SKU be sent instead.")
    min_life_days: int | None = field(
        description="Days of life its lots must have left at delivery, as the line asks for; null: as customer, channel or "
        "SKU do.",
        default=None,
    )
    version: int = field(description="Raised by every change of the line.")
    kit_sku_id: strawberry.Private[int | None] = None
    kit_line_number: strawberry.Private[int | None] = None
    kit_quantity: strawberry.Private[int | None] = None

    @field(description="The kit it is a component of; null when it was ordered by itself.")
    def kit(self) -> LineKit | None:
        if self.kit_sku_id is None or self.kit_line_number is None or self.kit_quantity is None:
            return None
        return LineKit(
            sku_id=self.kit_sku_id,
            order_id=self.order_id,
            line_number=self.kit_line_number,
            units_per_kit=self.kit_quantity,
        )

    @field(description="What was ordered.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="The order it belongs to.")
    async def order(self, info: Info) -> Annotated[Order, strawberry.lazy("api.schema.order")]:
        return build("Order", await info.context.loaders.order_by_id.load(self.order_id))

    @field(description="What the customer was told last.")
    async def promise(self, info: Info) -> Promise | None:
        return promise_of(await info.context.loaders.promises_by_line_key.load((self.sku_id, self.key)))

    @field(description="All that the customer was ever told, oldest first.")
    async def promise_history(self, info: Info) -> list[PromiseRecord]:
        rows = await info.context.loaders.promises_by_line_key.load((self.sku_id, self.key))
        return [record_of(row, rows[n - 1] if n else None) for n, row in enumerate(rows) if row["promised"] is not None]

    @field(description="What covers it now.")
    async def pegs(self, info: Info) -> list[Peg]:
        return pegs_of(await info.context.loaders.pegs_by_line_key.load((self.sku_id, self.key)))

    @field(description="Its open backorder.")
    async def backorder(self, info: Info) -> Annotated[Backorder, strawberry.lazy("api.schema.backorder")] | None:
        return build("Backorder", await info.context.loaders.open_backorder_by_line_key.load((self.sku_id, self.key)))


_SEES_ADDRESS = frozenset({Role.STOREFRONT, Role.CUSTOMER, Role.WAREHOUSE, Role.PLANNER, Role.ADMIN})
"""Who sells, receives, packs or plans; an auditor needs no persons."""


@register
@strawberry.type(description="Where an order goes.")
class ShipTo:
    """An address."""

    country: str = field(description="ISO 3166 alpha-2 code.")
    postal_code: str = field(description="Postal code; empty when there is none.")
    name: str = field(description="Who receives it.")
    line1: str = field(description="Street and number.")
    city: str = field(description="Town.")


async def ship_to_of(info: Info, order_id: int) -> ShipTo | None:
    """The address of an order, for those who need it."""
    if info.context.principal.role not in _SEES_ADDRESS:
        return None
    row = await info.context.loaders.ship_to_by_order_id.load(order_id)
    given = None if row is None else row["ship_to"]
    if not given:
        return None
    return ShipTo(
        country=given["country"],
        postal_code=given.get("postalCode") or "",
        name=given.get("name") or "",
        line1=given.get("line1") or "",
        city=given.get("city") or "",
    )


@register
@strawberry.type(description="An order of a customer.")
class Order(Node):
    """One order."""

    key: strawberry.Private[int]
    customer_id: strawberry.Private[int | None] = None
    number: str = field(description="Our number.")
    external_number: str | None = field(description="The channel's own number.", default=None)
    channel: str = field(description="Where it came from.")
    status: enums.OrderStatus = field(description="Its least advanced line that is not cancelled.")
    on_hold: bool = field(description="Is a hold on it.")
    has_backorder: bool = field(description="Is a line short.")
    placed_at: datetime = field(description="When it was placed.")
    ship_complete: bool = field(description="Must everything leave together.")
    version: int = field(description="Raised by every change of the order.")

    @field(description="Who ordered; null for a guest.")
    async def customer(self, info: Info) -> Customer | None:
        if self.customer_id is None:
            return None
        return build("Customer", await info.context.loaders.customer_by_id.load(self.customer_id))

    @field(description="Where it goes; null to an auditor, and where no address was given.")
    async def ship_to(self, info: Info) -> ShipTo | None:
        return await ship_to_of(info, self.key)

    @field(description="Its lines, by number.")
    async def lines(self, info: Info) -> list[OrderLine]:
        return build_all("OrderLine", await info.context.loaders.lines_by_order_id.load(self.key))

    @field(description="Live holds.")
    async def holds(self, info: Info) -> list[Hold]:
        return build_all("Hold", await info.context.loaders.holds_by_order_id.load(self.key))

    @field(description="Its shipments, oldest first.")
    async def shipments(self, info: Info) -> list[Annotated[Shipment, strawberry.lazy("api.schema.shipment")]]:
        return build_all("Shipment", await info.context.loaders.shipments_by_order_id.load(self.key))

    @field(description="What of it came back, oldest first.")
    async def returns(self, info: Info) -> list[Annotated[GoodsReturn, strawberry.lazy("api.schema.returns")]]:
        return build_all("GoodsReturn", await info.context.loaders.returns_by_order_id.load(self.key))

    @field(description="What happened to it, oldest first, as far back as events are kept.")
    async def timeline(
        self, info: Info, first: PageFirst = 50, after: PageAfter = None
    ) -> Connection[Annotated[OrderEvent, strawberry.lazy("api.schema.events")]]:
        page = await info.context.loaders.order_timeline(self.key, first, after)
        return connection(page, lambda facts: build("OrderEvent", facts))


@strawberry.input(description="Which orders.")
class OrderFilter:
    """All given conditions must hold."""

    status: list[enums.OrderStatus] | None = field(default=None, description="One of these states.")
    channel: str | None = field(default=None, description="From this channel.")
    customer: str | None = field(default=None, description="Of the customer with this code.")
    sku: str | None = field(default=None, description="With a line of the SKU with this code.")
    number: str | None = field(default=None, description="With this number.")
    external_number: str | None = field(default=None, description="With this number of its channel.")
    on_hold: bool | None = field(default=None, description="Held, or not.")
    has_backorder: bool | None = field(default=None, description="With a short line, or without.")
    placed_from: datetime | None = field(default=None, description="Placed at or after.")
    placed_before: datetime | None = field(default=None, description="Placed before.")


class OrderOrder(Enum):
    """Sorts of core.queries.orders."""

    PLACED_AT_DESC = "PLACED_AT_DESC"
    PLACED_AT_ASC = "PLACED_AT_ASC"
    NUMBER_ASC = "NUMBER_ASC"


described(
    OrderOrder,
    "Order of a list of orders.",
    PLACED_AT_DESC="Newest first.",
    PLACED_AT_ASC="Oldest first.",
    NUMBER_ASC="By number.",
)
