"""Stock on its way between our own locations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.order_lines import Key, by_keys
from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

SORT = Sort("transfer-", (SortKey("t.id", int, "bigint"),))

_SELECT = """select t.sku_id, t.id, t.from_location_id, t.to_location_id, t.quantity, t.shipped, t.received, t.lost, t.state
from transfer t"""


async def transfers_by_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """These transfers; only for callers that work with stock."""
    where = Filter()
    by_keys(where, "t", keys)
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def transfers_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of transfers, newest first; the role check is the field's."""
    where = Filter()
    where.add_given("t.state = any(?::text[])", given.get("state"))
    where.add_given("t.sku_id = (select k.id from sku k where k.code = ?)", given.get("sku"))
    where.add_given("t.from_location_id = (select w.id from location w where w.code = ?)", given.get("from_location"))
    where.add_given("t.to_location_id = (select w.id from location w where w.code = ?)", given.get("to_location"))
    return await fetch_page(sql, _SELECT, where, SORT, page)


async def transfer_by_id(sql: asyncpg.Connection, id: int) -> asyncpg.Record | None:
    """The transfer with this id; only for callers that work with stock."""
    return await sql.fetchrow(f"{_SELECT} where t.id = $1", id)
