"""Cancelling: what is freed, who gets it, what comes off planned shipments, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.errors import IllegalTransition, NotFound, QuantityExceeded, VersionConflict
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.plan_shipments import plan_shipments

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def _snapshot(world):
    """Everything a refusal must leave alone."""
    return [
        await world.rows(f"select * from {table} order by id")
        for table in (
            "order_line",
            "peg",
            "promise",
            "backorder",
            "stock_movement",
            "outbox",
            "notice",
            "shipment_line",
        )
    ] + [await world.rows("select * from sales_order order by id"), await world.rows("select * from stock_level")]


async def test_walk_6(world):
    """L1 6/4 is cancelled: pegs and backorder gone, supply unpegged, the freed 6 go to OPEN pegs by priority then age."""
    await world.stock(6)
    first = (await world.place(world.order(("S", 10))))[0].number
    plain = (await world.place(world.order(("S", 3), customer="C2")))[0].number
    important = (await world.place(world.order(("S", 4), customer="V1")))[0].number
    change = await world.do(lambda uow: cancel_order(uow, CancelOrder(first, reason="changed my mind")))
    assert await world.quantities(first) == (0, 0, 0, 0, 10)
    assert (await world.line(first))["status"] == "CANCELLED"
    assert await world.quantities(important) == (0, 4, 0, 0, 0)
    assert await world.quantities(plain) == (0, 2, 1, 0, 0)
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 6, "allocated": 6}]
    moves = await world.rows("select kind, allocated_delta from stock_movement order by id desc limit 3")
    assert [(m["kind"], m["allocated_delta"]) for m in reversed(moves)] == [
        ("released", -6),
        ("allocated", 4),
        ("allocated", 2),
    ]
    states = await world.rows("select state, quantity, closed_at is null as is_open from backorder order by id")
    assert [tuple(s.values()) for s in states] == [
        ("CANCELLED", 0, False),
        ("PROVISIONAL", 1, True),
        ("FILLED", 0, False),
    ]
    order = (await world.rows("select * from sales_order where number = $1", first))[0]
    assert (order["status"], order["version"]) == ("CANCELLED", change.version)
    notices = await world.rows("select template, order_id from notice order by id desc limit 3")
    assert "ORDER_CANCELLED" in {n["template"] for n in notices if n["order_id"] == order["id"]}
    jobs = await world.rows("select payload from outbox where job = 'plan_shipments' order by id")
    assert len(jobs[-1]["payload"]["orderIds"]) == 2


async def test_freed_dated_supply_goes_to_an_open_claim_on_its_day(world):
    due = TODAY + timedelta(days=5)
    await world.supply(6, due)
    first = (await world.place(world.order(("S", 6))))[0].number
    second = (await world.place(world.order(("S", 4), customer="C2")))[0].number
    assert await world.rows("select pegged from supply") == [{"pegged": 6}]
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first)))
    assert await world.rows("select pegged from supply") == [{"pegged": 4}]
    (peg,) = await world.rows("select kind, quantity, need_date from peg")
    assert peg == {"kind": "FIRM", "quantity": 4, "need_date": TODAY + timedelta(days=14)}
    assert await world.quantities(second) == (0, 0, 4, 0, 0)


async def test_freed_stock_never_exceeds_what_other_promises_leave(world):
    """6 freed, but 5 are promised for a later day: only 1 may go to the claim without a source."""
    await world.stock(6)
    first = (await world.place(world.order(("S", 6))))[0].number
    waiting = (await world.place(world.order(("S", 6), customer="C2")))[0].number
    await world.do(_claim_five)
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first)))
    assert await world.quantities(waiting) == (0, 1, 5, 0, 0)


async def _claim_five(uow):
    await uow.sql.execute("update sku_gate set version = version + 1, changed_by = pg_current_xact_id()")
    await uow.sql.execute(
        """insert into reservation (sku_id, group_id, location_id, need_date, quantity, holder, expires_at,
            hold_until_latest) select s.id, gen_random_uuid(), l.id, $1, 5, 'x', $2, $2 from sku s, location l
        where s.code = 'S' and l.code = 'A'""",
        TODAY + timedelta(days=3),
        uow.now + timedelta(days=30),
    )


async def test_part_of_a_line_gives_up_what_is_late_first(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 10))))[0].number
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 1, 3)))
    assert await world.quantities(number) == (0, 6, 1, 0, 3)
    assert await world.rows("select state, quantity from backorder") == [{"state": "PROVISIONAL", "quantity": 1}]
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 1, 2)))
    assert await world.quantities(number) == (0, 5, 0, 0, 5)
    assert await world.rows("select state, quantity from backorder") == [{"state": "CANCELLED", "quantity": 0}]
    kinds = await world.rows("select kind from outbox where topic = 'backorder' order by id")
    assert [k["kind"] for k in kinds] == ["OPENED", "STATE_CHANGED", "CLOSED"]
    assert await world.value("select status from sales_order") == "ALLOCATED"


async def test_cancel_takes_units_off_the_planned_shipment_but_not_what_has_left(world):
    await world.stock(10)
    number = (await world.place(world.order(("S", 6), ("S", 4))))[0].number
    order_id = await world.value("select id from sales_order")
    (shipment_id,) = await world.do(lambda uow: plan_shipments(uow, [order_id]))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 1, 2)))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 2)))
    assert [tuple(r.values()) for r in await world.rows("select quantity, shipment_id from shipment_line")] == [
        (4, shipment_id)
    ]
    line = await world.line(number)
    assert (line["allocated"], line["ready"], line["status"]) == (4, 4, "READY_TO_SHIP")
    code = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code)]))
    before = await _snapshot(world)
    for request in (CancelOrder(number), CancelOrder(number, 1), CancelOrder(number, 1, 1)):
        with pytest.raises(IllegalTransition):
            await world.do(lambda uow, request=request: cancel_order(uow, request))
    assert await _snapshot(world) == before


async def test_the_whole_shipment_is_cancelled_with_its_order(world):
    await world.stock(10)
    number = (await world.place(world.order(("S", 6))))[0].number
    order_id = await world.value("select id from sales_order")
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number)))
    assert await world.rows("select status from shipment") == [{"status": "CANCELLED"}]
    assert await world.value("select count(*) from shipment_line") == 0
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 10, "allocated": 0}]


async def test_refusals_change_nothing(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 10))))[0].number
    before = await _snapshot(world)
    for request, error in (
        (CancelOrder("SO0"), NotFound),
        (CancelOrder(number, 2), NotFound),
        (CancelOrder(number, 1, 11), QuantityExceeded),
        (CancelOrder(number, expected_version=7), VersionConflict),
    ):
        with pytest.raises(error):
            await world.do(lambda uow, request=request: cancel_order(uow, request))
    assert await _snapshot(world) == before


async def test_cancel_backorder_keeps_what_is_allocated(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 10))))[0].number
    (row,) = await world.rows("select sku_id, id, version from backorder")
    with pytest.raises(VersionConflict):
        await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(row["sku_id"], row["id"], "", 99)))
    change = await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(row["sku_id"], row["id"], "too long")))
    assert change.version == row["version"] + 1
    assert await world.quantities(number) == (0, 6, 0, 0, 4)
    (backorder,) = await world.rows("select state, quantity, closed_at is null as is_open from backorder")
    assert backorder == {"state": "CANCELLED", "quantity": 0, "is_open": False}
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(row["sku_id"], row["id"])))
