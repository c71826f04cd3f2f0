"""Protocols for outside help that core calls, each with its everyday implementation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol


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
