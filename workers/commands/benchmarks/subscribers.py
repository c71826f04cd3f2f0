"""A thousand WebSocket subscribers of one SKU: from commit to client, memory, and what a connection and a delivery cost.

One API process and one relay on private servers; the clients are sockets that do little but note the time. What was
timed is asserted: every subscriber ends with the newest stock, and no version goes back.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from core.database import Database
from core.embedded import discard_private_data, start_postgres, start_valkey
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from workers.commands.benchmarks.api_process import ROOT, ApiProcess
from workers.commands.benchmarks.availability import COMPANY
from workers.commands.benchmarks.stock_servers import StockServer
from workers.commands.migrate import migrate_database

SUBSCRIBERS = 1_000
WARM = 50
EVENTS = 40
PAUSE_SECONDS = 0.4
"""Between two changes, so that each is delivered alone and not merged with the next."""
AT_A_TIME = 20
"""Connections that are being made at the same moment."""

PING = b"\x89\x04"
"""Head of a ping with four bytes, as both servers send it; these bytes are in no text."""
PONG = bytes([0x8A, 0x84, 0, 0, 0, 0])

DOCUMENT = "subscription($skus: [String!]!) { availabilityChanged(skus: $skus) { cursor availability { availableNow state } } }"


class Subscriber(asyncio.Protocol):
    """One socket: shakes hands, subscribes, and notes when a message came and what it said."""

    def __init__(self, messages: list[bytes], until: bytes) -> None:
        self._messages, self._until = messages, until
        self._buffer = b""
        self._is_open = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.seen: list[tuple[float, int]] = []
        """(when, units available) of each message."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(
            b"GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self._is_open:
            self._buffer += data
            if b"\r\n\r\n" not in self._buffer:
                return
            self._is_open = True
            for message in self._messages:
                self.transport.write(_frame(message))
        ping = data.find(PING)  # who does not answer is cut off: a slow machine takes longer than that
        if ping >= 0:
            self.transport.write(PONG + data[ping + 2 : ping + 6])
        if not self.ready.done():
            self._buffer += data
            if self._until in self._buffer:
                self.ready.set_result(None)
        for found in re.finditer(rb'"availableNow":\s*(\d+)', data):
            self.seen.append((now, int(found.group(1))))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("closed"))


def _frame(payload: bytes) -> bytes:
    """A masked text frame; a mask of zeros leaves the payload as it is."""
    length = len(payload)
    head = bytes([0x81, 0x80 | length]) if length < 126 else bytes([0x81, 0x80 | 126]) + length.to_bytes(2, "big")
    return head + bytes(4) + payload


