"""Subscribers who are to be told the same are told by one read and one answer; others by their own."""

import asyncio

import pytest

from api.live import LiveHub, ReadsUnderWay, StreamsClosing, once
from api.live.sharing import TRIES
from api.operations import schema
from api.resolvers import subscriptions
from api.transport import events as events_module
from api.transport.engine import Engine
from api.transport.request import request_of
from core.domain.access import Role
from core.queries import orders
from tests.graphql_api.schema_under_test import Shop, open_shop
from tests.graphql_api.test_queries_live import relay

pytestmark = pytest.mark.anyio

DOCUMENT = """subscription { availabilityChanged(skus: ["MUG-BLUE"], channel: "web") {
    cursor availability { availableNow version sku { name } } } }"""


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        hub = LiveHub(opened.database, None, opened.settings)
        await hub.start()
        opened.hub = hub  # type: ignore[attr-defined]
        try:
            yield opened
        finally:
            await hub.close()


def counted(monkeypatch, module, name):
    calls = []
    real = getattr(module, name)

    def counting(*arguments, **named):
        calls.append(arguments)
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, counting)
    return calls


async def test_a_change_is_read_once_and_told_to_all_in_their_language(shop: Shop, monkeypatch):
    engine, hub = Engine(schema, shop.settings), shop.hub  # type: ignore[attr-defined]
    request = request_of({"query": DOCUMENT})
    prepared = engine.prepare(request, anonymous=False)

    def stream(role, language):
        context = shop.context(role)
        context.hub, context.language = hub, language
        return engine.stream(request, prepared, context)

    streams = [stream(Role.STOREFRONT, "en") for _ in range(4)]
    streams += [stream(Role.STOREFRONT, "ko"), stream(Role.PLANNER, "en")]
    waiting = [asyncio.create_task(anext(one)) for one in streams]
    async with asyncio.timeout(30):
        while len(hub._all()) < len(streams):
            await asyncio.sleep(0.01)
    reads = counted(monkeypatch, subscriptions, "answers")
    executions = counted(monkeypatch, events_module, "execute_subscription_event")
    await shop.place("MINSEO", ("MUG-BLUE", 1))
    await relay(shop)
    told = [answer.body["data"]["availabilityChanged"] for answer in await asyncio.gather(*waiting)]
    assert (len(reads), len(executions)) == (2, 3)  # storefront and planner; en, ko, and the planner's en
    assert len({event["cursor"] for event in told}) == 1
    assert len({(event["availability"]["availableNow"], event["availability"]["version"]) for event in told}) == 1
    names = [event["availability"]["sku"]["name"] for event in told]
    assert names[:4] == [names[5]] * 4
    assert names[4] != names[0]
    for one in streams:
        await one.aclose()


async def test_a_read_is_joined_only_when_it_began_after_what_is_waited_for():
    head, started, gate = [5], [], asyncio.Event()
    reads = ReadsUnderWay(lambda: head[0])

    async def read():
        started.append(head[0])
        await gate.wait()
        return len(started)

    first = asyncio.create_task(reads.join("a", 5, read))
    also = asyncio.create_task(reads.join("a", 4, read))
    other = asyncio.create_task(reads.join("b", 5, read))
    for _ in range(3):
        await asyncio.sleep(0)
    head[0] = 6
    later = asyncio.create_task(reads.join("a", 6, read))
    for _ in range(3):
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert (await later).value == 3
    assert (await also) is not (await later)
    assert (await other).value == 3
    assert first.cancelled()
    assert started == [5, 5, 6]
    again = await reads.join("a", 1, read)
    assert (again.value, len(started)) == (4, 4)  # nothing is kept once it is there


async def test_a_failed_read_is_its_reader_s_and_the_others_read_again():
    reads, tries = ReadsUnderWay(lambda: 0), []

    async def fail_once():
        tries.append(1)
        await asyncio.sleep(0)
        if len(tries) == 1:
            raise OSError("away")
        return "there"

    found = await asyncio.gather(*(reads.join("a", 0, fail_once) for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in found[:1]] == ["away"]
    assert [shared.value for shared in found[1:]] == ["there"] * 2
    assert len(tries) == 2

    tries.clear()

    async def fail():
        tries.append(1)
        await asyncio.sleep(0)
        raise OSError("away")

    crowd = await asyncio.gather(*(reads.join("a", 0, fail) for _ in range(2_000)), return_exceptions=True)
    assert {str(error) for error in crowd} == {"away"}, "not one of them digs itself in"
    assert len(tries) == TRIES

    async def read():
        return 1

    shared = await reads.join("a", 0, read)
    made = []

    async def make():
        made.append(1)
        return len(made)

    assert await asyncio.gather(*(once(shared, "k", make) for _ in range(3))) == [1, 1, 1]
    assert await once(shared, "other", make) == 2


async def test_a_stream_that_begins_while_the_process_goes_away_is_no_failure(shop: Shop):
    """Clients take the error of an operation for final, and the end of a line for a reason to come again."""
    engine, hub = Engine(schema, shop.settings), shop.hub  # type: ignore[attr-defined]
    request, context = (
        request_of({"query": "subscription { orderChanged { orderNumber } }"}),
        shop.context(Role.PLANNER),
    )
    context.hub = hub
    hub.drain()
    with pytest.raises(StreamsClosing):
        await anext(engine.stream(request, engine.prepare(request, anonymous=False), context))


async def test_a_stream_outlives_postgresql_being_away_for_each_of_its_reads(shop: Shop, monkeypatch):
    engine, hub = Engine(schema, shop.settings), shop.hub  # type: ignore[attr-defined]
    document = "subscription { orderChanged { orderNumber order { number } } }"
    tries: list[str] = []

    def failing(name, real):
        async def sometimes(*arguments, **named):
            tries.append(name)
            if tries.count(name) in (1, 3):
                raise OSError("away")
            return await real(*arguments, **named)

        return sometimes

    monkeypatch.setattr(subscriptions, "answers", failing("answers", subscriptions.answers))
    streams = []
    for text in (DOCUMENT, document):
        request, context = request_of({"query": text}), shop.context(Role.PLANNER)
        context.hub = hub
        streams.append(engine.stream(request, engine.prepare(request, anonymous=False), context))
    waiting = [asyncio.create_task(anext(one)) for one in streams]
    async with asyncio.timeout(30):
        while len(hub._all()) < len(streams):
            await asyncio.sleep(0.01)
    await shop.place("MINSEO", ("MUG-BLUE", 1))
    monkeypatch.setattr("core.queries.orders.orders_by_ids", failing("order", orders.orders_by_ids))
    await relay(shop)
    told = [answer.body for answer in await asyncio.gather(*waiting)]
    assert [list(body) for body in told] == [["data", "extensions"]] * 2
    assert told[1]["data"]["orderChanged"]["order"]["number"] == told[1]["data"]["orderChanged"]["orderNumber"]
    assert (tries.count("answers"), tries.count("order")) == (4, 2)
    for one in streams:
        await one.aclose()
