"""Snapshots know what was recorded by their instant and nothing else; outcomes come later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.queries import risk_snapshot
from core.queries.risk_snapshot import FIGURES, figures_as_of, hindsight
from core.repositories.gates import take_gates
from core.repositories.risk_snapshots import write_labels
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.take_risk_snapshots import keep_snapshots
from tests.world import TODAY

pytestmark = pytest.mark.anyio


async def _busy_weeks(world):
    """Stock, sales, an order to the supplier that is late, a backorder; the clock stands after them."""
    await world.database.system.execute("update sku set created_at = '2026-01-01'")
    await world.database.system.execute("update supplier_sku set created_at = '2026-01-01'")
    await world.stock(10)
    (kept,) = await world.place(world.order(("S", 4)))
    world.clock.at += timedelta(days=1)
    await world.place(world.order(("S", 9)))
    await world.do(lambda uow: raise_purchase_requests(uow, [1]))
    world.clock.at += timedelta(days=20)
    return kept


async def _figures(world, at):
    async with world.database.system.acquire() as sql:
        return {(row["sku_id"], row["location_id"]): dict(row) for row in await figures_as_of(sql, at)}


async def test_a_snapshot_says_what_is_known(world):
    await _busy_weeks(world)
    assert await world.do(keep_snapshots) == 1
    (row,) = await world.rows("select * from risk_snapshot")
    assert {name: row[name] for name in FIGURES} == {
        "on_hand": 0, "in_transit": 3, "lead_time_weeks": pytest.approx(10 / 7), "forecast_3": None, "forecast_6": None,
        "forecast_9": None, "sales_1": 13, "sales_3": 13, "sales_6": 13, "sales_9": 13, "minimum_stock": 0, "past_due": 3,
        "on_time_6": None, "on_time_12": None, "backordered": 3,
    }  # fmt: skip
    assert row["day"] == TODAY + timedelta(days=21)
    assert await world.do(keep_snapshots) == 1, "the same day again replaces the row"
    assert await world.value("select count(*) from risk_snapshot") == 1


async def test_nothing_recorded_later_reaches_a_snapshot(world):
    kept = await _busy_weeks(world)
    at = world.clock.at
    await world.do(keep_snapshots)
    before = await _figures(world, at)
    world.clock.at += timedelta(hours=1)
    await world.stock(100)
    await world.place(world.order(("S", 70)))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(kept.number)))
    await world.do(lambda uow: raise_purchase_requests(uow, [1]))

    async def slip(uow):
        await take_gates(uow, [1])
        await uow.sql.execute(
            "update supply set paper_date = paper_date + 9, quantity = quantity + 1, updated_at = $1", uow.now
        )

    await world.do(slip)
    assert await _figures(world, at) == before
    async with world.database.system.acquire() as sql:
        assert await hindsight(sql, at) == {}
    after = await _figures(world, world.clock.at)
    assert {name for name in FIGURES if after[1, 1][name] != before[1, 1][name]} >= {
        "on_hand",
        "in_transit",
        "sales_1",
        "backordered",
    }


async def test_a_planted_leak_is_found(world, monkeypatch):
    """Demand that looks an hour ahead: the recheck names the figures that knew more than was recorded."""
    await _busy_weeks(world)
    at = world.clock.at
    await world.do(keep_snapshots)
    world.clock.at += timedelta(minutes=30)
    await world.place(world.order(("S", 70)))
    seeing = risk_snapshot.AS_OF.replace("p.created_at <= $1::timestamptz and o.placed_at <= $1::timestamptz",
                                         "p.created_at <= $1::timestamptz + interval '1 hour'")  # fmt: skip
    assert seeing != risk_snapshot.AS_OF
    monkeypatch.setattr(risk_snapshot, "AS_OF", seeing)
    async with world.database.system.acquire() as sql:
        found = await hindsight(sql, at)
    assert set(found) == {"sales_1", "sales_3", "sales_6", "sales_9"}
    assert found["sales_1"][0] | {"skuId": 1, "locationId": 1} == {
        "skuId": 1,
        "locationId": 1,
        "then": 13.0,
        "now": 83.0,
    }


async def test_outcomes_are_known_when_the_horizon_has_passed(world):
    await world.stock(10)
    await world.stock(10, sku="S2")
    await world.do(keep_snapshots)
    world.clock.at += timedelta(days=3)
    await world.place(world.order(("S", 12)))
    world.clock.at += timedelta(days=10)
    assert await world.do(lambda uow: write_labels(uow, 14)) == 0
    world.clock.at += timedelta(days=1)
    assert await world.do(lambda uow: write_labels(uow, 14)) == 2
    assert await world.rows("select sku_id, went_short from risk_snapshot order by 1") == [
        {"sku_id": 1, "went_short": True}, {"sku_id": 2, "went_short": False},
    ]  # fmt: skip
