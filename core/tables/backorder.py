"""Shortages and their way out: backorders, their history, the options offered, and re-promising runs."""

from datetime import date, datetime
from typing import Any

from core.domain.repromising.effects import Effect, Why
from core.domain.states import (
    BackorderCause,
    BackorderState,
    RepromisingDiffState,
    RepromisingRunState,
    ResolutionKind,
)
from core.tables import columns as c


class Backorder(c.Row, table=True):
    """A line's `backordered` quantity while it is above zero."""

    __table_args__ = (
        c.check("quantity >= 0", "quantity"),
        c.check("(closed_at is null) = (quantity > 0)", "closed_is_empty"),
        c.check("state <> 'CANCEL_PENDING'", "not_pending"),
        c.one_of("state", BackorderState),
        c.one_of("cause", BackorderCause),
        c.child_of("order_line", "order_line_id"),
        c.index("backorder_one_open", "sku_id", "order_line_id", where="closed_at is null", unique=True),
        c.index("backorder_customer_idx", "customer_id", "id"),
        c.index("backorder_open_state_idx", "state", "id", where="closed_at is null"),
        c.index("backorder_open_age_idx", "opened_at", "id", where="closed_at is null"),
        c.index("backorder_line_idx", "sku_id", "order_line_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    order_line_id: int = c.bigint()
    customer_id: int | None = c.bigint(null=True)
    location_id: int | None = c.bigint(null=True)
    quantity: int = c.integer()
    state: str = c.text(default="PROVISIONAL")
    held_from_state: str | None = c.text(null=True)
    cause: str = c.text()
    evidence: dict[str, Any] | None = c.json(null=True)
    expected_date: date | None = c.day(null=True)
    priority: dict[str, Any] | None = c.json(null=True)
    delayed_from: date | None = c.day(null=True)
    opened_at: datetime = c.instant()
    closed_at: datetime | None = c.instant(null=True)
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class BackorderEvent(c.Row, table=True):
    """One step in the life of a backorder; append-only."""

    __table_args__ = (
        c.unique("sku_id", "backorder_id", "sequence"),
        c.one_of("from_state", BackorderState),
        c.one_of("to_state", BackorderState),
        c.child_of("backorder", "backorder_id"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    backorder_id: int = c.bigint()
    sequence: int = c.integer()
    from_state: str | None = c.text(null=True)
    to_state: str = c.text()
    quantity: int = c.integer()
    cause: str | None = c.text(null=True)
    actor: str = c.text()
    outbox_id: int | None = c.bigint(null=True)
    created_at: datetime = c.created()


class ResolutionOption(c.Row, table=True):
    """A way out of a backorder offered to the customer, with its price in minor units and its deadline."""

    __table_args__ = (
        c.one_of("kind", ResolutionKind),
        c.child_of("backorder", "backorder_id"),
        c.child_of("option_offer", "offer_id"),
        c.index("resolution_option_backorder_idx", "sku_id", "backorder_id"),
        c.index("resolution_option_offer_idx", "sku_id", "offer_id"),
        c.index("resolution_option_deadline_idx", "deadline", where="chosen_at is null"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    backorder_id: int = c.bigint()
    offer_id: int | None = c.bigint(null=True)
    kind: str = c.text()
    quantity: int | None = c.integer(null=True)
    price: int | None = c.bigint(null=True)
    price_difference: int | None = c.bigint(null=True)
    compensation: int | None = c.bigint(null=True)
    currency: str | None = c.currency(null=True)
    substitute_sku_id: int | None = c.ref("sku.id", null=True)
    ratio: int | None = c.integer(null=True)
    expected_date: date | None = c.day(null=True)
    deadline: datetime = c.instant()
    is_default: bool = c.flag()
    chosen_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class RepromisingRun(c.Row, table=True):
    """A mass recomputation of promises: proposed as a diff, approved, then published in chunks."""

    __table_args__ = (c.one_of("state", RepromisingRunState),)

    id: int | None = c.identity()
    state: str = c.text(default="computing")
    policy: dict[str, Any] = c.json()
    budget: dict[str, Any] | None = c.json(null=True)
    seed: int = c.bigint(default=0)
    summary: dict[str, Any] | None = c.json(null=True)
    actor: str | None = c.text(null=True)
    snapshot_at: datetime | None = c.instant(null=True)
    published_at: datetime | None = c.instant(null=True)
    error: str | None = c.text(null=True)
    version: int = c.integer(default=1)
    variant: str | None = c.text(null=True)
    facts: dict[str, Any] | None = c.json(null=True)
    approved_by: str | None = c.text(null=True)
    approved_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class RepromisingDiff(c.Row, table=True):
    """One proposed change of a run. Computed without the gate, so not guarded by it; publishing takes the gate."""

    __table_args__ = (
        c.one_of("state", RepromisingDiffState),
        c.one_of("effect", Effect),
        c.one_of("reason", Why),
        c.child_of("order_line", "order_line_id"),
        c.index("repromising_diff_run_idx", "run_id", "sku_id", "id"),
        c.index("repromising_diff_worsened", "applied_at", "order_id", where="applied_at is not null and is_charged"),
    )

    sku_id: int = c.sku_key()
    id: int | None = c.identity()
    run_id: int = c.ref("repromising_run.id")
    order_line_id: int = c.bigint()
    before: Any = c.json(null=True)
    after: Any = c.json(null=True)
    reason: str | None = c.text(null=True)
    gate_version: int = c.bigint()
    state: str = c.text(default="proposed")
    order_id: int | None = c.bigint(null=True)
    effect: str | None = c.text(null=True)
    days: int = c.integer(default=0)
    is_forced: bool = c.flag()
    is_charged: bool = c.flag()
    segment: str | None = c.text(null=True)
    applied_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
