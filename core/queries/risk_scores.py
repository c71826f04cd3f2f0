"""The newest risk scores: pages by chance, by SKU, and their suggested actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort(
    "risk-",
    (
        SortKey("s.probability", float, "double precision"),
        SortKey("s.sku_id", int, "bigint"),
        SortKey("s.location_id", int, "bigint"),
    ),
)
_SELECT = """select s.sku_id, s.location_id, s.model_id, s.spoke, s.score, s.probability, s.is_short, s.reasons, s.scored_at
from risk_score s"""
_ACTIONS = """select a.id, a.sku_id, a.location_id, a.kind, a.mutation, a.input, a.facts, a.probability, a.state, a.suggested_at,
    a.taken_at, a.outcome, a.closed_at from risk_action a"""


async def risks_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page, the riskiest first."""
    where = Filter()
    where.add_given("s.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given("s.location_id = (select l.id from location l where l.code = ?)", given.get("location"))
    where.add_given("s.probability >= ?::float8", given.get("at_least"))
    where.add_given("s.is_short = ?::boolean", given.get("is_short"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def riskiest_by_sku(sql: asyncpg.Connection, sku_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Of each SKU the score of its riskiest location."""
    return await sql.fetch(
        f"""select distinct on (r.sku_id) r.* from ({_SELECT} where s.sku_id = any($1::bigint[])) r
        order by r.sku_id, r.probability desc, r.location_id""",
        list(sku_ids),
    )


async def risks_by_keys(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]]) -> list[asyncpg.Record]:
    """Scores by (SKU, location)."""
    return await sql.fetch(
        f"{_SELECT} join unnest($1::bigint[], $2::bigint[]) as u(sku, place) on s.sku_id = u.sku and s.location_id = u.place",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


async def actions_by_keys(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]]) -> list[asyncpg.Record]:
    """Suggestions of these places: the open ones and the twenty newest that are not, in the order they were made."""
    return await sql.fetch(
        f"""select x.* from unnest($1::bigint[], $2::bigint[]) as u(sku, place) cross join lateral (
            {_ACTIONS} where a.sku_id = u.sku and a.location_id = u.place order by a.state = 'OPEN' desc, a.id desc limit 26) x
        order by x.sku_id, x.location_id, x.id""",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


async def stale_skus(sql: asyncpg.Connection, limit: int) -> list[int]:
    """SKUs of which something has changed since they were scored, the longest unscored first."""
    rows = await sql.fetch(
        """select g.sku_id, min(s.scored_at) as at from sku_gate g join risk_score s on s.sku_id = g.sku_id
        where s.gate_version < g.version group by g.sku_id
        union all
        select distinct l.sku_id, null::timestamptz from stock_level l
        where not exists (select from risk_score s where s.sku_id = l.sku_id)
        order by at nulls first, sku_id limit $1""",
        limit,
    )
    return [row["sku_id"] for row in rows]
