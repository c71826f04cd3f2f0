"""Plan shipments for orders whose lines may leave."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def plan_shipments(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: orderIds. Quantities that are planned already are not planned again."""
    from core.services.plan_shipments import plan_shipments as plan

    order_ids = sorted({int(order_id) for order_id in input["orderIds"]})
    return {"shipmentIds": await context.run(lambda uow: plan(uow, order_ids))}
