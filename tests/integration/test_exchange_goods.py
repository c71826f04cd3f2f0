"""Goods come back and others go out for them: both lines balance, each on its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import DateInPast, InvalidInput, QuantityExceeded, SkuNotSellable
from core.repositories.gates import take_gates
from core.services.confirm_delivery import ConfirmDelivery, confirm_deliveries
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.exchange_goods import ExchangeGoods, exchange_goods
from core.services.plan_shipments import plan_shipments
from core.services.reconcile_stock import recount
from core.services.return_goods import ReturnGoods, return_goods
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio


async def _delivered(world: World, quantity: int = 3) -> str:
    await world.stock(quantity)
    (placed,) = await world.place(world.order(("S", quantity)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id or 0]))
    number = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number)]))
    await world.do(lambda uow: confirm_deliveries(uow, [ConfirmDelivery(number)]))
    return placed.number or ""


def _exchange(world: World, number: str, units: int = 2, number_of_return: str | None = None, **more):
    condition = more.pop("condition", "QUARANTINED")
    back = ReturnGoods(number, 1, units, "A", condition, "too small", number_of_return)
    return world.do(lambda uow: exchange_goods(uow, ExchangeGoods(back, **more)))


async def test_another_sku_goes_out_for_what_came_back(world: World):
    number = await _delivered(world)
    sku_id = await world.sku()

    async def asked_for_more(uow) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update order_line set min_life_days = 9")

    await world.do(asked_for_more)
    await world.stock(1, "S2")
    done = await _exchange(world, number, sku="S2", number_of_return="RMA-1")
    assert await world.quantities(number, 1) == (0, 0, 0, 3, 0), "the old line stays as it was"
    assert await world.quantities(number, 2) == (0, 1, 1, 0, 0), "what is short of the new one is a backorder"
    assert await world.value("select state from backorder") == "PROVISIONAL"
    assert (await world.line(number, 2))["min_life_days"] == 9, "as the old line asked"
    bought = await world.rows("select payload from outbox where job = 'raise_purchase_request'")
    assert (await world.sku("S2")) in [sku for row in bought for sku in row["payload"].get("skuIds", ())], bought
    assert await world.value("select status from sales_order") == "VALIDATED"
    kept = (await world.rows("select quantity, replacement_line_id, condition from order_return"))[0]
    assert kept == {"quantity": 2, "replacement_line_id": done.line_id, "condition": "QUARANTINED"}
    evidence = await world.value("select evidence -> 'exchangeFor' from promise where order_line_id = $1", done.line_id)
    assert (evidence["return"], evidence["quantity"]) == ("RMA-1", 2)
    assert (await world.rows("select on_hand, unsellable from stock_level order by sku_id limit 1"))[0] == {
        "on_hand": 2,
        "unsellable": 2,
    }
    again = await _exchange(world, number, sku="S2", number_of_return="RMA-1")
    assert again == done
    assert await world.value("select count(*) from order_line") == 2
    assert await world.do(recount) == []


async def test_the_same_sku_may_go_out_again_from_what_came_back(world: World):
    number = await _delivered(world)
    await _exchange(world, number, condition="SELLABLE", requested_date=TODAY + timedelta(days=5))
    assert await world.quantities(number, 2) == (0, 2, 0, 0, 0)
    assert await world.do(recount) == []


async def test_what_cannot_be_exchanged_is_refused_and_nothing_has_come_back(world: World):
    number = await _delivered(world)
    await world.database.system.execute("update sku set status = 'BLOCKED' where code = 'S3'")
    with pytest.raises(QuantityExceeded):
        await _exchange(world, number, 4)
    with pytest.raises(SkuNotSellable):
        await _exchange(world, number, sku="S3")
    with pytest.raises(InvalidInput):
        await _exchange(world, number, quantity=0)
    with pytest.raises(DateInPast):
        await _exchange(world, number, requested_date=TODAY - timedelta(days=1))
    assert await world.value("select count(*) from order_return") == 0
    back = ReturnGoods(number, 1, 1, "A", return_number="RMA-2")
    await world.do(lambda uow: return_goods(uow, back))
    with pytest.raises(InvalidInput):
        await _exchange(world, number, number_of_return="RMA-2")
    assert await world.do(recount) == []
