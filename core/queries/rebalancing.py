"""What rebalancing looks at, set based, and the proposals that were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

DEMAND_DAYS = 28

SORT = Sort("rebalancing-", (SortKey("p.urgency", int, "integer"), SortKey("p.id", int, "bigint")))
_SELECT = """select p.id, p.sku_id, p.from_location_id, p.to_location_id, p.quantity, p.urgency, p.cost, p.carbon_g,
    p.currency, p.arrives_on, p.reason, p.state, p.transfer_id, p.expires_at, p.closed_at, p.created_at
from rebalancing_proposal p"""

_DEMAND = """select l.sku_id, l.location_id,
    coalesce(sum(l.ordered - l.cancelled) filter (where o.placed_at > $2::timestamptz - $3::interval), 0)::int as recent,
    coalesce(sum(l.ordered - l.cancelled) filter (where o.placed_at between $2::timestamptz - interval '1 year' - $3::interval
        and $2::timestamptz - interval '1 year'), 0)::int as same_weeks,
    coalesce(sum(l.ordered - l.cancelled) filter (where o.placed_at between $2::timestamptz - interval '1 year'
        and $2::timestamptz - interval '1 year' + $3::interval), 0)::int as next_weeks
from order_line l join sales_order o on o.id = l.order_id
where l.sku_id = any($1::bigint[]) and l.location_id is not null
    and (o.placed_at > $2::timestamptz - $3::interval or o.placed_at between
        $2::timestamptz - interval '1 year' - $3::interval and $2::timestamptz - interval '1 year' + $3::interval)
    and o.placed_at <= $2::timestamptz
group by l.sku_id, l.location_id"""


async def skus_with_stock(sql: asyncpg.Connection) -> list[int]:
    """SKUs of which some location has units that are not allocated, or gets some that nobody has claimed."""
    rows = await sql.fetch(
        """select sku_id from stock_level where on_hand - unsellable - allocated > 0
        union select sku_id from supply where quantity - received - cancelled > pegged order by sku_id"""
    )
    return [row["sku_id"] for row in rows]


async def skus_waiting(sql: asyncpg.Connection, sku_ids: Sequence[int]) -> list[int]:
    """Those of the SKUs for which some line waits without a source."""
    rows = await sql.fetch(
        "select distinct sku_id from peg where sku_id = any($1::bigint[]) and kind = 'OPEN'", list(sku_ids)
    )
    return [row["sku_id"] for row in rows]


async def demand_by_place(
    sql: asyncpg.Connection, sku_ids: Sequence[int], now: datetime
) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Units ordered per (SKU, location): in the last 28 days, in the same days a year ago, and in the 28 after those."""
    rows = await sql.fetch(_DEMAND, list(sku_ids), now, timedelta(days=DEMAND_DAYS))
    return {(r["sku_id"], r["location_id"]): (r["recent"], r["same_weeks"], r["next_weeks"]) for r in rows}


async def goods_of(sql: asyncpg.Connection, sku_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Weight, price and currency, with the version of the gate."""
    return await sql.fetch(
        """select k.id, k.weight_g, k.unit_price, k.currency, g.version from sku k join sku_gate g on g.sku_id = k.id
        where k.id = any($1::bigint[]) and k.status in ('ACTIVE', 'PREORDER')""",
        list(sku_ids),
    )


async def proposals_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the proposals, the most urgent first; only for callers that work with stock."""
    where = Filter()
    where.add_given("p.state = any(?::text[])", given.get("state"))
    where.add_given("p.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given("p.from_location_id = (select f.id from location f where f.code = ?)", given.get("from_location"))
    where.add_given("p.to_location_id = (select t.id from location t where t.code = ?)", given.get("to_location"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def proposals_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """These proposals; only for callers that work with stock."""
    return await sql.fetch(f"{_SELECT} where p.id = any($1::bigint[])", list(ids))
