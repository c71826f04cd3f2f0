"""Changing a line: fewer, more, another day, another rank."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest
from core.errors import DateInPast, IllegalTransition, InvalidInput, QuantityExceeded, VersionConflict
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.plan_shipments import plan_shipments
from core.services.reprioritize_backorder import ReprioritizeBackorder, reprioritize_backorder

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


def _change(number, **what):
    return lambda uow: change_order_line(uow, ChangeOrderLine(number, 1, **what))


async def test_fewer_units_free_the_late_ones_first_and_serve_who_waits(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 10))))[0].number
    waiting = (await world.place(world.order(("S", 2), customer="C2")))[0].number
    change = await world.do(_change(number, quantity=5))
    assert await world.quantities(number) == (0, 5, 0, 0, 0)
    assert (await world.line(number))["ordered"] == 5
    assert await world.quantities(waiting) == (0, 1, 1, 0, 0)
    assert change.version == await world.value("select version from sales_order where number = $1", number)
    states = await world.rows("select state from backorder order by id")
    assert [s["state"] for s in states] == ["CANCELLED", "PROVISIONAL"]


async def test_more_units_are_promised_as_new_ones(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 4))))[0].number
    await world.do(_change(number, quantity=9))
    assert await world.quantities(number) == (0, 6, 3, 0, 0)
    rows = await world.rows("select sequence, cause_kind, quantity, complete from promise order by sequence")
    assert rows[-1] == {"sequence": 2, "cause_kind": "LINE_CHANGED", "quantity": 9, "complete": True}
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 1, 1)))
    await world.do(_change(number, quantity=8))
    assert await world.quantities(number) == (0, 6, 2, 0, 1), "units wanted do not count those cancelled"


async def test_another_day(world):
    """Due by d5 from supply of d5: in time; wanted earlier: late; wanted later again: in time, and the claim stays."""
    due = TODAY + timedelta(days=5)
    await world.supply(4, due)
    number = (await world.place(world.order(LineRequest("S", 4, requested_date=due + timedelta(days=1)))))[0].number
    pegs = "select need_date, quantity, kind from peg"
    before = await world.rows(pegs)
    assert await world.quantities(number) == (4, 0, 0, 0, 0)
    await world.do(_change(number, requested_date=due))
    assert await world.quantities(number) == (0, 0, 4, 0, 0)
    assert await world.value("select state from backorder") == "PEGGED"
    await world.do(_change(number, requested_date=due + timedelta(days=9)))
    assert await world.quantities(number) == (4, 0, 0, 0, 0)
    assert await world.rows(pegs) == before
    assert await world.value("select count(*) from promise") == 1


async def test_an_earlier_day_takes_stock_that_came_free(world):
    due = TODAY + timedelta(days=5)
    await world.supply(4, due)
    number = (await world.place(world.order(LineRequest("S", 4, requested_date=due + timedelta(days=1)))))[0].number
    await world.stock(4)
    await world.do(_change(number, requested_date=TODAY + timedelta(days=1)))
    assert await world.quantities(number) == (0, 4, 0, 0, 0)
    assert await world.value("select pegged from supply") == 0
    event = await world.value("select payload from outbox where kind = 'PROMISE_MOVED'")
    assert (event["previousPromised"], event["promised"]) == ("2026-11-08", "2026-11-03")


async def test_refusals_change_nothing(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 6))))[0].number
    for what, error in (
        ({"quantity": 0}, InvalidInput),
        ({"quantity": 5, "expected_version": 9}, VersionConflict),
        ({"requested_date": TODAY - timedelta(days=1)}, DateInPast),
    ):
        with pytest.raises(error):
            await world.do(_change(number, **what))
    order_id = await world.value("select id from sales_order")
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    code = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code)]))
    with pytest.raises(IllegalTransition):
        await world.do(_change(number, quantity=7))
    assert await world.quantities(number) == (0, 0, 0, 6, 0)


async def test_not_fewer_than_have_left(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 10))))[0].number
    order_id = await world.value("select id from sales_order")
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    code = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code)]))
    with pytest.raises(QuantityExceeded):
        await world.do(_change(number, quantity=5))
    await world.do(_change(number, quantity=6))
    assert await world.quantities(number) == (0, 0, 0, 6, 0)
    assert (await world.line(number))["status"] == "SHIPPED"


async def test_a_new_rank_counts_from_the_next_free_unit(world):
    await world.stock(4)
    first = (await world.place(world.order(("S", 4))))[0].number
    older = (await world.place(world.order(("S", 4), customer="C2")))[0].number
    newer = (await world.place(world.order(("S", 3), customer=None)))[0].number
    rows = await world.rows("select sku_id, id, version from backorder order by id")
    request = ReprioritizeBackorder(
        rows[1]["sku_id"], rows[1]["id"], 5_000_000, "promised by phone", rows[1]["version"]
    )
    change = await world.do(lambda uow: reprioritize_backorder(uow, request))
    assert change.version == rows[1]["version"] + 1
    with pytest.raises(VersionConflict):
        await world.do(lambda uow: reprioritize_backorder(uow, request))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first)))
    assert await world.quantities(newer) == (0, 3, 0, 0, 0)
    assert await world.quantities(older) == (0, 1, 3, 0, 0)
    priority = await world.value("select priority from backorder where id = $1", rows[1]["id"])
    assert priority["score"] == 5_000_000
    assert priority["reason"] == "promised by phone"
