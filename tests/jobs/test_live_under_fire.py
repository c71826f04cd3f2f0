"""Real processes are killed while clients watch: nothing is lost, repeated or reordered on WebSocket and event streams."""

import asyncio
import json
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from api.live import encode_cursor
from core.events import Event
from core.unit_of_work import unit_of_work
from tests.graphql_api.api_under_test import Keys

pytestmark = [pytest.mark.anyio, pytest.mark.long]

ROUNDS, LEAST, READERS, SEED = 3, 300, 3, 20_261_122
WATCH = "subscription ($after: String) { orderChanged(after: $after) { cursor quantity resyncRequired } }"
CUT = (OSError, httpx2.HTTPError, WebSocketException, TimeoutError, json.JSONDecodeError, EOFError)
Seen = tuple[str, int]
Watcher = Callable[[int, str, str], AsyncIterator[Seen]]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _fact(data: Any) -> Seen:
    event = data["orderChanged"]
    assert not event["resyncRequired"]
    return event["cursor"], event["quantity"]


async def over_websocket(port: int, token: str, after: str) -> AsyncIterator[Seen]:
    """Events after a cursor until the connection or the operation ends."""
    async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=["graphql-transport-ws"], open_timeout=5) as wire:  # type: ignore[list-item]
        await wire.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        payload = {"query": WATCH, "variables": {"after": after}}
        while True:
            message = json.loads(await asyncio.wait_for(wire.recv(), 10))
            if message["type"] == "connection_ack":
                await wire.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            elif message["type"] == "next":
                yield _fact(message["payload"]["data"])
            elif message["type"] in ("error", "complete"):
                return


async def over_events(port: int, token: str, after: str) -> AsyncIterator[Seen]:
    """The same as an event stream, resumed as browsers do: the query says nothing of a cursor."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}", "last-event-id": after}
    timeout = httpx2.Timeout(5, read=10)
    async with (
        httpx2.AsyncClient(timeout=timeout) as client,
        client.stream("POST", f"http://127.0.0.1:{port}/graphql", json={"query": WATCH}, headers=headers) as response,
    ):
        if response.status_code != 200:
            raise EOFError
        identity = ""
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                identity = line[4:]
            elif line.startswith("data: ") and line != "data: ":
                cursor, number = _fact(json.loads(line[6:])["data"])
                assert cursor == identity
                yield cursor, number


class Written:
    """How many events there are, and whether more will come."""

    def __init__(self) -> None:
        self.count, self.is_enough, self.is_over = 0, False, False


async def read_all(
    watch: Watcher, written: Written, ports: list[int], token: str, chance: random.Random
) -> tuple[list[int], int]:
    """Read everything over any process, cutting the line at random; what was seen, and how often it was cut."""
    seen: list[int] = []
    cuts, cursor = 0, encode_cursor(1, 0)
    while not written.is_over or len(seen) < written.count:
        try:
            async with aclosing(watch(chance.choice(ports), token, cursor)) as events:  # type: ignore[type-var]
                stop_after = chance.randrange(1, 25)
                async for place, number in events:
                    cursor = place
                    seen.append(number)
                    stop_after -= 1
                    if not stop_after or (written.is_over and len(seen) >= written.count):
                        break
        except CUT:
            await asyncio.sleep(0.1)
        cuts += 1
    return seen, cuts


class Company:
    """Two API processes and two relays that are killed and started again."""

    def __init__(self, stack: Any, key: Path, ports: list[int]) -> None:
        self.stack, self.ports, self.key = stack, ports, key
        self.apis = {port: self.api(port) for port in ports}
        self.relays = [stack.relay(), stack.relay()]

    def api(self, port: int) -> Any:
        command = "-m uvicorn api.app:create_app --factory --no-access-log --log-level warning --host 127.0.0.1 --port"
        return self.stack.start(*command.split(), str(port), LOCAL_KEY_FILE=str(self.key))

    async def ready(self, port: int) -> None:
        async def answers() -> bool:
            try:
                async with httpx2.AsyncClient(timeout=2) as client:
                    return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            except httpx2.HTTPError:
                return False

        await self.stack.until(answers, 400)

    async def end_api(self, port: int, number: signal.Signals) -> None:
        """End one process and wait until its successor serves: the other one is there meanwhile."""
        self.apis[port].send_signal(number)
        await asyncio.to_thread(self.apis[port].wait, 60)
        self.apis[port] = self.api(port)
        await self.ready(port)

    async def kill_leader(self) -> None:
        """The relay that leads dies; the one that waits takes over, and a new one waits."""
        self.relays[0].send_signal(signal.SIGKILL)
        await asyncio.to_thread(self.relays[0].wait, 30)
        self.relays = [self.relays[1], self.stack.relay()]


@pytest.mark.timeout(1500)
async def test_nothing_is_lost_doubled_or_reordered_while_everything_is_killed(stack: Any, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "key.pem")
    company = Company(stack, keys.path, [free_port(), free_port()])
    chance = random.Random(SEED)
    redis = Redis.from_url(stack.settings.redis_url)
    written = Written()

    async def write() -> None:
        facts = {"orderNumber": "SO-1", "status": "VALIDATED", "version": 1}
        while not written.is_enough or written.count < LEAST:
            number = written.count + 1
            async with unit_of_work(stack.database) as uow:
                uow.announce(Event("order", "LINE_CHANGED", {**facts, "quantity": number}, key="order:1"))
            written.count = number
            await asyncio.sleep(0.02)
        written.is_over = True

    async def destroy() -> None:
        for number in range(ROUNDS):
            await company.end_api(company.ports[number % 2], chance.choice([signal.SIGKILL, signal.SIGTERM]))
            await redis.flushall()
            await company.kill_leader()
            await asyncio.sleep(0.5)
        written.is_enough = True

    try:
        await asyncio.gather(*(company.ready(port) for port in company.ports))
        watchers: list[Watcher] = [over_websocket, over_events] * READERS
        reading = [
            asyncio.create_task(read_all(watch, written, company.ports, keys.token("ADMIN"), random.Random(SEED + n)))
            for n, watch in enumerate(watchers)
        ]
        await asyncio.gather(destroy(), write())
        results = await asyncio.wait_for(asyncio.gather(*reading), 400)
    finally:
        await redis.aclose()
    for watch, (seen, cuts) in zip(watchers, results, strict=True):
        assert seen == list(range(1, written.count + 1)), watch
        assert cuts >= 10, watch
    assert sum(cuts for _, cuts in results) >= 100
