"""Write the next chunk of a staged stock report: a kill in between loses nothing and repeats nothing."""

from __future__ import annotations

from core.ports import Transaction
from core.repositories.edi import is_staged
from core.repositories.supplier_stock import next_chunk

CHUNK = 500
"""Articles that are written in one transaction."""


async def apply_stock_chunk(uow: Transaction, document_id: int) -> bool:
    """Write up to 500 articles in the order of their SKUs; is more left?"""
    await next_chunk(uow, document_id, CHUNK)
    return await is_staged(uow, document_id)
