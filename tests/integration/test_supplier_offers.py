"""Suppliers and what they offer, made by a planner: a second source of a SKU, chosen between with the first."""

from __future__ import annotations

import pytest

from core.domain.access import Role
from tests.integration.test_supplier_portal import Portal, day

pytestmark = pytest.mark.anyio

SOURCES = """query($need: Date!) { sourcingOptions(sku: "S", quantity: 20, needDate: $need) {
    options { supplier { code } moq leadTimeP80 } plan { supplier { code } } } }"""
OFFERS = """query { supplier(code: "NEW") { offers {
    sku { code } vendorCode moq leadTimeP80 isPreferred price { amountMinor currency } } } }"""


async def test_a_planner_makes_a_supplier_and_its_offers(world):
    portal = Portal(world)
    planner = portal.caller(Role.PLANNER)
    made = {"code": "NEW", "name": "New works", "timeZone": "Asia/Tokyo", "calendar": "DAILY"}
    assert (await portal.change(planner, "supplierCreate", made, "supplier { code }"))["userErrors"] == []
    for wrong in (
        {"code": "NEW"},
        {"code": "a b"},
        {"code": "N2", "timeZone": "Mars"},
        {"code": "N2", "location": "A"},
    ):
        refused = await portal.change(planner, "supplierCreate", {**made, **wrong}, "supplier { code }")
        assert [error["code"] for error in refused["userErrors"]] == ["INVALID_INPUT"], wrong
    offer = {"supplier": "NEW", "sku": "S", "vendorCode": "N-1"}
    refused = await portal.change(planner, "supplierTermsSet", offer, "supplier { code }")
    assert "a price and a lead time" in refused["userErrors"][0]["message"]
    terms = {**offer, "priceMinor": 650, "leadTimeDays": 5, "leadTimeP80": 6, "moq": 4, "orderMultiple": 4}
    assert (await portal.change(planner, "supplierTermsSet", terms, "supplier { code }"))["userErrors"] == []
    assert (await portal.ask(planner, OFFERS))["supplier"]["offers"] == [
        {
            "sku": {"code": "S"},
            "vendorCode": "N-1",
            "moq": 4,
            "leadTimeP80": 6,
            "isPreferred": False,
            "price": {"amountMinor": 650, "currency": "KRW"},
        }
    ]
    found = (await portal.ask(planner, SOURCES, need=day(7).isoformat()))["sourcingOptions"]
    assert {source["supplier"]["code"] for source in found["options"]} == {"SUP", "NEW"}
    assert [part["supplier"]["code"] for part in found["plan"]] == ["NEW"]


async def test_a_first_offer_is_preferred_and_buys_what_waits(world):
    await world.database.system.execute(
        "delete from supplier_sku where sku_id = (select id from sku where code = 'S2')"
    )
    await world.place(world.order(("S2", 3)))
    portal = Portal(world)
    terms = {"supplier": "SUP2", "sku": "S2", "priceMinor": 9, "leadTimeDays": 5}
    planner = portal.caller(Role.PLANNER)
    assert (await portal.change(planner, "supplierTermsSet", terms, "supplier { code }"))["userErrors"] == []
    assert await world.value("select is_preferred from supplier_sku where price = 9") is True
    asked = "select count(*) from outbox where job = 'raise_purchase_request' and payload::text like '%skuIds%'"
    assert await world.value(asked) >= 1
    change = {"supplier": "SUP2", "sku": "S2", "leadTimeDays": 9, "currency": "EUR"}
    refused = await portal.change(planner, "supplierTermsSet", change, "supplier { code }")
    assert "another currency needs another supplier" in refused["userErrors"][0]["message"]
