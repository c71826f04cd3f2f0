"""Counters of one SKU at one location."""

from __future__ import annotations

import asyncpg


async def stock_level(sql: asyncpg.Connection, sku_id: int, location_id: int) -> asyncpg.Record | None:
    """The counters with the SKU's gate version, from one snapshot."""
    return await sql.fetchrow(
        """select v.sku_id, v.location_id, v.on_hand, v.unsellable, v.allocated, g.version::text as version
        from stock_level v join sku_gate g on g.sku_id = v.sku_id where v.sku_id = $1 and v.location_id = $2""",
        sku_id,
        location_id,
    )
