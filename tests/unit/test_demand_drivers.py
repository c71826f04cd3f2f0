"""Season, promotions, prices and new items: learned where they are, left alone where they are not."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from core.domain.demand_plan import demand_plan
from ml.demand_drivers import Drivers, learn_factors, move_alike, new_items, yearly_waves
from ml.live_drivers import AHEAD, LiveFactors, live_factors

WEEKS = 104
ITEMS = 150
RANDOM = np.random.default_rng(4)
YEAR = 1 + 0.6 * np.sin(2 * np.pi * np.arange(WEEKS + AHEAD) / 52.1775)


def sold(factor: np.ndarray) -> np.ndarray:
    return np.random.default_rng(4).poisson(8 * np.broadcast_to(factor, (ITEMS, factor.shape[-1]))).astype(float)


def test_a_season_is_learned_and_foreseen():
    factors = learn_factors(sold(YEAR[:WEEKS]), Drivers(yearly_waves(np.arange(WEEKS + AHEAD))))
    assert factors.used == {"calendar": pytest.approx(1.0)}
    ahead, real = factors.by_week[:, WEEKS:].mean(axis=0), YEAR[WEEKS:]
    assert np.corrcoef(ahead, real)[0, 1] > 0.98
    assert ahead.max() / ahead.min() == pytest.approx(real.max() / real.min(), rel=0.25)


def test_nothing_is_learned_where_nothing_is():
    flat = sold(np.ones(WEEKS))
    drivers = Drivers(
        yearly_waves(np.arange(WEEKS + AHEAD)) | {"rate": RANDOM.normal(size=WEEKS + AHEAD)},
        (RANDOM.random((ITEMS, WEEKS + AHEAD)) < 0.05).astype(float), RANDOM.normal(0, 0.1, (ITEMS, WEEKS + AHEAD)),
    )  # fmt: skip
    assert (learn_factors(flat, drivers).by_week == 1).all()


def test_promotions_and_prices_are_learned_from_those_before():
    promoted = (RANDOM.random((ITEMS, WEEKS + AHEAD)) < 0.1).astype(float)
    price = np.where(RANDOM.random((ITEMS, WEEKS + AHEAD)) < 0.3, np.log(0.8), 0.0)
    units = sold((1 + 1.5 * promoted[:, :WEEKS]) * np.exp(-1.5 * price[:, :WEEKS]))
    found = learn_factors(units, Drivers({}, promoted, price))
    assert found.lift == pytest.approx(2.5, rel=0.1)
    assert found.elasticity == pytest.approx(-1.5, rel=0.2)


def test_items_that_move_alike_are_found():
    half = ITEMS // 2
    units = np.vstack([sold(YEAR[:WEEKS])[:half], sold((2 - YEAR)[:WEEKS])[:half]]) * 3
    groups = move_alike(units)
    assert sorted(np.concatenate(groups).tolist()) == list(range(2 * half))
    assert all((group < half).all() or (group >= half).all() for group in groups)


def test_a_new_item_begins_as_those_like_it_did():
    group = [n % 2 for n in range(ITEMS)]
    level = np.where(np.array(group) == 0, 3.0, 30.0)
    units = RANDOM.poisson(level[:, None], (ITEMS, 40)).astype(float)
    units[:, 0] = np.nan  # everybody began one day
    units[:10, :39] = np.nan
    units[:10, 39] = RANDOM.poisson(level[:10]) * 3.0
    found = new_items(units, group)
    assert np.isnan(found[10:]).all()
    assert found[0] < units[0, 39] or units[0, 39] == 0
    assert np.abs(found[:10] - level[:10]).mean() < np.abs(units[:10, 39] - level[:10]).mean()


def test_public_holidays_of_korea_are_learned():
    today = date(2026, 3, 1)
    plan = demand_plan({"country": "KR"})
    first = live_factors(np.ones((1, WEEKS)), [1], ["A"], today, plan, None, [])
    assert first.past.shape == (1, WEEKS)
    from ml.live_drivers import _public_holidays

    days = [date.fromordinal(today.toordinal() - 7 * (WEEKS - week) + 1) for week in range(WEEKS + AHEAD)]
    free = _public_holidays("KR", days)
    seollal = next(
        week for week, day in enumerate(days) if day <= date(2026, 2, 17) < date.fromordinal(day.toordinal() + 7)
    )
    assert free[seollal] == pytest.approx(3 / 5)  # 16 to 18 February 2026
    found = live_factors(sold(1 - 0.8 * free[:WEEKS]), [0] * ITEMS, ["A"] * ITEMS, today, plan, None, [])
    assert found.past[:, seollal].mean() < 0.75
    assert found.past[:, free[:WEEKS] == 0].mean() == pytest.approx(1.05, abs=0.08)


def test_a_week_that_goes_on_after_the_asked_days_counts_for_those_days():
    ahead = np.ones((3, AHEAD))
    ahead[0, 1] = ahead[1, 2] = 5.0
    ahead[2, 0] = 3.0
    found = LiveFactors(np.ones((3, WEEKS)), ahead, learn_factors(sold(np.ones(WEEKS)), Drivers({})))
    assert found.over(np.array([8 / 7, 15 / 7, 1 / 7])).tolist() == pytest.approx([1.5, 19 / 15, 3.0])
    assert found.over(2.0).tolist() == pytest.approx([3.0, 1.0, 2.0])
    assert found.over(60.0)[0] == pytest.approx((AHEAD + 4) / AHEAD)


def test_an_event_is_no_year():
    ahead = np.ones((1, AHEAD))
    ahead[0, :4] = 5.0
    found = LiveFactors(np.ones((1, WEEKS)), ahead, learn_factors(sold(np.ones(WEEKS)), Drivers({})))
    assert found.over_year()[0] == pytest.approx(68 / 52)
    assert [found.lasts(np.array([n]))[0] for n in (0.0, 7.5, 20.0, 22.0, 42.0)] == pytest.approx([0, 1.5, 4, 6, 26])
    assert found.lasts(np.array([42 + 68.0]))[0] == pytest.approx(26 + 52)


def test_what_planners_state_holds_ahead_and_only_for_its_items():
    today = date(2027, 4, 4)
    events = [
        {"name": "May", "from": "2027-04-05", "until": "2027-04-18", "factor": 3, "skus": ["A"], "serviceLevel": 0.99}
    ]
    plan = demand_plan({"events": events})
    found = live_factors(np.full((2, WEEKS), 8.0), [1, 2], ["A", "B"], today, plan, None, [])
    assert found.over(2.0).tolist() == pytest.approx([3.0, 1.0])
    assert found.over(4.0)[0] == pytest.approx(2.0)
    assert plan.service_level("A", 0.9, today, date(2027, 4, 10)) == 0.99
    assert plan.service_level("B", 0.9, today, date(2027, 4, 10)) == 0.9
    assert plan.service_level("A", 0.9, today, today) == 0.9
