"""One API process for a benchmark, and a connection that sends ready bytes: nothing but the server is measured."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from pathlib import Path

import psutil

from core.domain.access import Role
from core.settings import Settings
from workers.commands.local_keys import local_keys, utc_now

ROOT = Path(__file__).resolve().parents[3]


class ApiProcess:
    """One API process on a free port, with a token for a storefront; `settings` go into its environment."""

    def __init__(self, folder: Path, dsn: str, redis_url: str, **settings: str) -> None:
        self._folder, self._dsn, self._redis, self._settings = folder, dsn, redis_url, settings
        self.port = 0
        self.token = ""

    async def __aenter__(self) -> ApiProcess:
        settings = Settings()
        keys = local_keys(self._folder, "development")
        self.token = keys.token(
            Role.STOREFRONT, subject="bench", issuer=settings.jwt_issuer, audience=settings.jwt_audience, now=utc_now()
        )
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # as `up` does: a handed-over socket has Nagle on
        self.port = listener.getsockname()[1]
        environment = {
            **os.environ,
            **keys.environment,
            "PYTHONPATH": str(ROOT),
            "ENV": "development",
            "DATA_DIR": str(self._folder),
            "DATABASE_URL": self._dsn,
            "REDIS_URL": self._redis,
            **self._settings,
        }
        self._log = (self._folder / "api.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--fd", str(listener.fileno()),
            "--loop", "uvloop", "--http", "api.transport.reading:HttpProtocol", "--ws", "api.transport.reading:WebSocketProtocol",
            "--no-access-log", cwd=ROOT, env=environment, stdout=self._log, stderr=self._log,
            pass_fds=(listener.fileno(),),
        )  # fmt: skip
        listener.close()
        for _ in range(200):
            if await self._is_ready():
                return self
            await asyncio.sleep(0.1)
        await self.__aexit__()
        raise RuntimeError(f"The API does not start: {(self._folder / 'api.log').read_text()[-500:]}")

    def cpu_seconds(self) -> float:
        """What the process has used of a core so far: it does not move with what else the machine does."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def memory_bytes(self) -> int:
        """What the process alone occupies (unique set size)."""
        return psutil.Process(self._process.pid).memory_full_info().uss

    async def _is_ready(self) -> bool:
        try:
            caller = await Connection.open(self.port)
        except OSError:
            return False
        try:
            await caller.send(b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return False
        finally:
            caller.close()
        return True

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()
        self._log.close()


class Connection:
    """One keep-alive connection that sends ready bytes and reads the body of the answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> bytes:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None, head
        return await self._reader.readexactly(int(length.group(1)))

    def close(self) -> None:
        self._writer.close()
