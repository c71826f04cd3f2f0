"""The life of a backorder as facts change: held with its order, delayed and good again, its cause judged anew."""

from dataclasses import replace
from datetime import timedelta

import pytest
from asyncpg import CheckViolationError

from core.domain.placing import LineRequest
from core.domain.states import CourseStep, ShipPolicy
from core.errors import QuantityExceeded
from core.repositories.gates import take_gates
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.change_policy import ChangePolicy, change_policy
from core.services.count_stock import CountStock, count_stock
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount
from core.services.release_order_hold import release_order_hold
from core.services.reschedule_supply import SupplyChange, reschedule_supply
from core.services.review_backorders import review_backorders
from core.services.run_backorder_course import run_backorder_course
from core.services.split_order_line import SplitOrderLine, split_order_line
from core.services.steer_course import PauseCourse, RunStep, pause_course, run_step
from core.settings import Settings
from tests.life_checks import QUERIES
from tests.world import TODAY
from workers.job import JobContext
from workers.jobs.release_kept_orders import release_kept_orders

pytestmark = pytest.mark.anyio


def day(n: int):
    return TODAY + timedelta(days=n)


async def one(world):
    (row,) = await world.rows("select * from backorder")
    return row


async def course(world):
    sku_id = await world.sku()
    return await world.do(lambda uow: run_backorder_course(uow, [sku_id]))


async def redate(world, supply, n, basis="CONFIRMED_ORDER"):
    sku_id = await world.sku()
    await world.do(lambda uow: reschedule_supply(uow, [SupplyChange(sku_id, supply, day(n), basis)]))


async def test_a_backorder_that_opens_on_hold_waits_for_the_end_of_the_hold(world):
    await world.stock(5)
    (order,) = await world.place(world.order(("S", 5)))
    await world.do(lambda uow: hold_order(uow, HoldOrder(order.number, "FRAUD")))
    await world.do(lambda uow: count_stock(uow, CountStock("S", "A", 3)))
    row = await one(world)
    assert (row["quantity"], row["state"], row["held_from_state"]) == (2, "ON_HOLD", "PROVISIONAL")
    await world.stock(2)
    await course(world)
    assert await world.quantities(order.number) == (0, 3, 2, 0, 0)
    await world.do(lambda uow: release_order_hold(uow, order.number))
    assert await world.quantities(order.number) == (0, 5, 0, 0, 0)
    assert (await one(world))["state"] == "FILLED"
    assert await world.do(recount) == []


async def test_a_delay_ends_when_the_day_promised_before_is_good_again(world):
    supply = await world.supply(5, day(10))
    await world.place(world.order(("S", 5)))
    assert (await one(world))["state"] == "PEGGED"
    await redate(world, supply, 20)
    row = await one(world)
    assert (row["state"], row["delayed_from"]) == ("DELAYED", day(11))
    await redate(world, supply, 15)
    assert (await one(world))["state"] == "DELAYED"
    await redate(world, supply, 9)
    row = await one(world)
    assert (row["state"], row["delayed_from"], row["expected_date"] <= day(21)) == ("PEGGED", None, True)
    assert await world.do(recount) == []


async def test_what_slips_while_its_order_is_on_hold_comes_back_delayed(world):
    supply = await world.supply(5, day(10))
    (order,) = await world.place(world.order(("S", 5)))
    await world.do(lambda uow: hold_order(uow, HoldOrder(order.number, "CREDIT")))
    await redate(world, supply, 20)
    row = await one(world)
    assert (row["state"], row["held_from_state"], row["delayed_from"]) == ("ON_HOLD", "DELAYED", day(11))
    await redate(world, supply, 9)
    assert [(await one(world))[name] for name in ("held_from_state", "delayed_from")] == ["PEGGED", None]
    await redate(world, supply, 26)
    await world.do(lambda uow: release_order_hold(uow, order.number))
    row = await one(world)
    assert (row["state"], row["delayed_from"], row["held_from_state"]) == ("DELAYED", day(21), None)
    for name, query in QUERIES.items():
        assert await world.rows(query) == [], name


