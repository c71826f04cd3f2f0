"""What is wanted and what was said about it: orders, lines, their pegs and promises, holds on orders and on stock."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.domain.states import (
    HoldDeadlineAction,
    HoldReason,
    OrderLineStatus,
    OrderStatus,
    PegKind,
    PromiseReason,
    ReservationKind,
    ReservationState,
    ShipPolicy,
)
from core.tables import columns as c


class SalesOrder(c.Row, table=True):
    """An order of a customer."""

    __table_args__ = (
        c.unique("number"),
        c.unique("channel", "external_number"),
        c.one_of("status", OrderStatus),
        c.index("sales_order_customer_idx", "customer_id", "id"),
        c.index("sales_order_status_idx", "status", "id"),
        c.index("sales_order_placed_idx", "placed_at", "id"),
    )

    id: int | None = c.identity()
    number: str = c.text()
    external_number: str | None = c.text(null=True)
    channel: str = c.text_ref("channel.code")
    customer_id: int | None = c.ref("customer.id", null=True)
    status: str = c.text(default="RECEIVED")
    ship_to: dict[str, Any] | None = c.json(null=True)
    ship_complete: bool = c.flag()
    payment_state: str | None = c.text(null=True)
    destination_id: int | None = c.ref("location.id", null=True)
    currency: str = c.currency()
    placed_at: datetime = c.instant()
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


_QUANTITIES = ("open", "allocated", "backordered", "shipped", "cancelled")


class OrderLine(c.Row, table=True):
    """A line of an order; its five quantities always sum to what was ordered."""

    __table_args__ = (
        c.check("ordered > 0", "ordered"),
        c.check(f"ordered = {' + '.join(_QUANTITIES)} and least({', '.join(_QUANTITIES)}) >= 0", "quantities"),
        c.check("ready >= 0 and ready <= allocated", "not_over_ready"),
        c.check("delivered >= 0 and delivered <= shipped", "not_over_delivered"),
        c.check("times_bumped >= 0", "times_bumped"),
        c.check("min_life_days >= 0", "min_life_days"),
        c.one_of("status", OrderLineStatus),
        c.one_of("ship_policy", ShipPolicy),
        c.check("num_nonnulls(kit_sku_id, kit_line_number, kit_quantity) in (0, 3)", "whole_kit_facts"),
        c.check("kit_quantity > 0", "kit_quantity"),
        c.index("order_line_number", "order_id", "line_number", unique=True),
        c.index("order_line_customer_idx", "customer_id"),
        c.index("order_line_created_idx", "sku_id", "created_at"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    order_id: int = c.ref("sales_order.id")
    customer_id: int | None = c.bigint(null=True)
    line_number: int = c.integer()
    location_id: int | None = c.bigint(null=True)
    ordered: int = c.integer()
    open: int = c.integer(default=0)
    allocated: int = c.integer(default=0)
    backordered: int = c.integer(default=0)
    shipped: int = c.integer(default=0)
    cancelled: int = c.integer(default=0)
    ready: int = c.integer(default=0)
    delivered: int = c.integer(default=0)
    requested_date: date | None = c.day(null=True)
    ship_by: date | None = c.day(null=True)
    ship_policy: str = c.text(default="PARTIAL_BACKORDER_REST")
    substitutes_allowed: bool = c.flag()
    min_life_days: int | None = c.integer(null=True)
    """Days of life its lots must have left at delivery, beside what customer, channel and SKU ask for."""
    priority_score: int = c.bigint(default=0)
    is_priority_manual: bool = c.flag()
    times_bumped: int = c.integer(default=0)
    current_promise_id: int | None = c.bigint(null=True)
    promise_sequence: int = c.integer(default=0)
    promised_date: date | None = c.day(null=True)
    substituted_for_line_id: int | None = c.bigint(null=True)
    kit_sku_id: int | None = c.bigint(null=True)
    kit_line_number: int | None = c.integer(null=True)
    kit_quantity: int | None = c.integer(null=True)
    kit_ships_together: bool = c.flag(True)
    status: str = c.text(default="RECEIVED")
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class Peg(c.Row, table=True):
    """What covers a line (or a transfer) now, on the day it claims; a HARD peg is an allocation."""

    __table_args__ = (
        c.one_of("kind", PegKind),
        c.check("quantity > 0", "quantity"),
        c.check("num_nonnulls(order_line_id, transfer_id) = 1", "owner"),
        c.check("(kind in ('FIRM','SOFT')) = (supply_id is not null)", "source"),
        c.child_of("order_line", "order_line_id"),
        c.child_of("transfer", "transfer_id"),
        c.child_of("supply", "supply_id"),
        c.child_of("lot", "lot_id"),
        c.index("peg_waiting", "sku_id", "location_id", "need_date", where="kind <> 'HARD'", include=["quantity"]),
        c.index("peg_line", "sku_id", "order_line_id"),
        c.index("peg_supply", "sku_id", "supply_id", where="supply_id is not null"),
        c.index("peg_transfer", "sku_id", "transfer_id", where="transfer_id is not null"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    location_id: int = c.bigint()
    order_line_id: int | None = c.bigint(null=True)
    transfer_id: int | None = c.bigint(null=True)
    need_date: date = c.day()
    quantity: int = c.integer()
    kind: str = c.text()
    supply_id: int | None = c.bigint(null=True)
    lot_id: int | None = c.bigint(null=True)
    cause: str | None = c.text(null=True)
    run_id: int | None = c.bigint(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class Promise(c.Row, table=True):
    """What the customer was told, each time anew; append-only, sealed by `promise_seal`."""

    __table_args__ = (
        c.unique("sku_id", "order_line_id", "sequence"),
        c.one_of("cause_kind", PromiseReason),
        c.check("quantity >= 0", "quantity"),
        c.check("sequence > 0", "sequence"),
        c.child_of("order_line", "order_line_id"),
        c.index("promise_customer_idx", "customer_id"),
        c.index("promise_unsealed", "id", where="seal_number is null"),
        c.index("promise_seal_idx", "seal_number", "id", where="seal_number is not null"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    order_line_id: int = c.bigint()
    customer_id: int | None = c.bigint(null=True)
    sequence: int = c.integer()
    quantity: int = c.integer()
    complete: bool = c.flag()
    cause_kind: str = c.text()
    cause_id: int | None = c.bigint(null=True)
    evidence: dict[str, Any] | None = c.json(null=True)
    slices: list[dict[str, Any]] = c.json()
    actor: str = c.text()
    seal_number: int | None = c.bigint(null=True)
    created_at: datetime = c.created()


class Reservation(c.Row, table=True):
    """A hold on stock that is not yet an order; it counts while held and not expired, decided at query time."""

    __table_args__ = (
        c.check("quantity > 0", "quantity"),
        c.one_of("state", ReservationState),
        c.one_of("kind", ReservationKind),
        c.check("expires_at <= hold_until_latest", "not_over_cap"),
        c.check("used >= 0", "used"),
        c.index(
            "reservation_live",
            "sku_id",
            "location_id",
            where="state = 'held'",
            include=["need_date", "quantity", "expires_at"],
        ),
        c.index("reservation_group_idx", "group_id"),
        c.index("reservation_expiry_idx", "expires_at", where="state = 'held'"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    group_id: UUID = c.uuid()
    location_id: int = c.bigint()
    need_date: date = c.day()
    quantity: int = c.integer()
    kind: str = c.text(default="cart")
    holder: str = c.text()
    channel: str | None = c.text(null=True)
    customer_id: int | None = c.bigint(null=True)
    order_id: int | None = c.bigint(null=True)
    used: int = c.integer(default=0)
    expires_at: datetime = c.instant()
    hold_until_latest: datetime = c.instant()
    held_since: datetime | None = c.instant(null=True)
    """When the first of the holds that replaced one another up to this one began; null: with this one."""
    state: str = c.text(default="held")
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class OrderHold(c.Row, table=True):
    """Why an order may not go on, until when, and what happens then."""

    __table_args__ = (
        c.one_of("reason", HoldReason),
        c.one_of("on_deadline", HoldDeadlineAction),
        c.index("order_hold_order_idx", "order_id"),
        c.index("order_hold_deadline_idx", "release_deadline", where="released_at is null"),
    )

    id: int | None = c.identity()
    order_id: int = c.ref("sales_order.id")
    reason: str = c.text()
    placed_by: str = c.text()
    placed_at: datetime = c.instant()
    release_deadline: datetime | None = c.instant(null=True)
    on_deadline: str = c.text(default="ESCALATE")
    released_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class OrderReturn(c.Row, table=True):
    """Goods that came back from a customer."""

    __table_args__ = (
        c.unique("number"),
        c.check("quantity > 0", "quantity"),
        c.child_of("order_line", "order_line_id"),
        c.index("order_return_order_idx", "order_id"),
    )

    id: int | None = c.identity()
    number: str = c.text()
    order_id: int = c.ref("sales_order.id")
    order_line_id: int = c.bigint()
    sku_id: int = c.bigint()
    location_id: int = c.ref("location.id")
    quantity: int = c.integer()
    reason: str | None = c.text(null=True)
    condition: str | None = c.text(null=True)
    replacement_sku_id: int | None = c.bigint(null=True)
    replacement_line_id: int | None = c.bigint(null=True)
    received_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
