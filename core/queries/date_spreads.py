"""How late things come, read for dates that are shown: of supplies, of places and lanes, and per supplier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from core.domain.date_parts import SupplyDates
from core.domain.eta import FEWEST_OBSERVATIONS, Spread

_COLUMNS = "d.path, d.days, d.shares, d.observations, d.coverage"


def spread_of(row: Any) -> Spread:
    """A row of `date_spread` as a distribution."""
    return Spread(tuple(row["days"]), tuple(row["shares"]), row["observations"], row["coverage"])


async def supply_spreads(sql: asyncpg.Connection, keys: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """By (SKU, supply): paper and usable day, working days of receiving, and the closest group's distribution (null while unknown).

    The closest group with enough observations: supplier at the location, supplier, kind of statement.
    """
    rows = await sql.fetch(
        f"""select s.sku_id, s.id, coalesce(s.paper_date, s.usable_date) as paper_date, s.usable_date,
            s.supplier_id is null as is_own, {_COLUMNS},
            coalesce((select (value #>> '{{}}')::int from policy where code = 'receiving_days'), 0) as receiving_days
        from unnest($1::bigint[], $2::bigint[]) as u(sku_id, id)
        join supply s on s.sku_id = u.sku_id and s.id = u.id
        left join lateral (select d.* from date_spread d where d.observations >= $3 and d.path in (
                'SUPPLY|' || s.date_basis || '|' || s.supplier_id || '|' || s.location_id,
                'SUPPLY|' || s.date_basis || '|' || s.supplier_id, 'SUPPLY|' || s.date_basis)
            order by length(d.path) desc limit 1) d on true""",
        [key[0] for key in keys],
        [key[1] for key in keys],
        FEWEST_OBSERVATIONS,
    )
    return [dict(row) for row in rows]


BEYOND = 730
"""Days from which a level is one that no day holds: the end of the grid of `ml/dates.py:GRID`."""
_UNTOLD = ", ".join(f"case when d.p{level} >= {BEYOND} then {level} end" for level in (50, 80, 95))
_TOLD = f"d.p50, d.p80, d.p95, array_remove(array[{_UNTOLD}], null) as untold"


async def spreads_by_paths(sql: asyncpg.Connection, paths: Sequence[str]) -> dict[str, Spread]:
    """Distributions with enough observations, by path."""
    rows = await sql.fetch(
        f"select {_COLUMNS} from date_spread d where d.path = any($1::text[]) and d.observations >= $2",
        list(paths),
        FEWEST_OBSERVATIONS,
    )
    return {row["path"]: spread_of(row) for row in rows}


async def supplier_spreads(sql: asyncpg.Connection, supplier_code: str | None = None) -> list[asyncpg.Record]:
    """Per supplier and kind of statement: bias, spread, quantiles and measured coverage of its dates."""
    return await sql.fetch(
        f"""select d.supplier_id, d.basis, d.observations, d.bias, d.spread, {_TOLD}, d.coverage,
            d.coverage_p50, d.coverage_p95, d.judged, d.is_drifting, d.computed_at
        from date_spread d join supplier s on s.id = d.supplier_id
        where d.stage = 'SUPPLY' and d.path = 'SUPPLY|' || d.basis || '|' || d.supplier_id
            and ($1::text is null or s.code = $1)
        order by s.code, d.basis""",
        supplier_code,
    )


async def stage_spreads(sql: asyncpg.Connection) -> list[asyncpg.Record]:
    """Per stage of our own, location and (on the road) destination: bias, spread, quantiles and measured coverage."""
    return await sql.fetch(
        f"""select d.stage, split_part(d.path, '|', 3)::bigint as location_id,
            nullif(split_part(d.path, '|', 4), '')::bigint as destination_id, d.observations, d.bias, d.spread, {_TOLD},
            d.coverage, d.coverage_p50, d.coverage_p95, d.judged, d.is_drifting, d.computed_at
        from date_spread d where d.stage <> 'SUPPLY' and split_part(d.path, '|', 3) <> ''
        order by d.stage, 2, 3 nulls first"""
    )


async def supplier_coverage(sql: Any, limit: int) -> list[dict[str, Any]]:
    """Per supplier over all kinds of statement: (code, judged, p50, p80, p95, is_drifting), the most judged first.

    The shares are of the deliveries judged; suppliers of whom none was are absent.
    """
    rows = await sql.fetch(
        """select s.code, sum(d.judged)::int as judged, sum(d.coverage_p50 * d.judged) / sum(d.judged) as p50,
            sum(d.coverage * d.judged) / sum(d.judged) as p80, sum(d.coverage_p95 * d.judged) / sum(d.judged) as p95,
            bool_or(d.is_drifting) as is_drifting
        from date_spread d join supplier s on s.id = d.supplier_id
        where d.stage = 'SUPPLY' and d.path = 'SUPPLY|' || d.basis || '|' || d.supplier_id and d.judged > 0
        group by s.code order by 2 desc, 1 limit $1""",
        limit,
    )
    return [dict(row) for row in rows]


def supply_dates(row: Any) -> SupplyDates:
    """A row of `supply_spreads` as the dates of a supply."""
    late = None if row["days"] is None else spread_of(row)
    return SupplyDates(row["paper_date"], row["usable_date"], late, row["is_own"], row["receiving_days"])
