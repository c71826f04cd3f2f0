"""Receiving on a real database: walk 5, over-delivery, damage, repeats, refusals, and what the waiting get of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.errors import InvalidInput, QuantityExceeded
from core.services.allocate_waiting import allocate_waiting
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.inspect_goods import InspectGoods, inspect_goods
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.reconcile_stock import recount
from core.services.send_purchase_order import send_purchase_order

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
DUE = TODAY + timedelta(days=14)


async def bought(world, *quantities: int) -> str:
    """Lines wait on one purchase order for exactly their sum; returns its number."""
    for n, quantity in enumerate(quantities):
        await world.place(world.order(("S", quantity), customer=("C1", "C2", "V1")[n]))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    return await world.value("select number from purchase_order")


async def receive(world, number: str, quantity: int, damaged: int = 0, kind="PURCHASE_ORDER", at="A", receipt=None):
    said = ReceiveGoods(number, kind, at, [ReceiptLine("S", quantity, damaged)], receipt)
    return await world.do(lambda uow: receive_goods(uow, said))


async def stock(world) -> tuple[int, int, int]:
    return tuple((await world.rows("select on_hand, unsellable, allocated from stock_level"))[0].values())


async def test_walk_5_a_receipt_too_small_goes_by_priority_then_age(world):
    number = await bought(world, 5, 1)
    await receive(world, number, 4)
    assert await stock(world) == (4, 0, 4)
    lines = await world.rows("select ordered, allocated, backordered, status from order_line order by id")
    assert [tuple(x.values()) for x in lines] == [(5, 4, 1, "BACKORDERED"), (1, 0, 1, "BACKORDERED")]
    pegs = await world.rows("select kind, quantity from peg order by order_line_id, kind desc")
    assert [tuple(p.values()) for p in pegs] == [("HARD", 4), ("FIRM", 1), ("FIRM", 1)]
    assert await world.rows("select quantity, received, pegged from supply") == [
        {"quantity": 6, "received": 4, "pegged": 2}
    ]
    assert await world.rows("select quantity, state from backorder order by id") == [
        {"quantity": 1, "state": "PEGGED"},
        {"quantity": 1, "state": "PEGGED"},
    ]
    assert await world.value("select status from purchase_order") == "PARTIALLY_RECEIVED"
    jobs = await world.rows("select job, payload from outbox where job is not null order by id desc limit 2")
    assert {j["job"] for j in jobs} == {"allocate_waiting_demand", "plan_shipments"}
    await receive(world, number, 2)
    assert await world.value("select status from purchase_order") == "RECEIVED"
    assert (
        await world.rows("select quantity, state from backorder order by id")
        == [{"quantity": 0, "state": "FILLED"}] * 2
    )
    assert await world.value("select count(*) from order_line where status = 'ALLOCATED'") == 2
    assert await world.do(recount) == []


async def test_a_customer_of_higher_rank_is_served_first(world):
    number = await bought(world, 2, 2, 2)
    await receive(world, number, 3)
    lines = await world.rows("select allocated from order_line order by id")
    assert [x["allocated"] for x in lines] == [1, 0, 2]


async def test_what_exceeds_the_order_is_free_stock(world):
    number = await bought(world, 5)
    result = await receive(world, number, 8)
    assert result.over_delivered == 3
    assert await stock(world) == (8, 0, 5)
    line = (await world.rows("select received, over_delivered from purchase_order_line"))[0]
    assert line == {"received": 5, "over_delivered": 3}
    moves = await world.rows(
        "select kind, on_hand_delta, cause_kind from stock_movement where on_hand_delta > 0 order by id"
    )
    assert [tuple(m.values()) for m in moves] == [("received", 5, "goods_receipt"), ("received", 3, "over_delivery")]
    assert await world.do(recount) == []


async def test_damaged_units_cover_nobody_until_inspection_accepts_them(world):
    number = await bought(world, 5)
    await receive(world, number, 5, damaged=2)
    assert await stock(world) == (5, 2, 3)
    pegs = await world.rows("select kind, quantity from peg order by kind")
    assert [tuple(p.values()) for p in pegs] == [("HARD", 3), ("OPEN", 2)]
    assert await world.value("select state from backorder") == "AWAITING_SUPPLY"
    await world.do(lambda uow: inspect_goods(uow, InspectGoods("A", "S", 1, 1, "dented")))
    assert await stock(world) == (4, 0, 3)
    row = (await world.rows("select accepted, rejected, reason from inspection_result"))[0]
    assert row == {"accepted": 1, "rejected": 1, "reason": "dented"}
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: inspect_goods(uow, InspectGoods("A", "S", 1, 0)))
    sku_id = await world.sku()
    summary = await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert summary.quantity == 1
    assert await stock(world) == (4, 0, 4)
    assert await world.do(recount) == []


async def test_a_receipt_number_is_booked_once(world):
    number = await bought(world, 5)
    first = await receive(world, number, 2, receipt="R-1")
    second = await receive(world, number, 2, receipt="R-1")
    assert (second.receipt_id, second.repeated) == (first.receipt_id, True)
    assert await stock(world) == (2, 0, 2)


async def test_receiving_a_ship_notice_takes_its_own_supply_first(world):
    number = await bought(world, 4)
    supplier = await world.value("select id from supplier where code = 'SUP'")
    said = ShipNoticeInput(supplier, "SN9", TODAY, TODAY + timedelta(days=3), "CARR", "T9", [(number, 1, None, 3)])
    await world.do(lambda uow: apply_ship_notice(uow, said))
    await receive(world, "SN9", 3, kind="SHIP_NOTICE")
    supplies = await world.rows(
        "select quantity, received, ship_notice_line_id is null as waits from supply order by id"
    )
    assert [tuple(s.values()) for s in supplies] == [(3, 3, False), (1, 0, True)]
    line = (await world.rows("select unanswered, in_transit, received from purchase_order_line"))[0]
    assert line == {"unanswered": 1, "in_transit": 0, "received": 3}
    assert await world.do(recount) == []


async def test_refusals_change_nothing(world):
    number = await bought(world, 5)
    before = await world.rows("select * from supply"), await world.value("select count(*) from stock_movement")
    for wrong in (
        ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 2), ReceiptLine("S2", 1)]),
        ReceiveGoods(number, "PURCHASE_ORDER", "B", [ReceiptLine("S", 2)]),
        ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 2, damaged=3)]),
        ReceiveGoods(number, "PURCHASE_ORDER", "A", []),
        ReceiveGoods(number, "POST", "A", [ReceiptLine("S", 2)]),
    ):
        with pytest.raises(InvalidInput):
            await world.do(lambda uow, said=wrong: receive_goods(uow, said))
    after = await world.rows("select * from supply"), await world.value("select count(*) from stock_movement")
    assert after == before
    assert await world.value("select count(*) from goods_receipt") == 0


@pytest.mark.parametrize(
    ("kind", "reference", "received", "over"),
    [("PURCHASE_ORDER", None, [3, 4], [2, 0]), ("SHIP_NOTICE", "SN7", [5, 2], [0, 2])],
)
async def test_a_sku_that_stands_twice_is_received_by_what_is_expected_first(world, kind, reference, received, over):
    """Seven units come without a line number: line 2 is due first; a ship notice says how many are of which line."""
    wanted = CreatePurchaseOrder("SUP", "A", [("S", 5, None), ("S", 4, None)])
    number = (await world.do(lambda uow: create_purchase_order(uow, wanted))).number
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    days = [
        AcknowledgeLine(n + 1, accepted=[(q, TODAY + timedelta(days=d))]) for n, (q, d) in enumerate([(5, 30), (4, 9)])
    ]
    await world.do(lambda uow: apply_acknowledgement(uow, AcknowledgePurchaseOrder(number, None, days, "1")))
    if reference:
        supplier = await world.value("select id from supplier where code = 'SUP'")
        parts = [(number, 1, None, 5), (number, 2, None, 2)]
        said = ShipNoticeInput(supplier, reference, TODAY, TODAY + timedelta(days=3), "CARR", "T9", parts)
        await world.do(lambda uow: apply_ship_notice(uow, said))
    result = await receive(world, reference or number, 7, kind=kind, damaged=1)
    rows = await world.rows("select received from purchase_order_line order by line_number")
    assert ([row["received"] for row in rows], result.over_delivered) == (received, 0)
    assert await stock(world) == (7, 1, 0)
    more = await receive(world, reference or number, 4, kind=kind)
    assert more.over_delivered == 2
    rows = await world.rows("select received, over_delivered from purchase_order_line order by line_number")
    assert [tuple(row.values()) for row in rows] == [(5, over[0]), (4, over[1])]
    assert await world.do(recount) == []


async def test_an_order_that_is_sent_after_some_of_it_came_is_received_in_part(world):
    await world.place(world.order(("S", 6)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    row = (await world.rows("update purchase_order set status = 'APPROVED' returning id, number"))[0]
    await receive(world, row["number"], 4)
    assert await world.value("select status from purchase_order") == "APPROVED"
    await world.do(lambda uow: send_purchase_order(uow, row["id"]))
    assert await world.value("select status from purchase_order") == "PARTIALLY_RECEIVED"
    assert await world.value("select sent_at from purchase_order") is not None
    assert await world.do(recount) == []
