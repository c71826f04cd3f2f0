"""Look once a day where stock would do more good elsewhere, and propose the moves."""

from __future__ import annotations

from functools import partial
from typing import Any

from workers.job import JobContext, job

CHUNK = 200
"""SKUs per transaction."""


@job(queue="bulk", timeout=3_600)
async def propose_rebalancing(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Chunk by chunk with progress; running it twice proposes nothing twice."""
    from core.services.propose_rebalancing import propose_rebalancing as propose
    from core.services.propose_rebalancing import start_rebalancing

    sku_ids = await context.run(start_rebalancing)
    new = 0
    for start in range(0, len(sku_ids), CHUNK):
        new += await context.run(partial(propose, sku_ids=sku_ids[start : start + CHUNK]))
        await context.progress(min(start + CHUNK, len(sku_ids)), len(sku_ids))
    return {"skus": len(sku_ids), "proposals": new}
