"""Subscriptions through the schema: facts as they were, objects as they are, resumed by cursor, authorised per event."""

import asyncio
from contextlib import aclosing

import pytest

from api.live import LiveHub
from api.operations import schema
from core.domain.access import Role
from core.repositories.outbox import move_outbox
from core.services.send_purchase_order import send_purchase_order
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

ORDER_CHANGED = """subscription ($number: String, $after: String) { orderChanged(number: $number, after: $after) {
    cursor kind orderNumber status version quantity promised reason resyncRequired order { number status } } }"""


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


async def relay(shop: Shop) -> None:
    """Move the outbox to the events, as the relay does."""
    async with shop.database.system.acquire() as sql, sql.transaction():
        moved = await move_outbox(sql)
    async with asyncio.timeout(30):
        while shop.hub.position < moved.head:  # type: ignore[attr-defined]
            await asyncio.sleep(0.02)


def caller(shop: Shop, context):
    context.hub = shop.hub  # type: ignore[attr-defined]
    return context


async def take(shop: Shop, context, document: str, count: int, during=None, **variables):
    """The first `count` events of a subscription; `during` runs once it is open."""
    stream = await schema.subscribe(document, variable_values=variables, context_value=caller(shop, context))
    found = []

    async def read():
        async with aclosing(stream):
            async for result in stream:
                assert result.errors is None, result.errors
                found.append(next(iter(result.data.values())))
                if len(found) == count:
                    return

    hub, before = shop.hub, len(shop.hub._all())  # type: ignore[attr-defined]
    reader = asyncio.create_task(read())
    async with asyncio.timeout(30):
        while len(hub._all()) == before and not reader.done():
            await asyncio.sleep(0.01)
    if during is not None:
        await during()
    await asyncio.wait_for(reader, 30)
    return found


async def test_an_order_is_watched_cut_and_resumed_with_nothing_lost(shop: Shop):
    order = (await shop.place("MINSEO", ("MUG-BLUE", 1)))["order"]
    await relay(shop)
    planner = shop.context(Role.PLANNER)

    async def hold():
        await shop.change(
            shop.context(Role.ADMIN), "orderHold", {"number": order["number"], "reason": "FRAUD"}, "order { id }"
        )
        await relay(shop)

    (held,) = await take(shop, planner, ORDER_CHANGED, 1, hold, number=order["number"])
    assert (held["kind"], held["orderNumber"], held["reason"]) == ("HELD", order["number"], "FRAUD")
    assert (held["resyncRequired"], held["version"]) == (False, order["version"] + 1)
    assert held["order"]["number"] == order["number"]
    await shop.change(shop.context(Role.ADMIN), "orderHoldRelease", {"number": order["number"]}, "order { id }")
    await relay(shop)
    resumed = await take(
        shop, shop.context(Role.PLANNER), ORDER_CHANGED, 1, after=held["cursor"], number=order["number"]
    )
    assert [event["kind"] for event in resumed] == ["RELEASED"]


async def test_a_customer_is_told_of_its_own_orders_only(shop: Shop):
    async def place():
        await shop.place("BAKER", ("MUG-BLUE", 1), country="GB")
        await shop.place("MINSEO", ("MUG-BLUE", 1))
        await relay(shop)

    events = await take(shop, await shop.customer("MINSEO"), ORDER_CHANGED, 2, place)
    mine = await shop.ask(await shop.customer("MINSEO"), "{ orders(first: 5) { nodes { number } } }")
    (number,) = [node["number"] for node in mine["orders"]["nodes"]]
    assert {event["orderNumber"] for event in events} == {number}
    assert events[0]["kind"] == "PLACED"


async def test_backorders_are_filtered_and_carry_their_facts(shop: Shop):
    async def place():
        await shop.place("MINSEO", ("TEAPOT-1L", 50))
        await shop.place("MINSEO", ("KETTLE-17", 17))
        await relay(shop)

    (event,) = await take(
        shop,
        shop.context(Role.PLANNER),
        """subscription { backorderChanged(filter: { sku: "KETTLE-17", isOpen: true }) {
            kind backorderId state quantity expected backorder { id sku { code } } } }""",
        1,
        place,
    )
    assert (event["kind"], event["quantity"]) == ("OPENED", 9)
    assert event["backorder"] == {"id": event["backorderId"], "sku": {"code": "KETTLE-17"}}
    assert event["expected"] > NOW.date().isoformat()


