"""Orders that arrive together are placed together; each has its own answer, and a bad one hurts only itself."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.access import Principal, Role
from core.errors import IdempotencyMismatch, InvalidInput
from core.services import place_in_groups
from core.services.place_in_groups import MAX_ORDERS, OrderGroups
from core.services.reconcile_stock import recount

pytestmark = pytest.mark.anyio

SHOP, OTHER = Principal("shop", Role.STOREFRONT), Principal("other", Role.STOREFRONT)


def groups_on(world) -> OrderGroups:
    return OrderGroups(world.database, world.clock)


async def place(groups, world, key, *lines, principal=SHOP, **more):
    order = world.order(*lines, customer=None, request_id=f"request-{key}", **more)
    request = {"lines": [list(line) for line in lines]}
    return await groups.place(principal, key, request, order, lambda result: {"number": result.number})


async def test_many_orders_are_few_transactions_and_nothing_is_oversold(world):
    await world.stock(100)
    groups = groups_on(world)
    before = await world.value("select txid_current()")
    placed = await asyncio.gather(*(place(groups, world, f"k{i}", ("S", 1)) for i in range(130)))
    transactions = await world.value("select txid_current()") - before
    assert len({answer.answer["number"] for answer in placed}) == 130
    assert await world.value("select sum(allocated) from order_line") == 100
    assert await world.value("select sum(backordered) from order_line") == 30
    assert transactions < 130 / MAX_ORDERS + 8
    requests = await world.rows("select request_id from audit_entry where operation = 'orderPlace' order by id")
    assert {row["request_id"] for row in requests} == {f"request-k{i}" for i in range(130)}
    assert await world.do(recount) == []


async def test_a_key_is_placed_once_however_often_it_comes(world):
    await world.stock(10)
    groups = groups_on(world)
    placed = await asyncio.gather(*(place(groups, world, "k", ("S", 2)) for _ in range(6)), return_exceptions=True)
    answers = {answer.answer["number"] for answer in placed if not isinstance(answer, BaseException)}
    assert len(answers) == 1
    assert {type(answer).__name__ for answer in placed} == {"Placed"}, "a repetition waits for the answer"
    assert await world.value("select count(*) from sales_order") == 1
    with pytest.raises(IdempotencyMismatch):
        await place(groups, world, "k", ("S", 3))
    other = await place(groups, world, "k", ("S", 3), principal=OTHER)
    assert other.answer["number"] not in answers, "a key belongs to its caller"
    with pytest.raises(InvalidInput):
        await place(groups, world, "", ("S", 1))


async def test_customers_whose_people_have_one_name_share_no_keys(world):
    await world.stock(10)
    groups = groups_on(world)
    anns = [Principal("ann", Role.CUSTOMER, customer_id=id) for id in (1, 2)]
    placed = [await place(groups, world, "k", ("S", 2), principal=ann) for ann in (*anns, *anns)]
    numbers = [answer.answer["number"] for answer in placed]
    assert numbers[:2] == numbers[2:]
    assert numbers[0] != numbers[1]


async def test_what_an_older_version_has_answered_is_not_done_again(world):
    await world.stock(10)
    groups = groups_on(world)
    first = await place(groups, world, "k", ("S", 2))
    async with world.database.system.acquire() as sql:
        await sql.execute("update idempotency set principal = 'shop'")
    assert (await place(groups, world, "k", ("S", 2))).answer == first.answer
    assert await world.value("select count(*) from sales_order") == 1


async def test_a_refused_order_leaves_nothing_and_harms_nobody(world):
    await world.stock(10)
    groups = groups_on(world)
    good, bad, twice = await asyncio.gather(
        place(groups, world, "a", ("S", 1), external_number="X"),
        place(groups, world, "b", ("NOPE", 1)),
        place(groups, world, "c", ("S", 2), external_number="X"),
    )
    assert good.answer["number"] is not None
    assert [error.code for error in bad.refusals] == ["UNKNOWN_SKU"]
    assert [error.code for error in twice.refusals] == ["DUPLICATE_ORDER"], "whoever comes second is told of the first"
    assert [row["key"] for row in await world.rows("select key from idempotency")] == ["a"]
    assert await world.value("select count(*) from sales_order") == 1


async def test_when_a_group_fails_its_orders_run_again_alone(world, monkeypatch):
    await world.stock(10)
    groups = groups_on(world)
    real, sizes = place_in_groups.place_orders, []

    async def brittle(uow, orders):
        sizes.append(len(orders))
        if any(order.external_number == "bad" for order in orders):
            raise RuntimeError("this order breaks everything")
        return await real(uow, orders)

    monkeypatch.setattr(place_in_groups, "place_orders", brittle)
    first = asyncio.create_task(place(groups, world, "warm", ("S", 1)))
    await asyncio.sleep(0)
    wishes = [place(groups, world, f"k{i}", ("S", 1), external_number="bad" if i == 1 else None) for i in range(3)]
    results = await asyncio.gather(first, *wishes, return_exceptions=True)
    assert [isinstance(result, RuntimeError) for result in results] == [False, False, True, False]
    assert sizes == [1, 3, 1, 1, 1]
    assert await world.value("select count(*) from sales_order") == 3


async def test_nobody_waits_long_for_a_group_that_waits_itself(world, monkeypatch):
    await world.stock(10)
    groups, real, go = groups_on(world), place_in_groups.place_orders, asyncio.Event()

    async def stuck(uow, orders):
        if orders[0].external_number == "stuck":
            await go.wait()
        return await real(uow, orders)

    monkeypatch.setattr(place_in_groups, "place_orders", stuck)
    monkeypatch.setattr(place_in_groups, "PATIENCE", 0.02)
    first = asyncio.create_task(place(groups, world, "first", ("S", 1), external_number="stuck"))
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(30):
            placed = await asyncio.gather(*(place(groups, world, f"k{i}", ("S", 1)) for i in range(2)))
        assert not first.done()
    finally:
        go.set()
    assert len({answer.answer["number"] for answer in placed}) == 2
    assert (await first).answer["number"] is not None


async def test_a_caller_that_goes_away_leaves_the_others_alone(world):
    await world.stock(10)
    groups = groups_on(world)
    gone = asyncio.create_task(place(groups, world, "gone", ("S", 1)))
    others = [asyncio.create_task(place(groups, world, f"k{i}", ("S", 1))) for i in range(4)]
    await asyncio.sleep(0)
    gone.cancel()
    assert len({(await other).answer["number"] for other in others}) == 4


async def test_whom_nobody_waits_for_any_more_is_not_placed(world, monkeypatch):
    """A caller that was told of a timeout while its order still waited comes again under another key."""
    await world.stock(10)
    groups, real, go = groups_on(world), place_in_groups.place_orders, asyncio.Event()

    async def slow(uow, orders):
        await go.wait()
        return await real(uow, orders)

    monkeypatch.setattr(place_in_groups, "place_orders", slow)
    first = asyncio.create_task(place(groups, world, "first", ("S", 1)))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await place(groups, world, "late", ("S", 1))
    go.set()
    await first
    await place(groups, world, "again", ("S", 1))
    assert [row["key"] for row in await world.rows("select key from idempotency order by key")] == ["again", "first"]


async def test_when_the_process_stops_everybody_is_told(world, monkeypatch):
    groups, alone = groups_on(world), []

    async def broken(uow, orders):
        if len(orders) > 1:
            raise RuntimeError("together it fails")
        alone.append(orders)
        await asyncio.Event().wait()

    monkeypatch.setattr(place_in_groups, "place_orders", broken)
    monkeypatch.setattr(place_in_groups, "WORTH", 3)
    first = asyncio.create_task(place(groups, world, "warm", ("S", 1)))
    await asyncio.sleep(0)
    wishes = [asyncio.create_task(place(groups, world, f"k{i}", ("S", 1))) for i in range(3)]
    async with asyncio.timeout(30):
        while len(alone) < 2:
            await asyncio.sleep(0.01)
    for task in list(groups._busy):
        task.cancel()
    async with asyncio.timeout(30):
        results = await asyncio.gather(first, *wishes, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 4