async def test_a_delay_of_one_of_two_sources_that_ends_while_its_order_is_on_hold(world):
    """Nothing but the state that the hold comes back to is another: no day, no quantity, no claim."""
    first = await world.supply(5, day(5))
    await world.supply(5, day(12))
    (order,) = await world.place(world.order(("S", 10)))
    await redate(world, first, 6, "LEAD_TIME")
    assert (await one(world))["state"] == "DELAYED"
    await world.do(lambda uow: hold_order(uow, HoldOrder(order.number, "CREDIT")))
    await redate(world, first, 5)
    assert [(await one(world))[name] for name in ("state", "held_from_state")] == ["ON_HOLD", "PEGGED"]
    for name, query in QUERIES.items():
        assert await world.rows(query) == [], name


async def test_a_cause_gives_way_to_what_is_found_later_and_is_kept(world):
    await world.place(world.order(("S", 5)))
    await course(world)
    assert (await one(world))["cause"] == "FORECAST_ERROR"
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.database.system.execute("update purchase_order set status = 'SENT', sent_at = now()")
    supply = await world.value("select id from supply")
    await redate(world, supply, 30)
    await course(world)
    row = await one(world)
    assert row["cause"] == "SUPPLIER_DELAY"
    assert [e["cause"] for e in row["evidence"]["previous"]] == ["FORECAST_ERROR"]
    number = await world.value("select number from purchase_order")
    said = AcknowledgeLine(1, [(2, day(30))], [(3, day(40))])
    await world.do(lambda uow: apply_acknowledgement(uow, AcknowledgePurchaseOrder(number, None, [said])))
    await course(world)
    await course(world)
    row = await one(world)
    assert row["cause"] == "SUPPLIER_SHORT"
    assert [e["cause"] for e in row["evidence"]["previous"]] == ["SUPPLIER_DELAY", "FORECAST_ERROR"]
    changes = await world.rows(
        "select payload ->> 'reason' as reason from outbox where kind = 'CAUSE_CHANGED' order by id"
    )
    assert [c["reason"] for c in changes] == [
        "COURSE_CAUSE:FORECAST_ERROR>SUPPLIER_DELAY",
        "COURSE_CAUSE:SUPPLIER_DELAY>SUPPLIER_SHORT",
    ]


async def test_nothing_is_bought_for_whom_the_course_does_not_buy(world):
    sku_id = await world.sku()
    await world.do(
        lambda uow: change_policy(uow, ChangePolicy("backorder_course", [{"step": "PURCHASE", "tiers": ["VIP"]}]))
    )
    await world.place(world.order(("S", 5)))
    assert await world.do(lambda uow: raise_purchase_requests(uow, [sku_id])) == []
    (other,) = await world.place(world.order(("S", 3), customer="V1"))
    await world.do(lambda uow: pause_course(uow, PauseCourse(*other.backorder_ids[0])))
    assert await world.do(lambda uow: raise_purchase_requests(uow, [sku_id])) == []
    await world.do(lambda uow: pause_course(uow, PauseCourse(*other.backorder_ids[0], is_paused=False)))
    assert len(await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))) == 1
    assert await world.value("select ordered from purchase_order_line") == 3


async def test_without_the_release_step_a_person_lets_go_what_was_short(world):
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", [{"step": "OTHER_SITES"}])))
    (short,) = await world.place(world.order(("S", 5)))
    await world.stock(9)
    (whole,) = await world.place(world.order(("S", 2), customer="C2"))
    await course(world)
    ids = [row["id"] for row in await world.rows("select id from sales_order order by id")]
    assert await world.quantities(short.number) == (0, 5, 0, 0, 0)
    await world.do(lambda uow: plan_shipments(uow, ids))
    planned = "select o.number from shipment s join sales_order o on o.id = s.order_id order by s.id"
    assert [row["number"] for row in await world.rows(planned)] == [whole.number]
    await world.do(lambda uow: run_step(uow, RunStep(*short.backorder_ids[0], CourseStep.RELEASE)))
    await world.do(lambda uow: plan_shipments(uow, ids))
    assert [row["number"] for row in await world.rows(planned)] == [whole.number, short.number]


