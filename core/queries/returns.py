"""Goods that came back from customers, and what was sent for them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter
from core.queries.scope import scoped_to_customer

_SELECT = """select r.id, r.number, r.order_id, r.sku_id, r.order_line_id, r.location_id, r.quantity, r.reason, r.condition,
    r.received_at, r.replacement_sku_id, r.replacement_line_id
from order_return r join sales_order o on o.id = r.order_id"""


async def _fetch(sql: asyncpg.Connection, where: Filter) -> list[asyncpg.Record]:
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)} order by r.id", *where.arguments)


async def returns_by_order_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Returns of these orders, oldest first."""
    where = scoped_to_customer(principal, "o.customer_id")
    where.add("r.order_id = any(?::bigint[])", list(ids))
    return await _fetch(sql, where)


async def returns_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the returns that the caller may see."""
    where = scoped_to_customer(principal, "o.customer_id")
    where.add("r.id = any(?::bigint[])", list(ids))
    return await _fetch(sql, where)
