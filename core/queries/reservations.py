"""The rows of a reservation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg


async def reservation_rows(sql: asyncpg.Connection, group_id: str, now: datetime) -> list[asyncpg.Record]:
    """The held, committed, released or expired rows of one reservation; none for an id that is none."""
    try:
        group = UUID(group_id)
    except ValueError:
        return []
    return await sql.fetch(
        """select group_id, sku_id, location_id, quantity, kind, holder, expires_at,
            state = 'held' and expires_at > $2 as is_live
        from reservation where group_id = $1 order by sku_id, id""",
        group,
        now,
    )
