"""The course of a backorder comes to rest: buying and searching do not undo each other."""

from collections.abc import AsyncIterator

import pytest

from core.domain.access import Principal, Role
from core.services.allocate_waiting import allocate_waiting
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.run_backorder_course import run_backorder_course
from core.unit_of_work import unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

SYSTEM = Principal("jobs", Role.SYSTEM)

FACTS = """select (select count(*) from backorder_event) as events,
    (select array_agg(version order by sku_id, id) from backorder) as backorders,
    (select array_agg(version order by sku_id, id) from order_line) as lines,
    (select array_agg(version order by id) from sales_order) as orders,
    (select count(*) from supply) as supplies, (select count(*) from promise) as promises,
    (select count(*) from purchase_order) as purchases"""


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    async with open_shop(database_url) as shop:
        yield shop


async def one_round(shop: Shop, sku_id: int) -> None:
    """What the jobs do that the course and its changes ask for."""
    for job in (run_backorder_course, raise_purchase_requests, allocate_waiting):
        async with unit_of_work(shop.database, shop.clock, SYSTEM, "") as uow:
            await job(uow, [sku_id])


async def test_the_order_of_the_guide_comes_to_rest(shop):
    sku_id = await shop.id_of("sku", "KETTLE-17")
    document = """mutation ($input: OrderPlaceInput!, $key: String!) { orderPlace(input: $input, idempotencyKey: $key) {
        order { number } userErrors { code } } }"""
    order = {
        "channel": "web",
        "externalNumber": "W-1001",
        "shipTo": {"country": "KR", "postalCode": "04524"},
        "lines": [{"sku": "KETTLE-17", "quantity": 30}],
    }
    placed = await shop.ask(shop.context(Role.STOREFRONT), document, input=order, key="cart-4711")
    assert placed["orderPlace"]["userErrors"] == []
    seen = None
    for _ in range(3):
        await one_round(shop, sku_id)
        seen = dict(await shop.database.system.fetchrow(FACTS))
    await one_round(shop, sku_id)
    assert dict(await shop.database.system.fetchrow(FACTS)) == seen