ASKED = "select payload -> 'orderIds' from outbox where job = 'plan_shipments'"


async def run_job(world):
    await release_kept_orders(JobContext(world.database, Settings(env="test"), world.clock), {})


@pytest.mark.parametrize(
    ("code", "keeps"), [("backorder_course", [{"step": "OTHER_SITES"}]), ("release_gate", {"orderPercent": 100})]
)
async def test_what_a_rule_kept_from_the_warehouse_goes_when_the_rule_goes(world, code, keeps):
    await world.do(lambda uow: change_policy(uow, ChangePolicy(code, keeps)))
    await world.place(world.order(("S", 5), ("S2", 1)))
    await world.stock(5)
    await course(world)
    (order_id,) = [row["id"] for row in await world.rows("select id from sales_order")]
    assert await world.do(lambda uow: plan_shipments(uow, [order_id])) == []
    await world.rows("delete from outbox")
    await world.do(lambda uow: change_policy(uow, ChangePolicy(code, None)))
    assert await world.value("select count(*) from outbox where job = 'release_kept_orders'") == 1
    await world.do(review_backorders)
    assert await world.value(ASKED) is None, "the review of every six hours reads no lines"
    await run_job(world)
    assert await world.value(ASKED) == [order_id]
    assert len(await world.do(lambda uow: plan_shipments(uow, [order_id]))) == 1


async def test_only_what_a_rule_may_have_kept_is_looked_at_again(world, monkeypatch):
    """Not what is held, has to leave whole and waits, is on a shipment or has no stock; in chunks, few orders at once."""
    monkeypatch.setattr("core.services.release_kept_orders.CHUNK", 2)
    monkeypatch.setattr("core.services.release_kept_orders.ORDERS_AT_ONCE", 1)
    await world.stock(30)
    whole = world.order(("S", 3), ("S2", 3))
    placed = await world.place(
        world.order(("S", 4), customer="C2"),
        world.order(("S", 5), customer="C2"),
        world.order(("S", 6), customer="V1"),
        world.order(("S", 1)),
        world.order(("S", 2), ("S2", 1)),
        replace(whole, ship_complete=True),
        world.order(("S2", 2), customer="V1"),
    )
    _, planned, last, first, part, _, _ = [order.order_id for order in placed]
    await world.do(lambda uow: hold_order(uow, HoldOrder(placed[0].number, "FRAUD")))
    await world.do(lambda uow: plan_shipments(uow, [planned]))
    await world.rows("delete from outbox")
    await run_job(world)
    asked = await world.rows("select payload -> 'orderIds' as ids from outbox where job = 'plan_shipments' order by id")
    assert sorted(row["ids"] for row in asked) == [[last], [first], [part]]


FAULTS = {
    "a choice is open for just those that are offered one": "update backorder set state = 'SOURCING'",
    "a backorder has ended when it is in an end state, with nothing left": "update backorder set state = 'FILLED'",
    "a short line has one backorder of just that quantity": "update backorder set quantity = quantity + 1",
    "whose order is on hold waits": """insert into order_hold (order_id, reason, placed_by, placed_at, on_deadline)
        select id, 'FRAUD', 'x', now(), 'CANCEL' from sales_order""",
    "a set of options has one default, and one answer when it was answered": "update resolution_option set is_default = true",
    "promises are numbered without a gap, and the line names the last": "update order_line set promise_sequence = 7",
    "a history has no gap and no jump, and ends where the backorder stands": "update backorder set state = 'PEGGED'",
    "what a line has is its HARD claims, what it waits for the others": "update peg set quantity = quantity + 1",
    "stock is the sum of its movements": "update stock_level set on_hand = on_hand + 1",
    "an order shows its least advanced line": "update sales_order set status = 'ALLOCATED'",
    "who is DELAYED knows since which day": "update backorder set delayed_from = now(), state = 'SOURCING'",
}


