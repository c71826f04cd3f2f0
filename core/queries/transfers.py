"""Stock on its way between our own locations."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from core.queries.order_lines import Key, by_keys
from core.queries.page import Filter

_SELECT = """select t.sku_id, t.id, t.from_location_id, t.to_location_id, t.quantity, t.shipped, t.received, t.lost, t.state
from transfer t"""


async def transfers_by_keys(sql: asyncpg.Connection, keys: Sequence[Key]) -> list[asyncpg.Record]:
    """These transfers; only for callers that work with stock."""
    where = Filter()
    by_keys(where, "t", keys)
    return await sql.fetch(f"{_SELECT} where {' and '.join(where.conditions)}", *where.arguments)


async def transfer_by_id(sql: asyncpg.Connection, id: int) -> asyncpg.Record | None:
    """The transfer with this id; only for callers that work with stock."""
    return await sql.fetchrow(f"{_SELECT} where t.id = $1", id)
