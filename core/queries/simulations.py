"""Simulations and their results; and what a simulation starts from besides the books."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort("id-", (SortKey("s.id", int, "bigint"),))
_SELECT = """select s.*, j.id as job_run_id
from simulation_run s left join lateral (select r.id from job_run r where r.function = 'run_simulation'
    and r.key = s.id::text order by r.id desc limit 1) j on true"""
RECENT_DAYS = 56
"""Demand to come is taken to be like that of these last days."""


async def simulation_by_id(sql: asyncpg.Connection, id: int) -> asyncpg.Record | None:
    """One simulation with the run that computes it."""
    rows = await simulations_by_ids(sql, [id])
    return rows[0] if rows else None


async def simulations_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Simulations of these ids that exist, in any order."""
    return await sql.fetch(f"{_SELECT} where s.id = any($1::bigint[])", list(ids))


async def simulations_page(sql: asyncpg.Connection, page: Page) -> tuple[Sequence[asyncpg.Record], bool]:
    """Simulations, newest first."""
    return await fetch_page(sql, _SELECT, Filter(), SORT, page)


async def skus_to_simulate(
    sql: asyncpg.Connection, now: datetime, codes: Collection[str] | None, suppliers: Collection[str] | None, limit: int
) -> list[int]:
    """Ids of the SKUs that are asked for, else of those with open demand or recent orders, busiest first."""
    rows = await sql.fetch(
        """with busy as (
            select l.sku_id, count(*) as lines from order_line l join sales_order o on o.id = l.order_id
            where l.open + l.backordered > 0 or o.placed_at >= $1 group by l.sku_id)
        select k.id from sku k left join busy b on b.sku_id = k.id
        where case when $2::text[] is null then b.sku_id is not null else k.code = any($2) end
            and ($3::text[] is null or exists (select from supplier_sku x join supplier p on p.id = x.supplier_id
                where x.sku_id = k.id and p.code = any($3)))
        order by b.lines desc nulls last, k.id limit $4""",
        now - timedelta(days=RECENT_DAYS),
        None if codes is None else sorted(codes),
        None if suppliers is None else sorted(suppliers),
        limit,
    )
    return [row["id"] for row in rows]


async def expected_demand(sql: asyncpg.Connection, now: datetime, sku_ids: Collection[int]) -> dict[int, Any]:
    """By SKU: `lines_per_day`, `units_per_line` over the recent days, and the `destination_id` most lines went to."""
    rows = await sql.fetch(
        """with recent as (
            select l.sku_id, l.ordered, o.destination_id from order_line l join sales_order o on o.id = l.order_id
            where l.sku_id = any($1::bigint[]) and o.placed_at >= $2 and o.placed_at <= $3)
        select sku_id, count(*)::float8 / $4 as lines_per_day, avg(ordered)::float8 as units_per_line,
            mode() within group (order by destination_id) as destination_id from recent group by sku_id""",
        sorted(sku_ids),
        now - timedelta(days=RECENT_DAYS),
        now,
        RECENT_DAYS,
    )
    return {row["sku_id"]: row for row in rows}


async def replenishment_of(sql: asyncpg.Connection, sku_ids: Collection[int]) -> dict[int, Any]:
    """By SKU: reorder point and quantity, and the preferred supplier's terms (null without a supplier)."""
    rows = await sql.fetch(
        """select k.id, k.reorder_point, k.reorder_quantity, x.supplier_id, x.lead_time_p80, x.moq, x.order_multiple
        from sku k left join lateral (select * from supplier_sku s where s.sku_id = k.id
            order by s.is_preferred desc, s.lead_time_p80, s.supplier_id limit 1) x on true
        where k.id = any($1::bigint[])""",
        sorted(sku_ids),
    )
    return {row["id"]: row for row in rows}


async def grades_of(sql: asyncpg.Connection, customer_ids: Collection[int]) -> dict[int, str]:
    """Customers' grades by id."""
    rows = await sql.fetch("select id, tier from customer where id = any($1::bigint[])", sorted(customer_ids))
    return {row["id"]: row["tier"] for row in rows}


async def held_and_allowed(
    sql: asyncpg.Connection, order_ids: Collection[int]
) -> tuple[set[int], dict[int, list[int] | None]]:
    """Orders on hold among these, and the locations each order's channel sells from (None: all)."""
    ids = sorted(order_ids)
    held = await sql.fetch(
        "select distinct order_id from order_hold where order_id = any($1::bigint[]) and released_at is null", ids
    )
    allowed = await sql.fetch(
        """select o.id, c.location_ids from sales_order o join channel c on c.code = o.channel
        where o.id = any($1::bigint[])""",
        ids,
    )
    return {row["order_id"] for row in held}, {row["id"]: row["location_ids"] for row in allowed}
