"""Which orders: by number, by id, and the sorted, filtered list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_customer

_ID = SortKey("o.id", int, "bigint")
_PLACED = SortKey("o.placed_at", datetime, "timestamptz")
SORTS = {
    "PLACED_AT_DESC": Sort("placed-", (_PLACED, _ID)),
    "PLACED_AT_ASC": Sort("placed+", (_PLACED, _ID), descending=False),
    "NUMBER_ASC": Sort("number+", (SortKey('o.number collate "C"', str, "text"), _ID), descending=False),
}
_SELECT = """select o.id, o.number, o.external_number, o.channel, o.customer_id, o.status, o.placed_at, o.ship_complete,
    o.version,
    exists (select from order_hold h where h.order_id = o.id and h.released_at is null) as on_hold,
    exists (select from order_line l where l.order_id = o.id and l.backordered > 0) as has_backorder
from sales_order o"""


def _filter(principal: Principal, given: Mapping[str, Any]) -> Filter:
    where = scoped_to_customer(principal, "o.customer_id")
    where.add_given("o.status = any(?::text[])", given.get("status"))
    where.add_given("o.channel = ?", given.get("channel"))
    where.add_given("o.customer_id = (select c.id from customer c where c.code = ?)", given.get("customer"))
    where.add_given("o.number = ?", given.get("number"))
    where.add_given("o.external_number = ?", given.get("external_number"))
    where.add_given("o.placed_at >= ?", given.get("placed_from"))
    where.add_given("o.placed_at < ?", given.get("placed_before"))
    where.add_given(
        """exists (select from order_line l join sku s on s.id = l.sku_id where l.order_id = o.id and s.code = ?)""",
        given.get("sku"),
    )
    if given.get("on_hold") is not None:
        negation = "" if given["on_hold"] else "not "
        where.add(f"{negation}exists (select from order_hold h where h.order_id = o.id and h.released_at is null)")
    if given.get("has_backorder") is not None:
        negation = "" if given["has_backorder"] else "not "
        where.add(f"{negation}exists (select from order_line l where l.order_id = o.id and l.backordered > 0)")
    return where


async def orders_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], sort: Sort, page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the orders the caller may see."""
    return await fetch_page(sql, _SELECT, _filter(principal, given), sort, page)


async def ship_to_by_order_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Where these orders go, of those the caller may see."""
    where = scoped_to_customer(principal, "o.customer_id")
    where.add("o.id = any(?::bigint[])", list(ids))
    return await sql.fetch(
        f"select o.id, o.ship_to from sales_order o where {' and '.join(where.conditions)}", *where.arguments
    )


async def order_by_number(sql: asyncpg.Connection, principal: Principal, number: str) -> asyncpg.Record | None:
    """The order with this number, when the caller may see it."""
    where = _filter(principal, {"number": number})
    return await sql.fetchrow(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def orders_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the orders that the caller may see."""
    where = _filter(principal, {})
    where.add("o.id = any(?::bigint[])", list(ids))
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def holds_by_order_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Live holds of these orders, oldest first."""
    return await sql.fetch(
        """select order_id, reason, placed_at, release_deadline, on_deadline from order_hold
        where order_id = any($1::bigint[]) and released_at is null order by order_id, id""",
        list(ids),
    )