async def test_availability_is_a_state_whose_version_never_goes_back(shop: Shop):
    async def place():
        for _ in range(3):
            await shop.place("MINSEO", ("MUG-BLUE", 1))
            await relay(shop)

    document = """subscription ($after: String) { availabilityChanged(skus: ["MUG-BLUE"], channel: "web", after: $after) {
        cursor resyncRequired availability { version availableNow sku { code } } } }"""
    storefront = shop.context(Role.STOREFRONT)
    (before,) = (await shop.ask(storefront, '{ availability(skus: ["MUG-BLUE"], channel: "web") { availableNow } }'))[
        "availability"
    ]
    (first,) = await take(shop, shop.context(Role.STOREFRONT), document, 1, place)
    assert first["availability"]["sku"] == {"code": "MUG-BLUE"}
    later = await take(shop, shop.context(Role.STOREFRONT), document, 1, place, after=first["cursor"])
    assert int(later[-1]["availability"]["version"]) > int(first["availability"]["version"])
    assert later[-1]["availability"]["availableNow"] < before["availableNow"]


async def test_an_order_of_others_cannot_be_watched(shop: Shop):
    order = (await shop.place("BAKER", ("MUG-BLUE", 1), country="GB"))["order"]
    context = caller(shop, await shop.customer("MINSEO"))
    result = await schema.subscribe(ORDER_CHANGED, variable_values={"number": order["number"]}, context_value=context)
    failures = [one async for one in result] if hasattr(result, "__aiter__") else [result]
    assert [error.original_error.code for one in failures for error in one.errors] == ["NOT_FOUND"]


async def test_a_supplier_is_told_of_an_order_from_the_moment_it_is_sent(shop: Shop):
    planner, supplier = shop.context(Role.PLANNER), await shop.supplier("BRIGHTWORKS")
    wanted = {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]}
    document = "subscription { purchaseOrderChanged { purchaseOrderNumber status purchaseOrder { number } } }"
    numbers = []

    async def work():
        for _ in range(2):
            made = await shop.change(planner, "purchaseOrderCreate", wanted, "purchaseOrder { number }")
            numbers.append(made["purchaseOrder"]["number"])
        await shop.change(planner, "purchaseOrderCancel", {"number": numbers[0]}, "purchaseOrder { number }")
        id = await shop.database.system.fetchval("select id from purchase_order where number = $1", numbers[1])
        await shop.database.system.execute("update purchase_order set status = 'APPROVED' where id = $1", id)
        await run_unit_of_work(shop.database, lambda uow: send_purchase_order(uow, id), clock=shop.clock)
        await relay(shop)

    (event,) = await take(shop, supplier, document, 1, work)
    assert event == {
        "purchaseOrderNumber": numbers[1],
        "status": "SENT",
        "purchaseOrder": {"number": numbers[1]},
    }


RISK_CHANGED = """subscription ($skus: [String!], $atLeast: Float) { riskChanged(skus: $skus, atLeast: $atLeast) {
    kind probability previous resyncRequired risk { probability isShort sku { code } location { code } } } }"""


async def test_a_risk_that_moves_is_told_from_score_to_subscriber(shop: Shop):
    pytest.importorskip("sklearn")
    from workers.job import JobContext
    from workers.jobs.score_changed_risk import score_changed_risk
    from workers.jobs.score_risk import score_risk

    worker = JobContext(shop.database, shop.settings, shop.clock)
    await shop.database.system.execute("""insert into policy (code, value) values ('risk', '{"actAbove": 0.01}')""")
    await shop.place("MINSEO", ("KETTLE-17", 1))
    await score_risk(worker, {})
    await relay(shop)

    async def go_short():
        await shop.place("MINSEO", ("MUG-BLUE", 200))  # nobody asked about these
        await shop.place("MINSEO", ("KETTLE-17", 17))
        await score_changed_risk(worker, {})
        await relay(shop)

    (told,) = await take(shop, shop.context(Role.PLANNER), RISK_CHANGED, 1, go_short, skus=["KETTLE-17"], atLeast=0.01)
    assert (told["kind"], told["resyncRequired"]) == ("RISEN", False)
    assert told["probability"] > told["previous"]
    assert told["risk"]["probability"] == told["probability"]
    assert (told["risk"]["sku"]["code"], told["risk"]["isShort"]) == ("KETTLE-17", True)
