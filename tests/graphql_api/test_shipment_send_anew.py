"""What a partner's warehouse lacked of a shipment: a planner sees whose rest it is and asks for it again."""

from __future__ import annotations

import pytest

from core.domain.access import Role
from core.edi.decode_940 import decode_940
from core.edi.reader import read
from core.services.plan_shipments import plan_shipments
from core.services.send_warehouse_release import send_warehouse_release
from core.services.set_aside_rest import set_aside_rest
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio
SHIPMENTS = "query ($n: String!) { order(number: $n) { shipments { number restOf { number } lines { quantity } } } }"


async def test_what_a_warehouse_lacked_is_shown_and_asked_for_again(database_url):
    async with open_shop(database_url) as shop:
        await _ask_again(shop)


async def _ask_again(shop: Shop) -> None:
    sql, planner = shop.database.system, shop.context(Role.PLANNER)

    async def run(use_case):
        return await run_unit_of_work(shop.database, use_case, clock=shop.clock)

    order = (await shop.place("MINSEO", ("MUG-BLUE", 5)))["order"]["number"]
    order_id = await sql.fetchval("select id from sales_order where number = $1", order)
    await run(lambda uow: plan_shipments(uow, [order_id]))
    whole = await sql.fetchrow("select id, number from shipment where order_id = $1", order_id)
    told = await shop.change(planner, "shipmentSendAnew", {"number": whole["number"]}, "shipment { number }")
    assert [e["code"] for e in told["userErrors"]] == ["INVALID_INPUT"]  # it leaves from our own place
    await sql.execute(
        """update partner_guide set guide = guide || jsonb_build_object('warehouse', (select l.code from shipment s
        join location l on l.id = s.location_id where s.id = $1)) where state = 'active'
        and partner_id = (select min(id) from partner)""",
        whole["id"],
    )
    assert await run(lambda uow: send_warehouse_release(uow, whole["id"])) is not None
    rest = await run(lambda uow: set_aside_rest(uow, whole["number"], whole["id"], {1: 2}))
    assert (await shop.ask(planner, SHIPMENTS, n=order))["order"]["shipments"] == [
        {"number": whole["number"], "restOf": None, "lines": [{"quantity": 3}]},
        {"number": rest, "restOf": {"number": whole["number"]}, "lines": [{"quantity": 2}]},
    ]
    said = await shop.change(planner, "shipmentSendAnew", {"number": rest}, "shipment { number restOf { number } }")
    assert said == {"shipment": {"number": rest, "restOf": None}, "userErrors": []}
    content = await sql.fetchval("select bytes from edi_outbound where kind = '940' and reference = $1", rest)
    release = decode_940(read(bytes(content)).interchanges[0].groups[0].sets[0]).document
    assert release is not None
    assert [line.ordered for line in release.lines] == [2]
    again = await shop.change(planner, "shipmentSendAnew", {"number": rest}, "shipment { number }", key="once more")
    assert [e["code"] for e in again["userErrors"]] == ["INVALID_INPUT"]
    nowhere = await shop.change(planner, "shipmentSendAnew", {"number": "S-0"}, "shipment { number }")
    assert [e["code"] for e in nowhere["userErrors"]] == ["NOT_FOUND"]
    audited = "select operation from audit_entry where operation = 'shipmentSendAnew'"
    assert len(await sql.fetch(audited)) == 1
