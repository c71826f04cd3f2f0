"""Keep the curves that shoppers ask for ready."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def refresh_curves(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Only what has been asked for and has changed since; losing all of it costs readers one statement."""
    from core.services.refresh_curves import refresh_curves as refresh

    return {"pairs": await context.run(refresh)}
