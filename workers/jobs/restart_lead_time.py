"""An order went out anew: what nobody has answered comes a lead time from now."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def restart_lead_time(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: purchaseOrderId. Repeating it moves nothing on the same day."""
    from core.services.restart_lead_time import restart_lead_time as restart

    purchase_order_id = int(input["purchaseOrderId"])
    return {"lines": await context.run(lambda uow: restart(uow, purchase_order_id))}