def measure() -> list[dict[str, Any]]:
    """Rows of the table of figures: latency, memory, connect, delivery."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    try:
        return asyncio.run(_measure(folder))
    finally:
        discard_private_data(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(folder: Path) -> list[dict[str, Any]]:
    bare_memory = await _bare()
    theirs_connect, theirs_delivery = await _strawberry()
    postgres, valkey = start_postgres(folder), start_valkey(folder)
    try:
        await migrate_database(postgres.dsn)
        owner = await asyncpg.connect(postgres.dsn)
        async with owner.transaction():
            await owner.execute(COMPANY)
        await owner.execute("analyze")
        await owner.close()
        settings = Settings(database_url=postgres.dsn, redis_url=valkey.url, env="test", pool_size=2)
        async with (
            ApiProcess(folder, postgres.dsn, valkey.url) as api,
            _relay(folder, postgres.dsn, valkey.url),
            Database(settings) as database,
        ):
            found = await _ours(api, database)
    finally:
        valkey.stop()
        postgres.stop()
    waits = sorted(found["waits"])
    p99 = waits[int(len(waits) * 0.99)]
    return [
        _row(f"commit to client, {SUBSCRIBERS:,} subscribers, p50", statistics.median(waits) * 1e3, "ms", "", None),
        _row(f"commit to client, {SUBSCRIBERS:,} subscribers, p99", p99 * 1e3, "ms", "100 ms", 100.0),
        _row("memory of an idle subscriber", found["memory"] / 1024, "KB", "bare websockets", bare_memory / 1024),
        _row(
            "connect, authenticate, subscribe",
            found["connect"] * 1e3,
            "ms CPU",
            "stock Strawberry",
            theirs_connect * 1e3,
        ),
        _row("a delivery", found["delivery"] * 1e6, "us CPU", "stock Strawberry", theirs_delivery * 1e6),
    ]


def _row(name: str, figure: float, unit: str, yardstick: str, its: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "figure": round(figure, 3),
        "unit": unit,
        "yardstick": yardstick,
        "yardstick_figure": None if its is None else round(its, 3),
        "ratio": None if its is None else round(figure / its, 3),
    }


class _relay:
    """The relay in a process of its own."""

    def __init__(self, folder: Path, dsn: str, redis_url: str) -> None:
        self._log = folder / "relay.log"
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_url,
            "DATA_DIR": str(folder),
        }

    async def __aenter__(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "workers.relay", cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.wait()


def _messages(document: str, authorization: str | None = None) -> list[bytes]:
    payload = {"authorization": authorization} if authorization else {}
    return [
        msgspec.json.encode({"type": "connection_init", "payload": payload}),
        msgspec.json.encode(
            {"id": "1", "type": "subscribe", "payload": {"query": document, "variables": {"skus": ["S1"]}}}
        ),
    ]


async def _connect(port: int, count: int, messages: list[bytes], until: bytes) -> list[Subscriber]:
    loop = asyncio.get_running_loop()
    turn = asyncio.Semaphore(AT_A_TIME)

    async def one() -> Subscriber:
        async with turn:
            _, client = await loop.create_connection(lambda: Subscriber(messages, until), "127.0.0.1", port)
            await asyncio.wait_for(client.ready, 30)
            return client

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def _all_there(port: int) -> None:
    """Wait until the server counts all subscribers: the answer to a connection comes before its subscription runs."""
    for _ in range(600):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        found = re.search(rb"subscribers (\d+)", await reader.read())
        writer.close()
        if found is not None and int(found.group(1)) == SUBSCRIBERS:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not all subscribers are there after a minute")


async def _ours(api: ApiProcess, database: Database) -> dict[str, Any]:
    messages = _messages(DOCUMENT, f"Bearer {api.token}")
    first = b'"connection_ack"'
    clients = await _connect(api.port, WARM, messages, first)
    await asyncio.sleep(1.0)
    memory, cpu = api.memory_bytes(), api.cpu_seconds()
    clients += await _connect(api.port, SUBSCRIBERS - WARM, messages, first)
    await _all_there(api.port)
    made = SUBSCRIBERS - WARM
    connect, memory = (api.cpu_seconds() - cpu) / made, (api.memory_bytes() - memory) / made

    async def change() -> float:
        await run_unit_of_work(database, lambda uow: adjust_stock(uow, AdjustStock("S1", "A", 1, "bench")))
        return time.perf_counter()

    for _ in range(3):
        await change()
        await asyncio.sleep(1.5)
    for client in clients:
        client.seen.clear()
    cpu, idle = api.cpu_seconds(), time.perf_counter()
    committed = []
    for _ in range(EVENTS):
        committed.append(await change())
        await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.sleep(1.5)
    busy = api.cpu_seconds() - cpu
    seconds = time.perf_counter() - idle
    cpu = api.cpu_seconds()
    await asyncio.sleep(2.0)
    busy -= (api.cpu_seconds() - cpu) / 2.0 * seconds  # what it uses while nothing happens
    waits = []
    newest = clients[0].seen[-1][1]
    for client in clients:
        units = [units for _, units in client.seen]
        assert units == sorted(units), "a state went back"
        assert units[-1] == newest, "a subscriber does not know the newest stock"
        first_seen: dict[int, float] = {}
        for at, said in client.seen:
            first_seen.setdefault(said, at)
        for number, at in enumerate(committed):
            known = [seen for said, seen in first_seen.items() if said >= newest - (EVENTS - 1 - number)]
            waits.append(max(0.0, min(known) - at))
    for client in clients:
        client.transport.close()
    return {
        "waits": waits,
        "memory": memory,
        "connect": connect,
        "delivery": busy / sum(len(client.seen) for client in clients),
    }


async def _bare() -> float:
    async with StockServer("bare_websockets") as server:
        clients = await _connect(server.port, WARM, [b"ready"], b"ready")
        memory = server.memory_bytes()
        clients += await _connect(server.port, SUBSCRIBERS - WARM, [b"ready"], b"ready")
        grown = (server.memory_bytes() - memory) / (SUBSCRIBERS - WARM)
        for client in clients:
            client.transport.close()
        return grown


async def _strawberry() -> tuple[float, float]:
    """Seconds of CPU of a connection with its subscription, and of a delivery."""
    delivered = 0
    async with StockServer("strawberry") as server:
        messages = _messages(DOCUMENT)
        clients = await _connect(server.port, WARM, messages, b"connection_ack")
        cpu = server.cpu_seconds()
        clients += await _connect(server.port, SUBSCRIBERS - WARM, messages, b"connection_ack")
        await _all_there(server.port)
        connect = (server.cpu_seconds() - cpu) / (SUBSCRIBERS - WARM)
        cpu = server.cpu_seconds()
        for number in range(EVENTS):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"POST /tell?number={number} HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
            await asyncio.sleep(PAUSE_SECONDS)
        for _ in range(600):
            delivered = sum(len(client.seen) for client in clients)
            if delivered == EVENTS * SUBSCRIBERS:
                break
            await asyncio.sleep(0.1)
        assert delivered == EVENTS * SUBSCRIBERS, "not every subscriber was told of every event"
        for client in clients:
            client.transport.close()
        return connect, (server.cpu_seconds() - cpu) / delivered
