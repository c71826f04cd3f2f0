"""Counts refusals in this process and writes them down every second, so that a flood of them costs one statement."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter as Tally

from core.domain.access import Principal
from core.services.count_denials import Denial

log = structlog.get_logger(__name__)

DENIALS = Tally("backorder_denials", "Root fields that a known caller was refused, by its role", ["role"])
WRITE_SECONDS = 1.0
MAX_KEPT = 10_000
"""Different denials that wait to be written while the database is away; beyond, new ones are only logged."""

Write = Callable[[Mapping[Denial, int]], Awaitable[None]]


class DenialCounter:
    """What `count` was told is written within a second, and at the latest when the process ends."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._counts: Counter[Denial] = Counter()
        self._writer: asyncio.Task[None] | None = None

    def count(self, caller: Principal, operation: str) -> None:
        """One refusal of `operation` to `caller`, now."""
        DENIALS.labels(caller.role.value).inc()
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        denial = (caller.id, caller.role.value, operation, minute)
        if denial not in self._counts and len(self._counts) >= MAX_KEPT:
            log.warning("denial not counted", operation=operation, role=caller.role.value)
            return
        self._counts[denial] += 1
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_soon(), name="denials")

    async def _write_soon(self) -> None:
        while self._counts:
            await asyncio.sleep(WRITE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what has been counted; what cannot be written now waits."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            await self._write(counts)
        except Exception as error:
            self._counts.update(counts)
            log.warning("denials could not be written", error=type(error).__name__, waiting=len(self._counts))

    async def close(self) -> None:
        """Write the rest; called once, when the process ends."""
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        await self.flush()
