"""How many WebSockets and event streams are open, in all and per credential."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from core.domain.access import Principal

OPEN = Gauge("backorder_open_connections", "WebSockets and event streams that are open", multiprocess_mode="livesum")


COLLECT_EVERY = 1_000
"""What a server keeps of a connection is tied in cycles, and old by the time it closes: the collector, which looks at
old objects rarely, is told to look after so many."""
COLLECT_SECONDS = 60.0
"""And no more often than this: a look holds up every caller of the process."""


class TooManyConnections(Exception):
    """This process, or this credential, has as many streams open as it may."""


class ConnectionCount:
    """Counts what is open; a cap that is reached refuses the next one and leaves the others alone."""

    def __init__(self, limit: int, limit_per_key: int) -> None:
        self._limit = limit
        self._limit_per_key = limit_per_key
        self._total = 0
        self._closed = 0
        self._next_collection = 0.0
        self._by_key: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many are open."""
        return self._total

    def open(self) -> None:
        """Count a connection until `close`; raises TooManyConnections."""
        if self._total >= self._limit:
            raise TooManyConnections(f"This server has its {self._limit} connections; try again later.")
        self._total += 1
        OPEN.set(self._total)

    def close(self) -> None:
        """A connection that `open` counted has ended."""
        self._total -= 1
        OPEN.set(self._total)
        self._closed += 1
        loop = asyncio.get_running_loop()
        if self._closed >= COLLECT_EVERY and loop.time() >= self._next_collection:
            self._closed, self._next_collection = 0, loop.time() + COLLECT_SECONDS
            loop.call_later(1.0, gc.collect)

    def enter(self, caller: Principal | None) -> None:
        """Count an open connection as one of a known caller until `leave`; raises TooManyConnections."""
        key = _key(caller)
        if key and self._by_key[key] >= self._limit_per_key:
            raise TooManyConnections(f"This credential has its {self._limit_per_key} connections open.")
        self._by_key[key] += 1

    def leave(self, caller: Principal | None) -> None:
        """A connection that `enter` counted has ended."""
        key = _key(caller)
        self._by_key[key] -= 1
        if not self._by_key[key]:
            del self._by_key[key]

    @contextmanager
    def one_of(self, caller: Principal | None) -> Iterator[None]:
        """Count a connection of a known caller while it is open; raises TooManyConnections."""
        self.open()
        try:
            self.enter(caller)
            try:
                yield
            finally:
                self.leave(caller)
        finally:
            self.close()


def _key(caller: Principal | None) -> str:
    return "" if caller is None else caller.credential_id or caller.id
