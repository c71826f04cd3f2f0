"""A worker process with jobs of the tests' own: `python worker_under_test.py fast`."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from core.errors import GiveUp
from core.settings import load_settings
from core.unit_of_work import UnitOfWork
from workers import job as runtime
from workers import settings as worker_settings
from workers.job import JobContext, job
from workers.logs import configure_logging

runtime.HEARTBEAT_SECONDS = 0.2
runtime.STALE_SECONDS = 1.5


async def leave_mark(context: JobContext, name: str) -> None:
    """One audit entry per effect: the tests count them."""

    async def write(uow: UnitOfWork) -> None:
        uow.audit("mark", name)

    await context.run(write)


@job(delay=0.05, attempts=3, timeout=30)
async def nap(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Say that it began, sleep, say that it ended."""
    await leave_mark(context, f"{input['name']}:began")
    await asyncio.sleep(input.get("seconds", 0))
    await leave_mark(context, f"{input['name']}:ended")
    return {"name": input["name"]}


@job(delay=0.05, attempts=3)
async def stumble(context: JobContext, input: dict[str, Any]) -> None:
    """Always meets a network that is away."""
    await leave_mark(context, "stumble")
    raise ConnectionResetError("the line is dead")


@job()
async def surrender(context: JobContext, input: dict[str, Any]) -> None:
    raise GiveUp("there is no such thing")


@job()
async def trip(context: JobContext, input: dict[str, Any]) -> None:
    raise KeyError("a bug")


@job(timeout=0.3, attempts=2, delay=0.05)
async def hang(context: JobContext, input: dict[str, Any]) -> None:
    await asyncio.sleep(60)


@job()
async def step(context: JobContext, input: dict[str, Any]) -> None:
    """Many chunks, with progress between them."""
    for done in range(100):
        await context.progress(done, 100)
        await asyncio.sleep(0.1)


@job()
async def hold_on(context: JobContext, input: dict[str, Any]) -> None:
    """Waits until its file is there."""
    if not Path(input["path"]).exists():
        raise runtime.Wait(0.2, "not yet")


if __name__ == "__main__":
    configure_logging(load_settings())
    asyncio.run(worker_settings.serve(sys.argv[1], load_settings()))
