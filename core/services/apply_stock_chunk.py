"""Take in the next chunk of a staged stock report: a kill in between loses nothing and repeats nothing."""

from __future__ import annotations

from core.ports import Transaction
from core.repositories.edi import is_staged
from core.repositories.supplier_stock import take_chunk
from core.services.keep_stock_hints import KeptHint, keep_stock_hints

CHUNK = 500
"""Articles that are taken in by one transaction."""


async def apply_stock_chunk(uow: Transaction, document_id: int) -> bool:
    """Take in up to 500 articles in the order of their SKUs, as the portal's report would be; is more left?"""
    rows = await take_chunk(uow, document_id, CHUNK)
    if rows:
        hints = [KeptHint(r["sku_id"], r["available"], None, r["next_date"], r["next_quantity"]) for r in rows]
        await keep_stock_hints(uow, rows[0]["supplier_id"], rows[0]["as_of"], hints, document_id)
    return await is_staged(uow, document_id)
