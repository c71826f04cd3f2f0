"""Holds on orders: nothing moves while they last, and what there is counts when they end."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest
from core.domain.states import ShipPolicy
from core.errors import DateInPast, IllegalTransition
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.release_order_hold import release_order_hold
from core.services.run_hold_deadlines import run_hold_deadlines

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def test_a_hold_moves_no_quantity_and_goes_back(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 10))))[0].number
    pegs = await world.rows("select * from peg order by id")
    change = await world.do(lambda uow: hold_order(uow, HoldOrder(number, "CREDIT")))
    assert await world.rows("select * from peg order by id") == pegs
    assert await world.quantities(number) == (0, 6, 4, 0, 0)
    (backorder,) = await world.rows("select state, held_from_state, quantity from backorder")
    assert backorder == {"state": "ON_HOLD", "held_from_state": "PROVISIONAL", "quantity": 4}
    (hold,) = await world.rows("select reason, on_deadline, release_deadline from order_hold")
    assert hold == {
        "reason": "CREDIT",
        "on_deadline": "RELEASE",
        "release_deadline": world.clock.at + timedelta(hours=72),
    }
    assert await world.value("select version from sales_order") == change.version
    notice = await world.value("select facts from notice where template = 'ORDER_HELD'")
    assert (notice["reason"], notice["deadline"]) == ("CREDIT", "2026-11-05T12:00:00+09:00[Asia/Seoul]")
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: hold_order(uow, HoldOrder(number, "CREDIT")))
    with pytest.raises(DateInPast):
        await world.do(lambda uow: hold_order(uow, HoldOrder(number, "FRAUD", world.clock.at)))
    await world.do(lambda uow: release_order_hold(uow, number))
    (backorder,) = await world.rows("select state, held_from_state from backorder")
    assert backorder == {"state": "PROVISIONAL", "held_from_state": None}
    assert await world.rows("select * from peg order by id") == pegs
    assert await world.value("select count(*) from promise") == 1
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: release_order_hold(uow, number))
    history = await world.rows("select from_state, to_state from backorder_event order by sequence")
    assert [tuple(h.values()) for h in history] == [
        (None, "PROVISIONAL"),
        ("PROVISIONAL", "ON_HOLD"),
        ("ON_HOLD", "PROVISIONAL"),
    ]


async def test_a_held_backorder_gets_nothing_until_it_is_released(world):
    await world.stock(6)
    first = (await world.place(world.order(("S", 6))))[0].number
    held = (await world.place(world.order(("S", 4), customer="C2")))[0].number
    await world.do(lambda uow: hold_order(uow, HoldOrder(held, "FRAUD")))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first)))
    assert await world.quantities(held) == (0, 0, 4, 0, 0)
    assert await world.value("select allocated from stock_level") == 0
    await world.do(lambda uow: release_order_hold(uow, held, "FRAUD"))
    assert await world.quantities(held) == (0, 4, 0, 0, 0)
    assert await world.value("select state from backorder order by id desc") == "FILLED"
    moved = await world.rows("select cause_kind, sequence from promise order by id desc limit 1")
    assert moved == [{"cause_kind": "ALLOCATED", "sequence": 2}]


async def test_what_was_ordered_meanwhile_for_a_held_backorder_counts_at_its_release(world):
    """It is dated, so that it does not go back to waiting for a supply that nobody would order any more."""
    number = (await world.place(world.order(("S", 10))))[0].number
    sku_id = await world.sku()
    await world.do(lambda uow: hold_order(uow, HoldOrder(number, "FRAUD")))
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    (held,) = await world.rows("select b.state, p.kind from backorder b join peg p using (order_line_id)")
    assert held == {"state": "ON_HOLD", "kind": "FIRM"}
    await world.do(lambda uow: release_order_hold(uow, number))
    assert await world.rows("select state, held_from_state from backorder") == [
        {"state": "PEGGED", "held_from_state": None}
    ]


async def test_release_validates_what_was_received(world):
    """The places kept by the held order are given up and proposed anew; the day does not move, so nobody is told."""
    await world.stock(6)
    order = world.order(("S", 8), payment_state="PENDING")
    number = (await world.place(order))[0].number
    assert await world.quantities(number) == (8, 0, 0, 0, 0)
    await world.do(lambda uow: release_order_hold(uow, number, "PAYMENT"))
    assert await world.quantities(number) == (0, 6, 2, 0, 0)
    assert await world.value("select count(*) from promise") == 1
    assert await world.value("select count(*) from order_hold where released_at is null") == 0
    kinds = [r["kind"] for r in await world.rows("select kind from outbox where topic = 'order' order by id")]
    assert kinds[-4:] == ["HELD", "BACKORDER_OPENED", "RELEASED", "VALIDATED"]
    jobs = [r["job"] for r in await world.rows("select job from outbox where job is not null order by id")]
    assert jobs == ["run_backorder_course", "raise_purchase_request", "plan_shipments"]


async def test_release_promises_anew_when_the_day_has_moved(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 6), payment_state="FAILED")))[0].number
    world.clock.at += timedelta(days=2)
    await world.do(lambda uow: release_order_hold(uow, number))
    rows = await world.rows("select sequence, cause_kind, slices from promise order by sequence")
    assert [(r["sequence"], r["cause_kind"], r["slices"][0]["shipDate"]) for r in rows] == [
        (1, "PLACED", "2026-11-02"),
        (2, "HOLD_RELEASED", "2026-11-04"),
    ]
    event = await world.value("select payload from outbox where kind = 'PROMISE_MOVED'")
    assert (event["previousPromised"], event["promised"], event["reason"]) == (
        "2026-11-03",
        "2026-11-05",
        "HOLD_RELEASED",
    )


async def test_release_cancels_the_rest_of_a_partial_line(world):
    await world.stock(6)
    line = LineRequest("S", 10, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST)
    number = (await world.place(world.order(line, payment_state="PENDING")))[0].number
    await world.do(lambda uow: release_order_hold(uow, number))
    assert await world.quantities(number) == (0, 6, 0, 0, 4)
    told = await world.rows("select payload from outbox where topic = 'order' and kind = 'CANCELLED'")
    assert [(row["payload"]["lineNumber"], row["payload"]["quantity"]) for row in told] == [(1, 4)]


async def test_one_of_two_holds_released_keeps_the_order_held(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 6), payment_state="PENDING")))[0].number
    await world.do(lambda uow: hold_order(uow, HoldOrder(number, "FRAUD")))
    await world.do(lambda uow: release_order_hold(uow, number, "PAYMENT"))
    assert (await world.line(number))["status"] == "RECEIVED"
    await world.do(lambda uow: release_order_hold(uow, number, "FRAUD"))
    assert await world.quantities(number) == (0, 6, 0, 0, 0)


async def test_a_hold_withdraws_the_planned_shipment(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 6))))[0].number
    order_id = await world.value("select id from sales_order")
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    await world.do(lambda uow: hold_order(uow, HoldOrder(number, "MANUAL")))
    assert await world.value("select status from shipment") == "CANCELLED"
    line = await world.line(number)
    assert (line["ready"], line["allocated"], line["status"]) == (0, 6, "ALLOCATED")
    await world.do(lambda uow: release_order_hold(uow, number))
    (again,) = await world.do(lambda uow: plan_shipments(uow, [order_id]))
    assert await world.value("select status from shipment where id = $1", again) == "PLANNED"


async def test_deadlines_release_cancel_and_escalate_once(world):
    await world.stock(20)
    deadline = world.clock.at + timedelta(hours=1)
    numbers = []
    for quantity, action in ((3, "RELEASE"), (4, "CANCEL"), (5, "ESCALATE")):
        number = (await world.place(world.order(("S", quantity))))[0].number
        numbers.append(number)
        await world.do(lambda uow, n=number, a=action: hold_order(uow, HoldOrder(n, "MANUAL", deadline, a)))
    also = HoldOrder(numbers[1], "FRAUD", deadline, "ESCALATE")
    await world.do(lambda uow: hold_order(uow, also))
    assert await world.do(run_hold_deadlines) == 0
    world.clock.at = deadline
    assert await world.do(run_hold_deadlines) == 4
    assert await world.quantities(numbers[0]) == (0, 3, 0, 0, 0)
    assert await world.quantities(numbers[1]) == (0, 0, 0, 0, 4)
    assert await world.quantities(numbers[2]) == (0, 5, 0, 0, 0)
    holds = await world.rows("select released_at is not null as over, release_deadline from order_hold order by id")
    assert [h["over"] for h in holds] == [True, True, False, True], "nobody is called for what is cancelled"
    assert holds[2]["release_deadline"] is None
    assert await world.value("select count(*) from outbox where topic = 'alarm'") == 1
    assert await world.do(run_hold_deadlines) == 0
    assert await world.value("select count(*) from outbox where topic = 'alarm'") == 1
    assert world.clock.at.date() == TODAY
