"""Two and three verbs in a row on a real database: what the first one left must still be right after the last."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from core.domain.notices import render
from core.domain.placing import LineRequest
from core.domain.states import ReservationKind, ShipPolicy
from core.errors import InvalidInput
from core.repositories.supplying import load_lateness
from core.services.allocate_waiting import allocate_waiting
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.count_stock import CountStock, count_stock
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.reconcile_stock import recount
from core.services.release_order_hold import release_order_hold
from core.services.return_goods import ReturnGoods, return_goods
from core.services.ship_transfers import ship_transfers

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


async def _order_id(world, number):
    return await world.value("select id from sales_order where number = $1", number)


async def _plan(world, *numbers):
    ids = [await _order_id(world, number) for number in numbers]
    return await world.do(lambda uow: plan_shipments(uow, ids))


async def _allocate(world, sku="S"):
    sku_id = await world.sku(sku)
    return await world.do(lambda uow: allocate_waiting(uow, [sku_id]))


async def _jobs(world, function):
    return await world.rows("select job_key, payload from outbox where job = $1 order by id", function)


async def _forget_jobs(world):
    await world.database.system.execute("delete from outbox")


async def _planned(world) -> list[tuple[str, str, int]]:
    rows = await world.rows(
        """select l.code, s.status, coalesce(sum(x.quantity), 0)::int as units from shipment s
        join location l on l.id = s.location_id left join shipment_line x on x.shipment_id = s.id
        group by s.id, l.code, s.status order by s.id"""
    )
    return [(r["code"], r["status"], r["units"]) for r in rows]


async def test_a_count_at_one_site_takes_the_units_off_that_sites_shipment(world):
    """The units that are on no shipment yet stand at another site: they cannot stand in for those that are missing."""
    await world.stock(5)
    number = (await world.place(world.order(("S", 10))))[0].number
    await _plan(world, number)
    await world.stock(5, location="B")
    await _allocate(world)
    line = await world.line(number)
    assert (line["allocated"], line["ready"]) == (10, 5)
    await world.do(lambda uow: count_stock(uow, CountStock("S", "A", 2)))
    assert await _planned(world) == [("A", "PLANNED", 2)]
    assert (await world.line(number))["ready"] == 2
    shipment = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(shipment)]))
    assert await world.quantities(number) == (0, 5, 3, 2, 0)
    assert await world.do(recount) == []


async def test_a_filled_backorder_names_the_units_that_were_missing(world):
    await world.stock(6)
    (order,) = await world.place(world.order(("S", 10)))
    await world.stock(4)
    await _allocate(world)
    assert await world.quantities(order.number) == (0, 10, 0, 0, 0)
    (notice,) = await world.rows("select facts from notice where template = 'BACKORDER_FILLED'")
    assert notice["facts"]["quantity"] == 4


async def test_a_later_day_that_heals_a_backorder_is_not_told_as_goods_that_are_here(world):
    await world.supply(5, day(5))
    (order,) = await world.place(world.order(LineRequest("S", 5, requested_date=day(3))))
    assert await world.quantities(order.number) == (0, 0, 5, 0, 0)
    await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(order.number, 1, requested_date=day(9))))
    assert await world.quantities(order.number) == (5, 0, 0, 0, 0)
    for row in await world.rows("select template, facts from notice"):
        render(row["template"], "en", row["facts"])
    assert await world.value("select count(*) from notice where template = 'BACKORDER_FILLED'") == 0


async def test_a_transfer_that_leaves_late_lets_the_line_it_frees_be_shipped(world):
    await world.stock(5, location="R")
    (order,) = await world.place(world.order(("S", 5)))
    transfer = await world.value("select id from transfer")
    await world.stock(5)
    await _forget_jobs(world)
    world.clock.at += timedelta(days=3)
    await world.do(lambda uow: ship_transfers(uow, [transfer]))
    assert await world.quantities(order.number) == (0, 5, 0, 0, 0)
    order_id = await _order_id(world, order.number)
    assert [job["payload"]["orderIds"] for job in await _jobs(world, "plan_shipments")] == [[order_id]]


async def test_a_cancelled_rest_lets_what_waited_for_it_leave(world):
    await world.stock(5)
    whole = (await world.place(world.order(("S", 5), ("S2", 3), ship_complete=True)))[0].number
    await _plan(world, whole)
    assert await _planned(world) == []
    await _forget_jobs(world)
    await world.do(lambda uow: cancel_order(uow, CancelOrder(whole, 2)))
    order_id = await _order_id(world, whole)
    assert [job["payload"]["orderIds"] for job in await _jobs(world, "plan_shipments")] == [[order_id]]


async def test_a_cancelled_backorder_lets_a_complete_line_leave(world):
    await world.stock(5)
    wanted = LineRequest("S", 8, ship_policy=ShipPolicy.COMPLETE)
    (order,) = await world.place(world.order(wanted))
    await _plan(world, order.number)
    assert await _planned(world) == []
    await _forget_jobs(world)
    sku_id, backorder_id = order.backorder_ids[0]
    await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(sku_id, backorder_id)))
    order_id = await _order_id(world, order.number)
    assert [job["payload"]["orderIds"] for job in await _jobs(world, "plan_shipments")] == [[order_id]]


async def test_what_a_release_cancels_is_told(world):
    await world.stock(2)
    rest = LineRequest("S", 5, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST)
    gone = LineRequest("S2", 1, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST)
    (order,) = await world.place(world.order(rest, payment_state="PENDING"))
    (other,) = await world.place(world.order(gone, payment_state="PENDING", customer="C2"))
    await world.do(lambda uow: release_order_hold(uow, order.number))
    await world.do(lambda uow: release_order_hold(uow, other.number))
    assert await world.quantities(order.number) == (0, 2, 0, 0, 3)
    assert await world.quantities(other.number) == (0, 0, 0, 0, 1)
    told = await world.rows("select payload from outbox where topic = 'order' and kind = 'CANCELLED' order by id")
    assert [(t["payload"]["orderNumber"], t["payload"]["lineNumber"], t["payload"]["quantity"]) for t in told] == [
        (order.number, 1, 3),
        (other.number, 1, 1),
        (other.number, None, None),
    ]
    notices = await world.rows("select facts from notice where template = 'ORDER_CANCELLED' order by id")
    assert [(n["facts"]["orderNumber"], n["facts"]["quantity"]) for n in notices] == [
        (order.number, 3),
        (other.number, None),
    ]


async def test_what_must_leave_whole_is_withdrawn_when_a_count_takes_a_part(world):
    await world.stock(5)
    wanted = LineRequest("S", 5, ship_policy=ShipPolicy.COMPLETE)
    (order,) = await world.place(world.order(wanted))
    await _plan(world, order.number)
    assert await _planned(world) == [("A", "PLANNED", 5)]
    await world.do(lambda uow: count_stock(uow, CountStock("S", "A", 3)))
    assert await world.quantities(order.number) == (0, 3, 2, 0, 0)
    await _plan(world, order.number)
    assert await _planned(world) == [("A", "CANCELLED", 0)]
    assert (await world.line(order.number))["ready"] == 0
    assert await world.do(recount) == []


async def test_planning_locks_no_order_whose_gates_it_does_not_hold(world):
    await world.stock(5)
    number = (await world.place(world.order(("S", 5))))[0].number
    await _plan(world, number)
    order_id = await _order_id(world, number)
    async with world.database.system.acquire() as other, other.transaction():
        await other.execute("select 1 from sales_order where id = $1 for no key update", order_id)
        async with asyncio.timeout(30):
            assert await _plan(world, number) == []


async def test_a_purchase_for_stock_does_not_take_the_goods_on_the_shelf_from_who_waits(world):
    await world.database.system.execute("update sku set reorder_point = 10, reorder_quantity = 20 where code = 'S'")
    (order,) = await world.place(world.order(("S", 5)))
    await world.stock(5)
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await _allocate(world)
    assert await world.quantities(order.number) == (0, 5, 0, 0, 0)


async def test_a_dated_hold_on_stock_becomes_stock(world):
    await world.stock(5)
    item = ReservationItem("S", 5, need_date=day(10))
    held = await world.do(lambda uow: create_reservation(uow, CreateReservation([item], kind=ReservationKind.PREORDER)))
    (order,) = await world.place(world.order(("S", 5), reservation_id=held.group_id))
    assert await world.quantities(order.number) == (0, 5, 0, 0, 0)


async def test_a_count_of_what_has_no_route_any_more(world):
    await world.stock(5)
    (order,) = await world.place(world.order(("S", 5)))
    await world.database.system.execute(
        "update channel set location_ids = array[(select id from location where code = 'R')]"
    )
    await world.do(lambda uow: count_stock(uow, CountStock("S", "A", 3)))
    assert await world.quantities(order.number) == (0, 3, 2, 0, 0)


async def test_a_ship_notice_that_names_a_line_twice_dates_all_of_it(world):
    po = await world.do(lambda uow: create_purchase_order(uow, CreatePurchaseOrder("SUP", "A", [("S", 10, None)])))
    await world.database.system.execute("update purchase_order set status = 'SENT', sent_at = now()")
    supplier = await world.value("select id from supplier where code = 'SUP'")
    for sequence, due in (("1", day(4)), ("2", day(6))):
        said = ShipNoticeInput(
            supplier, "SN1", TODAY, due, "CARR", "T1", [(po.number, 1, "S", 6), (po.number, 1, "S", 4)], sequence
        )
        await world.do(lambda uow, said=said: apply_ship_notice(uow, said))
        rows = await world.rows("select quantity, usable_date, date_basis from supply order by quantity")
        assert [tuple(r.values()) for r in rows] == [(4, due, "SHIP_NOTICE"), (6, due, "SHIP_NOTICE")]


async def test_who_waits_gets_the_units_of_a_hold_that_another_verb_swept(world):
    await world.stock(5)
    item = ReservationItem("S", 5)
    await world.do(lambda uow: create_reservation(uow, CreateReservation([item], ttl_seconds=60)))
    (order,) = await world.place(world.order(("S", 5)))
    assert await world.quantities(order.number) == (0, 0, 5, 0, 0)
    world.clock.at += timedelta(minutes=5)
    await _forget_jobs(world)
    await world.do(lambda uow: hold_order(uow, HoldOrder(order.number, "FRAUD")))
    assert await world.value("select count(*) from reservation where state = 'expired'") == 1
    sku_id = await world.sku()
    assert [job["payload"]["skuIds"] for job in await _jobs(world, "allocate_waiting_demand")] == [[sku_id]]


async def test_a_hold_that_is_swept_is_announced_also_when_nobody_waits(world):
    await world.stock(5)
    item = ReservationItem("S", 5)
    await world.do(lambda uow: create_reservation(uow, CreateReservation([item], ttl_seconds=60)))
    world.clock.at += timedelta(minutes=5)
    await _forget_jobs(world)
    await _allocate(world)
    assert await world.value("select count(*) from outbox where topic = 'availability'") == 1


async def test_lateness_counts_days_of_the_place_that_received(world):
    """A receipt at seven in the morning in Seoul is on that day, although it is still the day before in Greenwich."""
    wanted = CreatePurchaseOrder("SUP", "A", [("S", 1, None)] * 20)
    change = await world.do(lambda uow: create_purchase_order(uow, wanted))
    world.clock.at = datetime(2026, 11, 16, 22, 0, tzinfo=UTC)
    lines = [ReceiptLine("S", 1, line_number=n) for n in range(1, 21)]
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(change.number, "PURCHASE_ORDER", "A", lines)))
    assert await world.value("select max(paper_date) from supply") == day(14)
    supplier = await world.value("select id from supplier where code = 'SUP'")
    assert await world.do(lambda uow: load_lateness(uow, [supplier])) == {(supplier, "LEAD_TIME"): 1}


async def test_a_return_number_of_another_order_is_refused_not_answered_as_done(world):
    await world.stock(4)
    first, second = await world.place(world.order(("S", 2)), world.order(("S", 2), customer="C2"))
    await _plan(world, first.number, second.number)
    leaving = [ConfirmShipment(row["number"]) for row in await world.rows("select number from shipment")]
    await world.do(lambda uow: confirm_shipments(uow, leaving))
    back = ReturnGoods(first.number, 1, 1, "A", return_number="R1")
    done = await world.do(lambda uow: return_goods(uow, back))
    assert (await world.do(lambda uow: return_goods(uow, back))).return_id == done.return_id
    with pytest.raises(InvalidInput):
        await world.do(lambda uow: return_goods(uow, ReturnGoods(second.number, 1, 1, "A", return_number="R1")))


async def test_a_reservation_serves_one_order_and_a_wrong_id_harms_no_neighbour(world):
    await world.stock(5)
    item = ReservationItem("S", 5)
    held = await world.do(lambda uow: create_reservation(uow, CreateReservation([item])))
    written = held.group_id.upper()
    first, again, wrong, other = await world.place(
        world.order(("S", 5), reservation_id=written),
        world.order(("S", 5), customer="C2", reservation_id=written),
        world.order(("S", 1), customer="C2", reservation_id="nonsense"),
        world.order(("S2", 1), customer="V1"),
    )
    assert (first.reservation_expired, again.reservation_expired) == (False, True)
    assert await world.quantities(first.number) == (0, 5, 0, 0, 0)
    assert (wrong.outcome, other.outcome) == ("refused", "placed")
    assert [error.path for error in wrong.errors] == [("input", "reservationId")]
