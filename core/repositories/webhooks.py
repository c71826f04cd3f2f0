"""Rows of webhooks: what is registered, what waits to be delivered, and who delivers it at present.

Leases and waits are wall time, taken from PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.ports import Transaction

SCAN = 5_000
"""Events that one look at the log passes at most."""
LOOK = 1_000
"""Webhooks that one look takes at most."""
IDLE_STEP = 500
"""A webhook that nothing concerns is moved on after this many events, not at every look."""

_MATCHES = """e.topic = any(w.topics)
    and (w.customer_id is null or e.topic = 'availability' or e.customer_id = w.customer_id)
    and (w.supplier_id is null or (e.supplier_id = w.supplier_id
        and e.payload ->> 'status' not in ('DRAFT', 'AWAITING_APPROVAL', 'APPROVED')
        and exists (select from purchase_order p
            where p.id = (e.payload ->> 'purchaseOrderId')::bigint and p.sent_at is not null)))
    and (w.sku_ids is null or e.topic <> 'availability' or e.sku_id = any(w.sku_ids))"""


async def insert_webhook(uow: Transaction, values: dict[str, Any]) -> int:
    """A new webhook that is told of what happens from now on; its id."""
    return await uow.sql.fetchval(
        """insert into webhook (url, description, topics, sku_ids, customer_id, supplier_id, actor, created_at,
            updated_at, position)
        select $1, $2, $3::text[], $4::bigint[], $5, $6, $7, $8, $8, position from relay returning id""",
        values["url"],
        values["description"],
        values["topics"],
        values["sku_ids"],
        values["customer_id"],
        values["supplier_id"],
        uow.principal.id,
        uow.now,
    )


async def lock_webhook(uow: Transaction, webhook_id: int) -> Any:
    """The row, locked; None when there is none."""
    return await uow.sql.fetchrow("select * from webhook where id = $1 for update", webhook_id)


async def count_webhooks(uow: Transaction, customer_id: int | None, supplier_id: int | None) -> int:
    """How many this owner has. Those that register at once wait for each other."""
    await uow.sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"webhooks:{customer_id}:{supplier_id}"
    )
    return await uow.sql.fetchval(
        """select count(*) from webhook
        where customer_id is not distinct from $1 and supplier_id is not distinct from $2""",
        customer_id,
        supplier_id,
    )


async def update_webhook(uow: Transaction, webhook_id: int, values: dict[str, Any]) -> int:
    """Write what its owner may change; whatever is active is tried at once. The new version."""
    return await uow.sql.fetchval(
        """update webhook set url = $2, description = $3, topics = $4::text[], sku_ids = $5::bigint[], state = $6,
            retry_at = null, version = version + 1, updated_at = $7,
            attempts = case when state = $6 then attempts else 0 end,
            failing_since = case when state = $6 then failing_since end,
            last_error = case when state = $6 then last_error end
        where id = $1 returning version""",
        webhook_id,
        values["url"],
        values["description"],
        values["topics"],
        values["sku_ids"],
        values["state"],
        uow.now,
    )


async def delete_webhook(uow: Transaction, webhook_id: int) -> None:
    for table in ("webhook_delivery", "webhook_secret"):
        await uow.sql.execute(f"delete from {table} where webhook_id = $1", webhook_id)
    await uow.sql.execute("delete from webhook where id = $1", webhook_id)


async def insert_secret(uow: Transaction, webhook_id: int, sealed: bytes) -> None:
    await uow.sql.execute("insert into webhook_secret (webhook_id, sealed) values ($1, $2)", webhook_id, sealed)


async def expire_secrets(uow: Transaction, webhook_id: int, seconds: int) -> None:
    """Let the present secrets sign for so long; those that are over are forgotten, and of the others one is kept."""
    await uow.sql.execute(
        """delete from webhook_secret where webhook_id = $1
        and id <> (select max(id) from webhook_secret where webhook_id = $1)""",
        webhook_id,
    )
    await uow.sql.execute(
        """update webhook_secret set expires_at = now() + make_interval(secs => $2) where webhook_id = $1""",
        webhook_id,
        float(seconds),
    )


async def sealed_secrets(uow: Transaction, webhook_id: int) -> list[bytes]:
    """Those that sign now, newest first."""
    rows = await uow.sql.fetch(
        """select sealed from webhook_secret where webhook_id = $1 and (expires_at is null or expires_at > now())
        order by id desc""",
        webhook_id,
    )
    return [bytes(row["sealed"]) for row in rows]


async def raise_version(uow: Transaction, webhook_id: int) -> int:
    return await uow.sql.fetchval(
        "update webhook set version = version + 1, updated_at = $2 where id = $1 returning version", webhook_id, uow.now
    )


# Deliveries.


async def insert_delivery(uow: Transaction, webhook_id: int, message_id: str, type_: str, body: str) -> int:
    """A message that stands for no event."""
    return await uow.sql.fetchval(
        """insert into webhook_delivery (webhook_id, message_id, type, body) values ($1, $2, $3, $4) returning id""",
        webhook_id,
        message_id,
        type_,
        body,
    )


async def insert_event_deliveries(uow: Transaction, webhook_id: int, rows: Sequence[tuple[int, str, str, str]]) -> None:
    """Rows are (position, message id, type, body), in order."""
    if rows:
        await uow.sql.execute(
            """insert into webhook_delivery (webhook_id, position, message_id, type, body)
            select $1, u.position, u.message_id, u.type, u.body
            from unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) with ordinality
                as u(position, message_id, type, body, n) order by u.n
            on conflict do nothing""",
            webhook_id,
            *[[row[part] for row in rows] for part in range(4)],
        )


async def copy_deliveries(
    uow: Transaction, webhook_id: int, ids: Sequence[int] | None, since: datetime | None, limit: int
) -> int:
    """Queue messages of the log again, oldest first, under their old message ids; how many."""
    status = await uow.sql.execute(
        """insert into webhook_delivery (webhook_id, message_id, type, position, body, replay_of)
        select webhook_id, message_id, type, position, body, coalesce(replay_of, id) from webhook_delivery
        where webhook_id = $1 and state <> 'PENDING' and ($2::bigint[] is null or id = any($2))
            and ($3::timestamptz is null or (replay_of is null and created_at >= $3))
        order by id limit $4""",
        webhook_id,
        None if ids is None else list(ids),
        since,
        limit,
    )
    return int(status.split()[-1])


async def skip_delivery(uow: Transaction, webhook_id: int, delivery_id: int) -> str | None:
    """Give up a message that waits; the state it had, None when there is none."""
    state = await uow.sql.fetchval(
        "select state from webhook_delivery where webhook_id = $1 and id = $2 for update", webhook_id, delivery_id
    )
    if state == "PENDING":
        await uow.sql.execute("update webhook_delivery set state = 'SKIPPED' where id = $1", delivery_id)
        await uow.sql.execute("update webhook set retry_at = null, attempts = 0 where id = $1", webhook_id)
    return state


async def claim_due(uow: Transaction, worker: str, lease_seconds: int, limit: int) -> list[int]:
    """Lease webhooks that have something to deliver, whoever waits longest first; those whom nothing concerned are
    moved on a step, and looked at again after the others when there are more than one look takes."""
    rows = await uow.sql.fetch(
        f"""with looked as materialized (
            select w.*, r.position as head,
                exists (select from webhook_delivery d where d.webhook_id = w.id and d.state = 'PENDING') as waits
            from webhook w cross join relay r
            where w.state = 'ACTIVE' and (w.lease_until is null or w.lease_until < now())
                and (w.retry_at is null or w.retry_at <= now())
                and (w.position < r.position
                    or exists (select from webhook_delivery d where d.webhook_id = w.id and d.state = 'PENDING'))
            order by w.lease_until nulls first, w.id limit {LOOK}),
        seen as (
            select w.id, least(w.head, w.position + {SCAN}) as upto, w.position, w.waits, m.position as found
            from looked w
            left join lateral (select e.position from event e
                where e.position > w.position and e.position <= least(w.head, w.position + {SCAN}) and {_MATCHES}
                order by e.position limit 1) m on true),
        idle as (
            select w.id, s.upto, s.upto - s.position >= {IDLE_STEP} as moves from webhook w join seen s on s.id = w.id
            where s.found is null and not s.waits and w.position = s.position
                and (w.lease_until is null or w.lease_until < now())
                and (s.upto - s.position >= {IDLE_STEP} or (select count(*) from seen) >= {LOOK})
            for update of w skip locked),
        passed as (
            update webhook w set position = case when i.moves then i.upto else w.position end, lease_until = now()
            from idle i where w.id = i.id),
        due as (
            select w.id from webhook w join seen s on s.id = w.id where s.found is not null or s.waits
            order by w.lease_until nulls first, w.id limit $3 for update of w skip locked)
        update webhook w set leased_by = $1, lease_until = now() + make_interval(secs => $2)
        from due where w.id = due.id and (w.lease_until is null or w.lease_until < now()) returning w.id""",
        worker,
        float(lease_seconds),
        limit,
    )
    return sorted(row["id"] for row in rows)


async def lock_leased(uow: Transaction, webhook_id: int, worker: str) -> Any:
    """The webhook while it is active and leased by this worker, with head, epoch and how much waits; else None."""
    row = await uow.sql.fetchrow(
        "select * from webhook where id = $1 and leased_by = $2 and state = 'ACTIVE' for update", webhook_id, worker
    )
    if row is None:
        return None
    more = await uow.sql.fetchrow(
        """select r.position as head, r.epoch, (select count(*) from (select from webhook_delivery d
            where d.webhook_id = $1 and d.state = 'PENDING' limit 100) p) as waiting,
            (select e.position from event e where e.position > $2 order by e.position limit 1) as next from relay r""",
        webhook_id,
        row["position"],
    )
    return {**row, **more}


async def matching_events(uow: Transaction, webhook_id: int, after: int, upto: int, limit: int) -> list[Any]:
    """Events of these positions that this webhook is told of, in order."""
    return await uow.sql.fetch(
        f"""select e.position, e.topic, e.kind, e.key, e.payload, e.occurred_at
        from webhook w join event e on e.position > $2 and e.position <= $3 and {_MATCHES}
        where w.id = $1 order by e.position limit $4""",
        webhook_id,
        after,
        upto,
        limit,
    )


async def move_on(uow: Transaction, webhook_id: int, position: int, lease_seconds: int) -> None:
    await uow.sql.execute(
        "update webhook set position = $2, lease_until = now() + make_interval(secs => $3) where id = $1",
        webhook_id,
        position,
        float(lease_seconds),
    )


async def waiting_deliveries(uow: Transaction, webhook_id: int, limit: int) -> list[Any]:
    """What waits, in order."""
    return await uow.sql.fetch(
        """select id, message_id, type, body from webhook_delivery where webhook_id = $1 and state = 'PENDING'
        order by id limit $2""",
        webhook_id,
        limit,
    )


async def note_attempt(uow: Transaction, delivery_id: int, attempt: dict[str, Any], is_delivered: bool) -> None:
    await uow.sql.execute(
        """update webhook_delivery set attempts = attempts || jsonb_build_array($2::jsonb || jsonb_build_object('at', now())),
            state = case when $3 and state = 'PENDING' then 'DELIVERED' else state end,
            delivered_at = case when $3 then now() else delivered_at end
        where id = $1""",
        delivery_id,
        attempt,
        is_delivered,
    )


async def note_success(uow: Transaction, webhook_id: int, worker: str, version: int, lease_seconds: int) -> bool:
    """False when the lease was lost or the webhook is another meanwhile."""
    return bool(
        await uow.sql.fetchval(
            """update webhook set attempts = 0, retry_at = null, failing_since = null, last_error = null,
                last_delivered_at = now(), lease_until = now() + make_interval(secs => $3)
            where id = $1 and leased_by = $2 and version = $4 returning true""",
            webhook_id,
            worker,
            float(lease_seconds),
            version,
        )
    )


async def note_failure(uow: Transaction, webhook_id: int, worker: str, version: int, error: str) -> Any:
    """Count a failed try; the row with the new count, None when the lease was lost or the webhook is another now."""
    return await uow.sql.fetchrow(
        """update webhook set attempts = attempts + 1, failing_since = coalesce(failing_since, now()), last_error = $3
        where id = $1 and leased_by = $2 and version = $4
        returning attempts, customer_id, supplier_id""",
        webhook_id,
        worker,
        error,
        version,
    )


async def wait_for_retry(uow: Transaction, webhook_id: int, seconds: float) -> None:
    await uow.sql.execute(
        "update webhook set retry_at = now() + make_interval(secs => $2) where id = $1", webhook_id, float(seconds)
    )


async def disable(uow: Transaction, webhook_id: int) -> None:
    await uow.sql.execute(
        """update webhook set state = 'DISABLED', retry_at = null, version = version + 1, updated_at = $2
        where id = $1""",
        webhook_id,
        uow.now,
    )


async def release(uow: Transaction, webhook_id: int, worker: str) -> None:
    """Give the lease back; when it ended is kept, so that those who waited longer come first."""
    await uow.sql.execute(
        "update webhook set leased_by = null, lease_until = now() where id = $1 and leased_by = $2", webhook_id, worker
    )


async def purge_deliveries(uow: Transaction, before: datetime, limit: int = 50_000) -> int:
    """Forget messages that were settled and made before; how many."""
    status = await uow.sql.execute(
        """delete from webhook_delivery where id = any(array(select id from webhook_delivery
            where created_at < $1 and state <> 'PENDING' order by created_at limit $2))""",
        before,
        limit,
    )
    return int(status.split()[-1])