@pytest.mark.parametrize("name", list(FAULTS))
async def test_the_second_opinion_sees_a_planted_fault(world, name):
    steps = [{"step": "PURCHASE"}, {"step": "OPTIONS"}]
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", steps)))
    await world.stock(2)
    await world.place(world.order(LineRequest("S", 5)))
    await course(world)
    assert await world.rows(QUERIES[name]) == []
    sku_id = await world.sku()

    async def plant(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute(FAULTS[name])

    await world.do(plant)
    assert await world.rows(QUERIES[name]) != []


async def test_a_split_part_is_a_line_of_its_own_and_both_balance(world):
    await world.stock(4)
    (order,) = await world.place(world.order(("S", 10)))
    await world.do(lambda uow: split_order_line(uow, SplitOrderLine(order.number, 1, 6, day(40))))
    assert await world.quantities(order.number, 1) == (0, 4, 0, 0, 0)
    assert await world.quantities(order.number, 2) in ((6, 0, 0, 0, 0), (0, 0, 6, 0, 0))
    line = await world.line(order.number, 2)
    assert (line["requested_date"], line["ordered"], (await world.line(order.number, 1))["ordered"]) == (day(40), 6, 4)
    evidence = await world.value("select evidence from promise order by id desc limit 1")
    assert evidence["splitFrom"] == (await world.line(order.number, 1))["id"]
    for quantity in (0, 4, 9):
        with pytest.raises(QuantityExceeded):
            await world.do(lambda uow, n=quantity: split_order_line(uow, SplitOrderLine(order.number, 1, n)))
    assert await world.do(recount) == []


async def test_a_line_that_cancels_its_rest_from_now_on_gives_it_up_at_once(world):
    await world.stock(4)
    (order,) = await world.place(world.order(("S", 10)))
    change = ChangeOrderLine(order.number, 1, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST, substitutes_allowed=True)
    await world.do(lambda uow: change_order_line(uow, change))
    assert await world.quantities(order.number) == (0, 4, 0, 0, 6)
    line = await world.line(order.number)
    assert (line["ship_policy"], line["substitutes_allowed"]) == ("PARTIAL_CANCEL_REST", True)
    assert (await one(world))["state"] == "CANCELLED"
    assert await world.do(recount) == []


async def test_a_backorder_may_end_and_another_open_in_one_change(world):
    """A later day heals the first shortage, more units make another: one row at a time, each with its own history."""
    (order,) = await world.place(world.order(LineRequest("S", 3, day(5))))
    supply = await world.supply(3, day(20))
    sku_id = await world.sku()
    await course(world)
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(order.number, 1, 8, day(30))))
    open_rows = await world.value("select count(*) from backorder where closed_at is null")
    assert open_rows == (1 if (await world.line(order.number))["backordered"] else 0)
    assert supply
    assert await world.do(recount) == []


async def test_no_backorder_rests_on_the_way_to_being_cancelled(world):
    """CANCEL_PENDING has no clock because nothing can stay in it: the next step is taken in the same transaction."""
    (placed,) = await world.place(world.order(("S", 5)))
    sku_id, backorder_id = placed.backorder_ids[0]
    await course(world)

    async def leave_it_there(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update backorder set state = 'CANCEL_PENDING' where id = $1", backorder_id)

    with pytest.raises(CheckViolationError):
        await world.do(leave_it_there)
    await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(sku_id, backorder_id)))
    rows = await world.rows("select to_state from backorder_event order by sequence desc limit 2")
    assert [row["to_state"] for row in rows] == ["CANCELLED", "CANCEL_PENDING"]
