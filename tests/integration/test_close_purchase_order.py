"""A purchase order line is closed short: its claims lose their source, are searched for anew, and the customer is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.placing import LineRequest
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.services.allocate_waiting import allocate_waiting
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.close_purchase_order import ClosePurchaseOrder, close_purchase_order
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.reconcile_stock import recount
from core.services.run_backorder_course import run_backorder_course
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio


async def _ordered(world: World) -> str:
    """A line of 6 that waits on a purchase order of 6: confirmed for day 12, 4 of them on their way."""
    await world.place(world.order(("S", 6)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    number = await world.value("select number from purchase_order")
    day = TODAY + timedelta(days=12)
    said = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(1, accepted=[(6, day)])], "1")
    await world.do(lambda uow: apply_acknowledgement(uow, said))
    supplier = await world.value("select id from supplier where code = 'SUP'")
    notice = ShipNoticeInput(supplier, "SN1", TODAY, day, "CARR", "T", [(number, 1, "S", 4)], "2")
    await world.do(lambda uow: apply_ship_notice(uow, notice))
    return number


def _close(world: World, number: str, **more):
    request = ClosePurchaseOrder(number, more.pop("reason", "the works have burnt down"), **more)
    return world.do(lambda uow: close_purchase_order(uow, request))


async def test_what_is_closed_short_is_looked_for_elsewhere_and_the_customer_hears_of_it(world: World):
    number = await _ordered(world)
    assert await world.value("select state from backorder") == "PEGGED"
    sku_id, before = await world.sku(), await world.value("select promised_date from order_line")
    done = await _close(world, number)
    assert done.status == "CANCELLED"
    line = (await world.rows("select ordered, accepted, in_transit, cancelled from purchase_order_line"))[0]
    assert line == {"ordered": 6, "accepted": 0, "in_transit": 0, "cancelled": 6}
    assert await world.rows("select kind, quantity from peg") == [{"kind": "OPEN", "quantity": 6}]
    assert (await world.rows("select state, expected_date from backorder"))[0]["state"] == "AWAITING_SUPPLY"
    jobs = {row["job"] for row in await world.rows("select job from outbox where job is not null")}
    assert {"run_backorder_course", "raise_purchase_request"} <= jobs
    await world.do(lambda uow: run_backorder_course(uow, [sku_id]))
    assert await world.value("select count(*) from backorder_event where cause like 'COURSE_PURCHASE:%'") == 1
    world.clock.at += timedelta(days=3)
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    assert await world.value("select promised_date from order_line") > before
    told = (await world.rows("select payload from outbox where kind = 'PROMISE_MOVED'"))[-1]["payload"]
    assert told["reason"] == "SUPPLY_LOST"
    assert await world.do(recount) == []


async def test_what_comes_all_the_same_is_more_than_was_ordered(world: World):
    number = await _ordered(world)
    part = ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 2)], receipt_number="R1")
    await world.do(lambda uow: receive_goods(uow, part))
    assert (await _close(world, number, lines=[1])).status == "CLOSED"
    again = ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 4)], receipt_number="R2")
    await world.do(lambda uow: receive_goods(uow, again))
    assert await world.value("select over_delivered from purchase_order_line") == 4
    sku_id = await world.sku()
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert (await world.quantities(await world.value("select number from sales_order")))[1] == 6
    assert await world.do(recount) == []


async def test_who_goes_short_by_what_a_supplier_closes_has_that_as_cause(world: World):
    wanted = CreatePurchaseOrder("SUP", "A", [("S", 6, None)])
    number = (await world.do(lambda uow: create_purchase_order(uow, wanted))).number
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    said = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(1, accepted=[(6, TODAY + timedelta(days=12))])], "1")
    await world.do(lambda uow: apply_acknowledgement(uow, said))
    await world.place(world.order(LineRequest("S", 6, requested_date=TODAY + timedelta(days=16))))
    assert await world.rows("select id from backorder") == []
    world.clock.at += timedelta(days=5)
    await _close(world, number, supplier_id=await world.value("select id from supplier where code = 'SUP'"))
    (line,) = await world.rows("select id, rejected, cancelled from purchase_order_line")
    assert (line["rejected"], line["cancelled"]) == (6, 0)
    shown = [{"id": line["id"], "supplierBackordered": 0, "rejected": 6}]
    (opened,) = await world.rows("select cause, evidence from backorder")
    assert opened == {
        "cause": "SUPPLIER_SHORT",
        "evidence": {"shortage": 6, "explained": 6, "purchaseOrderLines": shown},
    }


async def test_what_cannot_be_closed_is_refused(world: World):
    number = await _ordered(world)
    with pytest.raises(InvalidInput):
        await _close(world, number, reason=" ")
    with pytest.raises(InvalidInput):
        await _close(world, number, lines=[7])
    other = await world.value("select id from supplier where code = 'SUP2'")
    with pytest.raises(NotFound):
        await _close(world, number, supplier_id=other)
    await world.database.system.execute("update purchase_order set status = 'APPROVED'")
    with pytest.raises(IllegalTransition):
        await _close(world, number)
    await world.database.system.execute("update purchase_order set status = 'ACKNOWLEDGED'")
    await _close(world, number)
    with pytest.raises(IllegalTransition):
        await _close(world, number)
