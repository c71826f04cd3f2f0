"""The arq worker classes: `python -m workers.settings fast|bulk|learning` runs one until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC
from typing import Any

# One thread per worker process: gradient boosting is slower with two, and we scale by processes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import asyncpg
import structlog
from arq.worker import Function, Worker, func

from core.database import Database
from core.settings import Settings, load_settings
from core.telemetry import start_tracing, stop_tracing
from workers.job import REGISTRY, Job, JobRunner
from workers.jobs import ALL_JOBS
from workers.jobs.deliver_webhooks import deliver_forever
from workers.jobs.watch_edi_folder import watch_forever
from workers.logs import configure_logging
from workers.queue import QUEUES, REDIS_ERRORS, JobQueue, deserialize, queue_name, redis_settings, serialize
from workers.schedule import tick_forever

log = structlog.get_logger("worker")
POSTGRES_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
COMPLETION_SECONDS = 10
"""How long a running job may go on after SIGTERM; then it is given back."""


@dataclass(frozen=True, slots=True)
class WorkerClass:
    """Limits of one queue; the longest timeout of a class is also its stall after a crash, so they are tight."""

    max_jobs: int
    pool_size: int


CLASSES = {"fast": WorkerClass(10, 12), "bulk": WorkerClass(4, 8), "learning": WorkerClass(1, 3)}
assert set(CLASSES) == set(QUEUES)
assert set(ALL_JOBS) <= set(REGISTRY)


def arq_function(job: Job, runner: JobRunner) -> Function:
    """arq runs a ticket through the runner; it keeps no result and does not count tries: `job_run` does both."""

    async def run(ctx: dict[Any, Any], run_id: int, attempt: int) -> str | None:
        return await runner.run(job, run_id, attempt)

    return func(run, name=job.name, timeout=job.timeout + 5, max_tries=1_000, keep_result=0)


def build_worker(queue: str, settings: Settings, runner: JobRunner) -> Worker:
    """A fresh arq worker for one queue. Signals are ours to handle."""

    async def started(ctx: dict[Any, Any]) -> None:
        runner.queue = JobQueue(settings, ctx["redis"])

    functions = [arq_function(job, runner) for job in REGISTRY.values() if job.queue == queue]
    return Worker(
        functions=functions or [func(_nothing, name="nothing")],
        queue_name=queue_name(settings, queue),
        redis_settings=redis_settings(settings),
        on_startup=started,
        handle_signals=False,
        job_completion_wait=COMPLETION_SECONDS,
        max_jobs=CLASSES[queue].max_jobs,
        job_timeout=30,
        keep_result=0,
        poll_delay=0.05,
        max_tries=1_000,
        health_check_interval=5,
        job_serializer=serialize,
        job_deserializer=deserialize,
        timezone=UTC,
        log_results=False,
    )


async def _nothing(ctx: dict[Any, Any]) -> None:
    """arq refuses a worker without functions; a class whose jobs are not written yet has this one."""


async def _work(queue: str, settings: Settings, database: Database, stop: asyncio.Event) -> None:
    """Run workers one after the other, each until Redis fails it or `stop` is set."""
    runner = JobRunner(database, settings, None)
    helpers = [asyncio.create_task(runner.beat_forever())]
    if queue == "fast":
        helpers.append(asyncio.create_task(tick_forever(database, settings, lambda: runner.queue)))
    if queue == "bulk":
        helpers.append(asyncio.create_task(watch_forever(database, settings)))
        helpers.append(asyncio.create_task(deliver_forever(database, settings)))
    try:
        while not stop.is_set():
            worker = build_worker(queue, settings, runner)
            running = asyncio.create_task(worker.async_run())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if stop.is_set():
                worker.allow_pick_jobs = False
            elif not running.cancelled() and (failure := running.exception()):
                if not isinstance(failure, (*REDIS_ERRORS, *POSTGRES_ERRORS)):
                    log.error("worker failed", queue=queue, exc_info=failure)
                log.warning("worker stopped and begins again", queue=queue, error=str(failure))
            # Jobs live in PostgreSQL: let them end whatever Redis does.
            if worker.tasks:
                await asyncio.wait(worker.tasks.values(), timeout=COMPLETION_SECONDS)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await running
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.wait_for(worker.close(), 5)
            if not stop.is_set():
                await asyncio.sleep(0.5)
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)


async def serve(queue: str, settings: Settings) -> None:
    """Run one worker class until SIGTERM or SIGINT."""
    start_tracing(f"backorder-worker-{queue}")
    if queue == "learning":
        with contextlib.suppress(ModuleNotFoundError):
            import sklearn  # noqa: F401  # pyright: ignore[reportMissingImports]  # once, not in the first job
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        database = Database(settings.model_copy(update={"pool_size": CLASSES[queue].pool_size}))
        try:
            await database.open()
        except POSTGRES_ERRORS as failure:
            log.warning("database is away", error=str(failure))
            await asyncio.sleep(0.5)
            continue
        try:
            log.info("worker runs", queue=queue)
            await _work(queue, settings, database, stop)
        finally:
            # A connection that hangs must not keep the process: what it did is committed or will be rolled back.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(database.close(), 3)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in QUEUES:
        sys.exit(f"usage: python -m workers.settings {'|'.join(QUEUES)}")
    configure_logging(load_settings())
    # Jobs make and drop many records, none of them in cycles: look for cycles more rarely.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        asyncio.run(serve(sys.argv[1], load_settings()))
    finally:
        stop_tracing()
