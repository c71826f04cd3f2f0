"""What happened to an order or a backorder: its kept events in the order of their positions."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from core.domain.access import Principal
from core.queries.scope import scoped_to_customer

_EVENT = "select e.position, e.kind, e.sku_id, e.payload, e.occurred_at, r.epoch from event e cross join relay r"


async def order_events(
    sql: asyncpg.Connection, principal: Principal, order_id: int, limit: int, after: int | None
) -> tuple[Sequence[asyncpg.Record], bool]:
    """Events of one order after a position, oldest first, and whether more follow."""
    where = scoped_to_customer(principal, "e.customer_id")
    where.add("e.topic = 'order' and e.order_id = ?", order_id)
    where.add("e.position > ?", after or 0)
    return await _page(sql, where.conditions, where.arguments, limit)


async def backorder_events(
    sql: asyncpg.Connection, principal: Principal, sku_id: int, backorder_id: int, limit: int, after: int | None
) -> tuple[Sequence[asyncpg.Record], bool]:
    """Events of one backorder after a position, oldest first, and whether more follow."""
    where = scoped_to_customer(principal, "e.customer_id")
    where.add(
        """e.order_id = (select l.order_id from backorder b join order_line l on l.sku_id = b.sku_id
            and l.id = b.order_line_id where b.sku_id = ? and b.id = ?)""",
        sku_id,
        backorder_id,
    )
    where.add("e.topic = 'backorder' and (e.payload ->> 'backorderId')::bigint = ?", backorder_id)
    where.add("e.position > ?", after or 0)
    return await _page(sql, where.conditions, where.arguments, limit)


async def _page(
    sql: asyncpg.Connection, conditions: list[str], arguments: list, limit: int
) -> tuple[Sequence[asyncpg.Record], bool]:
    rows = await sql.fetch(
        f"{_EVENT} where {' and '.join(conditions)} order by e.position limit {limit + 1}", *arguments
    )
    return rows[:limit], len(rows) > limit
