"""Returns, exchanges, inspections, another address, a part of a backorder, a purchase order closed short: by the API."""

import pytest

from core.domain.access import Role
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.plan_shipments import plan_shipments
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

RETURN = """goodsReturn { number quantity condition reason location { code } orderLine { lineNumber shipped }
    replacementLine { lineNumber ordered sku { code } } } order { number returns { number } lines { lineNumber } }"""
LINES = (
    "order { number version lines { lineNumber ordered allocated backordered promise { deliveryDate { promised } } } }"
)


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def shipped(shop: Shop) -> str:
    """An order of two mugs that has left; its number."""
    placed = await shop.place("MINSEO", ("MUG-BLUE", 2))
    number = placed["order"]["number"]
    order_id = await shop.database.system.fetchval("select id from sales_order where number = $1", number)
    await run_unit_of_work(shop.database, lambda uow: plan_shipments(uow, [order_id]), clock=shop.clock)
    shipment = await shop.database.system.fetchval("select number from shipment where order_id = $1", order_id)
    await run_unit_of_work(
        shop.database, lambda uow: confirm_shipments(uow, [ConfirmShipment(shipment)]), clock=shop.clock
    )
    return number


async def test_a_return_is_booked_once_and_inspected(shop: Shop):
    number, warehouse = await shipped(shop), shop.context(Role.WAREHOUSE)
    input = {"number": number, "lineNumber": 1, "quantity": 1, "location": "DC-ICN", "reason": "scratched"}
    done = await shop.change(warehouse, "goodsReturn", input, RETURN, key="back")
    assert done == await shop.change(warehouse, "goodsReturn", input, RETURN, key="back")
    kept = done["goodsReturn"]
    assert (kept["quantity"], kept["condition"], kept["location"]) == (1, "QUARANTINED", {"code": "DC-ICN"})
    assert (kept["orderLine"], kept["replacementLine"]) == ({"lineNumber": 1, "shipped": 2}, None)
    assert done["order"]["returns"] == [{"number": kept["number"]}]
    seen = "query ($n: String!) { order(number: $n) { returns { number location { code } } } }"
    mine, other = await shop.customer("MINSEO"), await shop.customer("BAKER")
    assert len((await shop.ask(mine, seen, n=number))["order"]["returns"]) == 1
    assert (await shop.ask(other, seen, n=number))["order"] is None
    found = {"sku": "MUG-BLUE", "location": "DC-ICN", "accepted": 1, "reason": "a hair"}
    level = await shop.change(warehouse, "goodsInspect", found, "stock { unsellable sku { code } }")
    assert (level["stock"], level["userErrors"]) == ({"unsellable": 0, "sku": {"code": "MUG-BLUE"}}, [])
    again = await shop.change(warehouse, "goodsInspect", found, "stock { unsellable }")
    assert [e["code"] for e in again["userErrors"]] == ["QUANTITY_EXCEEDED"]
    too_many = await shop.change(warehouse, "goodsReturn", {**input, "quantity": 2}, RETURN)
    assert [(e["code"], e["path"]) for e in too_many["userErrors"]] == [("QUANTITY_EXCEEDED", ["input", "quantity"])]
    audited = await shop.database.system.fetch(
        "select operation from audit_entry where operation like 'goods%' order by id"
    )
    assert [row["operation"] for row in audited] == ["goodsReturn", "goodsInspect"]


async def test_an_exchange_answers_with_the_line_that_goes_out(shop: Shop):
    number, warehouse = await shipped(shop), shop.context(Role.WAREHOUSE)
    input = {"number": number, "lineNumber": 1, "quantity": 2, "location": "DC-ICN", "sku": "MUG-WHITE"}
    done = await shop.change(warehouse, "goodsExchange", {**input, "replacementQuantity": 1}, RETURN)
    assert done["userErrors"] == []
    assert done["goodsReturn"]["replacementLine"] == {"lineNumber": 2, "ordered": 1, "sku": {"code": input["sku"]}}
    assert [line["lineNumber"] for line in done["order"]["lines"]] == [1, 2]
    wrong = await shop.change(warehouse, "goodsExchange", {**input, "sku": "NOPE"}, RETURN)
    assert [(e["code"], e["path"]) for e in wrong["userErrors"]] == [("UNKNOWN_SKU", ["input", "sku"])]


async def test_customers_change_the_address_of_their_own_orders(shop: Shop):
    placed = await shop.place("MINSEO", ("MUG-BLUE", 2))
    number = placed["order"]["number"]
    mine, other = await shop.customer("MINSEO"), await shop.customer("BAKER")
    input = {
        "number": number,
        "shipTo": {"country": "KR", "postalCode": "63000", "name": "N", "line1": "1", "city": "J"},
    }
    refused = await shop.change(other, "orderShipToChange", input, LINES)
    assert (refused["order"], [e["code"] for e in refused["userErrors"]]) == (None, ["NOT_FOUND"])
    done = await shop.change(mine, "orderShipToChange", input, LINES)
    assert (done["userErrors"], done["order"]["lines"][0]["allocated"]) == ([], 2)
    nowhere = {"number": number, "shipTo": {"country": "AQ"}}
    refused = await shop.change(mine, "orderShipToChange", nowhere, LINES)
    assert [(e["code"], e["path"]) for e in refused["userErrors"]] == [("INVALID_INPUT", ["input", "shipTo"])]
    kept = await shop.database.system.fetchval(
        "select ship_to ->> 'postalCode' from sales_order where number = $1", number
    )
    assert kept == "63000"


async def test_a_part_of_a_backorder_is_cancelled(shop: Shop):
    placed = await shop.place("MINSEO", ("KETTLE-17", 40))
    backorder, mine = placed["backorders"][0], await shop.customer("MINSEO")
    want = "backorder { state quantity }"
    input = {"id": backorder["id"], "quantity": 3}
    done = await shop.change(mine, "backorderCancel", input, want)
    assert done["backorder"]["quantity"] == backorder["quantity"] - 3
    refused = await shop.change(mine, "backorderCancel", {**input, "quantity": backorder["quantity"]}, want)
    assert [(e["code"], e["path"]) for e in refused["userErrors"]] == [("QUANTITY_EXCEEDED", ["input", "quantity"])]


async def test_a_supplier_closes_only_its_own_purchase_orders(shop: Shop):
    row = await shop.database.system.fetchrow(
        """select p.number, s.code from purchase_order p join supplier s on s.id = p.supplier_id
        where p.status in ('SENT', 'ACKNOWLEDGED', 'PARTIALLY_RECEIVED') order by p.id limit 1"""
    )
    stranger = await shop.database.system.fetchval("select code from supplier where code <> $1 limit 1", row["code"])
    input = {"number": row["number"], "reason": "We do not make it any more."}
    want = "purchaseOrder { number status lines { cancelled } }"
    refused = await shop.change(await shop.supplier(stranger), "purchaseOrderClose", input, want)
    assert (refused["purchaseOrder"], [e["code"] for e in refused["userErrors"]]) == (None, ["NOT_FOUND"])
    done = await shop.change(await shop.supplier(row["code"]), "purchaseOrderClose", input, want)
    assert done["userErrors"] == []
    assert done["purchaseOrder"]["status"] in ("CANCELLED", "CLOSED")
    again = await shop.change(shop.context(Role.PLANNER), "purchaseOrderClose", input, want)
    assert [e["code"] for e in again["userErrors"]] == ["ILLEGAL_TRANSITION"]
