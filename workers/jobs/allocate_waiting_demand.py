"""Give stock that became free to the lines that wait for it."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def allocate_waiting_demand(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: skuIds. Repeating it finds nothing left to give."""
    from core.services.allocate_waiting import allocate_waiting

    sku_ids = sorted({int(sku_id) for sku_id in input["skuIds"]})
    summary = await context.run(lambda uow: allocate_waiting(uow, sku_ids))
    return {"quantity": summary.quantity, "lineIds": list(summary.line_ids)}
