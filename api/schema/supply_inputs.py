"""Inputs of the mutations that buy, receive, count and move stock, and of partner documents."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import field

from api.schema.enums import described
from core.domain.supplier_states import PackKind


@strawberry.input(description="A line of a new purchase order.")
class PurchaseOrderLineInput:
    """One line."""

    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units, above 0.")
    price_minor: int | None = field(
        default=None, description="Price of one unit in minor units; null for the supplier's."
    )


@strawberry.input(description="A new purchase order.")
class PurchaseOrderCreateInput:
    """Input of purchaseOrderCreate."""

    supplier: str = field(description="Code of the supplier.")
    location: str = field(description="Code of the receiving location.")
    lines: list[PurchaseOrderLineInput] = field(description="What is bought, at least one line.")
    requested_date: date | None = field(default=None, description="Day it should arrive.")


@strawberry.input(description="A purchase order to approve.")
class PurchaseOrderApproveInput:
    """Input of purchaseOrderApprove."""

    number: str = field(description="Number of the purchase order.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="What to cancel of a purchase order.")
class PurchaseOrderCancelInput:
    """Input of purchaseOrderCancel."""

    number: str = field(description="Number of the purchase order.")
    line_numbers: list[int] | None = field(default=None, description="Only these lines.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="What of a purchase order will never come.")
class PurchaseOrderCloseInput:
    """Input of purchaseOrderClose."""

    number: str = field(description="Number of the purchase order.")
    reason: str = field(description="Why nothing more will come.")
    line_numbers: list[int] | None = field(default=None, description="Only these lines.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="A quantity with its day.")
class DatedQuantityInput:
    """One schedule line."""

    quantity: int = field(description="Base units, above 0.")
    date: date | None = field(default=None, description="Day of arrival; null when unknown.")


@strawberry.input(description="A supplier's answer to one line.")
class AcknowledgeLineInput:
    """One line of an answer."""

    line_number: int = field(description="Number of the purchase order line.")
    accepted: list[DatedQuantityInput] = field(default_factory=list, description="Units that are confirmed.")
    backordered: list[DatedQuantityInput] = field(default_factory=list, description="Units that come later.")
    rejected: int = field(default=0, description="Units that will not come.")
    held: int = field(default=0, description="Units the supplier has put on hold.")


@strawberry.input(description="A supplier's answer to a purchase order.")
class PurchaseOrderAcknowledgeInput:
    """Input of purchaseOrderAcknowledge."""

    number: str = field(description="Number of the purchase order.")
    lines: list[AcknowledgeLineInput] = field(description="Answers by line, at least one.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")
    sequence: str | None = field(
        default=None, description="Sortable mark of the answer; an older one never overwrites. Null for now."
    )


@strawberry.input(description="A line of a ship notice.")
class ShipNoticeLineInput:
    """One line."""

    purchase_order_number: str = field(description="Number of the purchase order.")
    line_number: int = field(description="Number of its line.")
    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units, above 0.")


@strawberry.input(description="Units of one SKU in a pack.")
class PackedUnitsInput:
    """One content."""

    sku: str = field(description="Our code of the SKU.")
    quantity: int = field(description="Base units, above 0.")
    lot: str | None = field(default=None, description="Their lot.")


@strawberry.input(description="A carton or pallet of a ship notice.")
class ShipNoticePackInput:
    """One pack."""

    sscc: str = field(description="Serial shipping container code: 18 digits, or 20 with the 00 in front.")
    kind: PackKind = field(default=PackKind.CARTON, description="What it is.")
    contents: list[PackedUnitsInput] = field(default_factory=list, description="What is in it.")


@strawberry.input(description="Goods that have left a supplier.")
class ShipNoticeSubmitInput:
    """Input of shipNoticeSubmit."""

    supplier: str | None = field(default=None, description="Code of the supplier; a SUPPLIER is always itself.")
    number: str = field(description="The supplier's number of the notice.")
    shipped_on: date = field(description="Day it left, in the supplier's zone.")
    expected_date: date | None = field(default=None, description="Day it should arrive.")
    carrier: str | None = field(default=None, description="Who carries it.")
    tracking_number: str | None = field(default=None, description="The carrier's number.")
    lines: list[ShipNoticeLineInput] = field(description="What has left, at least one line.")
    packs: list[ShipNoticePackInput] = field(
        default_factory=list, description="Its cartons and pallets; they hold no more than has left."
    )
    sequence: str | None = field(
        default=None, description="Sortable mark of the notice; an older one never overwrites. Null for now."
    )


class ReceiptKind(Enum):
    """Reference of a goods receipt."""

    PURCHASE_ORDER = "PURCHASE_ORDER"
    SHIP_NOTICE = "SHIP_NOTICE"
    TRANSFER = "TRANSFER"


described(
    ReceiptKind,
    "What goods are received against.",
    PURCHASE_ORDER="A purchase order.",
    SHIP_NOTICE="A ship notice.",
    TRANSFER="A transfer.",
)


@strawberry.input(description="A line of a goods receipt.")
class ReceiptLineInput:
    """One line."""

    sku: str = field(description="Code of the SKU.")
    quantity: int = field(description="Base units that arrived, damaged ones included.")
    damaged: int = field(default=0, description="Of these, damaged.")
    line_number: int | None = field(default=None, description="Number of the purchase order line.")
    lot: str | None = field(
        default=None, description="Code of the lot: needed where the SKU tracks lots, refused where it does not."
    )
    expires_on: date | None = field(
        default=None, description="Last day of the lot's life; needed for a new lot where the SKU tracks expiry."
    )
    serials: list[str] = field(
        default_factory=list, description="Serial numbers, one per unit, those of damaged units last."
    )


@strawberry.input(description="Goods that have arrived.")
class GoodsReceiveInput:
    """Input of goodsReceive."""

    reference: str = field(description="Number of the purchase order or ship notice, or id of the transfer.")
    kind: ReceiptKind = field(default=ReceiptKind.PURCHASE_ORDER, description="What the reference names.")
    location: str = field(description="Code of the location.")
    lines: list[ReceiptLineInput] = field(description="What arrived, at least one line.")
    receipt_number: str | None = field(default=None, description="Number of the receipt; the same one is booked once.")


@strawberry.input(description="A correction of stock by a difference.")
class StockAdjustInput:
    """Input of stockAdjust."""

    sku: str = field(description="Code of the SKU.")
    location: str = field(description="Code of the location.")
    delta: int = field(description="Units to add, or to take away when negative.")
    reason: str = field(description="Why.")
    unsellable: bool = field(default=False, description="Correct unsellable stock instead.")
    lot: str | None = field(default=None, description="Code of the lot, where the SKU tracks lots.")
    expires_on: date | None = field(default=None, description="Last day of the life of a lot that is new.")
    serials: list[str] = field(default_factory=list, description="Serial numbers of the units, where they are tracked.")


@strawberry.input(description="A count of stock.")
class StockCountInput:
    """Input of stockCount."""

    sku: str = field(description="Code of the SKU.")
    location: str = field(description="Code of the location.")
    counted: int = field(description="Units found.")
    reason: str = field(default="", description="Remark.")
    lot: str | None = field(default=None, description="Code of the lot that was counted, where the SKU tracks lots.")
    expires_on: date | None = field(default=None, description="Last day of the life of a lot that is new.")
    counted_at: datetime | None = field(
        default=None,
        description="When the units were found: what was booked since then stays booked. Null: now, and the stock becomes the count.",
    )


@strawberry.input(description="Stock to move to another location.")
class StockTransferInput:
    """Input of stockTransfer."""

    sku: str = field(description="Code of the SKU.")
    from_location: str = field(description="Code of the location it leaves.")
    to_location: str = field(description="Code of the location it goes to.")
    quantity: int = field(description="Base units, above 0.")
    proposal_id: strawberry.ID | None = field(
        default=None, description="The rebalancing proposal that this accepts; of the same SKU, from and to."
    )


@strawberry.input(description="A planned transfer whose units leave now.")
class StockTransferShipInput:
    """Input of stockTransferShip."""

    id: strawberry.ID = field(description="Which transfer; Transfer.id.")


@strawberry.input(description="A file of a trading partner.")
class EdiDocumentSubmitInput:
    """Input of ediDocumentSubmit."""

    partner: str = field(description="Code of the trading partner; a SUPPLIER may name only its own.")
    content: str = field(description="The file's text.")
    transport_id: str | None = field(
        default=None, description="The sender's name of the file; null for one of its content."
    )


@strawberry.input(description="A document to apply again.")
class EdiDocumentReplayInput:
    """Input of ediDocumentReplay."""

    id: strawberry.ID = field(description="Id of the document.")
    guide_version: int | None = field(default=None, description="Version of the guide; null for the one in force.")
