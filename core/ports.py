"""Protocols for outside help that core calls, each with its everyday implementation."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from core.domain.access import Principal
from core.events import Event, JobRequest


class Clock(Protocol):
    """Where "now" comes from. Rules never call it: they get the instant as an argument."""

    async def now(self, sql: Any) -> datetime:
        """The present instant, aware, UTC. `sql` is the connection of the unit of work."""
        ...


class WallClock:
    """The machine's clock."""

    async def now(self, sql: Any) -> datetime:
        return datetime.now(UTC)


class SimulationClock:
    """The row of `simulation_clock`: a replay stack lives at the instant that the replay sets."""

    async def now(self, sql: Any) -> datetime:
        at = await sql.fetchval("select simulated_at from simulation_clock")
        return at if at is not None else datetime.now(UTC)


class Transaction(Protocol):
    """What repositories and services see of a unit of work; `sql` is its asyncpg connection."""

    sql: Any
    now: datetime
    principal: Principal
    request_id: str

    def announce(self, event: Event) -> None: ...

    def announce_version(self, event: Event) -> None: ...

    def enqueue(self, request: JobRequest) -> None: ...

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...

    def audit(
        self, operation: str, object_: str, before: Any = None, after: Any = None, request_id: str | None = None
    ) -> None: ...
