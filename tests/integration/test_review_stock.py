"""The daily review buys what is due, once, and consolidated."""

from __future__ import annotations

import pytest

from core.errors import GiveUp, InvariantBroken
from core.services import raise_purchase_requests as buying
from core.services import review_stock as reviewing
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.review_stock import review_stock
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.raise_purchase_request import raise_purchase_request

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


async def test_what_a_supplier_delivers_is_asked_for_together_and_not_more_than_may_wait(world, monkeypatch):
    await world.database.system.execute(
        """update supplier_sku set supplier_id = (select id from supplier where code = 'SUP2')
        where sku_id = (select id from sku where code = 'S2')"""
    )
    await world.database.system.execute("update sku set reorder_point = 5, reorder_quantity = 20")
    monkeypatch.setattr(reviewing, "CHUNK", 2)
    assert await world.do(review_stock) == 3
    first, second, third = [await world.sku(code) for code in ("S", "S2", "S3")]
    asked = [(row["job_key"], row["payload"]["skuIds"]) for row in await _requests(world)]
    assert asked == [("review", [first, third]), ("review:1", [second])]


async def test_a_sku_that_cannot_be_bought_stops_no_other(world, monkeypatch):
    await world.database.system.execute("update sku set reorder_point = 5, reorder_quantity = 20")
    sku_ids = [await world.sku(code) for code in ("S", "S2", "S3")]
    buy = buying.raise_purchase_requests

    async def with_one_at_fault(uow, sku_ids):
        sku_ids = list(sku_ids)
        if await world.sku("S") in sku_ids:
            raise InvariantBroken("line_equals_pegs", {"sku": "S"})
        return await buy(uow, sku_ids)

    monkeypatch.setattr(buying, "raise_purchase_requests", with_one_at_fault)
    context = JobContext(world.database, Settings(env="test"), world.clock)
    with pytest.raises(GiveUp, match=f"1 of 3 SKUs could not be bought: {sku_ids[0]}: InvariantBroken"):
        await raise_purchase_request(context, {"skuIds": sku_ids})
    assert await world.rows("select sku_id, ordered from purchase_order_line order by sku_id") == [
        {"sku_id": sku_id, "ordered": 20} for sku_id in sku_ids[1:]
    ]
    assert await world.value("select count(*) from purchase_order") == 1, "still together"
