"""Buy what waits without a source: only what inbound and open proposals do not cover."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def raise_purchase_request(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: skuIds. Repeating it finds the need covered."""
    from core.services.raise_purchase_requests import raise_purchase_requests

    sku_ids = sorted({int(sku_id) for sku_id in input["skuIds"]})
    return {"purchaseOrderIds": await context.run(lambda uow: raise_purchase_requests(uow, sku_ids))}
