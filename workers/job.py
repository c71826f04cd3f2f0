"""The one job decorator and its runtime: claim, heartbeat, run, and end in done, retry, give up or wait."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import structlog

from core.errors import DomainError, GiveUp, IdempotencyInProgress, ReadingEnded, VersionConflict
from core.events import Event
from core.ports import Clock, SimulationClock, WallClock
from core.repositories import jobs
from core.repositories.jobs import Claim, Ticket
from core.settings import Settings
from core.telemetry import span
from core.unit_of_work import EXPECTED, UnitOfWork, run_unit_of_work, snapshot
from workers.queue import QUEUES, REDIS_ERRORS, JobQueue

if TYPE_CHECKING:
    from core.database import Database

T = TypeVar("T")
log = structlog.get_logger("jobs")

TRANSIENT: tuple[type[BaseException], ...] = (
    *EXPECTED,
    *REDIS_ERRORS,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    IdempotencyInProgress,
    ReadingEnded,
    VersionConflict,
)
"""Errors that another try may not meet. Anything else goes to the dead letters at once."""

HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
"""A running job without a sign of life for this long counts as lost."""


class Cancelled(Exception):
    """Somebody asked to cancel this run; raised at a chunk's border."""


class Wait(Exception):
    """The job cannot go on yet: run it again after `seconds`. It costs no attempt."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(slots=True)
class JobContext:
    """What a job function gets beside its input."""

    database: Database
    settings: Settings
    clock: Clock
    queue: JobQueue | None = None
    claim: Claim | None = None
    """None when a cron or the replay calls the function without a row in `job_run`."""
    cancel_requested: bool = False

    @property
    def is_last_try(self) -> bool:
        """Whether a failure of this attempt ends the run; without a row in `job_run` every run is the only one."""
        return self.claim is None or self.claim.attempt >= self.claim.max_attempts

    async def run(self, use_case: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run a use case in a transaction of its own."""
        request_id = f"job:{self.claim.run_id}" if self.claim else "cron"
        return await run_unit_of_work(self.database, use_case, clock=self.clock, request_id=request_id)

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[UnitOfWork]:
        """Read for as long as it takes, all as of one instant."""
        async with snapshot(
            self.database, self.clock, request_id=f"job:{self.claim.run_id if self.claim else 0}"
        ) as uow:
            yield uow

    async def progress(self, done: int, total: int) -> None:
        """Between chunks: say how far the run is, and raise Cancelled when somebody asked for that."""
        if self.claim is None:
            return
        claimed = self.claim

        async def save(uow: UnitOfWork) -> bool:
            uow.announce(_event(claimed.run_id, claimed.function, "running", done=done, total=total))
            return await jobs.save_progress(uow.sql, claimed, {"done": done, "total": total})

        if await self.run(save) or self.cancel_requested:
            raise Cancelled


