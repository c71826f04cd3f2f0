"""Apply the policy of order holds whose deadline has passed."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def run_hold_deadlines(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """A hold that was released already is left alone."""
    from core.services.run_hold_deadlines import run_hold_deadlines as run

    return {"holds": await context.run(run)}
