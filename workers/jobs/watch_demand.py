"""Look once an hour for demand that has overtaken its forecast."""

from __future__ import annotations

from typing import Any

from core.services.watch_demand import watch_demand as watch
from workers.job import JobContext, job


@job(queue="learning", timeout=60)
async def watch_demand(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """A surprise asks for a new forecast."""
    return {"surprised": await context.run(watch)}
