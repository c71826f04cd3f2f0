"""Counts and adjustments on a real database: what lines lose by them is taken back first and covered anew."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from core.errors import InvalidInput, QuantityExceeded
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.allocate_waiting import allocate_waiting
from core.services.count_stock import CountStock, count_stock
from core.services.plan_shipments import plan_shipments
from core.services.reconcile_stock import recount
from core.unit_of_work import unit_of_work

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def count(world, counted: int, at: str = "A"):
    return await world.do(lambda uow: count_stock(uow, CountStock("S", at, counted)))


async def test_a_count_below_what_is_allocated_opens_a_backorder_that_says_so(world):
    await world.stock(6)
    (first,) = await world.place(world.order(("S", 4)))
    (second,) = await world.place(world.order(("S", 2), customer="C2"))
    change = await count(world, 3)
    assert change.on_hand == 3
    assert await world.quantities(first.number) == (0, 3, 1, 0, 0)
    assert await world.quantities(second.number) == (0, 0, 2, 0, 0)
    backorders = await world.rows("select quantity, cause from backorder order by id")
    assert [b["cause"] for b in backorders] == ["STOCK_RECORD_ERROR"] * 2
    promises = await world.rows("select cause_kind from promise where sequence = 2")
    assert [p["cause_kind"] for p in promises] == ["STOCK_CORRECTED"] * 2
    jobs = {row["job"] for row in await world.rows("select job from outbox where job is not null")}
    assert "raise_purchase_request" in jobs
    assert await world.do(recount) == []


async def test_lost_units_are_taken_from_another_site_first(world):
    await world.stock(4)
    await world.stock(2, location="B")
    (order,) = await world.place(world.order(("S", 4)))
    await count(world, 3)
    assert await world.quantities(order.number) == (0, 4, 0, 0, 0)
    pegs = await world.rows("select l.code, p.quantity from peg p join location l on l.id = p.location_id order by 1")
    assert pegs == [{"code": "A", "quantity": 3}, {"code": "B", "quantity": 1}]
    assert await world.value("select count(*) from backorder") == 0


async def test_an_equal_count_writes_nothing_and_a_higher_one_is_free(world):
    await world.stock(4)
    before = await world.value("select count(*) from stock_movement")
    await count(world, 4)
    assert await world.value("select count(*) from stock_movement") == before
    assert (await count(world, 9)).on_hand == 9
    assert await world.value("select count(*) from outbox where job = 'allocate_waiting_demand'") == 1


async def test_what_was_booked_since_a_count_stays_booked(world):
    """Units that left after the counting are not found anew; what a count has found is not found twice."""
    await world.stock(100)
    began = world.clock.at
    world.clock.at += timedelta(minutes=5)
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", -10, "left by hand")))
    await world.stock(7, location="B")
    world.clock.at += timedelta(minutes=5)

    async def counted(units: int, at):
        return (await world.do(lambda uow: count_stock(uow, CountStock("S", "A", units, counted_at=at)))).on_hand

    assert await counted(100, began) == 90
    assert await world.value("select count(*) from stock_movement where kind = 'counted'") == 0
    assert [await counted(102, began) for _ in range(2)] == [92, 92]
    assert await counted(92, world.clock.at) == 92
    with pytest.raises(InvalidInput, match="10 units have left since then"):
        await counted(5, began)
    with pytest.raises(InvalidInput, match="cannot lie ahead"):
        await counted(92, world.clock.at + timedelta(seconds=1))
    assert (await count(world, 95)).on_hand == 95
    assert await world.do(recount) == []


async def test_adjustments_need_a_reason_and_cannot_take_what_is_not_there(world):
    await world.stock(4)
    for delta, reason in ((0, "x"), (1, " ")):
        with pytest.raises(InvalidInput):
            await world.do(lambda uow, d=delta, r=reason: adjust_stock(uow, AdjustStock("S", "A", d, r)))
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", -5, "theft")))
    assert await world.value("select on_hand from stock_level") == 4


async def test_setting_units_aside_takes_them_from_lines_and_back(world):
    await world.stock(4)
    (order,) = await world.place(world.order(("S", 4)))
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", 1, "suspect", unsellable=True)))
    assert await world.quantities(order.number) == (0, 3, 1, 0, 0)
    assert await world.rows("select on_hand, unsellable, allocated from stock_level") == [
        {"on_hand": 4, "unsellable": 1, "allocated": 3}
    ]
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", -1, "sound", unsellable=True)))
    sku_id = await world.sku()
    assert (await world.do(lambda uow: allocate_waiting(uow, [sku_id]))).quantity == 1
    assert await world.quantities(order.number) == (0, 4, 0, 0, 0)
    assert await world.do(recount) == []


async def test_free_stock_goes_by_priority_and_never_into_a_later_promise(world):
    await world.place(world.order(("S", 2)), world.order(("S", 3), customer="V1"))
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "B", 4, "found")))
    sku_id = await world.sku()
    summary = await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert summary.quantity == 4
    lines = await world.rows("select allocated, backordered from order_line order by id")
    assert [tuple(x.values()) for x in lines] == [(1, 1), (3, 0)]
    assert (await world.do(lambda uow: allocate_waiting(uow, [sku_id]))).quantity == 0
    assert await world.do(recount) == []


async def test_protected_stock_is_not_given(world):
    await world.place(world.order(("S", 5)))
    sku_id, place = await world.sku(), await world.location("A")

    async def protect(uow):
        from core.repositories.gates import take_gates

        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            "insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity)"
            " values ($1, $2, '', $3, 2)",
            sku_id,
            place,
            TODAY - timedelta(days=1),
        )

    await world.do(protect)
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", 3, "found")))
    assert (await world.do(lambda uow: allocate_waiting(uow, [sku_id]))).quantity == 1


async def test_a_loss_beside_the_planning_of_other_skus_of_the_order_neither_locks_up_nor_loses_the_shipment(world):
    """The planning holds the order and its shipment; the count of another SKU holds only its own gate."""
    await world.stock(1, "S")
    (placed,) = await world.place(world.order(("S", 1), ("S2", 1)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    await world.stock(1, "S2")
    sku_id = await world.sku("S2")
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    async with unit_of_work(world.database, world.clock) as planning:
        assert await plan_shipments(planning, [placed.order_id])
        loss = asyncio.create_task(world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", -1, "lost"))))
        await asyncio.sleep(0.3)
    await loss
    assert await world.rows("select status from shipment") == [{"status": "PLANNED"}]
    assert await world.rows("select order_line_id, quantity from shipment_line") == [
        {"order_line_id": (await world.line(placed.number, 2))["id"], "quantity": 1}
    ]
    assert await world.do(recount) == []
