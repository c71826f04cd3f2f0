"""Start the saved variants of re-promising whose time of day has come, and end runs whose job has died."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def start_due_repromising(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Each due variant starts once: its row says when it was last started."""
    from core.services.start_due_repromising import start_due_repromising as start

    return {"runs": await context.run(start)}
