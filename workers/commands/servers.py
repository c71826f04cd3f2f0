"""The two servers a stack stands on: those of the environment, or private ones that are watched and restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.embedded import PostgresHandle, ValkeyHandle, start_postgres, start_valkey
from core.errors import EmbeddedServerError

Handle = TypeVar("Handle", PostgresHandle, ValkeyHandle)
WATCH_SECONDS = 0.2
LONGEST_DELAY = 15.0


class PrivateServers:
    """Private PostgreSQL and Valkey of one data folder. A server that dies is started again on the same socket."""

    def __init__(self, data_dir: Path, say: Callable[[str], None]) -> None:
        self._data_dir = data_dir
        self._say = say
        self._starting: list[asyncio.Future[object]] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._stopping = False
        self.postgres: PostgresHandle | None = None
        self.valkey: ValkeyHandle | None = None

    async def start_postgres(self) -> PostgresHandle:
        self.postgres = await self._in_thread(lambda: start_postgres(self._data_dir), "postgres")
        return self.postgres

    async def start_valkey(self) -> ValkeyHandle:
        self.valkey = await self._in_thread(lambda: start_valkey(self._data_dir), "valkey")
        return self.valkey

    @property
    def pids(self) -> dict[str, int]:
        handles = {"postgres": self.postgres, "valkey": self.valkey}
        return {name: handle.pid for name, handle in handles.items() if handle is not None and handle.is_alive()}

    def watch(self) -> None:
        """From now on restart either server when it dies."""
        for name in ("postgres", "valkey"):
            if getattr(self, name) is not None:
                self._watchers.append(asyncio.create_task(self._keep(name), name=f"keep-{name}"))

    async def stop(self) -> None:
        """Valkey first, then PostgreSQL; also what a start that was interrupted brought up meanwhile."""
        self._stopping = True
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, *self._starting, return_exceptions=True)
        for handle in (self.valkey, self.postgres):
            if handle is not None:
                await asyncio.to_thread(handle.stop)

    async def _in_thread(self, start: Callable[[], Handle], name: str) -> Handle:
        """A start cannot be cancelled half way: it runs on, and `stop` waits for it and stops its result."""

        async def run() -> Handle:
            handle = await asyncio.to_thread(start)
            setattr(self, name, handle)
            return handle

        task = asyncio.ensure_future(run())
        self._starting.append(task)  # pyright: ignore[reportArgumentType]
        task.add_done_callback(lambda done: self._starting.remove(done))  # pyright: ignore[reportArgumentType]
        return await asyncio.shield(task)

    async def _keep(self, name: str) -> None:
        delay = 0.0
        while not self._stopping:
            await asyncio.sleep(WATCH_SECONDS)
            handle = getattr(self, name)
            if handle.is_alive():
                delay = 0.0
                continue
            self._say(f"{name} (pid {handle.pid}) died; it is started again (log: {self._data_dir / 'log'}/{name}.log)")
            await asyncio.sleep(delay)
            try:
                await (self.start_postgres() if name == "postgres" else self.start_valkey())
            except EmbeddedServerError as error:
                self._say(str(error))
                delay = min(max(1.0, delay * 2), LONGEST_DELAY)
