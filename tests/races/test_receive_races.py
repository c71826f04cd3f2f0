"""Many at once on a real database: receipts at two sites, answers, counts and orders on one SKU."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.allocate_waiting import allocate_waiting
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.reconcile_stock import recount
from core.services.reschedule_supply import SupplyChange, reschedule_supply

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def buy(world, location: str, quantity: int) -> str:
    wanted = CreatePurchaseOrder("SUP", location, [("S", quantity, None)])
    change = await world.do(lambda uow: create_purchase_order(uow, wanted))
    await world.database.system.execute(
        "update purchase_order set status = 'SENT' where id = $1", change.purchase_order_id
    )
    return change.number


async def test_two_receipts_at_two_sites_at_once_serve_everybody_once(world):
    for n in range(6):
        await world.place(world.order(("S", 3), customer=None, external_number=f"E{n}"))
    at_a, at_b = await buy(world, "A", 9), await buy(world, "B", 9)
    sku_id = await world.sku()

    async def receive(number: str, at: str) -> None:
        for _ in range(3):
            said = ReceiveGoods(number, "PURCHASE_ORDER", at, [ReceiptLine("S", 3)])
            await world.do(lambda uow, said=said: receive_goods(uow, said))
            await world.do(lambda uow: allocate_waiting(uow, [sku_id]))

    await asyncio.gather(receive(at_a, "A"), receive(at_b, "B"))
    levels = await world.rows(
        "select l.code, s.on_hand, s.allocated from stock_level s join location l on l.id = s.location_id order by 1"
    )
    assert levels == [
        {"code": "A", "on_hand": 9, "allocated": 9},
        {"code": "B", "on_hand": 9, "allocated": 9},
    ]
    assert await world.value("select count(*) from order_line where allocated = 3") == 6
    assert await world.value("select count(*) from backorder where state = 'FILLED'") == 6
    assert await world.do(recount) == []


async def test_the_same_receipt_sent_by_four_at_once_is_booked_once(world):
    number = await buy(world, "A", 5)
    said = ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 5)], "R-1")
    results = await asyncio.gather(*(world.do(lambda uow: receive_goods(uow, said)) for _ in range(4)))
    assert len({result.receipt_id for result in results}) == 1
    assert [result.repeated for result in results].count(False) == 1
    assert await world.value("select on_hand from stock_level") == 5


async def test_the_same_need_raised_by_four_at_once_is_bought_once(world):
    await world.place(world.order(("S", 7)))
    sku_id = await world.sku()
    raised = await asyncio.gather(*(world.do(lambda uow: raise_purchase_requests(uow, [sku_id])) for _ in range(4)))
    assert sorted(len(ids) for ids in raised) == [0, 0, 0, 1]
    assert await world.value("select sum(ordered) from purchase_order_line") == 7


async def test_orders_receipts_delays_and_losses_together_keep_every_identity(world):
    await world.stock(10)
    at_a = await buy(world, "A", 30)
    sku_id = await world.sku()
    supply_id = await world.value("select id from supply")

    async def orders() -> None:
        for n in range(8):
            await world.place(world.order(("S", 4), customer=None, external_number=f"X{n}"))

    async def receipts() -> None:
        for _ in range(5):
            said = ReceiveGoods(at_a, "PURCHASE_ORDER", "A", [ReceiptLine("S", 4, damaged=1)])
            await world.do(lambda uow, said=said: receive_goods(uow, said))

    async def delays() -> None:
        for n in (20, 10, 25, 12):
            change = SupplyChange(sku_id, supply_id, TODAY + timedelta(days=n), "CARRIER")
            await world.do(lambda uow, said=change: reschedule_supply(uow, [said]))

    async def losses() -> None:
        for _ in range(3):
            await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", -1, "broken")))

    async def helpers() -> None:
        for _ in range(4):
            await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
            await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))

    await asyncio.gather(orders(), receipts(), delays(), losses(), helpers())
    assert await world.do(recount) == []
    level = (await world.rows("select on_hand, unsellable, allocated from stock_level"))[0]
    assert (level["on_hand"], level["unsellable"]) == (27, 5)
    assert level["allocated"] <= 22
