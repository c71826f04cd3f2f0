"""The release gate, shipments that leave and arrive, and goods that come back."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from core.domain.placing import LineRequest
from core.domain.states import ShipPolicy
from core.errors import IllegalTransition, NotFound, QuantityExceeded
from core.services.allocate_waiting import allocate_waiting
from core.services.confirm_delivery import ConfirmDelivery, confirm_deliveries
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.return_goods import ReturnGoods, return_goods

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def _order_id(world, number):
    return await world.value("select id from sales_order where number = $1", number)


async def _plan(world, *numbers):
    ids = [await _order_id(world, number) for number in numbers]
    return await world.do(lambda uow: plan_shipments(uow, ids))


async def test_one_planned_shipment_per_order_and_location(world):
    await world.stock(10, location="A")
    await world.stock(15, location="B")
    number = (await world.place(world.order(("S", 18))))[0].number
    ids = await _plan(world, number)
    rows = await world.rows(
        """select s.id, l.code, s.status, s.planned_ship_date, x.quantity, s.number from shipment s
        join location l on l.id = s.location_id join shipment_line x on x.shipment_id = s.id order by l.code"""
    )
    assert [(r["code"], r["quantity"], r["status"], r["planned_ship_date"]) for r in rows] == [
        ("A", 10, "PLANNED", TODAY),
        ("B", 8, "PLANNED", TODAY),
    ]
    assert ids == [r["id"] for r in rows]
    line = await world.line(number)
    assert (line["ready"], line["allocated"], line["status"]) == (18, 18, "READY_TO_SHIP")
    assert await world.value("select status from sales_order") == "SHIPMENT_RESERVED"
    assert await world.value("select count(*) from outbox where kind = 'READY_TO_SHIP'") == 1
    assert await _plan(world, number) == []


async def test_the_release_gate(world):
    """Held and incomplete orders stay; a COMPLETE line waits; the rest of a partial line joins its planned shipment."""
    await world.stock(6)
    await world.stock(50, sku="S2")
    complete = (await world.place(world.order(("S2", 5), ("S", 8), ship_complete=True)))[0].number
    whole_line = LineRequest("S3", 2, ship_policy=ShipPolicy.COMPLETE)
    await world.stock(1, sku="S3")
    mixed = (await world.place(world.order(("S2", 1), whole_line, customer="C2")))[0].number
    held = (await world.place(world.order(("S2", 2), customer="V1")))[0].number
    await world.do(lambda uow: hold_order(uow, HoldOrder(held, "CREDIT")))
    ids = await _plan(world, complete, mixed, held)
    assert len(ids) == 1
    assert await world.rows("select s.code, x.quantity from shipment_line x join sku s on s.id = x.sku_id") == [
        {"code": "S2", "quantity": 1}
    ]
    assert (await world.line(mixed, 2))["status"] == "BACKORDERED"
    assert (await world.line(complete, 1))["ready"] == 0


async def test_a_shipment_confirmed_twice_ships_once(world):
    await world.stock(10)
    number = (await world.place(world.order(("S", 6))))[0].number
    await _plan(world, number)
    code = await world.value("select number from shipment")
    request = ConfirmShipment(code, "CJ", "T-1")
    (first,) = await world.do(lambda uow: confirm_shipments(uow, [request]))
    events = await world.value("select count(*) from outbox")
    (again,) = await world.do(lambda uow: confirm_shipments(uow, [request]))
    assert again == first
    assert first.version == 2
    assert await world.value("select count(*) from outbox") == events
    assert await world.quantities(number) == (0, 0, 0, 6, 0)
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 4, "allocated": 0}]
    assert await world.value("select count(*) from peg") == 0
    (move,) = await world.rows("select * from stock_movement where kind = 'shipped'")
    assert (move["on_hand_delta"], move["allocated_delta"]) == (-6, -6)
    (shipment,) = await world.rows("select status, carrier, tracking_number, shipped_at from shipment")
    assert shipment == {"status": "SHIPPED", "carrier": "CJ", "tracking_number": "T-1", "shipped_at": world.clock.at}
    (notice,) = await world.rows("select facts from notice where template = 'SHIPPED'")
    assert notice["facts"] == {
        "sku": "S",
        "skuName": {"en": "S", "ko": "S"},
        "orderNumber": number,
        "quantity": 6,
        "otherItems": 0,
        "carrier": "CJ",
        "trackingNumber": "T-1",
        "expected": "2026-11-03",
    }
    (event,) = await world.rows("select payload from outbox where topic = 'order' and kind = 'SHIPPED'")
    assert (event["payload"]["status"], event["payload"]["quantity"]) == ("SHIPPED", 6)
    assert event["payload"]["trackingNumber"] == "T-1"


async def test_a_shipment_that_gains_a_line_while_it_is_confirmed_leaves_with_it(world):
    """Who confirms waits for the planner who is at it, and does not have to start again for what they put on."""
    await world.stock(6)
    number = (await world.place(world.order(("S", 6), ("S2", 2))))[0].number
    await _plan(world, number)
    await world.stock(2, sku="S2")
    second = await world.sku("S2")
    await world.do(lambda uow: allocate_waiting(uow, [second]))
    order_id, code = await _order_id(world, number), await world.value("select number from shipment")
    planned, attempts = asyncio.Event(), 0

    async def planner(uow):
        assert len(await plan_shipments(uow, [order_id])) == 1
        planned.set()
        async with asyncio.timeout(30):
            while not await world.value(
                "select count(*) from pg_locks where not granted and pid in"
                " (select pid from pg_stat_activity where datname = current_database())"
            ):
                await asyncio.sleep(0.01)

    async def warehouse(uow):
        nonlocal attempts
        attempts += 1
        return await confirm_shipments(uow, [ConfirmShipment(code)])

    async def behind():
        await planned.wait()
        return await world.do(warehouse)

    await asyncio.gather(world.do(planner), behind())
    assert attempts == 1
    assert await world.quantities(number, 1) == (0, 0, 0, 6, 0)
    assert await world.quantities(number, 2) == (0, 0, 0, 2, 0)


async def test_delivery_and_returns(world):
    await world.stock(10)
    number = (await world.place(world.order(("S", 6))))[0].number
    await _plan(world, number)
    code = await world.value("select number from shipment")
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: confirm_deliveries(uow, [ConfirmDelivery(code)]))
    with pytest.raises(NotFound):
        await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code), ConfirmShipment("SH0")]))
    assert await world.value("select status from shipment") == "PLANNED"
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code)]))
    for _ in range(2):
        await world.do(lambda uow: confirm_deliveries(uow, [ConfirmDelivery(code)]))
    assert await world.value("select status from sales_order") == "DELIVERED"
    assert await world.value("select count(*) from outbox where kind = 'DELIVERED'") == 1
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 7, "A")))
    back = await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 2, "A", return_number="R-1")))
    same = await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 2, "A", return_number="R-1")))
    assert (same.return_id, same.version) == (back.return_id, back.version)
    await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 3, "A", "QUARANTINED", "broken")))
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 2, "A")))
    assert await world.quantities(number) == (0, 0, 0, 6, 0)
    (level,) = await world.rows("select on_hand, unsellable, allocated from stock_level")
    assert level == {"on_hand": 9, "unsellable": 3, "allocated": 0}
    assert await world.rows("select quantity, condition from order_return order by id") == [
        {"quantity": 2, "condition": "SELLABLE"},
        {"quantity": 3, "condition": "QUARANTINED"},
    ]


async def test_returned_units_go_to_who_waits(world):
    await world.stock(6)
    number = (await world.place(world.order(("S", 6))))[0].number
    waiting = (await world.place(world.order(("S", 4), customer="C2")))[0].number
    await _plan(world, number)
    code = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code)]))
    await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 3, "A")))
    assert await world.quantities(waiting) == (0, 3, 1, 0, 0)


async def test_many_orders_are_planned_and_shipped_in_few_statements(world):
    """64 orders of 20 lines each: one call each, no statement per row."""
    await world.database.system.execute(
        """insert into sku (code, name, unit_cost, unit_price, currency)
        select 'M' || n, '{"en": "M"}', 1, 2, 'USD' from generate_series(1, 40) n"""
    )
    await world.do(_stock_all)
    orders = [world.order(*[(f"M{1 + (n + k) % 40}", 1) for k in range(20)], customer=None) for n in range(64)]
    placed = await world.place(*orders)
    ids = [result.order_id for result in placed]
    counted = _Counting()
    shipments = await world.do(lambda uow: plan_shipments(counted.on(uow), ids))
    assert len(shipments) == 64
    assert counted.statements < 40
    codes = [r["number"] for r in await world.rows("select number from shipment")]
    counted = _Counting()
    await world.do(lambda uow: confirm_shipments(counted.on(uow), [ConfirmShipment(code) for code in codes]))
    assert counted.statements < 40
    assert await world.value("select sum(shipped) from order_line") == 1280


async def _stock_all(uow):
    await uow.sql.execute("update sku_gate set version = version + 1, changed_by = pg_current_xact_id()")
    await uow.sql.execute(
        """insert into stock_level (sku_id, location_id, on_hand) select s.id, l.id, 100 from sku s, location l
        where s.code like 'M%' and l.code = 'A'"""
    )


class _Counting:
    """Counts the statements of a unit of work."""

    def __init__(self):
        self.statements = 0

    def on(self, uow):
        inner, counter = uow.sql, self

        class Connection:
            def __getattr__(self, name):
                method = getattr(inner, name)
                if name not in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
                    return method

                async def counted(*arguments):
                    counter.statements += 1
                    return await method(*arguments)

                return counted

        uow.sql = Connection()
        return uow


async def test_only_orders_and_lines_of_which_enough_is_there_pass_the_gate(world):
    """80 % of a line and 90 % of the order; what has left counts as there."""
    await world.database.system.execute(
        "insert into policy (code, value) values ('release_gate', $1)", {"linePercent": 80, "orderPercent": 90}
    )
    await world.stock(7)
    await world.stock(30, sku="S2")
    few = (await world.place(world.order(("S", 10), ("S2", 10))))[0].number
    assert await _plan(world, few) == []  # 17 of 20 units
    await world.stock(1)
    sku_id = await world.sku()
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert len(await _plan(world, few)) == 1  # 8 of 10 and 18 of 20
    units = await world.rows("select s.code, x.quantity from shipment_line x join sku s on s.id = x.sku_id order by 1")
    assert [tuple(row.values()) for row in units] == [("S", 8), ("S2", 10)]
    await world.stock(1)
    short = (await world.place(world.order(("S", 10), ("S2", 15), customer="C2")))[0].number
    await world.database.system.execute(
        """update policy set value = '{"linePercent": 80}' where code = 'release_gate'"""
    )
    assert len(await _plan(world, short)) == 1
    assert (await world.line(short, 1))["ready"] == 0
    assert (await world.line(short, 2))["ready"] == 15
