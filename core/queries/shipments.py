"""Shipments of orders and what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page
from core.queries.scope import scoped_to_customer

SORT = Sort("shipment-", (SortKey("s.id", int, "bigint"),))
_SELECT = """select s.id, s.order_id, s.location_id, s.number, s.status, s.carrier, s.tracking_number, s.planned_ship_date,
    s.shipped_at, s.delivered_at, s.version, s.rest_of
from shipment s"""


async def _fetch(sql: asyncpg.Connection, where: Filter) -> list[asyncpg.Record]:
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)} order by s.id", *where.arguments)


async def shipments_page(
    sql: asyncpg.Connection, principal: Principal, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the shipments the caller may see, newest first."""
    where = scoped_to_customer(principal, "s.customer_id")
    where.add_given("s.status = any(?::text[])", given.get("status"))
    where.add_given("s.location_id = (select w.id from location w where w.code = ?)", given.get("location"))
    where.add_given("s.number = ?", given.get("number"))
    where.add_given("s.order_id = (select o.id from sales_order o where o.number = ?)", given.get("order_number"))
    where.add_given("s.planned_ship_date >= ?", given.get("planned_from"))
    where.add_given("s.planned_ship_date < ?", given.get("planned_before"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def shipments_by_order_ids(
    sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]
) -> list[asyncpg.Record]:
    """Shipments of these orders, oldest first."""
    where = scoped_to_customer(principal, "s.customer_id")
    where.add("s.order_id = any(?::bigint[])", list(ids))
    return await _fetch(sql, where)


async def shipments_by_ids(sql: asyncpg.Connection, principal: Principal, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Those of the shipments that the caller may see."""
    where = scoped_to_customer(principal, "s.customer_id")
    where.add("s.id = any(?::bigint[])", list(ids))
    return await _fetch(sql, where)


async def lines_by_shipment_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """What is in these shipments."""
    return await sql.fetch(
        """select x.shipment_id, x.sku_id, x.order_line_id, x.quantity, x.lot_id from shipment_line x
        where x.shipment_id = any($1::bigint[]) order by x.shipment_id, x.id""",
        list(ids),
    )
