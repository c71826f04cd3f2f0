"""What many streams of one process would do alike for one event is done once: a read, and the answer made of it.

Nothing is kept beyond its use: a read is joined only while it is under way and only when it began after the event
that asks was known, so no reader gets a state from before that event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

TRIES = 3
"""So many reads a reader joins that others have begun."""


@dataclass(eq=False, slots=True)
class SharedRead:
    """What was read, and the results that were made of it, by everything they depend on."""

    value: Any
    results: dict[Hashable, Awaitable[Any]] = field(default_factory=dict)


class ReadsUnderWay:
    """Reads that others may join. `head` says which position the process has handed on."""

    def __init__(self, head: Callable[[], int]) -> None:
        self._head = head
        self._going: dict[Hashable, tuple[int, asyncio.Future[SharedRead]]] = {}

    async def join(self, key: Hashable, position: int, read: Callable[[], Awaitable[Any]]) -> SharedRead:
        """The outcome of `read`, which has begun at `position` or later; readers with equal keys share it.

        A reader that is cancelled leaves the read to the others. When the read fails, those who joined it join another,
        up to TRIES in all: one lost connection does not end a thousand streams, and where nothing can be read a thousand
        do not try one after the other.
        """
        tries = 0
        while True:
            tries += 1
            begun = self._going.get(key)
            is_mine = begun is None or begun[0] < position
            if begun is None or is_mine:
                work = asyncio.ensure_future(_read(read))
                begun = self._going[key] = (max(position, self._head()), work)
                work.add_done_callback(lambda done: self._forget(key, done))
            try:
                return await asyncio.shield(begun[1])
            except Exception:
                if is_mine or tries == TRIES:
                    raise

    def _forget(self, key: Hashable, done: asyncio.Future[SharedRead]) -> None:
        known = self._going.get(key)
        if known is not None and known[1] is done:
            del self._going[key]
        if not done.cancelled():
            done.exception()  # it was told to those who waited, if anybody still did


async def _read(read: Callable[[], Awaitable[Any]]) -> SharedRead:
    return SharedRead(await read())


async def once(shared: SharedRead, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
    """The result for `key` of what was read, made by the first who asks."""
    going = shared.results.get(key)
    if going is None:
        going = shared.results[key] = asyncio.ensure_future(make())
    return await asyncio.shield(going)
