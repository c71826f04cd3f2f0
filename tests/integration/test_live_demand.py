"""Demand from orders to forecasts, targets and proposals on a real database, with broken figures listed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

pytest.importorskip("sklearn")

from core.queries.demand_drivers import imported_figures
from core.queries.demand_history import WEEKS
from core.services.change_selling_rules import SetProtectedStock, set_protected_stock
from core.services.import_demand_drivers import import_demand_drivers
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.forecast_demand import forecast_demand
from workers.jobs.watch_demand import watch_demand

pytestmark = pytest.mark.anyio


async def _weeks(world, quantities: list[int], sku: str = "S") -> None:
    """One order a week, the newest three days ago; there is always enough on hand."""
    at = world.clock.at
    await world.stock(sum(quantities) + 30, sku=sku)
    for ago, quantity in enumerate(reversed(quantities)):
        placed = at - timedelta(days=7 * ago + 3)
        await world.place(world.order((sku, quantity), customer=None, placed_at=placed))


def _context(world) -> JobContext:
    return JobContext(world.database, Settings(env="test"), world.clock)


async def test_orders_become_a_forecast_a_target_and_a_proposal(world):
    await _weeks(world, [10, 12, 8, 10, 11, 9, 10, 10, 12, 8, 10, 10])
    done = await forecast_demand(_context(world), {})
    assert (done["forecasts"], done["targets"]) == (1, 1)
    (forecast,) = await world.rows("select * from demand_forecast")
    assert forecast["weekly_mean"] == pytest.approx(10, abs=1)
    assert forecast["weeks_known"] == 12
    (target,) = await world.rows("select * from stock_target")
    assert (target["abc"], target["xyz"], target["service_level"]) == ("A", "X", 0.98)
    assert target["on_hand"] == target["position"] == 30
    expected = 10 * (10 + 1) / 7
    assert expected < target["reorder_point"] < 3 * expected
    assert target["safety_stock"] == pytest.approx(target["reorder_point"] - expected, abs=2)
    assert target["flags"] == []
    await world.place(world.order(("S", 40)))
    await forecast_demand(_context(world), {})
    (target,) = await world.rows("select * from stock_target")
    assert target["flags"][:2] == ["REPLENISH", "STOCKOUT_RISK"]
    assert target["suggested"] > 0
    assert target["urgency"] > 90
    backorder = await world.value("select id from backorder")
    assert target["effect"] == {"backorders": [{"id": backorder, "units": 10}], "units": 10}
    assert {reason["code"] for reason in target["reasons"]} >= {"REPLENISH", "BACKORDERED"}


async def test_an_event_of_four_weeks_is_not_the_demand_of_a_year(world):
    await _weeks(world, [10] * 12)
    await forecast_demand(_context(world), {})
    (before,) = await world.rows("select * from stock_target")
    first = world.clock.at.date() + timedelta(days=1)
    event = {"name": "x", "from": str(first), "until": str(first + timedelta(days=27)), "factor": 5, "skus": ["S"]}
    await world.database.system.execute(
        "insert into policy (code, value) values ('demand_plan', $1)", {"events": [event]}
    )
    await forecast_demand(_context(world), {})
    (after,) = await world.rows("select * from stock_target")
    assert after["weekly_mean"] == pytest.approx(5 * before["weekly_mean"])
    assert after["cover_days"] == pytest.approx(before["cover_days"] / 5)
    assert after["order_quantity"] == pytest.approx(before["order_quantity"] * (68 / 52) ** 0.5, abs=1)


async def test_stock_that_nobody_asks_for_is_listed(world):
    now = world.clock.at
    world.clock.at = now - timedelta(weeks=30)
    await world.stock(40, sku="S2", location="B")
    world.clock.at = now
    await world.stock(5, sku="S2")
    await _weeks(world, [10] * 12)
    assert (await forecast_demand(_context(world), {}))["targets"] == 3
    targets = await world.rows(
        "select sku_id, location_id, on_hand, flags, suggested from stock_target where weekly_mean = 0"
    )
    assert [(row["on_hand"], row["flags"], row["suggested"]) for row in targets] == [(5, [], 0), (40, ["AGEING"], 0)]


async def test_a_company_that_nobody_asks_anything_of_keeps_the_list_of_its_stock(world):
    start = world.clock.at
    await _weeks(world, [10])
    await forecast_demand(_context(world), {})
    world.clock.at = start + timedelta(weeks=WEEKS + 1)
    done = await forecast_demand(_context(world), {})
    assert (done["forecasts"], done["targets"]) == (0, 1)
    (target,) = await world.rows("select weekly_mean, on_hand, flags, reasons from stock_target")
    assert (target["weekly_mean"], target["on_hand"], target["flags"]) == (0.0, 30, ["AGEING"])
    assert target["reasons"][0]["facts"]["idleWeeks"] == WEEKS + 1


async def test_reorder_points_follow_when_planners_want_that(world):
    await world.database.system.execute(
        """insert into policy (code, value) values ('replenishment', '{"isAutomatic": true}')"""
    )
    await _weeks(world, [10] * 12)
    done = await forecast_demand(_context(world), {})
    assert done["skusChanged"] == 1
    (sku,) = await world.rows("select reorder_point, reorder_quantity from sku where code = 'S'")
    assert sku["reorder_point"] == await world.value("select reorder_point from stock_target")
    assert await world.value("select count(*) from outbox where job = 'review_stock'") == 1


async def test_planners_get_their_own_rule_back_unless_they_changed_it_since(world):
    sql = world.database.system
    await sql.execute(
        "insert into policy (code, value) values ('replenishment', '{\"isAutomatic\": true, \"budgetPercent\": 300}')"
    )
    await sql.execute("update sku set reorder_point = 25, reorder_quantity = 40 where code = 'S'")
    await _weeks(world, [10] * 12)
    await forecast_demand(_context(world), {})
    (kept,) = await world.rows("select own_point, own_quantity, applied_point from reorder_rule")
    assert (kept["own_point"], kept["own_quantity"]) == (25, 40) != (kept["applied_point"], 40)
    assert await world.value("select reorder_point from sku where code = 'S'") == kept["applied_point"]
    await sql.execute("update sku set reorder_point = 33 where code = 'S'")
    await forecast_demand(_context(world), {})
    assert await world.value("select own_point from reorder_rule") == 33
    await sql.execute("update policy set value = '{}' where code = 'replenishment'")
    await forecast_demand(_context(world), {})
    assert await world.rows("select reorder_point from sku where code = 'S'") == [{"reorder_point": 33}]
    assert await world.value("select count(*) from reorder_rule") == 0


async def test_broken_figures_are_listed_and_not_eaten(world):
    await _weeks(world, [10, 12, 8, 10, 11, 9, 10, 10, 12, 8, 10, 10_000])
    await forecast_demand(_context(world), {})
    (fault,) = await world.rows("select reason, action, value, usual from input_fault")
    assert fault == {"reason": "UNIT_SLIP", "action": "REPAIRED", "value": 10_000.0, "usual": 10.0}
    assert await world.value("select weekly_mean from demand_forecast") == pytest.approx(10, abs=1)


async def test_a_forecast_is_judged_when_its_weeks_have_passed(world):
    await _weeks(world, [10] * 12)
    await forecast_demand(_context(world), {})
    world.clock.at += timedelta(days=14)
    await world.stock(100)
    await world.place(world.order(("S", 33), customer=None))
    world.clock.at += timedelta(days=15)
    await forecast_demand(_context(world), {})
    assert await world.rows("select actual from demand_forecast order by made_on") == [
        {"actual": 33.0},
        {"actual": None},
    ]


async def test_a_surprise_asks_for_a_forecast_at_once(world):
    asked = "select count(*) from outbox where job = 'forecast_demand' and job_queue = 'learning'"
    await _weeks(world, [10] * 12)
    await watch_demand(_context(world), {})
    await forecast_demand(_context(world), {})
    world.clock.at += timedelta(hours=1)
    await world.place(world.order(("S", 5)))
    assert await watch_demand(_context(world), {}) == {"surprised": 0}
    assert await world.value(asked) == 0
    await world.place(world.order(("S", 90)))
    assert await watch_demand(_context(world), {}) == {"surprised": 1}
    assert await world.value(asked) == 1


async def test_imported_prices_are_kept_once_and_unknown_skus_named(world):
    rows = [
        ("price", "S", date(2027, 4, 1), 500.0),
        ("price", "GONE", date(2027, 4, 1), 1.0),
        ("rain", None, date(2027, 4, 1), 3.5),
    ]
    for value in (3.5, 4.0):
        rows[2] = (*rows[2][:3], value)
        done = await world.do(lambda uow: import_demand_drivers(uow, rows))
        assert (done.rows, done.unknown_skus) == (2, ["GONE"])
    kept = await world.rows("select series, value from demand_driver order by series")
    assert kept == [{"series": "price", "value": 500.0}, {"series": "rain", "value": 4.0}]
    later = [("price", "S", date(2027, 4, n), 500.0 + n) for n in (9, 3, 8)]
    await world.do(lambda uow: import_demand_drivers(uow, later))
    figures = await imported_figures(world.database.system, date(2027, 4, 9))
    assert [(row["day"].day, row["value"]) for row in figures] == [(8, 508.0), (9, 509.0)], "the last one before"


async def test_an_event_that_planners_date_is_bought_for(world):
    await _weeks(world, [10, 12, 8, 10, 11, 9, 10, 10, 12, 8, 10, 10])
    await forecast_demand(_context(world), {})
    (usual,) = await world.rows("select reorder_point, reasons from stock_target")
    day = world.clock.at.date()
    event = {"name": "fair", "from": str(day), "until": str(day + timedelta(days=60)), "factor": 3, "skus": ["S"]}
    await world.database.system.execute(
        "insert into policy (code, value) values ('demand_plan', $1)", {"events": [event]}
    )
    await forecast_demand(_context(world), {})
    (planned,) = await world.rows("select reorder_point, reasons from stock_target")
    assert planned["reorder_point"] > 2 * usual["reorder_point"]
    assert "DEMAND_CHANGES" in {reason["code"] for reason in planned["reasons"]}
    assert await world.value("select weekly_mean from demand_forecast") == pytest.approx(30, abs=3)


async def test_what_another_location_spares_is_not_suggested_to_be_bought(world):
    await _weeks(world, [10] * 12)
    await world.place(world.order(("S", 25)))
    await forecast_demand(_context(world), {})
    (alone,) = await world.rows("select suggested from stock_target where suggested > 0")
    await world.database.system.execute(
        """insert into rebalancing_proposal (sku_id, from_location_id, to_location_id, quantity, currency, arrives_on, reason, state,
            expires_at)
        select t.sku_id, (select id from location where code = 'B'), t.location_id, 200, 'KRW', current_date, '{}',
            'OPEN', $1::timestamptz + interval '1 day' from stock_target t where t.suggested > 0""",
        world.clock.at,
    )
    await forecast_demand(_context(world), {})
    (still,) = await world.rows("select suggested from stock_target where flags @> '{REPLENISH}'")
    assert still["suggested"] == alone["suggested"], "there is nothing at B to move"
    await world.stock(260, location="B")
    await forecast_demand(_context(world), {})
    (target,) = await world.rows("select suggested, reasons from stock_target where flags @> '{REPLENISH}'")
    assert (alone["suggested"] > 0, target["suggested"]) == (True, 0)
    assert {"code": "TRANSFER_FIRST", "facts": {"units": 200}} in target["reasons"]
    kept_at_b = SetProtectedStock("S", "B", [(date(2020, 1, 1), 140)])
    await world.do(lambda uow: set_protected_stock(uow, kept_at_b))
    await forecast_demand(_context(world), {})
    (kept,) = await world.rows("select reasons from stock_target where flags @> '{REPLENISH}'")
    assert {"code": "TRANSFER_FIRST", "facts": {"units": 120}} in kept["reasons"], "the giver keeps its safety stock"
    await world.database.system.execute("update rebalancing_proposal set expires_at = $1", world.clock.at)
    await forecast_demand(_context(world), {})
    (over,) = await world.rows("select suggested from stock_target where flags @> '{REPLENISH}'")
    assert over["suggested"] == alone["suggested"], "nobody can accept it any more"
