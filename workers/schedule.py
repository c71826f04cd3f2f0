"""The cron table on one screen, and the two ways it is ticked: by wall time, or by a replay's simulated time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from core.events import JobRequest
from core.ports import Clock
from core.services.take_turn import turn
from core.unit_of_work import UnitOfWork
from workers.job import REGISTRY, JobContext, clock_of
from workers.jobs import ALL_JOBS
from workers.queue import JobQueue

if TYPE_CHECKING:
    from core.database import Database
    from core.settings import Settings

log = structlog.get_logger("schedule")


@dataclass(frozen=True, slots=True)
class Cron:
    """A job that runs every `seconds`. `business` ones follow the clock of the stack, the others always wall time."""

    function: str
    seconds: int
    queue: str
    """'fast': run at once by the fast worker that ticks. Another queue: asked for as a run of that worker class."""
    business: bool = True


CRONS = (
    Cron("sweep_lost_work", 5, "fast", business=False),
    Cron("write_edi_files", 15, "fast", business=False),
    Cron("expire_reservations", 10, "fast"),
    Cron("run_hold_deadlines", 30, "fast"),
    Cron("run_option_deadlines", 30, "fast"),
    Cron("run_supplier_deadlines", 60, "fast"),
    Cron("watch_partners", 900, "fast"),
    Cron("review_backorders", 21_600, "fast"),
    Cron("send_notices", 5, "fast"),
    Cron("seal_ledgers", 20, "fast"),
    Cron("start_due_repromising", 60, "fast"),
    Cron("refresh_curves", 2, "fast"),
    Cron("reconcile_stock", 3_600, "bulk", business=False),
    Cron("check_overdue_supplies", 3_600, "bulk"),
    Cron("expire_lots", 3_600, "fast"),
    Cron("review_stock", 86_400, "fast"),
    Cron("calibrate_lead_times", 86_400, "bulk"),
    Cron("propose_rebalancing", 86_400, "bulk"),
    Cron("purge_history", 3_600, "bulk"),
    Cron("measure_dates", 86_400, "learning"),
    Cron("forecast_demand", 86_400, "learning"),
    Cron("watch_demand", 3_600, "learning"),
    Cron("score_risk", 86_400, "learning"),
    Cron("check_risk_model", 86_400, "learning"),
    Cron("score_changed_risk", 120, "learning"),
)

assert {cron.function for cron in CRONS} <= set(ALL_JOBS)


async def run_cron(cron: Cron, context: JobContext) -> bool:
    """Run one cron if nobody else is at it; False when it was skipped. Errors are logged: the next turn comes."""
    job = REGISTRY[cron.function]
    try:
        async with turn(context.database, f"cron:{cron.function}") as mine:
            if not mine:
                return False
            async with asyncio.timeout(job.timeout):
                await job.function(context, {})
            return True
    except Exception as failure:
        log.exception("cron failed", function=cron.function, error=f"{type(failure).__name__}: {failure}")
        return False


AT_ONCE = 4
"""Fast crons that run at once: each holds a pooled connection for its turn and needs another for its work, and at midnight
all of them are due. With more turns than half the pool nobody would get on (`workers.settings.CLASSES`)."""


async def _start(cron: Cron, context: JobContext, room: asyncio.Semaphore) -> None:
    if cron.queue != "fast":
        await _ask(cron, context)
        return
    async with room:
        await run_cron(cron, context)


async def _ask(cron: Cron, context: JobContext) -> None:
    async def ask(uow: UnitOfWork) -> None:
        uow.enqueue(JobRequest(cron.function, key="cron", queue=cron.queue))

    try:
        await context.run(ask)
    except Exception as failure:
        log.warning("cron could not be asked for", function=cron.function, error=str(failure))


async def tick_forever(database: Database, settings: Settings, queue: Callable[[], JobQueue | None]) -> None:
    """Tick by wall time, one turn per multiple of the period; a turn that comes while the last runs is skipped."""
    crons = [cron for cron in CRONS if not (cron.business and settings.simulated_clock)]
    clock = clock_of(settings)
    turns = {cron.function: int(time.time()) // cron.seconds for cron in crons}
    running: dict[str, asyncio.Task[None]] = {}
    room = asyncio.Semaphore(AT_ONCE)
    try:
        while True:
            now = int(time.time())
            for cron in crons:
                if now // cron.seconds == turns[cron.function]:
                    continue
                turns[cron.function] = now // cron.seconds
                last = running.get(cron.function)
                if last is None or last.done():
                    running[cron.function] = asyncio.create_task(
                        _start(cron, JobContext(database, settings, clock, queue()), room)
                    )
            await asyncio.sleep(0.25)
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


async def tick(
    database: Database,
    clock: Clock,
    from_time: datetime,
    to_time: datetime,
    settings: Settings | None = None,
    learning: Collection[str] = (),
) -> list[str]:
    """Let the business crons that are due in (from_time, to_time] happen, each once; their names, in the table's order.

    For a replay, after it has set its clock to `to_time`: a cron that missed several turns runs once, as after a pause.
    Those of the bulk worker are asked for as its runs, as by wall time; so are those of the learning worker, which cost
    seconds each, when they are named in `learning`. The fast ones have run when this returns.
    """
    from core.settings import load_settings

    context = JobContext(database, settings or load_settings(), clock)
    first, last = int(from_time.timestamp()), int(to_time.timestamp())
    due = [
        cron
        for cron in CRONS
        if cron.business
        and first // cron.seconds != last // cron.seconds
        and (cron.queue != "learning" or cron.function in learning)
    ]
    for cron in due:
        if cron.queue != "fast":
            await _ask(cron, context)
    return [cron.function for cron in due if cron.queue != "fast" or await run_cron(cron, context)]
