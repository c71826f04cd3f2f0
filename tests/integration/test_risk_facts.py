"""What may be given away of a place: nothing that somebody waits for there."""

from __future__ import annotations

import pytest

from core.domain.risk_actions import Spare
from core.queries.risk_facts import situations
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio


async def test_what_is_claimed_and_not_yet_allocated_is_not_given_away(world: World):
    await world.place(world.order(("S", 90)))
    await world.stock(100)
    assert await world.rows("select kind, quantity from peg") == [{"kind": "OPEN", "quantity": 90}]
    figures = [
        {
            "sku_id": await world.sku(), "location_id": await world.location(code), "on_hand": 0, "in_transit": 0,
            "past_due": 0, "backordered": 0, "minimum_stock": 0, "forecast_3": 0, "sales_3": 0, "day": TODAY,
        }
        for code in ("A", "B")
    ]  # fmt: skip
    here, there = (await situations(world.database.system, figures, world.clock.at)).values()
    assert (here.free, there.spares) == (10, [Spare("A", 10, 1)])
