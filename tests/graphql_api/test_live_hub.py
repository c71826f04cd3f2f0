"""The live hub against real PostgreSQL and Valkey: resume across cuts, wiped streams, restored databases, row scope."""

import asyncio
import base64
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLError
from redis.asyncio import Redis

from api.context import Context
from api.live import LiveEvent, LiveFilter, LiveHub, StreamsClosing, encode_cursor
from api.live import subscription as subscription_module
from api.live.hub import RESUMING
from core.database import Database
from core.domain.access import Principal, Role
from core.settings import Settings
from tests.graphql_api.api_under_test import add_events
from workers.relay import Publisher

pytestmark = pytest.mark.anyio

ORDERS = LiveFilter(frozenset({"order"}))


class Stack:
    def __init__(self, settings: Settings, database: Database, redis: Any, sql: asyncpg.Connection) -> None:
        self.settings, self.database, self.redis, self.sql = settings, database, redis, sql
        self.publisher = Publisher(settings, redis)

    async def happen(self, count: int, *, publish: bool = True, **columns: Any) -> list[int]:
        """Append events, and publish them as the relay does."""
        positions = await add_events(self.sql, count, **columns)
        if publish and positions:
            rows = await self.sql.fetch("select * from event where position = any($1) order by position", positions)
            events = [{**dict(row), "payload": {"n": row["position"]}} for row in rows]
            await self.publisher.add(events, await self.sql.fetchval("select epoch from relay"))
        return positions

    @asynccontextmanager
    async def hub(self) -> AsyncIterator[LiveHub]:
        hub = LiveHub(self.database, self.redis, self.settings)
        await hub.start()
        try:
            yield hub
        finally:
            await hub.close()


@pytest.fixture
async def stack(database_url: str, valkey_url: str) -> AsyncIterator[Stack]:
    settings = Settings(env="test", database_url=database_url, redis_url=valkey_url, pool_size=4)
    redis = Redis.from_url(valkey_url, socket_timeout=5)
    sql = await asyncpg.connect(database_url)
    await sql.execute("insert into relay default values on conflict do nothing")
    async with Database(settings) as database:
        yield Stack(settings, database, redis, sql)
    await sql.close()
    await redis.aclose()


async def take(events: AsyncIterator[LiveEvent], count: int, seconds: float = 30) -> list[LiveEvent]:
    async with asyncio.timeout(seconds):
        return [await anext(events) for _ in range(count)]


async def until(hub: LiveHub, position: int) -> None:
    async with asyncio.timeout(30):
        while hub.position < position:
            await asyncio.sleep(0.005)


async def test_live_events_arrive_once_in_order_with_their_facts(stack: Stack) -> None:
    async with stack.hub() as hub:
        subscription = hub.subscribe(ORDERS)
        await stack.happen(3, order_id=7)
        await stack.happen(2, topic="notice")
        await stack.happen(1, order_id=8)
        events = await take(subscription, 4)
    assert [event.position for event in events] == [1, 2, 3, 6]
    assert [event.payload for event in events] == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 6}]
    assert (events[0].order_id, events[3].order_id, events[0].kind) == (7, 8, "PLACED")


