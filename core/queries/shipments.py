"""Shipments of orders and what is in them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from core.domain.access import Principal
from core.queries.page import Filter
from core.queries.scope import scoped_to_customer

_SELECT = """select s.id, s.order_id, s.location_id, s.number, s.status, s.carrier, s.tracking_number, s.planned_ship_date,
    s.shipped_at, s.delivered_at, s.version, s.rest_of
from shipment s"""


async def _fetch(sql: asyncpg.Connection, where: Filter) -> list[asyncpg.Record]:
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)} order by s.id", *where.arguments)


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
