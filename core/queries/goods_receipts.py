"""Goods receipts and what arrived with them."""

from __future__ import annotations

import asyncpg


async def goods_receipt(sql: asyncpg.Connection, id: int) -> tuple[asyncpg.Record, list[asyncpg.Record]] | None:
    """The receipt with its lines."""
    head = await sql.fetchrow("select id, number, received_at from goods_receipt where id = $1", id)
    if head is None:
        return None
    lines = await sql.fetch(
        """select sku_id, quantity, damaged, over_delivered from goods_receipt_line
        where goods_receipt_id = $1 order by id""",
        id,
    )
    return head, lines
