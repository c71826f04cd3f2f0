"""What happened to orders and backorders: their kept events in the order of their positions."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from core.domain.access import Principal
from core.queries.scope import scoped_to_customer

_EVENT = "e.position, e.kind, e.sku_id, e.payload, e.occurred_at"


async def order_events(
    sql: asyncpg.Connection, principal: Principal, order_ids: Sequence[int], limit: int, after: int | None
) -> list[asyncpg.Record]:
    """Events of each of these orders after a position, oldest first; `id` is the order. One more than `limit` of each."""
    where = scoped_to_customer(principal, "e.customer_id")
    where.add("e.topic = 'order' and e.order_id = w.id and e.position > ?", after or 0)
    where.arguments.append(list(order_ids))
    return await sql.fetch(
        f"""select w.id, r.epoch, e.* from unnest(${len(where.arguments)}::bigint[]) w(id) cross join relay r
        cross join lateral (select {_EVENT} from event e where {" and ".join(where.conditions)}
            order by e.position limit {limit + 1}) e
        order by w.id, e.position""",
        *where.arguments,
    )


async def backorder_events(
    sql: asyncpg.Connection, principal: Principal, keys: Sequence[tuple[int, int]], limit: int, after: int | None
) -> list[asyncpg.Record]:
    """Events of each of these backorders, by (SKU, id), after a position, oldest first. One more than `limit` of each."""
    where = scoped_to_customer(principal, "e.customer_id")
    where.add(
        """e.topic = 'backorder' and e.order_id = l.order_id and (e.payload ->> 'backorderId')::bigint = b.id
        and e.position > ?""",
        after or 0,
    )
    where.arguments += [[sku_id for sku_id, _ in keys], [id for _, id in keys]]
    count = len(where.arguments)
    return await sql.fetch(
        f"""select b.sku_id as of_sku_id, b.id, r.epoch, e.*
        from unnest(${count - 1}::bigint[], ${count}::bigint[]) w(sku_id, id)
        join backorder b on b.sku_id = w.sku_id and b.id = w.id
        join order_line l on l.sku_id = b.sku_id and l.id = b.order_line_id
        cross join relay r
        cross join lateral (select {_EVENT} from event e where {" and ".join(where.conditions)}
            order by e.position limit {limit + 1}) e
        order by b.sku_id, b.id, e.position""",
        *where.arguments,
    )
