"""What a warehouse works from: shipments to pack with their address, transfers to send and to receive."""

import pytest

from core.domain.access import Role
from core.services.plan_shipments import plan_shipments
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

SHIPMENTS = """query ($filter: ShipmentFilter) { shipments(first: 9, filter: $filter) { nodes { number status location { code }
    order { number } shipTo { country postalCode name line1 city } lines { quantity } } } }"""
TRANSFERS = """query ($filter: TransferFilter) { transfers(first: 9, filter: $filter) { nodes { id state quantity
    sku { code } fromLocation { code } toLocation { code } } } }"""


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def place_and_plan(shop: Shop) -> tuple[str, str]:
    mine = (await shop.place("MINSEO", ("KETTLE-17", 17)))["order"]
    other = (await shop.place("BAKER", ("MUG-BLUE", 2), country="GB"))["order"]
    ids = [row["id"] for row in await shop.database.system.fetch("select id from sales_order order by id")]
    await run_unit_of_work(shop.database, lambda uow: plan_shipments(uow, ids), clock=shop.clock)
    return mine["number"], other["number"]


async def test_a_warehouse_finds_what_to_pack_and_where_it_goes(shop: Shop):
    mine, other = await place_and_plan(shop)
    warehouse, auditor = shop.context(Role.WAREHOUSE), shop.context(Role.AUDITOR)
    found = (await shop.ask(warehouse, SHIPMENTS, filter={"status": ["PLANNED"]}))["shipments"]["nodes"]
    assert [(s["order"]["number"], [line["quantity"] for line in s["lines"]]) for s in found] == [
        (other, [2]),
        (mine, [8]),
    ]
    address = {"country": "KR", "postalCode": "04524", "name": "A", "line1": "B", "city": "C"}
    assert [s["shipTo"] for s in found] == [{**address, "country": "GB"}, address]
    for given in ({"status": ["SHIPPED"]}, {"location": "NOWHERE"}, {"number": "x"}, {"plannedBefore": "2020-01-01"}):
        assert (await shop.ask(warehouse, SHIPMENTS, filter=given))["shipments"]["nodes"] == [], given
    (one,) = (await shop.ask(warehouse, SHIPMENTS, filter={"orderNumber": mine}))["shipments"]["nodes"]
    assert one["number"] == found[1]["number"]
    assert [s["shipTo"] for s in (await shop.ask(auditor, SHIPMENTS))["shipments"]["nodes"]] == [None, None]
    own = (await shop.ask(await shop.customer("MINSEO"), SHIPMENTS))["shipments"]["nodes"]
    assert [(s["order"]["number"], s["shipTo"]) for s in own] == [(mine, address)]


async def test_an_order_says_where_it_goes_and_a_change_of_it_is_seen(shop: Shop):
    number, _ = await place_and_plan(shop)
    document = "query ($number: String!) { order(number: $number) { shipTo { country name city } } }"
    customer = await shop.customer("MINSEO")
    asked = [(await shop.ask(who, document, number=number))["order"] for who in (customer, shop.context(Role.AUDITOR))]
    assert asked == [{"shipTo": {"country": "KR", "name": "A", "city": "C"}}, {"shipTo": None}]
    moved = {
        "number": number,
        "shipTo": {"country": "KR", "postalCode": "04524", "name": "Z", "line1": "B", "city": "D"},
    }
    changed = await shop.change(
        shop.context(Role.PLANNER), "orderShipToChange", moved, "order { shipTo { name city } }"
    )
    assert changed == {"order": {"shipTo": {"name": "Z", "city": "D"}}, "userErrors": []}


async def test_transfers_that_were_planned_by_themselves_are_found_and_sent(shop: Shop):
    await place_and_plan(shop)
    warehouse = shop.context(Role.WAREHOUSE)
    (planned,) = (await shop.ask(warehouse, TRANSFERS, filter={"state": ["PLANNED"]}))["transfers"]["nodes"]
    assert (planned["quantity"], planned["sku"]["code"], planned["toLocation"]["code"]) == (3, "KETTLE-17", "DC-ICN")
    for given in ({"sku": "MUG-BLUE"}, {"toLocation": planned["fromLocation"]["code"]}, {"state": ["RECEIVED"]}):
        assert (await shop.ask(warehouse, TRANSFERS, filter=given))["transfers"]["nodes"] == [], given
    await shop.change(warehouse, "stockTransferShip", {"id": planned["id"]}, "transfer { state }")
    (sent,) = (await shop.ask(warehouse, TRANSFERS, filter={"fromLocation": planned["fromLocation"]["code"]}))[
        "transfers"
    ]["nodes"]
    assert (sent["id"], sent["state"]) == (planned["id"], "IN_TRANSIT")
