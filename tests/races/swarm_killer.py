"""Who kills processes and ends connections while the swarm works, and who watches the events all the while."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import httpx2

from api.live.cursor import decode_cursor
from workers.commands.stack import Stack


async def back_again(dsn: str, patience: float = 60) -> asyncpg.Connection:
    """A connection, as soon as the server takes one again."""
    end = time.monotonic() + patience
    while True:
        try:
            return await asyncpg.connect(dsn)
        except (OSError, asyncpg.PostgresError):
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)


async def kill(
    stack: Stack,
    dsn: str,
    dice: random.Random,
    until: Callable[[], bool],
    done: Counter[str],
    *,
    servers: bool = False,
    every: float = 2.0,
) -> None:
    """Within every `every` seconds a process dies without a word, or sessions of the database are ended.

    With `servers` PostgreSQL and Valkey die too, each in about one of ten turns.
    """
    while not until():
        await asyncio.sleep(dice.uniform(0.3, 1.0) * every)
        if until():
            return
        if servers and dice.random() < 0.2:
            name = dice.choice(("postgres", "valkey"))
            if name in stack.pids:
                with suppress(ProcessLookupError):
                    os.kill(stack.pids[name], signal.SIGKILL)
                    done[f"{name} killed"] += 1
            continue
        if dice.random() < 0.4:
            names = [name for name in stack.pids if name.startswith(("api", "relay", "worker"))]
            if names:
                with suppress(ProcessLookupError):
                    os.kill(stack.pids[dice.choice(names)], signal.SIGKILL)
                    done["SIGKILLs"] += 1
            continue
        connection = await back_again(dsn)
        try:
            ended = await connection.fetch(
                """select pg_terminate_backend(pid) from (select pid from pg_stat_activity
                where application_name like 'backorder-%' and state is not null order by random() limit $1) x""",
                dice.randint(1, 3),
            )
            done["backends ended"] += len(ended)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            continue  # the server died under it
        finally:
            connection.terminate()


class Watcher:
    """A client of `orderChanged` over server-sent events that resumes after every cut with the last id it has read."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/graphql"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self.positions: list[int] = []
        self.cuts = 0
        self.wrong: list[str] = []
        self._last = ""

    async def watch(self, until: Callable[[], bool]) -> None:
        """Read until told to stop; errors of the line are cuts."""
        body = {"query": "subscription { orderChanged { cursor kind orderNumber version resyncRequired } }"}
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(5, read=20)) as http:
            while not until():
                headers = {**self._headers, **({"Last-Event-ID": self._last} if self._last else {})}
                try:
                    async with http.stream("POST", self._url, json=body, headers=headers) as reply:
                        async for line in reply.aiter_lines():
                            self._take(line)
                            if until():
                                return
                except httpx2.HTTPError:
                    self.cuts += 1
                await asyncio.sleep(0.2)

    def _take(self, line: str) -> None:
        if not line.startswith("data:") or not line[5:].strip():
            return
        answer = json.loads(line[5:])
        if answer.get("errors"):
            return  # the line is cut after it, and what was not delivered comes with the next
        event = answer["data"]["orderChanged"]
        if event["resyncRequired"]:
            self.wrong.append(f"resync demanded after {self._last}")
        self._last = event["cursor"]
        self.positions.append(decode_cursor(event["cursor"]).position)
