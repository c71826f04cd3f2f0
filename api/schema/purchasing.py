"""Purchase orders, what suppliers have confirmed, ship notices and transfers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.node import Node, Row, build, build_all, register
from api.schema.sku import Location, Money, Sku, Supplier
from core.domain.access import Role
from core.queries.supplier_asks import asks_of

if TYPE_CHECKING:
    from api.schema.edi import EdiDocument
    from api.schema.partners import SupplierInvoice
    from api.schema.sourcing import PurchaseOrderCause
    from api.schema.suppliers import PurchaseOrderApproval, PurchaseOrderMessage, ShipNoticePack, SupplierDeadline


@register
@strawberry.type(description="Something a supplier owes us on a purchase order.")
class SupplierAsk:
    """One thing to do for the supplier."""

    kind: enums.SupplierAskKind = field(description="What is asked.")
    line_number: int = field(description="On which line.")
    quantity: int = field(description="For how many units.")
    due_date: date | None = field(description="By which day.", default=None)


@register
@strawberry.type(description="A dated part of a purchase order line, or of another inbound supply.")
class SupplySchedule:
    """One supply row."""

    quantity: int = field(description="Base units.")
    received: int = field(description="Of these, arrived.")
    cancelled: int = field(description="Of these, will not come.")
    pegged: int = field(description="Of the rest, spoken for by orders.")
    paper_date: date | None = field(description="Day the supplier wrote.", default=None)
    usable_date: date = field(description="Day the units can be sold from, after receiving and inspection.")
    basis: enums.DateBasis | None = field(description="What the day rests on.", default=None)


@register
@strawberry.type(
    description="A line of a purchase order. Its remaining quantities always sum to what was ordered (base units)."
)
class PurchaseOrderLine(Node):
    """One line."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    purchase_order_id: strawberry.Private[int]
    row: strawberry.Private[Row]
    line_number: int = field(description="Number within the purchase order.")
    ordered: int = field(description="Units that were ordered.")
    confirmed: int = field(description="Accepted by the supplier, not shipped yet.")
    backordered: int = field(description="Backordered by the supplier.")
    rejected: int = field(description="Refused by the supplier.")
    held: int = field(description="On hold at the supplier.")
    in_transit: int = field(description="Announced by a ship notice, not received.")
    received: int = field(description="Received.")
    cancelled: int = field(description="Cancelled.")
    unanswered: int = field(description="Not answered by the supplier.")
    over_delivered: int = field(description="Received above what was ordered.")
    requested_date: date | None = field(description="Day we asked for.", default=None)

    @field(description="Price of one unit.")
    def price(self) -> Money:
        return Money(amount_minor=self.row["price_minor"], currency=self.row["currency"])

    @field(description="How many order lines rely on it.")
    async def orders_waiting(self, info: Info) -> int:
        waiting = await info.context.loaders.waiting_by_purchase_order_line_key.load((self.sku_id, self.key))
        return 0 if waiting is None else waiting["orders_waiting"]

    @field(description="What was ordered.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="The purchase order it belongs to.")
    async def purchase_order(self, info: Info) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")]:
        return build("PurchaseOrder", await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id))

    @field(description="Its dated parts, by day.")
    async def schedules(self, info: Info) -> list[SupplySchedule]:
        rows = await info.context.loaders.schedules_by_purchase_order_line_key.load((self.sku_id, self.key))
        return build_all("SupplySchedule", rows)


