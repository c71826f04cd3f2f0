"""What is physically there: counters, the append-only ledger behind them, lots and serialised units."""

from datetime import date, datetime

from core.domain.states import LotState, MovementKind, SerialState, SerialStep
from core.tables import columns as c


class StockLevel(c.Row, table=True):
    """Counters of one SKU at one location; equal to the sums of its movements."""

    __table_args__ = (
        c.check("on_hand >= 0", "on_hand"),
        c.check("unsellable >= 0", "unsellable"),
        c.check("allocated >= 0", "allocated"),
        c.check("allocated + unsellable <= on_hand", "not_over_allocated"),
        c.index("stock_level_location_idx", "location_id"),
        {"postgresql_with": {"fillfactor": 40}},
    )

    sku_id: int = c.sku_key(references_sku=True)
    location_id: int = c.key(references="location.id")
    on_hand: int = c.integer(default=0)
    unsellable: int = c.integer(default=0)
    allocated: int = c.integer(default=0)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class StockMovement(c.Row, table=True):
    """One change of the counters and its cause; append-only."""

    __table_args__ = (
        c.one_of("kind", MovementKind),
        c.check("on_hand_delta <> 0 or unsellable_delta <> 0 or allocated_delta <> 0", "moves_something"),
        c.child_of("lot", "lot_id"),
        c.index("stock_movement_place_idx", "sku_id", "location_id", "occurred_at"),
        c.index("stock_movement_line_idx", "sku_id", "order_line_id", where="order_line_id is not null"),
        c.index(
            "stock_movement_found_idx", "sku_id", "occurred_at", where="kind in ('counted', 'adjusted', 'scrapped')"
        ),
        c.index("stock_movement_blocked_idx", "sku_id", "location_id", "id", where="kind = 'quarantined'"),
        c.index("stock_movement_transfer_idx", "sku_id", "cause_id", where="cause_kind = 'transfer'"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    location_id: int = c.bigint()
    lot_id: int | None = c.bigint(null=True)
    kind: str = c.text()
    on_hand_delta: int = c.integer(default=0)
    unsellable_delta: int = c.integer(default=0)
    allocated_delta: int = c.integer(default=0)
    cause_kind: str = c.text()
    cause_id: int | None = c.bigint(null=True)
    order_line_id: int | None = c.bigint(null=True)
    actor: str = c.text()
    occurred_at: datetime = c.instant()
    gate_version: int = c.bigint()
    created_at: datetime = c.created()


class Lot(c.Row, table=True):
    """Units of one batch at one location, with their expiry; `expires_on` is the last day of their life."""

    __table_args__ = (
        c.unique("sku_id", "location_id", "code"),
        c.one_of("state", LotState),
        c.check("least(allocated, unsellable) >= 0 and allocated + unsellable <= on_hand", "not_over_claimed"),
        c.index("lot_code_idx", "code"),
        c.index("lot_expiry_idx", "expires_on", where="on_hand > unsellable"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    location_id: int = c.ref("location.id")
    code: str = c.text()
    expires_on: date | None = c.day(null=True)
    state: str = c.text(default="sellable")
    on_hand: int = c.integer(default=0)
    unsellable: int = c.integer(default=0)
    allocated: int = c.integer(default=0)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class SerialUnit(c.Row, table=True):
    """One unit with a serial number."""

    __table_args__ = (
        c.unique("sku_id", "code"),
        c.one_of("state", SerialState),
        c.child_of("lot", "lot_id"),
        c.child_of("order_line", "order_line_id"),
        c.index("serial_unit_code_idx", "code"),
        c.index("serial_unit_place_idx", "sku_id", "location_id", where="location_id is not null"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    code: str = c.text()
    location_id: int | None = c.ref("location.id", null=True)
    lot_id: int | None = c.bigint(null=True)
    state: str = c.text(default="in_stock")
    order_line_id: int | None = c.bigint(null=True)
    shipment_id: int | None = c.ref("shipment.id", null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class SerialMovement(c.Row, table=True):
    """One step in the life of a serialised unit; append-only."""

    __table_args__ = (
        c.one_of("kind", SerialStep),
        c.child_of("serial_unit", "serial_unit_id"),
        c.index("serial_movement_unit_idx", "sku_id", "serial_unit_id"),
        c.index("serial_movement_line_idx", "sku_id", "order_line_id", where="order_line_id is not null"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    serial_unit_id: int = c.bigint()
    kind: str = c.text()
    location_id: int | None = c.bigint(null=True)
    lot_id: int | None = c.bigint(null=True)
    order_line_id: int | None = c.bigint(null=True)
    shipment_id: int | None = c.bigint(null=True)
    cause_kind: str = c.text()
    cause_id: int | None = c.bigint(null=True)
    actor: str = c.text()
    occurred_at: datetime = c.instant()
    created_at: datetime = c.created()


class MinimumLife(c.Row, table=True):
    """Days of life a lot must still have at delivery to a customer or through a channel, where it is not the SKU's own."""

    __table_args__ = (
        c.check("num_nonnulls(channel, customer_id) = 1", "one_asker"),
        c.check("days >= 0", "days"),
        c.unique("sku_id", "channel"),
        c.unique("sku_id", "customer_id"),
    )

    sku_id: int = c.sku_key(references_sku=True)
    id: int | None = c.identity()
    channel: str | None = c.text(null=True)
    customer_id: int | None = c.bigint(null=True)
    days: int = c.integer()
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
