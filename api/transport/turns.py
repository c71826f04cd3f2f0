"""Turns of those who hold something for a while, the event loop or a thread: between two of them everybody else is served."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

OTHERS = 8
"""Rounds of the loop between two turns: a small request is answered within so many."""


class Turns:
    """Lets one after the other go on, first come first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Return when it is the caller's turn; what it does until its next `await` is the turn."""
        await self._lock.acquire()
        self._pass_on(OTHERS)

    def _pass_on(self, rounds: int) -> None:
        if rounds:
            asyncio.get_running_loop().call_soon(self._pass_on, rounds - 1)
        else:
            self._lock.release()


class OneEach:
    """Lets each caller do one thing at a time: who asks for many waits behind nobody but themselves."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, who: str) -> asyncio.Lock:
        """What `who` holds meanwhile; forgotten as soon as nobody holds it or waits for it."""
        return self._locks.setdefault(who, asyncio.Lock())
