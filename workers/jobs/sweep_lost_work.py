"""Find work that was lost on the way: workers that died, wake-ups that Redis forgot."""

from __future__ import annotations

from typing import Any

from core.services import sweep_lost_work as service
from workers import job as runtime
from workers.job import JobContext, job
from workers.queue import REDIS_ERRORS

QUIET_SECONDS = 10.0
"""A queued run that nobody claimed for this long is offered again."""


@job(queue="fast", timeout=30)
async def sweep_lost_work(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Take back stale runs, then wake waiting and silent ones. What Redis has already is not doubled."""
    lost = await context.run(lambda uow: service.take_back_lost_runs(uow, runtime.STALE_SECONDS))
    if context.queue is None:
        return {"lost": len(lost), "woken": 0}
    try:
        waiting = await context.run(lambda uow: service.waiting_tickets(uow, 1.0))
        silent = await context.run(lambda uow: service.silent_tickets(uow, QUIET_SECONDS))
        woken = await context.queue.enqueue([*waiting, *silent])
        # Still queued for us, but begun for Redis: that worker died between the two.
        known = [ticket for ticket in silent if ticket.run_id not in woken]
        stuck = await context.queue.started(known)
        fresh = await context.run(lambda uow: service.reissue_tickets(uow, stuck)) if stuck else []
        woken += await context.queue.enqueue(fresh)
        offered = [ticket.run_id for ticket in (*waiting, *silent)]
        await context.run(lambda uow: service.note_queued(uow, offered))
    except REDIS_ERRORS:
        return {"lost": len(lost), "woken": 0}
    return {"lost": len(lost), "woken": len(woken)}
