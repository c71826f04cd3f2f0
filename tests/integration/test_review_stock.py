"""The daily review buys what is due, once, and consolidated."""

from __future__ import annotations

import pytest

from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.review_stock import review_stock

pytestmark = pytest.mark.anyio


async def _requests(world):
    return await world.rows("select job, job_key, payload from outbox where job = 'raise_purchase_request' order by id")


async def test_shortages_and_reorder_points_are_due_once(world):
    await world.database.system.execute("""insert into policy (code, value) values ('purchase_requests', '"DAILY"')""")
    await world.database.system.execute("update sku set reorder_point = 5, reorder_quantity = 20 where code = 'S2'")
    await world.stock(5, sku="S2")
    await world.stock(1, sku="S3")
    await world.place(world.order(("S", 3)))
    assert await _requests(world) == [], "a shortage waits for the review"
    short, low = await world.sku("S"), await world.sku("S2")
    assert await world.do(review_stock) == 2
    (asked,) = await _requests(world)
    assert (asked["job_key"], asked["payload"]) == ("review", {"skuIds": [short, low]})
    orders = await world.do(lambda uow: raise_purchase_requests(uow, [short, low]))
    assert len(orders) == 1, "one order to the one supplier"
    lines = await world.rows("select sku_id, ordered from purchase_order_line order by sku_id")
    assert lines == [{"sku_id": short, "ordered": 3}, {"sku_id": low, "ordered": 20}]
    assert await world.do(review_stock) == 0


async def test_a_sku_nobody_supplies_or_sells_is_not_due(world):
    await world.database.system.execute("update sku set reorder_point = 5, reorder_quantity = 20")
    await world.database.system.execute("delete from supplier_sku where sku_id = (select id from sku where code = 'S')")
    await world.database.system.execute("update sku set status = 'DISCONTINUED' where code = 'S2'")
    assert await world.do(review_stock) == 1
    (asked,) = await _requests(world)
    assert asked["payload"] == {"skuIds": [await world.sku("S3")]}
