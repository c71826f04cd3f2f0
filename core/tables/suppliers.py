"""Working with suppliers: what they said of their lines over time, packs, hints, messages, requests, deadlines, approvals."""

from datetime import date, datetime
from typing import Any

from core.domain.supplier_states import DeadlineKind, DeadlineState, PackKind, RequestKind, RequestState
from core.tables import columns as c


class PurchaseLineHistory(c.Row, table=True):
    """A purchase order line as it stood after a change: what scorecards of any day are computed from."""

    __table_args__ = (
        c.child_of("purchase_order_line", "purchase_order_line_id"),
        c.index("purchase_line_history_line_idx", "sku_id", "purchase_order_line_id", "id"),
        c.index("purchase_line_history_supplier_idx", "supplier_id", "at"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    purchase_order_line_id: int = c.bigint()
    supplier_id: int = c.bigint()
    at: datetime = c.instant()
    unanswered: int = c.integer()
    accepted: int = c.integer()
    supplier_backordered: int = c.integer()
    held: int = c.integer()
    in_transit: int = c.integer()
    received: int = c.integer()
    rejected: int = c.integer()
    cancelled: int = c.integer()
    promised_date: date | None = c.day(null=True)
    created_at: datetime = c.created()


class ShipNoticePack(c.Row, table=True):
    """A carton or pallet of a ship notice, under its SSCC."""

    __table_args__ = (
        c.unique("ship_notice_id", "sscc"),
        c.one_of("kind", PackKind),
        c.index("ship_notice_pack_sscc_idx", "supplier_id", "sscc"),
    )

    id: int | None = c.identity()
    supplier_id: int = c.ref("supplier.id")
    ship_notice_id: int = c.ref("ship_notice.id")
    sscc: str = c.text()
    kind: str = c.text()
    contents: list[dict[str, Any]] = c.json(default="[]")
    created_at: datetime = c.created()


class SupplierStockReport(c.Row, table=True):
    """A supplier's hint on what it has and can make of a SKU; it confirms nothing."""

    __table_args__ = (
        c.check(
            "least(coalesce(available, 0), coalesce(capacity_per_week, 0), coalesce(next_quantity, 0)) >= 0",
            "quantities",
        ),
        c.index("supplier_stock_report_newest_idx", "supplier_id", "sku_id", "as_of", "id"),
    )

    id: int | None = c.identity()
    supplier_id: int = c.ref("supplier.id")
    sku_id: int = c.ref("sku.id")
    as_of: datetime = c.instant()
    available: int | None = c.integer(null=True)
    capacity_per_week: int | None = c.integer(null=True)
    next_date: date | None = c.day(null=True)
    next_quantity: int | None = c.integer(null=True)
    edi_document_id: int | None = c.ref("edi_document.id", null=True)
    actor: str = c.text()
    created_at: datetime = c.created()


class PurchaseOrderMessage(c.Row, table=True):
    """One message between us and a supplier about a purchase order."""

    __table_args__ = (c.index("purchase_order_message_order_idx", "purchase_order_id", "id"),)

    id: int | None = c.identity()
    purchase_order_id: int = c.ref("purchase_order.id")
    supplier_id: int = c.ref("supplier.id")
    is_from_supplier: bool = c.flag()
    author: str = c.text()
    body: str = c.text()
    created_at: datetime = c.created()


class SupplierRequest(c.Row, table=True):
    """Something urgent that we ask of a supplier, and its answer."""

    __table_args__ = (
        c.unique("number"),
        c.one_of("kind", RequestKind),
        c.one_of("state", RequestState),
        c.check("quantity > 0", "quantity"),
        c.check("(state = 'OPEN') = (answered_at is null)", "answered"),
        c.index("supplier_request_supplier_idx", "supplier_id", "id"),
    )

    id: int | None = c.identity()
    number: str = c.text()
    supplier_id: int = c.ref("supplier.id")
    kind: str = c.text()
    sku_id: int = c.ref("sku.id")
    purchase_order_id: int | None = c.ref("purchase_order.id", null=True)
    quantity: int = c.integer()
    need_date: date = c.day()
    note: str = c.text(default="")
    state: str = c.text(default="OPEN")
    asked_by: str = c.text()
    answer_quantity: int | None = c.integer(null=True)
    answer_date: date | None = c.day(null=True)
    answer_note: str = c.text(default="")
    answered_by: str | None = c.text(null=True)
    answered_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()


class SupplierDeadline(c.Row, table=True):
    """When a supplier owes an answer or a ship notice, how far past it we are, and who chases it."""

    __table_args__ = (
        c.unique("purchase_order_id", "kind"),
        c.one_of("kind", DeadlineKind),
        c.one_of("state", DeadlineState),
        c.check("warn_at <= due_at and due_at <= escalate_at", "order"),
        c.index("supplier_deadline_live_idx", "id", where="state in ('OPEN', 'WARNED', 'BREACHED', 'ESCALATED')"),
    )

    id: int | None = c.identity()
    purchase_order_id: int = c.ref("purchase_order.id")
    supplier_id: int = c.ref("supplier.id")
    kind: str = c.text()
    state: str = c.text(default="OPEN")
    warn_at: datetime = c.instant()
    due_at: datetime = c.instant()
    escalate_at: datetime = c.instant()
    changed_at: datetime = c.instant()
    chased_by: str | None = c.text(null=True)
    chased_at: datetime | None = c.instant(null=True)
    chase_note: str = c.text(default="")
    created_at: datetime = c.created()


class SupplierPriceBreak(c.Row, table=True):
    """The price of one unit from a quantity on; below the smallest one the supplier's plain price holds."""

    __table_args__ = (c.check("from_quantity > 1 and price >= 0", "figures"),)

    supplier_id: int = c.key(references="supplier.id")
    sku_id: int = c.key(references="sku.id")
    from_quantity: int = c.key()
    price: int = c.bigint()
    created_at: datetime = c.created()


class ApproverAbsence(c.Row, table=True):
    """Days on which somebody else approves in a person's place."""

    __table_args__ = (
        c.unique("person", "from_day"),
        c.check("from_day <= until_day", "days"),
        c.check("person <> substitute", "not_itself"),
    )

    id: int | None = c.identity()
    person: str = c.text()
    substitute: str = c.text()
    from_day: date = c.day()
    until_day: date = c.day()
    created_at: datetime = c.created()


class PurchaseApproval(c.Row, table=True):
    """One person's approval of a purchase order, for themselves or in another's place."""

    __table_args__ = (c.unique("purchase_order_id", "approver"), c.unique("purchase_order_id", "in_place_of"))

    id: int | None = c.identity()
    purchase_order_id: int = c.ref("purchase_order.id")
    approver: str = c.text()
    in_place_of: str = c.text()
    total: int = c.bigint()
    created_at: datetime = c.created()
