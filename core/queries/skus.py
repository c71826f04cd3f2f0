"""Which SKUs: by code, by id, and the filtered list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort("code+", (SortKey('s.code collate "C"', str, "text"),), descending=False)
_SELECT = """select s.id, s.code, s.name as names, s.unit, s.status, s.gtin, s.low_stock_at, s.tracks_lots,
    s.tracks_expiry, s.tracks_serials, s.min_life_days, s.reorder_point as own_reorder_point,
    s.reorder_quantity as own_reorder_quantity,
    case when s.status = 'PREORDER' then s.available_from end as available_from
from sku s"""


async def skus_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the catalogue by code."""
    where = Filter()
    where.add_given("s.code = any(?::text[])", given.get("codes"))
    where.add_given("starts_with(s.code, ?)", given.get("code_starts_with"))
    where.add_given("s.status = any(?::text[])", given.get("status"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def skus_by_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """These SKUs."""
    return await sql.fetch(f"{_SELECT} where s.id = any($1::bigint[])", list(ids))


async def skus_by_codes(sql: asyncpg.Connection, codes: Sequence[str]) -> list[asyncpg.Record]:
    """Those of the codes that exist."""
    return await sql.fetch(f"{_SELECT} where s.code = any($1::text[])", list(codes))


async def substitutes_by_sku_ids(sql: asyncpg.Connection, ids: Sequence[int]) -> list[asyncpg.Record]:
    """What may replace these SKUs, best ranked first."""
    return await sql.fetch(
        """select x.sku_id as replaced_sku_id, x.substitute_sku_id, x.ratio, x.rank, x.needs_consent from substitute x
        where x.sku_id = any($1::bigint[]) order by x.sku_id, x.rank, x.substitute_sku_id""",
        list(ids),
    )
