"""Score anew the SKUs whose stock, demand or supply has changed since they were scored."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job
from workers.jobs.score_risk import score_taken

AT_ONCE = 2_000
"""SKUs of one run; those that were scored longest ago come first."""


@job(queue="learning", timeout=600, attempts=3)
async def score_changed_risk(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """The version of a SKU's gate says that something has changed, so that no change has to ask for its score."""
    from core.queries.risk_scores import stale_skus
    from core.services.take_risk_snapshots import read_risk_figures

    sku_ids = await context.run(lambda uow: stale_skus(uow.sql, AT_ONCE))
    if not sku_ids:
        return {"scored": 0}
    return await score_taken(context, await context.run(lambda uow: read_risk_figures(uow, sku_ids)))
