"""Look at all open backorders again: conditions of age come true without any event, and rules are changed."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def review_backorders(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Asks for runs of the course; each run decides for itself."""
    from core.services.review_backorders import review_backorders as review

    return {"skus": await context.run(review)}
