"""PostgreSQL cannot be reached just now: what says so, and how long anybody waits for an answer of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg

T = TypeVar("T")

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection says that was cut in the middle of an answer
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    OSError,
)
"""Failures of a connection: a stream waits for the next one rather than ending."""

LOOK_SECONDS = 5.0
"""Who is refused anyway, or only asks whether PostgreSQL is there, waits no longer."""
LEAVE_SECONDS = 1.0
"""Given to work that was stopped to put its things away; a connection that does not answer is not waited for."""


def is_away(error: BaseException) -> bool:
    """Does a failure mean that PostgreSQL is away, rather than that it was asked something wrong."""
    return isinstance(error, AWAY) and not isinstance(error, asyncpg.DataError)


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; TimeoutError after `seconds`, however long it then takes to let go of its connection.

    A driver that is cancelled asks the server to stop, and waits for that as long as for the answer itself.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(_forget)
            await asyncio.wait({task}, timeout=LEAVE_SECONDS)
    raise TimeoutError


def _forget(done: asyncio.Task[Any]) -> None:
    """What became of work that nobody waits for any more."""
    if not done.cancelled():
        done.exception()