JobFunction = Callable[[JobContext, dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """A function that workers can run; `timeout` and `delay` in seconds."""

    name: str
    function: JobFunction
    queue: str
    timeout: float
    attempts: int
    delay: float

    def delay_after(self, attempt: int) -> float:
        """Growing wait before the next try: delay x 4 per attempt, at most a minute."""
        return min(60.0, self.delay * 4 ** min(attempt - 1, 10))


REGISTRY: dict[str, Job] = {}


def job(
    *, queue: str = "fast", timeout: float = 30, attempts: int = 5, delay: float = 0.5
) -> Callable[[JobFunction], JobFunction]:
    """Register an idempotent function as a job under its own name."""
    if queue not in QUEUES:
        raise ValueError(f"There is no queue {queue!r}.")

    def register(function: JobFunction) -> JobFunction:
        name = getattr(function, "__name__", "")
        REGISTRY[name] = Job(name, function, queue, timeout, attempts, delay)
        return function

    return register


def clock_of(settings: Settings) -> Clock:
    """Wall time, or the simulated instant of a replay stack."""
    return SimulationClock() if settings.simulated_clock else WallClock()


def _event(run_id: int, function: str, state: str, **facts: Any) -> Event:
    payload = {"jobRunId": run_id, "function": function, "state": state, "done": None, "total": None, "error": None}
    return Event("job", state, payload | facts, key=str(run_id))


def _ending(failure: BaseException, task: Job, claimed: Claim) -> tuple[str, float, bool]:
    """How an attempt that failed ends: state, seconds to wait, and whether it is free of charge."""
    if isinstance(failure, Cancelled):
        return "cancelled", 0, False
    if isinstance(failure, Wait):
        return "waiting", failure.seconds, True
    if isinstance(failure, asyncio.CancelledError):
        return "waiting", 0, True
    if isinstance(failure, TRANSIENT) and claimed.attempt < claimed.max_attempts:
        return "waiting", task.delay_after(claimed.attempt), False
    return "dead", 0, False


@dataclass(slots=True)
class JobRunner:
    """Runs the tickets of one worker process and keeps their rows alive."""

    database: Database
    settings: Settings
    queue: JobQueue | None
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}")
    _running: dict[int, tuple[JobContext, asyncio.Task[Any]]] = field(default_factory=dict)

    async def run(self, task: Job, run_id: int, attempt: int) -> str | None:
        """Try a run once; its state afterwards, or None when the ticket was no longer good."""
        clock = clock_of(self.settings)

        async def begin(uow: UnitOfWork) -> Claim | None:
            claimed = await jobs.claim(uow.sql, run_id, attempt, task.name, self.name, task.attempts)
            if claimed:
                uow.announce(_event(run_id, task.name, "running"))
            return claimed

        claimed = await run_unit_of_work(self.database, begin, clock=clock)
        if claimed is None:
            return None
        facts: dict[str, Any] = {"request_id": f"job:{run_id}", "caused_by": claimed.request_id}
        with (
            structlog.contextvars.bound_contextvars(**{name: fact for name, fact in facts.items() if fact}),
            span(f"job {task.name}", "CONSUMER", claimed.traceparent, run=run_id, attempt=claimed.attempt),
        ):
            return await self._hold(task, run_id, clock, claimed)

    async def _hold(self, task: Job, run_id: int, clock: Clock, claimed: Claim) -> str | None:
        context = JobContext(self.database, self.settings, clock, self.queue, claimed)
        work = asyncio.ensure_future(self._work(task, context, claimed))
        self._running[run_id] = (context, work)
        try:
            return await work
        except asyncio.CancelledError:
            if not work.done():
                work.cancel()
                await asyncio.wait([work], timeout=2)
            raise
        finally:
            self._running.pop(run_id, None)

    async def _work(self, task: Job, context: JobContext, claimed: Claim) -> str | None:
        try:
            async with asyncio.timeout(task.timeout):
                result = await task.function(context, claimed.input)
            return await self._finish(task, claimed, result)
        except asyncio.CancelledError as stop:
            with contextlib.suppress(Exception):
                await self._give_back(task, claimed, stop)
            raise
        except Exception as failure:
            return await self._give_back(task, claimed, failure)

    async def _finish(self, task: Job, claimed: Claim, result: Any) -> str | None:
        async def end(uow: UnitOfWork) -> str | None:
            state = await jobs.finish(uow.sql, claimed, result, task.attempts)
            if state:
                uow.announce(_event(claimed.run_id, task.name, state))
            return state

        state = await run_unit_of_work(self.database, end, clock=clock_of(self.settings))
        if state == "waiting":
            await self._wake(Ticket(claimed.run_id, task.name, claimed.queue, claimed.attempt + 1))
        return state

    async def _give_back(self, task: Job, claimed: Claim, failure: BaseException) -> str | None:
        state, delay, free = _ending(failure, task, claimed)
        error = None if isinstance(failure, Cancelled) else f"{type(failure).__name__}: {failure}"[:2000]
        known = isinstance(failure, (*TRANSIENT, GiveUp, DomainError, Cancelled, Wait, asyncio.CancelledError))
        log.log(
            40 if state == "dead" else 20, "job attempt ended", function=task.name, run=claimed.run_id,
            attempt=claimed.attempt, state=state, error=error, exc_info=None if known else failure,
        )  # fmt: skip

        async def end(uow: UnitOfWork) -> Ticket | None:
            ticket = await jobs.give_back(uow.sql, claimed, state, error, delay, free)
            if ticket:
                uow.announce(_event(claimed.run_id, task.name, state, error=error))
            if ticket and state == "dead":
                uow.announce(jobs.job_alarm(claimed.run_id, task.name, error))
            return ticket

        ticket = await run_unit_of_work(self.database, end, clock=clock_of(self.settings))
        if ticket and state == "waiting":
            await self._wake(ticket)
        return state if ticket else None

    async def _wake(self, ticket: Ticket) -> None:
        # A lost wake-up costs seconds, not the run: the sweeper finds waiting rows.
        if self.queue is not None:
            with contextlib.suppress(*REDIS_ERRORS):
                await self.queue.enqueue([ticket])

    async def beat_forever(self) -> None:
        """Heartbeats of all running rows, by wall time; a run that was taken away is stopped."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            held = list(self._running)
            if not held:
                continue
            try:
                alive = await jobs.beat(self.database.system, self.name, held)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as failure:
                log.warning("heartbeat failed", error=str(failure))
                continue
            for run_id in held:
                running = self._running.get(run_id)
                if running is None:
                    continue
                if run_id not in alive:
                    log.warning("run was taken away", run=run_id)
                    running[1].cancel()
                elif alive[run_id]:
                    running[0].cancel_requested = True
