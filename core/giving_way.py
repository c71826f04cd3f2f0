"""Long work of one task in the middle of others: every few milliseconds the loop serves whoever waits."""

from __future__ import annotations

import asyncio
from time import perf_counter

MILLISECONDS = 20.0
"""A task goes on so long without a pause; what the loop does for all others meanwhile is bounded by theirs."""


class GivingWay:
    """Made where a loop over many rows begins, and asked at each of them."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = perf_counter()

    async def between(self) -> None:
        """Go on, or let everybody else go first when this task has had its time."""
        if (perf_counter() - self._since) * 1_000 > MILLISECONDS:
            await asyncio.sleep(0)
            self._since = perf_counter()
