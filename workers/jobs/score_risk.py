"""Score every SKU and location with a snapshot of what is known, or the named SKUs as they are now."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from workers.job import JobContext, job

CHUNK = 2_000
"""Places whose scores are stored in one transaction."""


@job(queue="learning", timeout=1_800, attempts=3)
async def score_risk(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: skuIds, or nothing for all with snapshots. Running it again replaces what it stored."""
    from core.services.take_risk_snapshots import read_risk_figures, take_risk_snapshots

    sku_ids = input.get("skuIds")
    if sku_ids is None:
        taken = await context.run(take_risk_snapshots)
    else:
        taken = await context.run(lambda uow: read_risk_figures(uow, [int(one) for one in sku_ids]))
    return await score_taken(context, taken)


async def score_taken(context: JobContext, taken: Any) -> dict[str, Any]:
    """Score the figures that were taken with the model that speaks, and store it chunk by chunk."""
    from core.queries.learning_models import active_model
    from core.services.store_scores import load_risk_rules
    from core.services.take_risk_snapshots import store_spoken
    from ml.score_live import score_rows, speaker

    async with context.snapshot() as uow:
        row = await active_model(uow.sql, "BACKORDER_RISK")
        rules = await load_risk_rules(uow)
    model, model_id, refused = await asyncio.to_thread(speaker, row)
    totals: dict[str, Any] = {
        "snapshots": taken.snapshots,
        "labelled": taken.labelled,
        "spoke": model.kind,
        **taken.matched,
    }
    if refused:
        totals["refused"] = refused
    for start in range(0, len(taken.rows), CHUNK):
        rows = taken.rows[start : start + CHUNK]
        said = await asyncio.to_thread(score_rows, model, rows, rules.act_above)
        done = await context.run(
            partial(store_spoken, taken=taken, rows=rows, model_id=model_id, spoke=model.kind, said=said)
        )
        for name, count in done.items():
            totals[name] = totals.get(name, 0) + count
        await context.progress(min(start + CHUNK, len(taken.rows)), len(taken.rows))
    return totals
