"""Take the next steps for backorders whose facts have changed."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job

MAX_TURNS = 20
"""Each substitution lets the course go on where it stopped; a run without an end is a mistake."""


@job(queue="fast", timeout=60)
async def run_backorder_course(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: skuIds, and `only` (backorderId, step) when a person wants one step now. Repeating it does nothing."""
    from core.domain.states import CourseStep
    from core.services.run_backorder_course import OneStep
    from core.services.run_backorder_course import run_backorder_course as run
    from core.services.substitute_line import substitute_line

    sku_ids = sorted({int(sku_id) for sku_id in input["skuIds"]})
    asked, replaced = input.get("only"), 0
    only = None if asked is None else OneStep(int(asked["backorderId"]), CourseStep(asked["step"]))
    for _ in range(MAX_TURNS if only is None else 1):
        wanted = await context.run(lambda uow: run(uow, sku_ids, only))
        if not wanted:
            break
        for request in wanted:
            done = await context.run(lambda uow, request=request: substitute_line(uow, request))
            replaced += done is not None
    return {"skus": len(sku_ids), "substituted": replaced}
