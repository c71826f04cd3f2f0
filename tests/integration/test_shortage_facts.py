"""The demand by which causes are judged: by day, and each line once."""

from __future__ import annotations

import pytest

from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.shortage_facts import load_shortage_facts
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_the_spread_of_demand_is_that_of_its_days_and_a_stored_line_counts_once(world: World):
    await world.place(world.order(*[("S", 10)] * 40))
    sku_id = await world.sku()

    async def long_ago(uow) -> None:
        """Two lines on each of twenty days of which the youngest is ten days old."""
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            "update order_line set created_at = $1::timestamptz - (10 + (line_number - 1) / 2) * interval '1 day'",
            uow.now,
        )

    await world.do(long_ago)
    await world.place(world.order(("S", 60)))
    (spike,) = await world.rows("select cause, evidence from backorder order by id desc limit 1")
    shown = {name: spike["evidence"][name] for name in ("dailyMean", "dailySd", "spikeFromUnits", "unitsLast7Days")}
    # twenty days of 20 units in 56: sqrt(8000 / 56 - (400 / 56)^2)
    assert (spike["cause"], shown) == (
        "DEMAND_SPIKE",
        {"dailyMean": 7.143, "dailySd": 9.583, "spikeFromUnits": 101, "unitsLast7Days": 60},
    )

    async def judged_again(uow) -> list[int]:
        books = await load_books(uow, await take_gates(uow, [sku_id]), await load_network(uow), lines="waiting")
        cases = [(books[sku_id], backorder) for backorder in books[sku_id].backorders]
        return [facts.demand.units_last_7_days for facts in await load_shortage_facts(uow, cases)]

    assert await world.do(judged_again) == [60] * 41