async def test_a_hundred_cuts_lose_double_and_reorder_nothing(stack: Stack) -> None:
    """Writers go on while the reader is cut at random and resumes, the stream is wiped, and some is never published."""
    total, chance = 2_000, random.Random(4)

    async def write() -> None:
        written = 0
        while written < total:
            count = min(chance.randrange(1, 40), total - written)
            await stack.happen(count, publish=chance.random() < 0.8)
            written += count
            if chance.random() < 0.15:
                await stack.redis.flushall()
            await asyncio.sleep(0.01)

    seen: list[int] = []
    cursor: str | None = None
    async with stack.hub() as first, stack.hub() as second:
        cursor = first.cursor_at(0)
        writer = asyncio.create_task(write())
        cuts = 0
        while len(seen) < total:
            hub = chance.choice((first, second))
            subscription = hub.subscribe(ORDERS, cursor)
            for _ in range(chance.randrange(1, max(2, total // 100))):
                if len(seen) == total:
                    break
                event = (await take(subscription, 1))[0]
                assert not event.resync_required
                seen.append(event.payload["n"])
                cursor = event.cursor
            await subscription.aclose()
            cuts += 1
        await writer
        assert first._all() == set()
    assert cuts >= 100
    assert seen == list(range(1, total + 1))


async def test_a_stream_wiped_between_publish_and_read_heals(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.hub.HEAD_SECONDS", 60)  # it is the reader that finds the gap
    async with stack.hub() as hub:
        subscription = hub.subscribe(ORDERS)
        await stack.happen(1)
        await take(subscription, 1)
        await stack.happen(5, publish=False)
        await stack.redis.flushall()
        await stack.happen(1)  # a reader that sees 7 after 1 fetches 2..6
        events = await take(subscription, 6, seconds=30)
    assert [event.position for event in events] == [2, 3, 4, 5, 6, 7]


async def test_the_stream_of_another_database_is_not_believed_and_what_was_dropped_is_passed_over(stack: Stack) -> None:
    async with stack.hub() as hub:
        subscription = hub.subscribe(ORDERS)
        stranger = {
            "position": 1,
            "kind": "STRANGER",
            "topic": "order",
            "payload": {},
            "occurred_at": datetime.now(UTC),
        }
        names = ("key", "sku_id", "order_id", "customer_id", "supplier_id", "channel", "traceparent")
        await stack.publisher.add([{**dict.fromkeys(names), **stranger}], epoch=7)
        await asyncio.sleep(0.05)
        await stack.happen(3, publish=False)
        assert [event.kind for event in await take(subscription, 3)] == ["PLACED"] * 3
        async with stack.sql.transaction():  # as if the reader had been away until its partition was gone
            await stack.happen(4, publish=False)
            await stack.sql.execute("delete from event where position in (4, 5, 6, 7)")
        await until(hub, 7)
        await stack.happen(1)
        assert [event.position for event in await take(subscription, 1)] == [8]


async def test_what_was_read_of_a_log_that_began_anew_is_not_handed_on(stack: Stack) -> None:
    async with stack.hub() as hub:
        await stack.happen(4, publish=False)
        await until(hub, 4)
        subscription = hub.subscribe(ORDERS, hub.cursor_at(0))
        await take(subscription, 1)  # three more of the same page wait
        hub._begin_anew(hub.epoch + 1, 0)
        assert (await take(subscription, 1))[0].resync_required
        with pytest.raises(TimeoutError):
            await take(subscription, 1, seconds=0.1)


async def test_a_crowd_that_comes_back_leaves_connections_to_others(stack: Stack) -> None:
    reading, most = 0, 0

    @asynccontextmanager
    async def read() -> AsyncIterator[Any]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        async with stack.database.system.acquire() as connection:
            yield connection
        reading -= 1

    async with stack.hub() as hub:
        await stack.happen(2, publish=False)
        await until(hub, 2)
        crowd = [hub.subscribe(ORDERS, hub.cursor_at(0), read) for _ in range(20)]
        seen = await asyncio.gather(*(take(one, 2) for one in crowd))
    assert {tuple(event.position for event in events) for events in seen} == {(1, 2)}
    assert most <= RESUMING


async def test_without_redis_the_table_alone_keeps_the_stream_going(stack: Stack) -> None:
    broken = Redis.from_url("redis://127.0.0.1:1", socket_timeout=1)
    hub = LiveHub(stack.database, broken, stack.settings)
    await hub.start()
    try:
        subscription = hub.subscribe(ORDERS)
        await stack.happen(3, publish=False)
        assert [event.position for event in await take(subscription, 3, seconds=30)] == [1, 2, 3]
    finally:
        await hub.close()
        await broken.aclose()


async def test_a_subscriber_that_overflows_reads_the_table_instead(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "BUFFER", 10)
    monkeypatch.setattr(subscription_module, "PAGE", 7)
    async with stack.hub() as hub:
        slow = hub.subscribe(ORDERS)
        await stack.happen(100)
        await until(hub, 100)
        assert len(slow._buffer) <= 11
        events = await take(slow, 60)
        await stack.happen(40)
        events += await take(slow, 80)
    assert [event.position for event in events] == list(range(1, 141))


async def test_availability_coalesces_per_sku_and_never_goes_back(stack: Stack) -> None:
    wanted = LiveFilter(frozenset({"availability"}), sku_ids=frozenset({1, 2}), coalesce=True)
    async with stack.hub() as hub:
        start = hub.cursor_at(0)
        lagging = hub.subscribe(wanted)
        for sku in (1, 2, 1, 3, 1):
            await stack.happen(1, topic="availability", sku_id=sku)
        await until(hub, 5)
        live = await take(lagging, 2)
        resumed = await take(hub.subscribe(wanted, start), 2)
    assert [(event.sku_id, event.position) for event in live] == [(2, 2), (1, 5)]
    assert [(event.sku_id, event.position) for event in resumed] == [(2, 2), (1, 5)]


async def test_cursors_that_cannot_be_resumed(stack: Stack) -> None:
    await stack.happen(10, publish=False)
    async with stack.hub() as hub:
        later, beyond = struct.pack(">BIQ", 2, 1, 1), struct.pack(">BIQ", 1, 1, 2**63)
        unknown = [base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in (later, beyond)]
        for bad in ("", "x", "AAAA", "é" * 4, encode_cursor(1, 1) + "AA", "Zm9v" * 20, *unknown):
            with pytest.raises(GraphQLError) as refused:
                hub.subscribe(ORDERS, bad)
            assert refused.value.extensions == {"code": "BAD_USER_INPUT", "argument": "after"}
        await stack.sql.execute("delete from event where position <= 4")
        for cursor in (encode_cursor(2, 5), encode_cursor(1, 99), encode_cursor(1, 3)):
            subscription = hub.subscribe(ORDERS, cursor)
            marker = (await take(subscription, 1))[0]
            positions = await stack.happen(1)
            event = (await take(subscription, 1))[0]
            assert (marker.resync_required, marker.position) == (True, positions[0] - 1)
            assert (event.resync_required, event.position) == (False, positions[0])
            await subscription.aclose()
        edge = await take(hub.subscribe(ORDERS, encode_cursor(1, 4)), 1)
        assert (edge[0].resync_required, edge[0].position) == (False, 5)


@pytest.mark.parametrize("epochs", [1, 0], ids=["in a new epoch", "in the same one"])
async def test_a_restored_database_makes_everybody_resync(stack: Stack, epochs: int) -> None:
    await stack.happen(5)
    async with stack.hub() as hub:
        subscription = hub.subscribe(ORDERS)
        await stack.sql.execute("delete from event where position > 2")
        await stack.sql.execute("update relay set position = 2, epoch = epoch + $1", epochs)
        marker = (await take(subscription, 1, seconds=30))[0]
        await stack.happen(1, publish=False)
        event = (await take(subscription, 1, seconds=30))[0]
    assert (marker.resync_required, marker.cursor) == (True, encode_cursor(1 + epochs, 2))
    assert (event.resync_required, event.position, event.cursor) == (False, 3, encode_cursor(1 + epochs, 3))


async def test_what_was_read_while_the_database_was_restored_is_not_told(stack: Stack) -> None:
    await stack.happen(5)

    @asynccontextmanager
    async def restoring() -> AsyncIterator[Any]:
        async with stack.database.system.acquire() as connection:
            yield connection
        subscription.resync(2, 2)

    async with stack.hub() as hub:
        subscription = hub.subscribe(ORDERS, encode_cursor(1, 0), restoring)
        told = await take(subscription, 1)
        hub.position, hub.epoch = 2, 2
        subscription.offer(replace(told[0], position=3, resync_required=False))
        told += await take(subscription, 1)
    assert [(event.resync_required, event.position) for event in told] == [(True, 2), (False, 3)]


async def test_what_a_filter_says_holds_for_live_and_for_resumed_events_alike(stack: Stack) -> None:
    """The reader of these is that of the system: no row-level security says it for them."""
    wanted: list[tuple[dict[str, Any], list[int]]] = [
        ({"customer_id": 1}, [1, 7]),
        ({"supplier_id": 9}, [3, 7]),
        ({"order_id": 5}, [5, 7]),
        ({"sku_ids": frozenset({4})}, [6, 7]),
        ({"accepts": lambda event: event.position % 2 == 1}, [1, 3, 5, 7]),
    ]
    happened = (
        {"customer_id": 1},
        {"customer_id": 2},
        {"supplier_id": 9},
        {"supplier_id": 8},
        {"order_id": 5},
        {"sku_id": 4},
    )
    async with stack.hub() as hub:
        filters = [LiveFilter(ORDERS.topics, **parts) for parts, _ in wanted]
        live = [hub.subscribe(one) for one in filters]
        for columns in happened:
            await stack.happen(1, publish=False, **columns)
        await stack.happen(1, publish=False, customer_id=1, supplier_id=9, order_id=5, sku_id=4)
        await until(hub, 7)
        resumed = [hub.subscribe(one, encode_cursor(1, 0)) for one in filters]
        for subscriptions in (live, resumed):
            told = [await take(one, len(places)) for one, (_, places) in zip(subscriptions, wanted, strict=True)]
            assert [[event.position for event in events] for events in told] == [places for _, places in wanted]


async def test_a_cursor_of_another_process_that_is_ahead_of_this_hub(stack: Stack) -> None:
    async with stack.hub() as hub:
        await stack.happen(4, publish=False)
        assert hub.position < 4
        subscription = hub.subscribe(ORDERS, encode_cursor(1, 4))
        first = asyncio.create_task(take(subscription, 1))
        await until(hub, 4)
        await stack.happen(1)
        assert [event.position for event in await first] == [5]


@pytest.mark.parametrize("is_resumed", [True, False])
async def test_customers_and_suppliers_get_their_own_events_only(stack: Stack, is_resumed: bool) -> None:
    async with stack.hub() as hub:

        def listen(role: Role, **party: int) -> AsyncIterator[LiveEvent]:
            principal = Principal("p", role, **party)  # type: ignore[arg-type]
            context = Context(stack.database, stack.settings, principal, hub=hub)
            return context.open_live(
                LiveFilter(frozenset({"order", "purchase_order"})), encode_cursor(1, 0) if is_resumed else None
            )

        listeners = [listen(Role.CUSTOMER, customer_id=1), listen(Role.SUPPLIER, supplier_id=9), listen(Role.PLANNER)]
        if is_resumed:
            for party in ({"customer_id": 1}, {"customer_id": 2}, {"supplier_id": 9}):
                await stack.happen(1, **party)
        else:
            waiting = [asyncio.create_task(take(listener, 1)) for listener in listeners[:2]]
            everything = asyncio.create_task(take(listeners[2], 3))
            await asyncio.sleep(0.05)
            for party in ({"customer_id": 2}, {"customer_id": 1}, {"supplier_id": 9}):
                await stack.happen(1, **party)
            assert [(await task)[0].position for task in waiting] == [2, 3]
            assert [event.position for event in await everything] == [1, 2, 3]
            return
        assert (await take(listeners[0], 1))[0].customer_id == 1
        assert (await take(listeners[1], 1))[0].supplier_id == 9
        assert [event.position for event in await take(listeners[2], 3)] == [1, 2, 3]


async def test_draining_ends_streams_so_that_clients_resume(stack: Stack) -> None:
    async with stack.hub() as hub:
        subscription = hub.subscribe(ORDERS)
        waiting = asyncio.create_task(take(subscription, 1))
        await asyncio.sleep(0.01)
        hub.drain()
        with pytest.raises(StreamsClosing):
            await waiting
        with pytest.raises(StreamsClosing):
            hub.subscribe(ORDERS)
