"""Suppliers and what they offer, made by a planner: a second source of a SKU, chosen between with the first."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.access import Role
from core.errors import InvalidInput
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.set_supplier_terms import SupplierTerms, set_supplier_terms
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


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"lead_time_days": 3_651}, "leadTimeDays"),
    ({"lead_time_p80": 2_147_483_647}, "leadTimeP80"),
    ({"expedite_days": 4_000}, "expediteDays"),
    ({"moq": 1_000_000_001}, "moq"),
    ({"order_multiple": 0}, "orderMultiple"),
    ({"price": 1_000_000_000_001}, "priceMinor"),
    ({"expedite_fee": -1}, "expediteFeeMinor"),
    ({"vendor_code": "x" * 81}, "vendorCode"),
    ({"vendor_code": "a\x00b"}, "vendorCode"),
    ({"breaks": [(n, 1) for n in range(2, 103)]}, "priceBreaks"),
    ({"breaks": [(1_000_000_001, 1)]}, "priceBreaks"),
]


async def test_terms_that_no_order_could_rest_on_are_refused(world):
    before = await world.rows("select * from supplier_sku order by supplier_id, sku_id")
    for wrong, field in WRONG:
        terms = SupplierTerms("SUP", "S", **wrong)
        with pytest.raises(InvalidInput) as refused:
            await world.do(lambda uow, terms=terms: set_supplier_terms(uow, terms))
        assert refused.value.path == ("input", field), wrong
    assert await world.rows("select * from supplier_sku order by supplier_id, sku_id") == before
    longest = SupplierTerms("SUP", "S", lead_time_days=3_650, vendor_code="x" * 80)
    await world.do(lambda uow: set_supplier_terms(uow, longest))
    (placed,) = await world.place(world.order(("S", 5)))
    assert placed.number is not None


async def test_a_newly_agreed_lead_time_counts_at_once_while_nothing_calibrates(world):
    portal = Portal(world)
    planner = portal.caller(Role.PLANNER)
    sku_id = await world.sku("S")
    figures = f"select lead_time_p80, agreed_lead_time_p80 as agreed from supplier_sku where sku_id = {sku_id}"
    await world.database.system.execute("update supplier_sku set agreed_lead_time_p80 = 14, lead_time_p80 = 20")

    async def agree(**terms):
        done = await portal.change(
            planner, "supplierTermsSet", {"supplier": "SUP", "sku": "S", **terms}, "supplier { code }"
        )
        assert done["userErrors"] == []
        return await world.rows(figures)

    assert await agree(leadTimeP80=40) == [{"lead_time_p80": 20, "agreed": 40}], (
        "what is observed stays until the next run"
    )
    await world.database.system.execute(
        """insert into policy (code, value) values ('lead_time_calibration', '{"isOn": false}')"""
    )
    assert await agree(priceMinor=5) == [{"lead_time_p80": 20, "agreed": 40}]
    assert await agree(leadTimeP80=45) == [{"lead_time_p80": 45, "agreed": 45}]
    assert await agree(leadTimeDays=50) == [{"lead_time_p80": 50, "agreed": 50}]


CHOICE = """query($need: Date!) { sourcingOptions(sku: "S", quantity: 20, needDate: $need) {
    total { currency } uncompared { code } options { supplier { code } }
    plan { supplier { code } unitPrice { amountMinor currency } orderPrice { amountMinor currency } } } }"""


async def test_sources_in_another_currency_are_compared_at_the_rates_that_planners_keep(world):
    portal = Portal(world)
    planner = portal.caller(Role.PLANNER)
    terms = {"supplier": "SUP2", "sku": "S", "priceMinor": 40, "currency": "USD", "leadTimeDays": 10, "leadTimeP80": 14}
    await portal.change(planner, "supplierTermsSet", terms, "supplier { code }")
    need = day(30).isoformat()
    found = (await portal.ask(planner, CHOICE, need=need))["sourcingOptions"]
    assert ([s["code"] for s in found["uncompared"]], len(found["options"])) == (["SUP2"], 1)
    rates = {"code": "exchange_rates", "value": '{"USD": 1500, "KRW": 1}'}
    assert (await portal.change(planner, "policyChange", rates, "policy { code }"))["userErrors"] == []
    found = (await portal.ask(planner, CHOICE, need=need))["sourcingOptions"]
    assert (found["uncompared"], len(found["options"]), found["total"]["currency"]) == ([], 2, "KRW")
    assert found["plan"] == [
        {
            "supplier": {"code": "SUP2"},
            "unitPrice": {"amountMinor": 600, "currency": "KRW"},
            "orderPrice": {"amountMinor": 40, "currency": "USD"},
        }
    ]
    await world.place(world.order(("S", 10)))
    sku_id = await world.sku("S")
    (po,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    order = "select o.currency, l.price from purchase_order o join purchase_order_line l on l.purchase_order_id = o.id"
    assert await world.rows(f"{order} where o.id = $1", po) == [{"currency": "USD", "price": 40}]
    short = {"sku": "S", "location": "A", "quantity": 5, "needDate": need, "mostMinor": 3_100}
    bought = await portal.change(planner, "emergencyPurchase", short, "purchaseOrders { number }")
    assert bought["userErrors"] == []
    assert await world.rows(f"{order} order by o.id desc limit 1") == [{"currency": "USD", "price": 40}]
