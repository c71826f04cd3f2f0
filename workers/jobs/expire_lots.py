"""Look every hour for lots whose last day is over; it is another hour in every zone."""

from __future__ import annotations

from typing import Any

from core.services.expire_lots import expire_lots as expire
from core.services.expire_lots import find_expired
from workers.job import JobContext, job


@job(timeout=300)
async def expire_lots(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Each SKU in a transaction of its own; what is done stays done when a later one fails."""
    units = 0
    for sku_id in await context.run(find_expired):
        units += await context.run(lambda uow, sku_id=sku_id: expire(uow, sku_id))
    return {"units": units}
