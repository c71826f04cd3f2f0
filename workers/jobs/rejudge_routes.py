"""Lanes, calendars or cut-offs have changed: judge anew what rests on them."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog

from core.errors import GiveUp
from workers.job import TRANSIENT, JobContext, job

log = structlog.get_logger("jobs")


@job(queue="bulk", timeout=600)
async def rejudge_routes(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: locationIds; afterSku where an earlier run has judged the SKUs up to it.

    Chunk by chunk, each whole: a run that dies is taken up again, and what was judged already moves no more. A SKU that
    cannot be judged stops no other; the run that met it ends as a dead letter which names it.
    """
    from core.services.rejudge_routes import CHUNK, RUN, find_routed, move_planned_shipments, request_rejudging

    places: list[int] = input["locationIds"]
    after: int = input.get("afterSku", 0)
    shipments = 0 if after else await context.run(lambda uow: move_planned_shipments(uow, places))
    found = await context.run(lambda uow: find_routed(uow, places, after))
    skus, moved, failed = found[:RUN], 0, dict[int, str]()
    for start in range(0, len(skus), CHUNK):
        moved += await _judge(context, skus[start : start + CHUNK], places, failed)
        await context.progress(min(start + CHUNK, len(skus)), len(found))
    if len(found) > len(skus):

        async def go_on(uow: Any) -> None:
            request_rejudging(uow, places, skus[-1])

        await context.run(go_on)
    if failed:
        why = "; ".join(f"{sku_id}: {error}" for sku_id, error in failed.items())
        raise GiveUp(f"{len(failed)} of {len(skus)} SKUs could not be judged: {why}")
    return {"skus": len(skus), "promisesMoved": moved, "shipmentsMoved": shipments}


async def _judge(context: JobContext, sku_ids: list[int], places: list[int], failed: dict[int, str]) -> int:
    """Judge a chunk; where it fails for good, SKU by SKU, so that only those are left out which are at fault."""
    from core.services.rejudge_routes import rejudge_routes

    try:
        return await context.run(partial(rejudge_routes, sku_ids=sku_ids, location_ids=places))
    except TRANSIENT:
        raise
    except Exception as error:
        if len(sku_ids) == 1:
            log.error("routes of a SKU not judged", sku_id=sku_ids[0], exc_info=error)
            failed[sku_ids[0]] = f"{type(error).__name__}: {error}"[:200]
            return 0
    return sum([await _judge(context, [sku_id], places, failed) for sku_id in sku_ids])
