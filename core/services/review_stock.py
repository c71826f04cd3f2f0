"""The buyer's daily look at all stock: whatever has reached its reorder point or waits without a source is bought."""

from __future__ import annotations

from collections import defaultdict

from core.events import JobRequest
from core.ports import Transaction
from core.queries.due_purchases import due_purchases
from core.repositories.supplying import load_terms

CHUNK = 200
"""SKUs per job, which is a transaction that holds the gates of all of them."""


async def review_stock(uow: Transaction) -> int:
    """Ask for the purchase of every SKU that is due, those of a supplier in one job, so that its orders are consolidated.

    Returns how many SKUs. Reading needs no gate: the jobs judge again under it.
    """
    sku_ids = await due_purchases(uow.sql)
    terms = await load_terms(uow, sku_ids)
    by_supplier: dict[int, list[int]] = defaultdict(list)
    for sku_id in sku_ids:
        by_supplier[terms[sku_id].supplier_id if sku_id in terms else 0].append(sku_id)
    chunks: list[list[int]] = []
    for _, group in sorted(by_supplier.items()):
        for start in range(0, len(group), CHUNK):
            part = group[start : start + CHUNK]
            if chunks and len(chunks[-1]) + len(part) <= CHUNK:
                chunks[-1] += part
            else:
                chunks.append(part)
    for number, chunk in enumerate(chunks):
        key = f"review:{number}" if number else "review"
        uow.enqueue(JobRequest("raise_purchase_request", key, {"skuIds": chunk}))
    return len(sku_ids)
