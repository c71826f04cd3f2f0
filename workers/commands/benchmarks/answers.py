"""Availability of 60 pairs over HTTP, asked again while nothing has changed, beside a route that returns the same bytes.

Compared is the processor time of the serving process per request: the client and the machine's other work do not count.
What was timed is asserted: every answer is the first one, and after a change of stock it is another.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from core.database import Database
from core.domain.access import Role
from core.embedded import discard_private_data, start_postgres, start_valkey
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.manage_api_keys import KeyRequest, create_api_key
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from workers.commands.benchmarks.api_process import ApiProcess, Connection
from workers.commands.benchmarks.availability import COMPANY
from workers.commands.benchmarks.stock_servers import StockServer
from workers.commands.local_keys import local_keys
from workers.commands.migrate import migrate_database

CLIENTS = 64
SECONDS = 6.0
SKUS = [f"S{n}" for n in range(1, 21)]
DOCUMENT = """query($skus: [String!]!) { availability(skus: $skus, channel: "web") {
  sku { code } state availableNow version validUntil
  atp { date quantity } promise { quantity complete deliveryDate { expected } } } }"""


def measure() -> list[dict[str, Any]]:
    """CPU per request of a repeated answer, and requests per second, beside ready bytes."""
    folder = Path(tempfile.mkdtemp(prefix="bm-bench-"))
    try:
        return asyncio.run(_measure(folder))
    finally:
        discard_private_data(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def _measure(folder: Path) -> list[dict[str, Any]]:
    postgres, valkey = start_postgres(folder), start_valkey(folder)
    try:
        await migrate_database(postgres.dsn)
        owner = await asyncpg.connect(postgres.dsn)
        async with owner.transaction():
            await owner.execute(COMPANY)
        await owner.execute("analyze")
        await owner.close()
        settings = Settings(database_url=postgres.dsn, redis_url=valkey.url, env="test", pool_size=2)
        async with ApiProcess(folder, postgres.dsn, valkey.url) as api, Database(settings) as database:
            pepper = local_keys(folder, "development").environment["API_KEY_PEPPER"]
            key = KeyRequest("bench", Role.STOREFRONT, is_publishable=True)
            _, made = await run_unit_of_work(database, lambda uow: create_api_key(uow, key, pepper))
            request = _request(made.key)
            one = await Connection.open(api.port)
            first = await one.send(request)
            assert b'"errors"' not in first, first[:300]
            assert await one.send(request) == first
            one.close()
            ours = await _drive(api, request, first)
            await run_unit_of_work(database, lambda uow: adjust_stock(uow, AdjustStock("S1", "A", 1, "bench")))
            one = await Connection.open(api.port)
            assert await one.send(request) != first, "the answer from before a change was given after it"
            one.close()
    finally:
        valkey.stop()
        postgres.stop()
    kept = folder / "body.json"
    kept.write_bytes(first)
    async with StockServer("ready_bytes", str(kept)) as server:
        theirs = await _drive(server, request, first)
    name = f"availability of 20 SKUs at 3 locations ({len(first):,} bytes), unchanged"
    return [
        {
            "name": f"{name}, {CLIENTS} clients",
            "figure": round(1e6 * ours[1], 1),
            "unit": "us CPU",
            "yardstick": "Starlette, ready bytes",
            "yardstick_figure": round(1e6 * theirs[1], 1),
            "ratio": round(ours[1] / theirs[1], 3),
        },
        {
            "name": "the same, of its requests per second per core",
            "figure": round(1 / ours[1]),
            "unit": "req/s",
            "yardstick": "Starlette, ready bytes",
            "yardstick_figure": round(1 / theirs[1]),
            "ratio": round(theirs[1] / ours[1], 3),
        },
    ]


def _request(token: str) -> bytes:
    body = msgspec.json.encode({"query": DOCUMENT, "variables": {"skus": SKUS}})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _drive(server: ApiProcess | StockServer, request: bytes, expected: bytes) -> tuple[float, float]:
    """(requests per second as seen, seconds of the server's CPU per request)."""

    async def caller(end: float) -> int:
        connection = await Connection.open(server.port)
        count = 0
        try:
            while time.perf_counter() < end:
                answer = await connection.send(request)
                assert answer == expected
                count += 1
        finally:
            connection.close()
        return count

    await asyncio.gather(*(caller(time.perf_counter() + 1.0) for _ in range(CLIENTS)))
    cpu, begun = server.cpu_seconds(), time.perf_counter()
    count = sum(await asyncio.gather(*(caller(begun + SECONDS) for _ in range(CLIENTS))))
    return count / (time.perf_counter() - begun), (server.cpu_seconds() - cpu) / count
