"""What is on its way: purchase orders, the supplies that availability reads, ship notices, receipts, transfers."""

from datetime import date, datetime
from typing import Any

from core.domain.states import DateBasis, PurchaseOrderStatus, SupplyKind, TransferState
from core.tables import columns as c


class Supply(c.Row, table=True):
    """One dated inbound quantity; `usable_date` is the only date availability reads."""

    __table_args__ = (
        c.one_of("kind", SupplyKind),
        c.one_of("date_basis", DateBasis),
        c.check("quantity > 0", "quantity"),
        c.check("received >= 0 and cancelled >= 0 and received + cancelled <= quantity", "not_over_received"),
        c.check("pegged >= 0 and pegged <= quantity - received - cancelled", "not_over_pegged"),
        c.check("overdue_days >= 0", "overdue_days"),
        c.check("num_nonnulls(purchase_order_line_id, transfer_id) <= 1", "one_source"),
        c.child_of("purchase_order_line", "purchase_order_line_id"),
        c.child_of("ship_notice_line", "ship_notice_line_id"),
        c.child_of("transfer", "transfer_id"),
        c.child_of("supply", "split_from_id"),
        c.index("supply_open", "sku_id", "location_id", "usable_date", where="quantity > received + cancelled"),
        c.index("supply_purchase_order_line_idx", "sku_id", "purchase_order_line_id"),
        c.index("supply_supplier_idx", "supplier_id", "usable_date", where="quantity > received + cancelled"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    location_id: int = c.ref("location.id")
    kind: str = c.text()
    supplier_id: int | None = c.bigint(null=True)
    purchase_order_line_id: int | None = c.bigint(null=True)
    ship_notice_line_id: int | None = c.bigint(null=True)
    transfer_id: int | None = c.bigint(null=True)
    split_from_id: int | None = c.bigint(null=True)
    quantity: int = c.integer()
    received: int = c.integer(default=0)
    cancelled: int = c.integer(default=0)
    pegged: int = c.integer(default=0)
    paper_date: date | None = c.day(null=True)
    usable_date: date = c.day()
    overdue_days: int = c.smallint(default=1)
    overdue_checked_on: date | None = c.day(null=True)
    """The location's day on which it was last found overdue."""
    date_basis: str | None = c.text(null=True)
    date_revision: int = c.integer(default=0)
    last_sequence: str | None = c.text(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class PurchaseOrder(c.Row, table=True):
    """An order to a supplier for one receiving location."""

    __table_args__ = (
        c.unique("number"),
        c.one_of("status", PurchaseOrderStatus),
        c.index("purchase_order_supplier_idx", "supplier_id", "id"),
        c.index("purchase_order_status_idx", "status", "id"),
    )

    id: int | None = c.identity()
    supplier_id: int = c.ref("supplier.id")
    number: str = c.text()
    location_id: int = c.ref("location.id")
    status: str = c.text(default="DRAFT")
    currency: str = c.currency()
    requested_date: date | None = c.day(null=True)
    approval: dict[str, Any] | None = c.json(null=True)
    cause: dict[str, Any] | None = c.json(null=True)
    sent_at: datetime | None = c.instant(null=True)
    acknowledged_at: datetime | None = c.instant(null=True)
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


_PARTS = ("unanswered", "accepted", "supplier_backordered", "held", "in_transit", "received", "rejected", "cancelled")


class PurchaseOrderLine(c.Row, table=True):
    """A line of a purchase order; the eight remaining quantities always sum to what was ordered."""

    __table_args__ = (
        c.check(f"ordered = {' + '.join(_PARTS)} and least({', '.join(_PARTS)}, over_delivered) >= 0", "quantities"),
        c.check("ordered > 0", "ordered"),
        c.unique("sku_id", "purchase_order_id", "line_number"),
        c.index("purchase_order_line_order_idx", "purchase_order_id", "line_number"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    purchase_order_id: int = c.ref("purchase_order.id")
    line_number: int = c.integer()
    supplier_id: int = c.bigint()
    ordered: int = c.integer()
    unanswered: int = c.integer(default=0)
    accepted: int = c.integer(default=0)
    supplier_backordered: int = c.integer(default=0)
    held: int = c.integer(default=0)
    in_transit: int = c.integer(default=0)
    received: int = c.integer(default=0)
    rejected: int = c.integer(default=0)
    cancelled: int = c.integer(default=0)
    over_delivered: int = c.integer(default=0)
    price: int = c.bigint(default=0)
    requested_date: date | None = c.day(null=True)
    promised_date: date | None = c.day(null=True)
    last_sequence: str | None = c.text(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class ShipNotice(c.Row, table=True):
    """What a supplier says has left it."""

    __table_args__ = (
        c.unique("supplier_id", "number"),
        c.index("ship_notice_tracking_idx", "carrier", "tracking_number"),
        c.index("ship_notice_supplier_idx", "supplier_id", "id"),
    )

    id: int | None = c.identity()
    supplier_id: int = c.ref("supplier.id")
    number: str = c.text()
    purchase_order_id: int | None = c.ref("purchase_order.id", null=True)
    shipped_on: date | None = c.day(null=True)
    expected_date: date | None = c.day(null=True)
    carrier: str | None = c.text(null=True)
    tracking_number: str | None = c.text(null=True)
    edi_document_id: int | None = c.ref("edi_document.id", null=True)
    last_sequence: str | None = c.text(null=True)
    cancelled_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class ShipNoticeLine(c.Row, table=True):
    """A shipped quantity of one purchase order line."""

    __table_args__ = (
        c.check("quantity > 0", "quantity"),
        c.child_of("purchase_order_line", "purchase_order_line_id"),
        c.index("ship_notice_line_notice_idx", "ship_notice_id", "line_number"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    ship_notice_id: int = c.ref("ship_notice.id")
    line_number: int = c.integer()
    purchase_order_line_id: int | None = c.bigint(null=True)
    quantity: int = c.integer()
    created_at: datetime = c.created()


class GoodsReceipt(c.Row, table=True):
    """One delivery that was taken in at a dock."""

    __table_args__ = (
        c.unique("number"),
        c.index("goods_receipt_order_idx", "purchase_order_id"),
        c.index("goods_receipt_notice_idx", "ship_notice_id"),
    )

    id: int | None = c.identity()
    number: str = c.text()
    location_id: int = c.ref("location.id")
    purchase_order_id: int | None = c.ref("purchase_order.id", null=True)
    ship_notice_id: int | None = c.ref("ship_notice.id", null=True)
    actor: str = c.text()
    received_at: datetime = c.instant()
    created_at: datetime = c.created()


class GoodsReceiptLine(c.Row, table=True):
    """A received quantity of one supply, with what was damaged and what came on top of the order."""

    __table_args__ = (
        c.check("least(quantity, damaged, over_delivered) >= 0 and damaged <= quantity + over_delivered", "quantities"),
        c.child_of("supply", "supply_id"),
        c.child_of("lot", "lot_id"),
        c.index("goods_receipt_line_receipt_idx", "goods_receipt_id"),
        c.index("goods_receipt_line_supply_idx", "sku_id", "supply_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    goods_receipt_id: int = c.ref("goods_receipt.id")
    supply_id: int | None = c.bigint(null=True)
    lot_id: int | None = c.bigint(null=True)
    quantity: int = c.integer()
    damaged: int = c.integer(default=0)
    over_delivered: int = c.integer(default=0)
    created_at: datetime = c.created()


class InspectionResult(c.Row, table=True):
    """What inspection accepted and rejected of a received line."""

    __table_args__ = (
        c.check("accepted >= 0 and rejected >= 0 and accepted + rejected > 0", "quantities"),
        c.child_of("goods_receipt_line", "goods_receipt_line_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    goods_receipt_line_id: int = c.bigint()
    accepted: int = c.integer()
    rejected: int = c.integer()
    reason: str | None = c.text(null=True)
    inspected_at: datetime = c.instant()
    actor: str = c.text()
    created_at: datetime = c.created()


class Transfer(c.Row, table=True):
    """Stock moved between two locations: a peg at the source, a supply at the destination."""

    __table_args__ = (
        c.one_of("state", TransferState),
        c.check("quantity > 0", "quantity"),
        c.check(
            "least(shipped, received, lost) >= 0 and shipped <= quantity and received + lost <= shipped", "balance"
        ),
        c.check("from_location_id <> to_location_id", "not_itself"),
        c.index("transfer_id_idx", "id"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    from_location_id: int = c.ref("location.id")
    to_location_id: int = c.ref("location.id")
    quantity: int = c.integer()
    shipped: int = c.integer(default=0)
    received: int = c.integer(default=0)
    lost: int = c.integer(default=0)
    state: str = c.text(default="planned")
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class CarrierEvent(c.Row, table=True):
    """What a carrier reported about a shipment on its way to us."""

    __table_args__ = (
        c.unique("carrier", "tracking_number", "status_code", "occurred_at"),
        c.index("carrier_event_notice_idx", "ship_notice_id"),
    )

    id: int | None = c.identity()
    carrier: str = c.text()
    tracking_number: str = c.text()
    ship_notice_id: int | None = c.ref("ship_notice.id", null=True)
    status_code: str = c.text()
    reason_code: str | None = c.text(null=True)
    estimated_date: date | None = c.day(null=True)
    occurred_at: datetime = c.instant()
    edi_document_id: int | None = c.ref("edi_document.id", null=True)
    applied: bool = c.flag()
    created_at: datetime = c.created()
