"""From figures to stored scores, suggestions and models: the jobs of the learning worker on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytest.importorskip("sklearn")

from core.domain.states import ReservationKind
from core.errors import NotFound
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.keep_model import RISK, roll_back_model
from core.services.transfer_stock import TransferStock, transfer_stock
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.check_risk_model import check_risk_model
from workers.jobs.retrain_risk import retrain_risk
from workers.jobs.score_changed_risk import score_changed_risk
from workers.jobs.score_risk import score_risk

pytestmark = pytest.mark.anyio


def _context(world) -> JobContext:
    return JobContext(world.database, Settings(env="test"), world.clock)


async def _score(world, sku="S", location="A"):
    rows = await world.rows(
        """select r.* from risk_score r join sku k on k.id = r.sku_id join location l on l.id = r.location_id
        where k.code = $1 and l.code = $2""",
        sku,
        location,
    )
    return rows[0]


async def _past(world, days: int, shortages: int, per_day: int = 10) -> None:
    """Labelled snapshots of so many days before now; what had under three units went short."""
    await world.database.system.execute(
        """insert into risk_snapshot (sku_id, location_id, day, taken_at, on_hand, in_transit, sales_1, sales_3, sales_6, sales_9,
            forecast_3, minimum_stock, past_due, backordered, went_short, labelled_at)
        select 1 + n % 3, 1 + n / 3, $1::timestamptz::date - d, $1::timestamptz - make_interval(days => d),
            5 + (n * d) % 50, 0, 10, 30, 60, 90, 30, 0, case when (n * 7 + d * 13) % 100 < $3 then 20 else 0 end, 0,
            (n * 7 + d * 13) % 100 < $3, $1
        from generate_series(15, 14 + $2::int) d, generate_series(0, 11) n""",
        world.clock.at,
        days,
        shortages,
    )


async def test_a_place_at_risk_is_scored_explained_told_and_acted_upon(world):
    await world.stock(8)
    await world.stock(90, location="B")
    await world.stock(200, sku="S2")
    await world.database.system.execute(
        "insert into lane (from_location_id, to_location_id, transit_days) select b.id, a.id, 1 from location a, location b"
        " where a.code = 'A' and b.code = 'B'"
    )
    await world.place(world.order(("S", 7)))
    await world.place(world.order(("S2", 7)))
    done = await score_risk(_context(world), {})
    assert (done["spoke"], done["snapshots"], done["scored"]) == ("rule", 3, 3)
    risky, safe = await _score(world), await _score(world, "S2")
    assert risky["probability"] > safe["probability"]
    assert risky["reasons"][0]["code"] == "LITTLE_STOCK", "without a forecast nobody knows how long it lasts"
    assert (
        await world.value("select probability from risk_snapshot where sku_id = 1 and location_id = 1")
        == risky["probability"]
    )
    await world.database.system.execute("""insert into policy (code, value) values ('risk', '{"actAbove": 0.02}')""")
    await world.place(world.order(("S", 1)))
    assert (await score_changed_risk(_context(world), {}))["scored"] == 2, "only what changed, at both its places"
    kinds = await world.rows("select kind, mutation, input, state from risk_action where location_id = 1 order by kind")
    assert [row["kind"] for row in kinds] == ["EXPEDITE", "TRANSFER"]
    assert kinds[1]["mutation"] == "stockTransfer"
    assert kinds[1]["input"] | {"quantity": 0} == {"sku": "S", "fromLocation": "B", "toLocation": "A", "quantity": 0}
    assert (await score_changed_risk(_context(world), {}))["scored"] == 0


async def test_a_suggestion_that_is_followed_is_matched_with_its_outcome(world):
    await world.database.system.execute("""insert into policy (code, value) values ('risk', '{"actAbove": 0.001}')""")
    await world.database.system.execute(
        "insert into lane (from_location_id, to_location_id, transit_days) select b.id, a.id, 1 from location a, location b"
        " where a.code = 'A' and b.code = 'B'"
    )
    await world.stock(5)
    await world.stock(90, location="B")
    await world.place(world.order(("S", 4)))
    await score_risk(_context(world), {})
    (move,) = await world.rows("select input from risk_action where kind = 'TRANSFER'")
    (hold,) = await world.rows("select input from risk_action where kind = 'RESERVE'")
    world.clock.at += timedelta(hours=1)
    (item,) = hold["input"]["items"]
    wanted = CreateReservation(
        [ReservationItem(item["sku"], item["quantity"], item["location"])], ReservationKind.PROMOTION
    )
    await world.do(lambda uow: create_reservation(uow, wanted))
    await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "B", "A", move["input"]["quantity"], None)))
    await score_changed_risk(_context(world), {})  # nothing is missing any more: followed all the same, not expired
    world.clock.at += timedelta(days=1)
    await score_risk(_context(world), {})
    followed = await world.rows("select kind from risk_action where state = 'TAKEN' order by kind")
    assert [row["kind"] for row in followed] == ["RESERVE", "TRANSFER"]
    world.clock.at += timedelta(days=14)
    await score_risk(_context(world), {})
    assert await world.value("select outcome from risk_action where kind = 'TRANSFER'") == {
        "wentShort": False,
        "days": 14,
    }


async def test_models_begin_with_the_rule_are_promoted_when_better_and_come_back(world):
    context = _context(world)
    assert (await retrain_risk(context, {}))["reason"] == "no outcome is known yet"
    await _past(world, 60, 10)
    first = await retrain_risk(context, {"cause": "FIRST"})
    assert first["promoted"], first
    (model,) = await world.rows("select id, spoke, state, positives, cause, trained_until from learning_model")
    assert (model["spoke"], model["state"], model["cause"]) == ("rule", "ACTIVE", "FIRST")
    await world.database.system.execute("delete from risk_snapshot")
    await _past(world, 130, 60)
    second = await retrain_risk(context, {"cause": "ALARM"})
    assert second["promoted"], second
    assert await world.value("select spoke from learning_model where state = 'ACTIVE'") == "logistic"
    third = await retrain_risk(context, {"cause": "ALARM"})
    assert not third["promoted"], "it is no better than itself"
    assert await world.do(lambda uow: roll_back_model(uow, RISK)) == first["kept"]
    assert await world.value("select id from learning_model where state = 'ACTIVE'") == first["kept"]
    await world.stock(8)
    assert (await score_risk(context, {}))["spoke"] == "rule"
    assert await world.value("select distinct model_id from risk_score") == first["kept"]
    assert await world.do(lambda uow: roll_back_model(uow, RISK)) == second["kept"]


async def test_there_is_nothing_to_go_back_to_before_the_second_model(world):
    with pytest.raises(NotFound):
        await world.do(lambda uow: roll_back_model(uow, RISK))


async def test_a_model_that_does_not_fit_here_is_not_used_and_said_so(world):
    context = _context(world)
    await _past(world, 130, 60)
    await retrain_risk(context, {})
    await world.database.system.execute("""update learning_model set libraries = '{"scikit-learn": "0.24.1"}'""")
    await world.stock(8)
    done = await score_risk(context, {})
    assert done["spoke"] == "rule"
    assert "scikit-learn 0.24.1" in done["refused"]
    found = await check_risk_model(context, {})
    assert any("scikit-learn 0.24.1" in alarm for alarm in found["alarms"])
    assert await world.value("select payload from outbox where job = 'retrain_risk' order by id desc limit 1") == {
        "cause": "ALARM"
    }


async def test_drift_asks_for_a_new_model(world):
    context = _context(world)
    await check_risk_model(context, {})
    asked = "select payload from outbox where job = 'retrain_risk' order by id desc limit 1"
    assert await world.value(asked) == {"cause": "FIRST"}
    await _past(world, 130, 60)
    await retrain_risk(context, {})
    await world.database.system.execute(
        "update risk_snapshot set taken_at = taken_at + interval '20 days', on_hand = on_hand * 40, went_short = null"
        " where day > $1::timestamptz::date - 25",
        world.clock.at,
    )
    found = await check_risk_model(context, {})
    assert any("on_hand" in alarm for alarm in found["alarms"])
    assert await world.value(asked) == {"cause": "ALARM"}
