"""Recount every identity of the data model and alarm on differences; never repair."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from workers.job import JobContext, job

PAUSE_SECONDS = 0.05
"""Between two ranges, so that a recount never takes a whole core or the disk for itself."""


@job(queue="bulk", timeout=3_600)
async def reconcile_stock(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Range by range with progress; the alarms are kept when all ranges are counted, so a stopped run changes none."""
    from core.services.reconcile_stock import write_alarms
    from core.services.recount_ledgers import merge, ranges, recount_range

    parts = await context.run(ranges)
    found = []
    for done, part in enumerate(parts, start=1):
        found += await context.run(partial(recount_range, part=part))
        await context.progress(done, len(parts))
        if done < len(parts):
            await asyncio.sleep(PAUSE_SECONDS)
    differences = merge(found)
    await context.run(partial(write_alarms, found=differences))
    return {
        "ranges": len(parts),
        "differences": [
            {"check": difference.check, "rows": difference.count, "first": difference.rows[:10]}
            for difference in differences
        ],
    }
