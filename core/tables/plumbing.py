"""What carries facts and work outwards: outbox, event log, relay position, job runs, caches and the simulated clock."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from core.domain.states import JobState
from core.tables import columns as c


class Outbox(c.Row, table=True):
    """A fact (or a job request) written with its change; emptied by the relay in id order."""

    id: int | None = c.identity()
    topic: str = c.text()
    kind: str = c.text()
    key: str = c.text(default="")
    sku_id: int | None = c.bigint(null=True)
    order_id: int | None = c.bigint(null=True)
    customer_id: int | None = c.bigint(null=True)
    supplier_id: int | None = c.bigint(null=True)
    channel: str | None = c.text(null=True)
    payload: dict[str, Any] = c.json(default="{}")
    job: str | None = c.text(null=True)
    job_key: str | None = c.text(null=True)
    job_queue: str | None = c.text(null=True)
    run_after: datetime | None = c.instant(null=True)
    occurred_at: datetime = c.instant(now=True)
    created_at: datetime = c.created()
    request_id: str | None = c.text(null=True)
    """Of a job request: which request asked for it."""
    traceparent: str | None = c.text(null=True)
    """The span in which it was announced (W3C), where spans are made."""


class Event(c.Row, table=True):
    """What clients read: gapless positions, in partitions of 1,000,000 that are dropped whole."""

    __table_args__ = (
        c.index("event_order_idx", "order_id", "position", where="order_id is not null"),
        c.index("event_customer_idx", "customer_id", "position", where="customer_id is not null"),
        c.index("event_supplier_idx", "supplier_id", "position", where="supplier_id is not null"),
        c.index("event_key_idx", "topic", "key", "position"),
        {"postgresql_partition_by": "RANGE (position)"},
    )

    position: int = c.key()
    topic: str = c.text()
    kind: str = c.text()
    key: str = c.text(default="")
    sku_id: int | None = c.bigint(null=True)
    order_id: int | None = c.bigint(null=True)
    customer_id: int | None = c.bigint(null=True)
    supplier_id: int | None = c.bigint(null=True)
    channel: str | None = c.text(null=True)
    payload: dict[str, Any] = c.json(default="{}")
    job: str | None = c.text(null=True)
    job_key: str | None = c.text(null=True)
    job_queue: str | None = c.text(null=True)
    run_after: datetime | None = c.instant(null=True)
    occurred_at: datetime = c.instant()
    created_at: datetime = c.created()
    request_id: str | None = c.text(null=True)
    """Of a job request: which request asked for it."""
    traceparent: str | None = c.text(null=True)
    """As in the outbox."""


class Relay(c.Row, table=True):
    """One row: the last position given, and the epoch that a restore from backup raises."""

    __table_args__ = (c.check("id", "one_row"), {"postgresql_with": {"fillfactor": 40}})

    id: bool = c.only_row()
    position: int = c.bigint(default=0)
    epoch: int = c.integer(default=1)
    created_at: datetime = c.created()


class JobRun(c.Row, table=True):
    """One piece of work; PostgreSQL decides who runs it, Redis only wakes."""

    __table_args__ = (
        c.one_of("state", JobState),
        c.index("job_run_live", "function", "key", where="state in ('waiting','queued','running')", unique=True),
        c.index("job_run_due", "queue", "run_after", where="state in ('waiting','queued')"),
        c.index("job_run_running", "heartbeat_at", where="state = 'running'"),
        c.index("job_run_dead", "queue", where="state in ('dead', 'failed')"),
    )

    id: int | None = c.identity()
    function: str = c.text()
    queue: str = c.text(default="fast")
    key: str = c.text(default="")
    input: dict[str, Any] = c.json(default="{}")
    state: str = c.text(default="waiting")
    attempt: int = c.integer(default=0)
    max_attempts: int = c.integer(default=5)
    requests: int = c.integer(default=1)
    seen: int = c.integer(default=0)
    run_after: datetime | None = c.instant(null=True)
    heartbeat_at: datetime | None = c.instant(null=True)
    claimed_by: str | None = c.text(null=True)
    cancel_requested: bool = c.flag()
    progress: dict[str, Any] | None = c.json(null=True)
    result: Any = c.json(null=True)
    error: str | None = c.text(null=True)
    started_at: datetime | None = c.instant(null=True)
    finished_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
    request_id: str | None = c.text(null=True)
    """Of the request that asked for it first."""
    traceparent: str | None = c.text(null=True)


class Idempotency(c.Row, table=True):
    """What a mutation answered: ids, versions and user errors, never a rendered answer; kept 30 days."""

    __table_args__ = (c.index("idempotency_age_idx", "created_at"),)

    principal: str = c.key(sa.Text)
    operation: str = c.key(sa.Text)
    key: str = c.key(sa.Text)
    request_hash: bytes = c.binary()
    result: Any = c.json()
    created_at: datetime = c.created()


class AvailabilityCurve(c.Row, table=True):
    """A cache of what `core.queries.availability` reads, valid for one gate version until an instant; lost in a crash,
    never missed."""

    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    sku_id: int = c.key()
    location_id: int = c.key()
    demand_class: str = c.key(sa.Text)
    version: int = c.bigint()
    valid_until: datetime = c.instant()
    today: date = c.day()
    days: Any = c.array(sa.Date)
    nets: list[int] = c.array(sa.BigInteger)
    others: Any = c.json(null=True)
    expiring: Any = c.json(null=True)
    """Of a SKU that tracks expiry: free units per last day of life, and who claims how many on which day."""
    on_hand: int = c.integer()
    allocated: int = c.integer()
    unsellable: int = c.integer()
    reserved: int = c.integer()
    on_order: int = c.integer()
    safety_stock: int = c.integer()
    next_expiry: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()


class SimulationClock(c.Row, table=True):
    """The simulated instant of a replay stack; empty elsewhere."""

    __table_args__ = (c.check("id", "one_row"),)

    id: bool = c.only_row()
    simulated_at: datetime = c.instant()
    created_at: datetime = c.created()
