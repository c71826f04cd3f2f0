"""Two web processes behind one port: keys are idempotent over both, streams agree, and one may die before it replies."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from migrations.demo_data import seed
from tests.graphql_api.api_under_test import Keys
from tests.graphql_api.schema_under_test import NOW
from workers.relay import Relay

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
PLACE = """mutation ($key: String!) { orderPlace(idempotencyKey: $key, input: { channel: "web", customer: { code: "MINSEO" },
    shipTo: { country: "KR", postalCode: "04524" }, lines: [{ sku: "MUG-BLUE", quantity: 1 }] }) {
    order { id number version } userErrors { code } } }"""
WATCH = "subscription { orderChanged { cursor kind orderNumber } }"


@asynccontextmanager
async def two_processes(environment: dict[str, str], log: Path) -> AsyncIterator[str]:
    """The address of one listening socket that two children serve, as `up --workers 2` has it."""
    with socket.socket() as listener, log.open("wb") as output:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        command = [
            sys.executable, "-m", "uvicorn", "--factory", "tests.graphql_api.mortal_api:make", "--fd", str(listener.fileno()),
            "--http", "api.transport.reading:HttpProtocol", "--ws", "api.transport.reading:WebSocketProtocol",
            "--no-access-log", "--log-level", "warning",
        ]  # fmt: skip
        children = [
            subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno()], stderr=output)
            for _ in range(2)
        ]
        try:
            async with asyncio.timeout(150):
                while log.read_bytes().count(b'"event": "ready"') < 2:
                    assert [child.poll() for child in children] == [None, None], log.read_text()[-2000:]
                    await asyncio.sleep(0.2)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for child in children:
                child.kill()
                child.wait()


async def processes_of(url: str, wanted: int) -> set[str]:
    """The processes that answer, once so many do."""
    seen: set[str] = set()
    async with asyncio.timeout(60):
        while len(seen) < wanted:
            answers = await asyncio.gather(*(_fresh(url, "GET", "/healthz") for _ in range(6)), return_exceptions=True)
            seen |= {one.headers["x-process"] for one in answers if isinstance(one, httpx2.Response)}
    return seen


async def _fresh(url: str, method: str, path: str, **more: Any) -> httpx2.Response:
    """One request on a connection of its own, so that any process may take it."""
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        return await client.request(method, path, **more)


@asynccontextmanager
async def watching(url: str, headers: dict[str, str]) -> AsyncIterator[tuple[str, Any]]:
    """A stream: the process that serves it, and a coroutine function for its next event."""
    stream = {**headers, "accept": "text/event-stream"}
    async with (
        httpx2.AsyncClient(base_url=url, timeout=30) as client,
        client.stream("POST", "/graphql", json={"query": WATCH}, headers=stream) as response,
    ):
        lines = response.aiter_lines()

        async def following() -> Any:
            async for line in lines:
                if line.startswith("data: "):
                    return json.loads(line[6:])["data"]["orderChanged"]
            raise AssertionError("the stream ended")

        yield response.headers["x-process"], following


@pytest.mark.long
async def test_two_processes_behind_one_port(database_url: str, valkey_url: str, tmp_path: Path) -> None:
    await seed(database_url, NOW)
    keys = Keys(tmp_path / "key.pem")
    figures = tmp_path / "figures"
    figures.mkdir()
    environment = {
        **os.environ, "ENV": "test", "DATABASE_URL": database_url, "REDIS_URL": valkey_url, "POOL_SIZE": "3",
        "LOCAL_KEY_FILE": str(keys.path), "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(figures),
    }  # fmt: skip
    headers = {"authorization": f"Bearer {keys.token('PLANNER')}"}

    async def place(key: str, url: str, **more: str) -> httpx2.Response:
        body = {"query": PLACE, "variables": {"key": key}}
        return await _fresh(url, "POST", "/graphql", json=body, headers={**headers, **more})

    sql = await asyncpg.connect(database_url)
    count = "select count(*) from sales_order"
    async with two_processes(environment, tmp_path / "log") as url:
        both = await processes_of(url, 2)
        assert len(both) == 2

        # One key, many at once, on both: one order, and nobody is told of another.
        answers = [await asyncio.gather(*(place("one", url) for _ in range(8))), [await place("one", url)]]
        payloads = [answer.json()["data"]["orderPlace"] for group in answers for answer in group]
        numbers = {payload["order"]["number"] for payload in payloads if payload["order"]}
        refused = {error["code"] for payload in payloads for error in payload["userErrors"]}
        assert len(numbers) == 1
        assert refused <= {"IDEMPOTENCY_IN_PROGRESS"}
        assert await sql.fetchval(count) == 1

        await _streams_agree(url, headers, both, place, database_url, valkey_url)
        text = (await _fresh(url, "GET", "/metrics")).text
        found = re.search(r'backorder_graphql_operations_total\{.*outcome="ok",root="orderPlace"\} (\d+)', text)
        assert found is not None
        placed = await sql.fetchval("select count(*) from idempotency where operation = 'orderPlace'")
        assert int(found.group(1)) >= placed  # of both processes

        # One dies between commit and reply: the repeat, served by the other, is answered with what was done.
        with pytest.raises(httpx2.HTTPError):
            await place("two", url, **{"x-die": "1"})
        assert await sql.fetchval(count) == 3
        again = (await place("two", url)).json()["data"]["orderPlace"]
        assert again["userErrors"] == []
        assert await sql.fetchval("select max(number) from sales_order") == again["order"]["number"]
        assert await sql.fetchval(count) == 3
    await sql.close()


async def _streams_agree(
    url: str, headers: dict[str, str], both: set[str], place: Any, database_url: str, valkey_url: str
) -> None:
    """Streams on both processes hear of the same order, whoever placed it, with the same cursor."""
    from contextlib import AsyncExitStack

    from api.live import encode_cursor
    from core.database import Database
    from core.settings import Settings

    settings = Settings(env="test", database_url=database_url, redis_url=valkey_url, pool_size=3)
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        database = await stack.enter_async_context(Database(settings))
        relay = asyncio.create_task(Relay(database, settings).run())
        # From here on, whenever a stream begins: what it missed before is told when it does.
        async with database.system.acquire() as sql:
            head = await sql.fetchrow("select epoch, position from relay")
        headers = {**headers, "last-event-id": encode_cursor(*((1, 0) if head is None else tuple(head)))}
        streams: dict[str, Any] = {}
        while set(streams) != both:
            process, following = await stack.enter_async_context(watching(url, headers))
            streams[process] = following
        number = (await place("three", url)).json()["data"]["orderPlace"]["order"]["number"]
        heard = []
        for following in streams.values():
            event = await following()
            while event["orderNumber"] != number:
                event = await following()
            heard.append(event)
        assert heard[0] == heard[1]
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
