"""From outbox to event log: the moves of the relay, and what a stream that fell behind reads again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.repositories.jobs import Ticket, request_runs

BATCH = 2_000
PARTITION = 1_000_000

_COLUMNS = """topic, kind, key, sku_id, order_id, customer_id, supplier_id, channel, payload,
    job, job_key, job_queue, run_after, occurred_at, request_id, traceparent"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What one move did: events of positions first..last, and the runs to wake."""

    epoch: int
    head: int
    events: list[dict[str, Any]]
    tickets: list[Ticket]


async def move_outbox(sql: Any, limit: int = BATCH) -> Moved:
    """Give whatever is visible, by id, the next positions. Call it in a transaction of its own, READ COMMITTED.

    The lock is a statement of its own: the next one must take a fresh snapshot, after the wait.
    """
    relay = await sql.fetchrow("select position, epoch from relay for update")
    head: int = relay["position"]
    rows = await sql.fetch(
        f"""with d as (delete from outbox where id in (select id from outbox order by id limit $2) returning *)
        insert into event (position, {_COLUMNS})
        select $1 + row_number() over (order by id), {_COLUMNS} from d
        returning position, topic, kind, key, sku_id, order_id, customer_id, supplier_id, channel, payload,
            occurred_at, traceparent, job is not null as is_job""",
        head,
        limit,
    )
    if not rows:
        return Moved(relay["epoch"], head, [], [])
    events = sorted((dict(row) for row in rows), key=lambda event: event["position"])
    last: int = events[-1]["position"]
    tickets: list[Ticket] = []
    are_jobs = [event.pop("is_job") for event in events]
    if any(are_jobs):
        tickets = await request_runs(sql, head + 1, last)
    await sql.execute("update relay set position = $1", last)
    return Moved(relay["epoch"], last, events, tickets)


async def read_relay(sql: Any) -> tuple[int, int]:
    """Position of the newest event, and the epoch."""
    row = await sql.fetchrow("select position, epoch from relay")
    return row["position"], row["epoch"]


async def read_events(sql: Any, after: int, limit: int = BATCH) -> list[dict[str, Any]]:
    """Events behind a position, in order."""
    rows = await sql.fetch(
        """select position, topic, kind, key, sku_id, order_id, customer_id, supplier_id, channel, payload, occurred_at,
            traceparent
        from event where position > $1 order by position limit $2""",
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def ensure_partitions(sql: Any, head: int) -> None:
    """The partition of the next position and the one behind it exist, so that none is made when it is needed."""
    await sql.execute("select ensure_event_partition($1)", head + 1)


def enters_partition(before: int, head: int) -> bool:
    """True when the positions moved into another partition: time to make the one ahead of it."""
    return before // PARTITION != head // PARTITION


async def drop_partitions(sql: Any, before: datetime) -> int:
    """Drop whole partitions whose newest event is older; how many."""
    return await sql.fetchval("select drop_event_partitions($1)", before)


async def purge_idempotency(sql: Any, before: datetime, limit: int = 50_000) -> int:
    """Forget answers that were given before; how many."""
    status = await sql.execute(
        """delete from idempotency where ctid = any(array(
            select ctid from idempotency where created_at < $1 order by created_at limit $2))""",
        before,
        limit,
    )
    return int(status.split()[-1])


async def purge_runs(sql: Any, days: int, limit: int = 50_000) -> int:
    """Delete runs that ended well (or were cancelled) this many days ago, by wall time; how many."""
    status = await sql.execute(
        """delete from job_run where id = any(array(select id from job_run
            where state in ('done', 'cancelled') and finished_at < now() - make_interval(days => $1) limit $2))""",
        days,
        limit,
    )
    return int(status.split()[-1])
