"""Look every hour for supplies and claims whose day has come at their location since midnight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=600)
async def check_overdue_supplies(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Chunk by chunk, each whole: a run that dies is taken up by the next one. Overdue supply is found once a day."""
    from core.services.check_overdue_supplies import CHUNK, check_overdue_supplies, find_overdue
    from core.services.serve_due_claims import find_due_claims, serve_due_claims

    overdue = await context.run(find_overdue)
    lines = 0
    for chunk in _chunks(overdue, CHUNK):
        lines += len(await context.run(lambda uow, skus=chunk: check_overdue_supplies(uow, skus)))
    due = await context.run(find_due_claims)
    units = 0
    for chunk in _chunks(due, CHUNK):
        units += await context.run(lambda uow, skus=chunk: serve_due_claims(uow, skus))
    return {"overdueSkus": len(overdue), "lines": lines, "dueSkus": len(due), "units": units}


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[i : i + size] for i in range(0, len(ids), size))
