"""Redis restarts, or is away for seconds: workers live on and no job is lost."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.embedded import start_valkey

pytestmark = pytest.mark.anyio


@pytest.fixture
def valkey(data_folder: Path) -> Iterator[Any]:
    """A Valkey of this test's own, which it may stop."""
    folder = data_folder / "own"
    server = start_valkey(folder)
    server.stop()
    handles = [start_valkey(folder)]
    yield folder, handles
    handles[-1].stop()


@pytest.fixture
def redis_url(valkey: Any) -> str:
    return valkey[1][0].url


async def test_workers_and_relay_survive_a_restart_of_redis(stack: Any, valkey: Any) -> None:
    folder, handles = valkey
    relay, worker = stack.relay(), stack.worker()
    await stack.ask("nap", name="before")
    await stack.until_state("done")
    await asyncio.to_thread(handles[-1].stop)
    await stack.ask("nap", name="while", key="while")
    await stack.until(lambda: stack.value("select count(*) = 2 from job_run where key <> 'cron'"))
    assert (await stack.run())["state"] == "waiting"
    await asyncio.sleep(2)
    handles.append(await asyncio.to_thread(start_valkey, folder))
    await stack.until_state("done")
    await stack.ask("nap", name="after", key="after")
    await stack.until(lambda: stack.value("select count(*) = 3 from job_run where state = 'done' and key <> 'cron'"))
    assert await stack.marks() == [
        f"{name}:{end}" for name in ("before", "while", "after") for end in ("began", "ended")
    ]
    assert (relay.poll(), worker.poll()) == (None, None)
