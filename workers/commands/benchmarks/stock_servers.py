"""What ours is compared with, each in a process of its own (`api/commands/yardsticks.py`)."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from types import TracebackType

import psutil

ROOT = Path(__file__).resolve().parents[3]
MODULE = "api.commands.yardsticks"


class StockServer:
    """One of the yardsticks by name, on a free port; `argument` goes to it as STOCK."""

    def __init__(self, name: str, argument: str = "") -> None:
        self._name, self._argument = name, argument
        self.port = 0

    async def __aenter__(self) -> StockServer:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # as `up` does: a handed-over socket has Nagle on
        self.port = listener.getsockname()[1]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            self._name,
            str(listener.fileno()),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STOCK": self._argument},
            pass_fds=(listener.fileno(),),
        )
        listener.close()
        for _ in range(200):
            if await self._answers():
                return self
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{self._name} does not start")

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET /ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(12), 30)
            writer.close()
        except (OSError, TimeoutError):
            return False
        return answer.startswith(b"HTTP/1.1")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._process.terminate()
        await self._process.wait()

    def cpu_seconds(self) -> float:
        """What the process has used of a core so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def memory_bytes(self) -> int:
        """What the process alone occupies (unique set size)."""
        return psutil.Process(self._process.pid).memory_full_info().uss
