"""Look every quarter of an hour for gaps in partners' control numbers, and for partners that are silent."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=60)
async def watch_partners(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """One transaction; repeating it raises nothing twice."""
    from core.services.watch_partners import watch_partners as look

    return await context.run(look)
