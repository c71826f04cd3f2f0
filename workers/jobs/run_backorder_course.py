"""Take the next steps for backorders whose facts have changed."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job

MAX_TURNS = 20
"""Each substitution lets the course go on where it stopped; a run without an end is a mistake."""


@job(queue="fast", timeout=60)
async def run_backorder_course(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: skuIds. Repeating it does nothing until facts change."""
    from core.services.run_backorder_course import run_backorder_course as run
    from core.services.substitute_line import substitute_line

    sku_ids = sorted({int(sku_id) for sku_id in input["skuIds"]})
    replaced = 0
    for _ in range(MAX_TURNS):
        wanted = await context.run(lambda uow: run(uow, sku_ids))
        if not wanted:
            break
        for request in wanted:
            done = await context.run(lambda uow, request=request: substitute_line(uow, request))
            replaced += done is not None
    return {"skus": len(sku_ids), "substituted": replaced}
