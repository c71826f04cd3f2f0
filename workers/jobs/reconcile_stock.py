"""Recount every identity of the data model and alarm on differences; never repair."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=300)
async def reconcile_stock(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Each check is one statement, hence one consistent snapshot."""
    from core.services.reconcile_stock import reconcile_stock as reconcile

    differences = await context.run(reconcile)
    return {"differences": [difference.check for difference in differences]}
