"""Buy what waits without a source: only what inbound and open proposals do not cover."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog

from core.errors import GiveUp
from workers.job import TRANSIENT, JobContext, job

log = structlog.get_logger("jobs")


@job(queue="fast", timeout=60)
async def raise_purchase_request(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: skuIds. Repeating it finds the need covered.

    A SKU that cannot be bought stops no other; the run that met it ends as a dead letter which names it.
    """
    failed = dict[int, str]()
    sku_ids = sorted({int(sku_id) for sku_id in input["skuIds"]})
    orders = await _buy(context, sku_ids, failed)
    if failed:
        why = "; ".join(f"{sku_id}: {error}" for sku_id, error in failed.items())
        raise GiveUp(f"{len(failed)} of {len(sku_ids)} SKUs could not be bought: {why}")
    return {"purchaseOrderIds": orders}


async def _buy(context: JobContext, sku_ids: list[int], failed: dict[int, str]) -> list[int]:
    """All together; where that fails for good half by half, so that orders stay as few as they can be."""
    from core.services.raise_purchase_requests import raise_purchase_requests

    try:
        return await context.run(partial(raise_purchase_requests, sku_ids=sku_ids))
    except TRANSIENT:
        raise
    except Exception as error:
        if len(sku_ids) == 1:
            log.error("SKU not bought", sku_id=sku_ids[0], exc_info=error)
            failed[sku_ids[0]] = f"{type(error).__name__}: {error}"[:200]
            return []
    half = len(sku_ids) // 2
    return await _buy(context, sku_ids[:half], failed) + await _buy(context, sku_ids[half:], failed)
