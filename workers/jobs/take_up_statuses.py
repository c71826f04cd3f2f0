"""A ship notice has come, or a carrier's status found none: look once more whether they belong together."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="fast", timeout=30)
async def take_up_statuses(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: references, tracking or notice numbers. Repeating it finds nothing more."""
    from core.services.take_up_statuses import take_up_statuses as take_up

    return {"statuses": await context.run(lambda uow: take_up(uow, input["references"]))}
