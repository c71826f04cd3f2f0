"""What is told of a shipment by the API: no instant that cannot be, and nothing else than what stands once it left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.domain.access import Role
from core.services.plan_shipments import plan_shipments
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio
SHIPMENT = "shipment { status carrier trackingNumber shippedAt deliveredAt }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def planned(shop: Shop) -> str:
    """Number of a planned shipment of two mugs."""
    order = (await shop.place("MINSEO", ("MUG-BLUE", 2)))["order"]["number"]
    order_id = await shop.database.system.fetchval("select id from sales_order where number = $1", order)
    await run_unit_of_work(shop.database, lambda uow: plan_shipments(uow, [order_id]), clock=shop.clock)
    return await shop.database.system.fetchval("select number from shipment where order_id = $1", order_id)


async def tell(shop: Shop, name: str, number: str, **more: Any) -> Any:
    """The shipment, or code, path and message of the refusal."""
    done = await shop.change(shop.context(Role.WAREHOUSE), name, {"number": number, **more}, SHIPMENT)
    if not done["userErrors"]:
        return done["shipment"]
    (error,) = done["userErrors"]
    return error["code"], error["path"], error["message"]


def at(shop: Shop, **ahead: float) -> str:
    return (shop.clock.at + timedelta(**ahead)).isoformat()


async def test_nothing_leaves_or_arrives_ahead_of_now_nor_arrives_before_it_left(shop: Shop):
    number, now = await planned(shop), at(shop)
    refused = await tell(shop, "shipmentConfirm", number, shippedAt=at(shop, minutes=6))
    message = f"{at(shop, minutes=6)} is still to come: it is {now}. Say when it was, or nothing for now."
    assert refused == ("INVALID_INPUT", ["input", "shippedAt"], message)
    left = await tell(shop, "shipmentConfirm", number, shippedAt=at(shop, minutes=4))
    assert (left["status"], left["shippedAt"]) == ("SHIPPED", at(shop, minutes=4))
    refused = await tell(shop, "shipmentDeliver", number, deliveredAt=at(shop, minutes=6))
    assert refused[:2] == ("INVALID_INPUT", ["input", "deliveredAt"])
    refused = await tell(shop, "shipmentDeliver", number, deliveredAt=at(shop, minutes=3))
    message = f"Shipment {number} left at {at(shop, minutes=4)}: it cannot have arrived before."
    assert refused == (
        "INVALID_INPUT",
        ["input", "deliveredAt"],
        f"{message} Say a later instant, or none for now.",
    )
    shop.clock.at += timedelta(hours=1)
    assert (await tell(shop, "shipmentDeliver", number))["deliveredAt"] == at(shop)
    assert (await tell(shop, "shipmentDeliver", number, deliveredAt=at(shop)))["deliveredAt"] == at(shop)
    refused = await tell(shop, "shipmentDeliver", number, deliveredAt=at(shop, minutes=-9))
    assert refused[:2] == ("INVALID_INPUT", ["input", "deliveredAt"])
    assert f"'{at(shop)}': this stands" in refused[2]


async def test_of_a_departure_that_a_warehouse_told_by_message_only_the_day_counts(shop: Shop):
    number = await planned(shop)
    await tell(shop, "shipmentConfirm", number)
    await shop.database.system.execute("update shipment set advice = 'W-1' where number = $1", number)
    refused = await tell(shop, "shipmentDeliver", number, deliveredAt=at(shop, hours=-11))  # the evening before
    assert refused[:2] == ("INVALID_INPUT", ["input", "deliveredAt"])
    assert (await tell(shop, "shipmentDeliver", number, deliveredAt=at(shop, hours=-1)))["status"] == "DELIVERED"


async def test_what_has_left_is_confirmed_again_only_as_it_left(shop: Shop):
    number = await planned(shop)
    said = {
        "carrier": "CJ",
        "trackingNumber": "T-1",
        "shippedAt": at(shop),
        "picks": [{"lineNumber": 1, "quantity": 2}],
    }
    first = await tell(shop, "shipmentConfirm", number, **said)
    shop.clock.at += timedelta(hours=1)
    assert await tell(shop, "shipmentConfirm", number) == first
    assert await tell(shop, "shipmentConfirm", number, **said) == first
    for field, other, stands in (
        ("carrier", "DHL", "'CJ'"),
        ("trackingNumber", "T-2", "'T-1'"),
        ("shippedAt", at(shop), f"'{said['shippedAt']}'"),
        ("picks", [{"lineNumber": 99, "quantity": 2}], "['line 1: 2']"),
        ("picks", [{"lineNumber": 1, "quantity": 1}], "['line 1: 2']"),
        ("picks", [{"lineNumber": 1, "quantity": 2, "lot": "L-9"}], "['line 1: 2']"),
        ("picks", [{"lineNumber": 1, "quantity": 2, "serials": ["X", "Y"]}], "'X' not with it on line 1: this stands"),
    ):
        code, path, message = await tell(shop, "shipmentConfirm", number, **{field: other})
        assert (code, path) == ("INVALID_INPUT", ["input", field])
        assert message.startswith(f"Shipment {number} has left already")
        assert stands in message
    assert await tell(shop, "shipmentConfirm", number) == first
