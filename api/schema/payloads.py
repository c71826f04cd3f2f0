"""What mutations answer: the thing as it is after the commit, and what was refused."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import Info, field

from api.schema.backorder import Backorder
from api.schema.edi import EdiDocument
from api.schema.errors import UserError
from api.schema.node import build, register
from api.schema.notice import Notice
from api.schema.order import Order
from api.schema.purchasing import PurchaseOrder, ShipNotice, Transfer
from api.schema.shipment import Shipment
from api.schema.sku import Location, Sku

REFUSED = "What was refused and why; empty when all was done."


@register
@strawberry.type(description="Counters of a SKU at a location, in base units.")
class StockLevel:
    """One stock level."""

    sku_id: strawberry.Private[int]
    location_id: strawberry.Private[int]
    on_hand: int = field(description="Physically there.")
    unsellable: int = field(description="Of these, damaged or under inspection.")
    allocated: int = field(description="Of these, given to order lines or transfers.")
    version: str = field(description="Version of the SKU's availability after this.")

    @field(description="The SKU.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))

    @field(description="The location.")
    async def location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.location_id))


@register
@strawberry.type(description="A line of a goods receipt.")
class GoodsReceiptLine:
    """One line."""

    sku_id: strawberry.Private[int]
    quantity: int = field(description="Units booked on what was ordered.")
    damaged: int = field(description="Of these, damaged.")
    over_delivered: int = field(description="Units above what was ordered.")

    @field(description="What arrived.")
    async def sku(self, info: Info) -> Sku:
        return build("Sku", await info.context.loaders.sku_by_id.load(self.sku_id))


@strawberry.type(description="One delivery that was taken in.")
class GoodsReceipt:
    """One receipt."""

    number: str = field(description="Its number.")
    received_at: datetime = field(description="When it was taken in.")
    lines: list[GoodsReceiptLine] = field(description="What arrived.")


@strawberry.type(description="Answer of orderPlace.")
class OrderPlacePayload:
    """The order with its promises, and the backorders that were opened."""

    order: Order | None = field(description="The order, with each line's promise.", default=None)
    backorders: list[Backorder] = field(description="Backorders that it opened.", default_factory=list)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of orderCancel.")
class OrderCancelPayload:
    """The order after it."""

    order: Order | None = field(description="The order.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of orderHold and orderHoldRelease.")
class OrderHoldPayload:
    """The order after it."""

    order: Order | None = field(description="The order.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of orderLineChange, orderLineSplit and orderShipToChange.")
class OrderLineChangePayload:
    """The order after it."""

    order: Order | None = field(description="The order.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of shipmentConfirm and shipmentDeliver.")
class ShipmentPayload:
    """The shipment after it."""

    shipment: Shipment | None = field(description="The shipment.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of backorderCancel and backorderReprioritize.")
class BackorderPayload:
    """The backorder after it."""

    backorder: Backorder | None = field(description="The backorder.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of the purchase order mutations.")
class PurchaseOrderPayload:
    """The purchase order after it."""

    purchase_order: PurchaseOrder | None = field(description="The purchase order.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of shipNoticeSubmit.")
class ShipNoticePayload:
    """The ship notice after it."""

    ship_notice: ShipNotice | None = field(description="The ship notice.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of goodsReceive.")
class GoodsReceivePayload:
    """The receipt."""

    receipt: GoodsReceipt | None = field(description="The receipt.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of stockAdjust, stockCount and goodsInspect.")
class StockPayload:
    """The stock level after it."""

    stock: StockLevel | None = field(description="The stock level.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of stockTransfer and stockTransferShip.")
class StockTransferPayload:
    """The transfer."""

    transfer: Transfer | None = field(description="The transfer.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of ediDocumentSubmit and ediDocumentReplay.")
class EdiDocumentPayload:
    """The documents of the file; a file is read a moment after it was stored."""

    document: EdiDocument | None = field(description="The first document; null until the file is read.", default=None)
    documents: list[EdiDocument] = field(description="All documents read from the file so far.", default_factory=list)
    user_errors: list[UserError] = field(description=REFUSED)


@strawberry.type(description="Answer of noticeMarkRead.")
class NoticePayload:
    """The notice after it."""

    notice: Notice | None = field(description="The notice.", default=None)
    user_errors: list[UserError] = field(description=REFUSED)
