"""What leaves for customers, and what they are told about it."""

from datetime import date, datetime
from typing import Any

from core.domain.states import NoticeState, ShipmentStatus
from core.tables import columns as c


class Shipment(c.Row, table=True):
    """One parcel or load from one location to a customer.

    `rest_of` is the shipment that its warehouse was told to ship and did not ship whole: this is what it lacked, and the
    warehouse is told nothing of it. `advice` is the warehouse's own number of what left.
    """

    __table_args__ = (
        c.unique("number"),
        c.one_of("status", ShipmentStatus),
        c.index("shipment_order_idx", "order_id"),
        c.index("shipment_customer_idx", "customer_id", "id"),
        c.index("shipment_planned_idx", "location_id", "planned_ship_date", where="status = 'PLANNED'"),
    )

    id: int | None = c.identity()
    number: str = c.text()
    order_id: int = c.ref("sales_order.id")
    customer_id: int | None = c.bigint(null=True)
    location_id: int = c.ref("location.id")
    status: str = c.text(default="PLANNED")
    carrier: str | None = c.text(null=True)
    tracking_number: str | None = c.text(null=True)
    planned_ship_date: date | None = c.day(null=True)
    shipped_at: datetime | None = c.instant(null=True)
    delivered_at: datetime | None = c.instant(null=True)
    rest_of: int | None = c.bigint(null=True)
    advice: str | None = c.text(null=True)
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class ShipmentLine(c.Row, table=True):
    """A quantity of one order line in a shipment."""

    __table_args__ = (
        c.check("quantity > 0", "quantity"),
        c.child_of("order_line", "order_line_id"),
        c.child_of("lot", "lot_id"),
        c.index("shipment_line_shipment_idx", "shipment_id"),
        c.index("shipment_line_line_idx", "sku_id", "order_line_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    shipment_id: int = c.ref("shipment.id")
    order_line_id: int = c.bigint()
    location_id: int = c.bigint()
    lot_id: int | None = c.bigint(null=True)
    quantity: int = c.integer()
    created_at: datetime = c.created()


class Notice(c.Row, table=True):
    """A message to a customer; subject and text are rendered from template and facts when it is sent."""

    __table_args__ = (
        c.unique("dedupe_key"),
        c.one_of("state", NoticeState),
        c.index("notice_customer_idx", "customer_id", "id"),
        c.index("notice_order_idx", "order_id"),
        c.index("notice_pending_idx", "id", where="state = 'pending'"),
    )

    id: int | None = c.identity()
    customer_id: int | None = c.ref("customer.id", null=True)
    order_id: int | None = c.ref("sales_order.id", null=True)
    backorder_id: int | None = c.bigint(null=True)
    sku_id: int | None = c.bigint(null=True)
    template: str = c.text()
    language: str = c.text(default="en")
    facts: dict[str, Any] = c.json(default="{}")
    subject: str | None = c.text(null=True)
    text: str | None = c.text(null=True)
    state: str = c.text(default="pending")
    dedupe_key: str = c.text()
    created_at: datetime = c.created()
    sent_at: datetime | None = c.instant(null=True)
    read_at: datetime | None = c.instant(null=True)
