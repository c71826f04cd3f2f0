"""The buyer's daily look at all stock: whatever has reached its reorder point or waits without a source is bought."""

from __future__ import annotations

from core.events import JobRequest
from core.ports import Transaction
from core.queries.due_purchases import due_purchases


async def review_stock(uow: Transaction) -> int:
    """Ask once for the purchase of every SKU that is due, in one job, so that orders to a supplier are consolidated.

    Returns how many SKUs. Reading needs no gate: the job judges again under it.
    """
    sku_ids = await due_purchases(uow.sql)
    if sku_ids:
        uow.enqueue(JobRequest("raise_purchase_request", "review", {"skuIds": sku_ids}))
    return len(sku_ids)
