"""What was or will be told to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_customer

SORT = Sort("notice-", (SortKey("n.id", int, "bigint"),))
_SELECT = """select n.id, n.order_id, n.sku_id, n.backorder_id, n.template, n.language, coalesce(n.subject, '') as subject,
    coalesce(n.text, '') as text, n.state, n.created_at, n.sent_at, n.read_at
from notice n"""


async def notices_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the notices the caller may see, newest first."""
    where = scoped_to_customer(principal, "n.customer_id")
    where.add_given("n.state = any(?::text[])", given.get("state"))
    where.add_given("n.template = ?", given.get("template"))
    where.add_given("n.language = ?", given.get("language"))
    where.add_given("n.order_id = (select o.id from sales_order o where o.number = ?)", given.get("order_number"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def notices_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the notices that the caller may see."""
    where: Filter = scoped_to_customer(principal, "n.customer_id")
    where.add("n.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)