@register
@strawberry.type(description="An order to a supplier for one receiving location.")
class PurchaseOrder(Node):
    """One purchase order."""

    key: strawberry.Private[int]
    supplier_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    number: str = field(description="Our number.")
    status: enums.PurchaseOrderStatus = field(description="Where it stands.")
    requested_date: date | None = field(description="Day we asked for.", default=None)
    sent_at: datetime | None = field(description="When it was sent.", default=None)
    acknowledged_at: datetime | None = field(description="When the supplier first answered.", default=None)
    created_at: datetime = field(description="When it was made.")
    version: int = field(description="Raised by every change.")
    cause_facts: strawberry.Private[Row | None] = None

    @field(description="Why it was made, and why from this supplier; null for suppliers and the warehouse.")
    async def cause(self, info: Info) -> Annotated[PurchaseOrderCause, strawberry.lazy("api.schema.sourcing")] | None:
        if self.cause_facts is None or info.context.principal.role in (Role.WAREHOUSE, Role.SUPPLIER):
            return None
        return build("PurchaseOrderCause", self.cause_facts)

    @field(description="Who delivers.")
    async def supplier(self, info: Info) -> Supplier:
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))

    @field(description="Where it is received.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="What is ordered, without what was cancelled, at its prices; null without lines.")
    async def total(self, info: Info) -> Money | None:
        lines = await info.context.loaders.lines_by_purchase_order_id.load(self.key)
        if not lines:
            return None
        amount = sum((line["ordered"] - line["cancelled"]) * line["price_minor"] for line in lines)
        return Money(amount_minor=amount, currency=lines[0]["currency"])

    @field(description="Who has approved it so far, oldest first; none for suppliers and the warehouse.")
    async def approvals(
        self, info: Info
    ) -> list[Annotated[PurchaseOrderApproval, strawberry.lazy("api.schema.suppliers")]]:
        if info.context.principal.role in (Role.WAREHOUSE, Role.SUPPLIER):
            return []
        rows = await info.context.loaders.approvals_by_purchase_order_id.load(self.key)
        return build_all("PurchaseOrderApproval", rows)

    @field(description="Its lines, by number.")
    async def lines(self, info: Info) -> list[PurchaseOrderLine]:
        return build_all("PurchaseOrderLine", await info.context.loaders.lines_by_purchase_order_id.load(self.key))

    @field(description="What the supplier should do next.")
    async def asks_of_supplier(self, info: Info) -> list[SupplierAsk]:
        loaders = info.context.loaders
        lines = await loaders.lines_by_purchase_order_id.load(self.key)
        keys = [(line["sku_id"], line["id"]) for line in lines]
        waiting = await loaders.waiting_by_purchase_order_line_key.load_many(keys)
        return build_all("SupplierAsk", asks_of(self.status, list(zip(lines, waiting, strict=True))))

    @field(description="Invoices about it, oldest first, each with what does not agree; none for the warehouse.")
    async def invoices(self, info: Info) -> list[Annotated[SupplierInvoice, strawberry.lazy("api.schema.partners")]]:
        if info.context.principal.role is Role.WAREHOUSE:
            return []
        return build_all("SupplierInvoice", await info.context.loaders.invoices_by_purchase_order_id.load(self.key))

    @field(description="When the supplier owes an answer and a ship notice, soonest first.")
    async def deadlines(self, info: Info) -> list[Annotated[SupplierDeadline, strawberry.lazy("api.schema.suppliers")]]:
        return build_all("SupplierDeadline", await info.context.loaders.deadlines_by_purchase_order_id.load(self.key))

    @field(description="Messages between us and the supplier about it, oldest first; none for the warehouse.")
    async def messages(
        self, info: Info
    ) -> list[Annotated[PurchaseOrderMessage, strawberry.lazy("api.schema.suppliers")]]:
        if info.context.principal.role is Role.WAREHOUSE:
            return []
        rows = await info.context.loaders.messages_by_purchase_order_id.load(self.key)
        return build_all("PurchaseOrderMessage", rows)

    @field(description="Documents received about it, oldest first; none of them for WAREHOUSE.")
    async def documents(self, info: Info) -> list[Annotated[EdiDocument, strawberry.lazy("api.schema.edi")]]:
        return build_all("EdiDocument", await info.context.loaders.documents_by_purchase_order_id.load(self.key))


@register
@strawberry.type(description="A supplier's word that goods have left.")
class ShipNotice(Node):
    """One ship notice."""

    key: strawberry.Private[int]
    number: str = field(description="The supplier's number.")
    shipped_on: date | None = field(description="Day it left, in the supplier's zone.", default=None)
    expected_date: date | None = field(description="Day it should arrive.", default=None)
    carrier: str | None = field(description="Who carries it.", default=None)
    tracking_number: str | None = field(description="The carrier's number.", default=None)

    @field(description="Its cartons and pallets, by SSCC.")
    async def packs(self, info: Info) -> list[Annotated[ShipNoticePack, strawberry.lazy("api.schema.suppliers")]]:
        return build_all("ShipNoticePack", await info.context.loaders.packs_by_ship_notice_id.load(self.key))


@register
@strawberry.type(description="Stock on its way from one of our locations to another.")
class Transfer(Node):
    """One transfer."""

    key: strawberry.Private[int]
    sku_id: strawberry.Private[int]
    from_location_id: strawberry.Private[int]
    to_location_id: strawberry.Private[int]
    quantity: int = field(description="Base units.")
    shipped: int = field(description="Of these, left.")
    received: int = field(description="Of these, arrived.")
    lost: int = field(description="Of these, lost.")
    state: enums.TransferState = field(description="Where it stands.")

    @field(description="What is moved.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Where it leaves from.")
    async def from_location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.from_location_id))

    @field(description="Where it goes to.")
    async def to_location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.to_location_id))


@strawberry.input(description="Which transfers.")
class TransferFilter:
    """All given conditions must hold."""

    state: list[enums.TransferState] | None = field(default=None, description="One of these states.")
    sku: str | None = field(default=None, description="Of the SKU with this code.")
    from_location: str | None = field(default=None, description="Leaving the location with this code.")
    to_location: str | None = field(default=None, description="Going to the location with this code.")


@register
@strawberry.type(description="A quantity on order with an expected day.")
class ScheduledReceipt:
    """One open supply."""

    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    purchase_order_line_id: strawberry.Private[int | None] = None
    kind: enums.SupplyKind = field(description="What kind of supply.")
    quantity: int = field(description="Units still to come.")
    pegged: int = field(description="Of these, spoken for by orders.")
    paper_date: date | None = field(description="Day the supplier wrote.", default=None)
    usable_date: date = field(description="Day the units can be sold from.")
    basis: enums.DateBasis | None = field(description="What the day rests on.", default=None)

    @field(description="What comes.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="Where it comes to.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))

    @field(description="The purchase order line, when it is one.")
    async def purchase_order_line(self, info: Info) -> PurchaseOrderLine | None:
        if self.purchase_order_line_id is None:
            return None
        loader = info.context.loaders.purchase_order_line_by_key
        return build("PurchaseOrderLine", await loader.load((self.sku_id, self.purchase_order_line_id)))


@strawberry.input(description="Which purchase orders.")
class PurchaseOrderFilter:
    """All given conditions must hold."""

    status: list[enums.PurchaseOrderStatus] | None = field(default=None, description="One of these states.")
    supplier: str | None = field(default=None, description="To the supplier with this code.")
    location: str | None = field(default=None, description="For the location with this code.")
    sku: str | None = field(default=None, description="With a line of the SKU with this code.")


@strawberry.input(description="Which scheduled receipts.")
class ScheduledReceiptFilter:
    """All given conditions must hold."""

    sku: str | None = field(default=None, description="Of the SKU with this code.")
    location: str | None = field(default=None, description="At the location with this code.")
    supplier: str | None = field(default=None, description="From the supplier with this code.")
    usable_before: date | None = field(default=None, description="Usable before this day.")
    usable_from: date | None = field(default=None, description="Usable on or after this day.")
