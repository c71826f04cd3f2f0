"""One transaction: its connection, its instant, its caller, and what it announces; a clean exit commits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from core.database import Database
from core.domain.access import SYSTEM, Principal
from core.events import Event, JobRequest
from core.ports import Clock, WallClock
from core.telemetry import span, traceparent

T = TypeVar("T")

EXPECTED = (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError, asyncpg.SerializationError)
"""The only errors after which the whole use case is run again with fresh reads."""
MAX_ATTEMPTS = 4


@dataclass(slots=True)
class UnitOfWork:
    """What a service needs: `sql` is the asyncpg connection inside the transaction, `now` an aware UTC instant."""

    sql: asyncpg.Connection
    now: datetime
    principal: Principal
    request_id: str = ""
    _events: list[Event] = field(default_factory=list)
    _versions: dict[str, Event] = field(default_factory=dict)
    _jobs: list[JobRequest] = field(default_factory=list)
    _audits: list[tuple[str, str, Any, Any, str]] = field(default_factory=list)

    def announce(self, event: Event) -> None:
        """Write `event` with this transaction. Call it only while the gate or row lock of its subject is held."""
        self._events.append(event)

    def announce_version(self, event: Event) -> None:
        """See to it that the version in `event` is told: it is written only when no other event of its key tells it.

        Of several for one key the last counts. Whoever raises a version calls this, so that no client finds one that
        nobody has announced.
        """
        self._versions[event.key] = event

    def enqueue(self, request: JobRequest) -> None:
        """Ask for a job that runs after this transaction has committed."""
        self._jobs.append(request)

    def audit(
        self, operation: str, object_: str, before: Any = None, after: Any = None, request_id: str | None = None
    ) -> None:
        """Record who did what to which object; ids and figures only, no personal data.

        `request_id` names the request where the transaction serves several.
        """
        self._audits.append((operation, object_, before, after, request_id or self.request_id))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail by itself: after an exception nothing of it is written, told, asked for or recorded."""
        kept = list(self._events), dict(self._versions), list(self._jobs), list(self._audits)
        try:
            async with self.sql.transaction():
                yield
        except BaseException:
            self._events, self._versions, self._jobs, self._audits = kept
            raise

    @property
    def is_audited(self) -> bool:
        """Has anything been recorded since the last flush."""
        return bool(self._audits)

    async def flush(self) -> None:
        """Write outbox and audit rows, set based. The unit of work calls it just before the commit."""
        self._events += self._untold()
        if self._events or self._jobs:
            await self._write_outbox()
        if self._audits:
            rows, self._audits = self._audits, []
            await self.sql.execute(
                """insert into audit_entry (at, actor, operation, object, before, after, request_id)
                select $1, $2, u.operation, u.object, u.before, u.after, u.request_id
                from unnest($3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::text[])
                    as u(operation, object, before, after, request_id)""",
                self.now,
                self.principal.id,
                [row[0] for row in rows],
                [row[1] for row in rows],
                [row[2] for row in rows],
                [row[3] for row in rows],
                [row[4] for row in rows],
            )

    def _untold(self) -> list[Event]:
        told = {(event.key, event.payload.get("version")) for event in self._events}
        versions, self._versions = self._versions, {}
        return [event for event in versions.values() if (event.key, event.payload["version"]) not in told]

    async def _write_outbox(self) -> None:
        events, self._events = _coalesce(self._events), []
        jobs, self._jobs = list({(job.function, job.key, repr(job.input)): job for job in self._jobs}.values()), []
        empty = [None] * len(jobs)
        await self.sql.execute(
            """with written as (insert into outbox (topic, kind, key, sku_id, order_id, customer_id, supplier_id, channel, payload,
                job, job_key, job_queue, run_after, occurred_at, request_id, traceparent)
            select u.topic, u.kind, u.key, u.sku_id, u.order_id, u.customer_id, u.supplier_id, u.channel, u.payload,
                u.job, u.job_key, u.job_queue, u.run_after, $14,
                case when u.job is not null then $15 end, $16
            from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::text[], $9::jsonb[], $10::text[], $11::text[], $12::text[], $13::timestamptz[]) with ordinality
                as u(topic, kind, key, sku_id, order_id, customer_id, supplier_id, channel, payload,
                    job, job_key, job_queue, run_after, n)
            order by u.n)
            select pg_notify('outbox', '')""",
            [e.topic for e in events] + ["job_request"] * len(jobs),
            [e.kind for e in events] + ["REQUESTED"] * len(jobs),
            [e.key for e in events] + [job.key for job in jobs],
            [e.sku_id for e in events] + empty,
            [e.order_id for e in events] + empty,
            [e.customer_id for e in events] + empty,
            [e.supplier_id for e in events] + empty,
            [e.channel for e in events] + empty,
            [e.payload for e in events] + [job.input for job in jobs],
            [None] * len(events) + [job.function for job in jobs],
            [None] * len(events) + [job.key for job in jobs],
            [None] * len(events) + [job.queue for job in jobs],
            [None] * len(events) + [job.run_after for job in jobs],
            self.now,
            self.request_id or None,
            traceparent(),
        )


def _coalesce(events: list[Event]) -> list[Event]:
    """Availability facts are states: of several about one SKU only the newest is kept. All others stay."""
    newest: dict[int | None, int] = {}
    for index, event in enumerate(events):
        if event.topic == "availability":
            newest[event.sku_id] = index
    return [e for i, e in enumerate(events) if e.topic != "availability" or newest[e.sku_id] == i]


@asynccontextmanager
async def unit_of_work(
    database: Database, clock: Clock | None = None, principal: Principal = SYSTEM, request_id: str = ""
) -> AsyncIterator[UnitOfWork]:
    """Open one READ COMMITTED transaction as the system role; commit on a clean exit, roll back on an exception."""
    async with database.system.acquire() as connection, connection.transaction():
        uow = UnitOfWork(
            sql=connection,  # type: ignore[arg-type]
            now=await (clock or WallClock()).now(connection),
            principal=principal,
            request_id=request_id,
        )
        yield uow
        await uow.flush()


@asynccontextmanager
async def snapshot(
    database: Database, clock: Clock | None = None, principal: Principal = SYSTEM, request_id: str = ""
) -> AsyncIterator[UnitOfWork]:
    """A unit of work that only reads, every statement as of one instant (REPEATABLE READ); it writes nothing."""
    async with (
        database.system.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield UnitOfWork(
            sql=connection,  # type: ignore[arg-type]
            now=await (clock or WallClock()).now(connection),
            principal=principal,
            request_id=request_id,
        )


async def run_unit_of_work(
    database: Database,
    use_case: Callable[[UnitOfWork], Awaitable[T]],
    *,
    clock: Clock | None = None,
    principal: Principal = SYSTEM,
    request_id: str = "",
) -> T:
    """Run `use_case` in a unit of work; after a deadlock, lock timeout or serialization failure run all of it again.

    Raises the last such error after MAX_ATTEMPTS, and anything else at once.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with span("unit of work", attempt=attempt):
                async with unit_of_work(database, clock, principal, request_id) as uow:
                    return await use_case(uow)
        except EXPECTED:
            if attempt == MAX_ATTEMPTS:
                raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311
    raise AssertionError("unreachable")
