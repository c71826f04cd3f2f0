"""The relay gives every committed fact one position, in order, whatever happens to transactions, relays and Redis."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import redis.asyncio

from core.database import Database
from core.events import Event, JobRequest
from core.repositories.outbox import Moved, move_outbox
from core.settings import Settings
from core.unit_of_work import UnitOfWork, unit_of_work
from workers.relay import Publisher, Relay

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(database_url: str, valkey_url: str) -> Settings:
    return Settings(database_url=database_url, redis_url=valkey_url, pool_size=8, env="test")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with Database(settings) as database:
        yield database


@pytest.fixture
async def stream(settings: Settings) -> AsyncIterator[redis.asyncio.Redis]:
    client = redis.asyncio.Redis.from_url(settings.redis_url)
    yield client
    await client.aclose()


def fact(number: int, sku_id: int = 1) -> Event:
    return Event("order", "PLACED", {"orderId": number}, key=f"order:{number}", sku_id=sku_id, order_id=number)


async def announce(database: Database, *numbers: int) -> None:
    async with unit_of_work(database) as uow:
        for number in numbers:
            uow.announce(fact(number))


async def move(database: Database, limit: int = 2000) -> Moved:
    async with database.system.acquire() as connection, connection.transaction():
        return await move_outbox(connection, limit)


async def events(database: Database) -> list[tuple[int, int]]:
    rows = await database.system.fetch("select position, order_id from event order by position")
    return [(row["position"], row["order_id"]) for row in rows]


async def streamed(stream: redis.asyncio.Redis) -> list[int]:
    return [msgspec.json.decode(entry[1][b"data"])["position"] for entry in await stream.xrange("events")]


async def until(question: Any, seconds: float = 10) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not await question():
        assert asyncio.get_running_loop().time() < end, "not in time"
        await asyncio.sleep(0.02)


async def test_an_early_transaction_that_commits_last_comes_last_and_is_not_lost(database: Database) -> None:
    async with unit_of_work(database) as early:
        early.announce(fact(1))
        await early.flush()  # its outbox id is drawn now
        await announce(database, 2, 3)
        assert [event["order_id"] for event in (await move(database)).events] == [2, 3]
    assert [event["order_id"] for event in (await move(database)).events] == [1]
    assert await events(database) == [(1, 2), (2, 3), (3, 1)]


async def test_an_open_foreign_transaction_holds_nothing_up(database: Database, database_url: str) -> None:
    foreign = await asyncpg.connect(database_url)
    await foreign.execute("begin isolation level repeatable read")
    await foreign.fetchval("select pg_current_xact_id(), count(*) from event")
    await announce(database, 1, 2)
    assert [event["position"] for event in (await move(database)).events] == [1, 2]
    await foreign.close()


async def test_a_rolled_back_fact_leaves_no_gap(database: Database) -> None:
    async def fail() -> None:
        async with unit_of_work(database) as uow:
            uow.announce(fact(1))
            await uow.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await announce(database, 2)
    await move(database)
    assert await events(database) == [(1, 2)]


async def test_what_was_said_before_a_part_failed_stands_and_what_that_part_said_does_not(database: Database) -> None:
    async def fail(uow: UnitOfWork) -> None:
        async with uow.savepoint():
            uow.announce(fact(2))
            uow.audit("part", "x")
            raise RuntimeError

    async with unit_of_work(database) as uow:
        uow.announce(fact(1))
        with pytest.raises(RuntimeError):
            await fail(uow)
    await move(database)
    assert await events(database) == [(1, 1)]
    assert await database.system.fetchval("select count(*) from audit_entry") == 0


async def test_a_version_is_told_once_by_whoever_tells_it(database: Database) -> None:
    def at(version: int, kind: str) -> Event:
        return Event("order", kind, {"version": version}, key="order:1", order_id=1)

    async with unit_of_work(database) as uow:
        uow.announce_version(at(2, "CHANGED"))
        uow.announce(at(2, "HELD"))
        uow.announce_version(at(3, "CHANGED"))
    await move(database)
    rows = await database.system.fetch("select kind, (payload ->> 'version')::int from event order by position")
    assert [tuple(row) for row in rows] == [("HELD", 2), ("CHANGED", 3)]


async def test_moves_at_once_leave_no_gap_and_no_double(database: Database) -> None:
    async def write(first: int) -> None:
        for number in range(first, first + 40):
            await announce(database, number)

    async def relay() -> None:
        while len(await events(database)) < 160:
            await move(database, 7)

    await asyncio.gather(*(write(n * 1000) for n in range(1, 5)), relay(), relay())
    found = await events(database)
    assert [position for position, _ in found] == list(range(1, 161))
    assert sorted(number for _, number in found) == [n * 1000 + i for n in range(1, 5) for i in range(40)]
    for writer in range(1, 5):
        mine = [number for _, number in found if number // 1000 == writer]
        assert mine == sorted(mine)


async def test_a_partition_s_end_is_crossed(database: Database, settings: Settings, stream: Any) -> None:
    await database.system.execute("update relay set position = 999998")
    async with relaying(database, settings):
        await announce(database, 1, 2, 3)
        await until(lambda: database.system.fetchval("select position = 1000001 from relay"))
        await until(lambda: database.system.fetchval("select to_regclass('event_p2') is not null"))
        await until(lambda: newest_is(stream, 1_000_001))


@asynccontextmanager
async def relaying(database: Database, settings: Settings) -> AsyncIterator[None]:
    """A relay works meanwhile."""
    relay = asyncio.create_task(Relay(database, settings).run())
    try:
        yield
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)


async def newest_is(stream: Any, position: int) -> bool:
    found = await stream.xrevrange("events", count=1)
    return bool(found) and found[0][0] == f"{position}-0".encode()


async def test_the_stream_repeats_the_facts(database: Database, settings: Settings, stream: Any) -> None:
    async with relaying(database, settings):
        await announce(database, 7)
        await until(lambda: newest_is(stream, 1))
    entry = msgspec.json.decode((await stream.xrange("events"))[0][1][b"data"])
    assert (entry.pop("occurredAt") is not None, entry) == (
        True,
        {
            "position": 1,
            "topic": "order",
            "kind": "PLACED",
            "key": "order:7",
            "skuId": 1,
            "orderId": 7,
            "customerId": None,
            "supplierId": None,
            "channel": None,
            "payload": {"orderId": 7},
            "traceparent": None,
            "epoch": 1,
        },
    )


async def test_a_wiped_stream_is_filled_again_from_the_log(database: Database, settings: Settings, stream: Any) -> None:
    async with relaying(database, settings):
        await announce(database, 1, 2, 3)
        await until(lambda: newest_is(stream, 3))
        await stream.flushall()
        await until(lambda: newest_is(stream, 3))  # without any new fact
        assert await streamed(stream) == [1, 2, 3]
        await stream.flushall()
        await announce(database, 4)
        await until(lambda: newest_is(stream, 4))


async def test_a_repeat_is_refused_by_the_stream(database: Database, settings: Settings, stream: Any) -> None:
    await announce(database, 1, 2, 3)
    moved = await move(database)
    publisher = Publisher(settings, stream)
    for _ in range(2):
        await publisher.add(moved.events, moved.epoch)
    assert await streamed(stream) == [1, 2, 3]


async def test_a_stream_of_another_database_is_begun_anew(database: Database, settings: Settings, stream: Any) -> None:
    await stream.xadd("events", {"data": b"{}"}, id="900-0")
    await announce(database, 1, 2)
    await move(database)
    await Publisher(settings, stream).catch_up(database.system)
    assert await streamed(stream) == [1, 2]


async def test_positions_go_on_while_redis_is_away(database: Database, settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": "unix:///nowhere/valkey.sock"})
    async with relaying(database, away):
        async with unit_of_work(database) as uow:
            uow.announce(fact(1))
            uow.enqueue(JobRequest("nap", "k", {"a": 1}))
        await until(lambda: database.system.fetchval("select position = 2 from relay"))
    row = await database.system.fetchrow("select function, key, input, state, requests from job_run")
    assert tuple(row) == ("nap", "k", {"a": 1}, "waiting", 1)


async def test_requests_for_work_that_waits_are_counted(database: Database) -> None:
    for number in range(2):
        async with unit_of_work(database) as uow:
            uow.enqueue(JobRequest("nap", "k", {"n": number}))
            uow.enqueue(JobRequest("nap", "other"))
        async with unit_of_work(database) as uow:
            uow.enqueue(JobRequest("nap", "k", {"n": number + 10}))
        await move(database)
    rows = await database.system.fetch("select key, requests, input from job_run order by key")
    assert [tuple(row) for row in rows] == [("k", 4, {"n": 11}), ("other", 2, {})]


async def test_work_that_was_asked_of_the_wrong_workers_goes_to_the_right_ones(database: Database) -> None:
    for queue in ("fast", "bulk"):
        async with unit_of_work(database) as uow:
            uow.enqueue(JobRequest("nap", "k", queue=queue))
        await move(database)
    assert await database.system.fetchval("select queue from job_run") == "bulk"


async def test_requests_of_one_key_lose_no_part_of_their_input(database: Database) -> None:
    for sku_ids in ([5, 7], [5, 9]):
        async with unit_of_work(database) as uow:
            uow.enqueue(JobRequest("raise_purchase_request", "sku:5:2", {"skuIds": sku_ids}))
    async with unit_of_work(database) as uow:
        uow.enqueue(JobRequest("raise_purchase_request", "sku:5:2", {"skuIds": [5, 11]}))
        uow.enqueue(JobRequest("raise_purchase_request", "sku:5:2", {"skuIds": []}))
    await move(database, 3)
    await announce(database, 1)
    async with unit_of_work(database) as uow:
        uow.enqueue(JobRequest("raise_purchase_request", "sku:5:2", {"skuIds": [13, 5]}))
    await move(database)
    row = await database.system.fetchrow("select requests, input from job_run")
    assert (row["requests"], sorted(row["input"]["skuIds"])) == (5, [5, 7, 9, 11, 13])


def start_relay(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "workers.relay"], env=environment, cwd=ROOT, stderr=subprocess.DEVNULL
    )


async def test_two_relays_under_kill_9_publish_everything_once(
    database: Database, settings: Settings, stream: Any
) -> None:
    """Killed at any line, also between commit and XADD: the next one tells what was not told."""
    relays = [start_relay(settings), start_relay(settings)]
    total = 0
    try:
        for round_ in range(6):
            for number in range(50):
                await announce(database, round_ * 100 + number)
                total += 1
            victim = relays.pop(0)
            victim.send_signal(signal.SIGKILL)
            victim.wait(10)
            relays.append(start_relay(settings))
        await until(lambda: database.system.fetchval("select position = $1 from relay", total))
        await until(lambda: newest_is(stream, total))
    finally:
        for relay in relays:
            relay.send_signal(signal.SIGKILL)
            relay.wait(10)
    assert await streamed(stream) == list(range(1, total + 1))
    assert sorted(number for _, number in await events(database)) == sorted(
        r * 100 + n for r in range(6) for n in range(50)
    )
    assert await database.system.fetchval("select count(*) from outbox") == 0


async def test_a_relay_killed_between_commit_and_telling_leaves_nothing_untold(
    database: Database, settings: Settings, stream: Any
) -> None:
    async with unit_of_work(database) as uow:
        uow.announce(fact(1))
        uow.enqueue(JobRequest("nap", "k"))
    await move(database)  # committed, and then nobody told anybody
    await database.system.execute("update job_run set updated_at = now() - interval '5 seconds'")
    async with relaying(database, settings):
        await until(lambda: newest_is(stream, 2))
        await until(lambda: database.system.fetchval("select state = 'queued' from job_run"))
    assert await stream.zcard("backorder:fast") == 1
