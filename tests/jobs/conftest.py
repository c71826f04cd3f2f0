"""A relay and workers as real processes on a database and a Valkey of the test."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.database import Database
from core.events import JobRequest
from core.settings import Settings
from core.unit_of_work import unit_of_work

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).parent / "worker_under_test.py"


@dataclass
class Stack:
    """Starts processes against one database and one Redis, and asks the database what became of the work."""

    settings: Settings
    database: Database
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        variables = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "DATA_DIR": str(self.folder),
            "ENV": "test",
            "SEAL_KEY": "key of a test",
            **environment,
        }
        with (self.folder / f"process-{len(self.processes)}.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command], env=variables, stdout=output, stderr=output, cwd=ROOT
            )
        self.processes.append(process)
        return process

    def relay(self) -> subprocess.Popen[bytes]:
        return self.start("-m", "workers.relay")

    def worker(self, queue: str = "fast") -> subprocess.Popen[bytes]:
        return self.start(str(WORKER), queue)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("process-*.log")))

    async def ask(self, function: str, key: str = "k", **input: Any) -> None:
        async with unit_of_work(self.database) as uow:
            uow.enqueue(JobRequest(function, key, input))

    async def value(self, query: str, *arguments: Any) -> Any:
        return await self.database.system.fetchval(query, *arguments)

    async def marks(self) -> list[str]:
        rows = await self.database.system.fetch("select object from audit_entry where operation = 'mark' order by id")
        return [row["object"] for row in rows]

    async def run(self) -> dict[str, Any]:
        """The newest run that a test asked for: what the schedule of a worker asks for meanwhile is not looked at."""
        row = await self.database.system.fetchrow("select * from job_run where key <> 'cron' order by id desc limit 1")
        return dict(row) if row else {}

    async def until(self, question: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
        """Wait until `question` answers with something true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if answer := await question():
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: last run {await self.run()}\n{self.logs()[-4000:]}")

    async def until_state(self, state: str, seconds: float = 60) -> dict[str, Any]:
        async def reached() -> dict[str, Any] | None:
            run = await self.run()
            return run if run.get("state") == state else None

        return await self.until(reached, seconds)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(10)


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    return valkey_url


@pytest.fixture
async def stack(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Stack]:
    settings = Settings(database_url=database_url, redis_url=redis_url, data_dir=tmp_path, pool_size=4, env="test")
    async with Database(settings) as database:
        stack = Stack(settings, database, tmp_path)
        try:
            yield stack
        finally:
            stack.stop()
            # What the killed processes left open would keep the pool from closing quietly.
            with_admin = await asyncpg.connect(database_url)
            await with_admin.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
                and application_name not like 'backorder-bm%'"""
            )
            await with_admin.close()
