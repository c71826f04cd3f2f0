"""Look once a day at all stock and buy what is due."""

from __future__ import annotations

from typing import Any

from core.services.review_stock import review_stock as review
from workers.job import JobContext, job


@job(timeout=60)
async def review_stock(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Reorder points and lines without a source, over all SKUs."""
    return {"skus": await context.run(review)}
