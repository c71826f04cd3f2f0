"""Lanes, calendars or cut-offs have changed: judge anew what rests on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=600)
async def rejudge_routes(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Chunk by chunk, each whole: a run that dies is taken up again, and what was judged already moves no more."""
    from core.services.rejudge_routes import CHUNK, find_routed, move_planned_shipments, rejudge_routes

    places: list[int] = input["locationIds"]
    shipments = await context.run(lambda uow: move_planned_shipments(uow, places))
    skus = await context.run(lambda uow: find_routed(uow, places))
    moved = 0
    for chunk in _chunks(skus, CHUNK):
        moved += await context.run(lambda uow, ids=chunk: rejudge_routes(uow, ids, places))
    return {"skus": len(skus), "promisesMoved": moved, "shipmentsMoved": shipments}


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[i : i + size] for i in range(0, len(ids), size))
