"""Publish an approved re-promising run, chunk by chunk; after a crash the next attempt goes on where it stopped."""

from __future__ import annotations

from functools import partial
from typing import Any

from core.services.start_repromising_run import PUBLISH
from workers.job import JobContext, job


@job(queue="bulk", timeout=1_800)
async def publish_repromising_run(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: runId. Each chunk is a transaction that marks what it has published."""
    from core.services.publish_repromising_run import publish_chunk, waiting_skus

    run_id = int(input["runId"])
    done = recomputed = 0
    total = await context.run(partial(waiting_skus, run_id=run_id))
    while True:
        chunk = await context.run(partial(publish_chunk, run_id=run_id))
        done, recomputed = done + len(chunk.sku_ids), recomputed + chunk.recomputed
        await context.progress(done, max(total, done))
        if chunk.is_last:
            return {"runId": run_id, "skus": done, "recomputed": recomputed}


assert publish_repromising_run.__name__ == PUBLISH
