"""Re-promising runs, what they propose line by line, sums over it, two runs compared, and saved variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

RUNS = Sort("repromising-", (SortKey("r.id", int, "bigint"),))
CHANGES = Sort("changes+", (SortKey("d.sku_id", int, "bigint"), SortKey("d.id", int, "bigint")), descending=False)

_RUN = """select r.*, j.id as job_run_id, j.progress as job_progress
from repromising_run r left join lateral (select id, progress from job_run
    where function in ('compute_repromising_run', 'publish_repromising_run') and key = r.id::text
    order by id desc limit 1) j on true"""

_CHANGE = """select d.sku_id, d.id, d.order_line_id, d.order_id, d.before, d.after, d.reason, d.state, d.effect, d.days,
    d.is_forced, d.segment, d.applied_at, o.number as order_number, coalesce(c.tier, '') as tier
from repromising_diff d join sales_order o on o.id = d.order_id left join customer c on c.id = o.customer_id"""


async def runs_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """Runs of these ids that exist, in any order."""
    return await sql.fetch(f"{_RUN}\nwhere r.id = any($1::bigint[])", list(ids))


async def runs_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """Runs, newest first."""
    where = Filter()
    where.add_given("r.state = any(?::text[])", given.get("states"))
    where.add_given("r.variant = ?", given.get("variant"))
    return await fetch_page(sql, _RUN, where, RUNS, page)


async def changes_page(
    sql: asyncpg.Connection, run_id: int, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """What a run proposes or has done, by SKU."""
    where = Filter()
    where.add("d.run_id = ?", run_id)
    where.add_given("d.effect = ?", given.get("effect"))
    where.add_given("d.reason = ?", given.get("reason"))
    where.add_given("d.state = ?", given.get("state"))
    where.add_given("d.segment = ?", given.get("segment"))
    where.add_given("o.number = ?", given.get("order_number"))
    where.add_given("coalesce(c.tier, '') = ?", given.get("tier"))
    where.add_given("d.sku_id = (select id from sku where code = ?)", given.get("sku"))
    where.add_given("abs(d.days) >= ?", given.get("min_days"))
    return await fetch_page(sql, _CHANGE, where, CHANGES, page)


async def sums(sql: asyncpg.Connection, run_id: int, by: str) -> list[asyncpg.Record]:
    """Lines and orders that gain and lose by `segment` or `tier`; what was dropped is left out."""
    key = {"segment": "coalesce(d.segment, '')", "tier": "coalesce(c.tier, '')", "reason": "d.reason"}[by]
    return await sql.fetch(
        f"""select {key} as key, count(*) filter (where d.effect = 'GAINED') as gained,
            count(*) filter (where d.effect = 'LOST') as lost,
            count(distinct d.order_id) filter (where d.is_charged) as orders_worsened,
            coalesce(sum(-d.days) filter (where d.effect = 'GAINED'), 0)::bigint as days_gained,
            coalesce(sum(d.days) filter (where d.effect = 'LOST'), 0)::bigint as days_lost
        from repromising_diff d join sales_order o on o.id = d.order_id left join customer c on c.id = o.customer_id
        where d.run_id = $1 and d.state <> 'dropped' group by 1 order by 1""",
        run_id,
    )


async def compare(sql: asyncpg.Connection, left: int, right: int, limit: int) -> tuple[asyncpg.Record, list[Any]]:
    """How two runs differ: counts, and the lines that end differently (at most `limit`).

    What a run gives up (over its budget, an exception, dropped when it was published) stays as it is: it is no move.
    """
    both = """with a as (select * from repromising_diff where run_id = $1 and state <> 'dropped'), b as (
            select * from repromising_diff where run_id = $2 and state <> 'dropped'),
        x as (select coalesce(a.sku_id, b.sku_id) as sku_id, coalesce(a.order_line_id, b.order_line_id) as order_line_id,
            a.id is not null as in_left, b.id is not null as in_right, a.after is not distinct from b.after as is_same,
            a.days as left_days, b.days as right_days, a.effect as left_effect, b.effect as right_effect
            from a full join b on a.sku_id = b.sku_id and a.order_line_id = b.order_line_id)"""
    counts = await sql.fetchrow(
        f"""{both} select count(*) filter (where in_left and not in_right) as only_left,
            count(*) filter (where in_right and not in_left) as only_right,
            count(*) filter (where in_left and in_right and is_same) as same,
            count(*) filter (where in_left and in_right and not is_same) as different from x""",
        left,
        right,
    )
    lines = await sql.fetch(
        f"""{both} select * from x where not (in_left and in_right and is_same)
        order by sku_id, order_line_id limit $3""",
        left,
        right,
        limit,
    )
    assert counts is not None  # an aggregate without groups has one row
    return counts, list(lines)


async def variants(sql: asyncpg.Connection) -> list[asyncpg.Record]:
    """All saved variants, by code."""
    return await sql.fetch("select * from repromising_variant order by code")
