"""Stock that suffices for lumpy demand, the play of a policy period by period, and the command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson
from typer.testing import CliRunner

from core.domain.safety_stock import lumpy_safety_stock, protected_mean, protected_variance, sufficient_stock
from ml.demand import demand_quantile
from ml.evaluate_replenishment import CURVE, Costs, simulate_replenishment
from ml.simulate_stock import play
from ml.stock_policies import METHODS, LeadTime, order_up_to
from workers.commands.replenish import app


@given(st.floats(0.01, 80), st.floats(1.01, 12), st.floats(0.01, 0.999))
def test_sufficient_stock_equals_scipy(mean, spread, level):
    variance = mean * spread
    size = mean**2 / (variance - mean)
    units = sufficient_stock(level, mean, variance)
    assert nbinom.cdf(units, size, mean / variance) >= level - 1e-9
    assert units == 0 or nbinom.cdf(units - 1, size, mean / variance) < level + 1e-9


@given(st.floats(0.01, 60), st.floats(0.0, 1.0), st.floats(0.01, 0.999))
def test_sufficient_stock_is_poisson_without_extra_spread(mean, spread, level):
    units = sufficient_stock(level, mean, mean * spread)
    assert poisson.cdf(units, mean) >= level - 1e-9
    assert units == 0 or poisson.cdf(units - 1, mean) < level + 1e-9


def test_sufficient_stock_at_the_edges():
    assert sufficient_stock(0.99, 0, 0) == 0
    assert sufficient_stock(0, 5, 9) == 0
    assert (sufficient_stock(0.95, 4, 3), lumpy_safety_stock(0.95, 4, 3), lumpy_safety_stock(0.2, 4, 3)) == (8, 4, 0)
    assert sufficient_stock(0.95, 2000, 40_000) == pytest.approx(2000 + 1.645 * 200, abs=20)
    assert demand_quantile(0.95, np.array([4.0]), np.array([9.0]))[0] == sufficient_stock(0.95, 4, 9)
    with pytest.raises(ValueError):
        sufficient_stock(1, 5, 9)


def test_moments_of_the_protected_time():
    assert protected_mean(3, 2) == 9
    assert protected_variance(3, 5, 2, 0) == 15
    assert protected_variance(3, 5, 2, 0.25, mean_variance=0.5) == 15 + 2.25 + 4.5


def played(demand: list[float], level: float, lead: int = 1, **options):
    leads = np.full((1, len(demand)), lead)
    return play(np.array([demand]), lambda _: np.array([[level]]), leads,
                **{"measured_from": 0, "protects": lead + 1, **options})  # fmt: skip


def test_play_by_hand():
    """Level 5, lead time 1: what is ordered at the end of a period serves the one after the next."""
    done = played([3, 4, 0, 6, 1], 5)
    # on hand after each: 2, -2 (backlog), 1, -1, ... : arrivals 3 before the third, 4 before the fourth, 0, 6
    assert done.periods.tolist() == [5]
    assert done.demanded.tolist() == [14]
    assert done.short.tolist() == [[2 + 1 + 1]]
    assert done.covered.tolist() == [[2]]
    assert done.stock.tolist() == [[2 + 1]]
    assert (done.orders.tolist(), done.ordered.tolist()) == ([[4]], [[14]])
    # protected: (4, 0), (0, 6), (6, 1) against 5
    assert (done.intervals.tolist(), done.sufficed.tolist(), done.levels.tolist()) == ([3], [[1]], [[15]])


def test_unknown_periods_are_not_measured():
    done = played([1, float("nan"), 1, 1], 5)
    assert (done.periods.tolist(), done.demanded.tolist(), done.intervals.tolist()) == ([3], [3], [1])


def test_lots_are_ordered_at_least():
    done = played([2, 2, 2, 2], 4, lead=0, least_order=np.array([5.0]))
    assert (done.orders.tolist(), done.ordered.tolist()) == ([[2]], [[10]])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=4, max_size=25), st.integers(0, 40), st.integers(0, 3), st.integers(0, 2**31)
)  # fmt: skip
def test_units_are_neither_made_nor_lost(demand, level, lead, seed):
    """Whatever the lead times: level - position is never left open, and stock - backlog + inbound = level."""
    leads = np.random.default_rng(seed).integers(0, lead + 1, (1, len(demand)))
    done = play(
        np.array([demand], float), lambda _: np.array([[float(level)]]), leads, measured_from=0, protects=lead + 1
    )
    assert done.ordered[0, 0] == sum(demand)
    assert 0 <= done.short[0, 0] <= sum(demand)
    assert done.covered[0, 0] <= len(demand)
    assert done.stock[0, 0] <= level * len(demand)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=4, max_size=25), st.integers(0, 30), st.integers(1, 10), st.integers(0, 3))
def test_more_stock_never_serves_less(demand, level, more, lead):
    less, greater = played(demand, level, lead), played(demand, level + more, lead)
    assert greater.short[0, 0] <= less.short[0, 0]
    assert greater.covered[0, 0] >= less.covered[0, 0]


def intermittent(items: int, periods: int, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    rate = random.uniform(0.1, 0.9, (items, 1))
    return ((random.random((items, periods)) < rate) * random.geometric(0.25, (items, periods))).astype(float)


def test_levels_rise_with_the_service_level_and_the_lead_time():
    units = intermittent(50, 30)
    levels = order_up_to(units, LeadTime(2), CURVE)
    assert levels.shape == (len(METHODS), len(CURVE), 50)
    assert (np.diff(levels, axis=1) >= 0).all()
    assert (levels >= 0).all()
    longer = order_up_to(units, LeadTime(4, 1), CURVE)
    assert (longer.sum(axis=2) > levels.sum(axis=2)).all()


def save(path: Path, units: np.ndarray, lead_times: list[int] | None = None) -> Path:
    head = ["sku", *(["lead_time"] if lead_times else []), *[f"m{number}" for number in range(units.shape[1])]]
    lines = [",".join(head)]
    for row in range(len(units)):
        lines.append(
            ",".join([f"S{row}", *([str(lead_times[row])] if lead_times else []), *[f"{x:g}" for x in units[row]]])
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def test_negative_binomial_reaches_what_is_asked_of_it(tmp_path):
    report = simulate_replenishment(save(tmp_path / "a.csv", intermittent(400, 48)), replans=6)
    for one in report["targets"]:
        assert one["negative_binomial"]["coverage"] == pytest.approx(one["target"], abs=0.03)
    last = report["targets"][2]
    assert last["negative_binomial"]["nearer_than_normal"]
    for curve in report["curves"].values():
        for name in ("coverage", "fill_rate", "stock", "periods_without_backlog"):
            assert (np.diff([point[name] for point in curve]) >= -1e-9).all()


def test_levels_rest_on_the_periods_that_are_over(tmp_path, monkeypatch):
    seen: list[int] = []

    def watched(units, lead, levels, seed):
        seen.append(units.shape[1])
        return order_up_to(units, lead, levels, seed)

    monkeypatch.setattr("ml.evaluate_replenishment.order_up_to", watched)
    simulate_replenishment(save(tmp_path / "a.csv", intermittent(20, 14)), start=10)
    assert seen == [10, 11, 12, 13, 14], "before the first period, and at the end of each"


def test_lead_times_of_the_file_and_costs(tmp_path):
    units = intermittent(40, 40)
    report = simulate_replenishment(
        save(tmp_path / "a.csv", units, [1] * 20 + [3] * 20), costs=Costs(0.02, 1.0, 30.0), replans=3
    )
    assert report["lead_times"] == [1, 3]
    assert (report["items"], report["items_left_out"], report["periods_played"]) == (40, 0, 20)
    no_lots = simulate_replenishment(save(tmp_path / "b.csv", units, [1] * 20 + [3] * 20), replans=3)
    assert report["curves"]["normal"][0]["stock"] > no_lots["curves"]["normal"][0]["stock"]


def test_command(tmp_path):
    path = save(tmp_path / "a.csv", intermittent(60, 30))
    done = CliRunner().invoke(app, ["simulate", str(path), "--lead-time", "1", "--lead-time-sd", "0.5", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert [one["target"] for one in report["targets"]] == [0.9, 0.95, 0.99]
    assert {"coverage", "fill_rate", "stock", "cost_per_period"} <= report["curves"]["negative_binomial"][0].keys()
    refused = CliRunner().invoke(app, ["simulate", str(tmp_path / "none.csv")])
    assert (refused.exit_code, refused.stdout) == (2, "")


@pytest.mark.long
@pytest.mark.skipif("BACKORDER_DATA" not in os.environ, reason="BACKORDER_DATA is unset: no real demand to play")
@pytest.mark.parametrize(
    "name", ["auto_3000x24_monthly", "carparts_2674x51_monthly", "online_retail_weekly_units_by_sku_40w"]
)
def test_real_demand_is_covered_nearer_to_the_target(name):
    report = simulate_replenishment(Path(os.environ["BACKORDER_DATA"]) / "demand" / f"{name}.csv.gz")
    gaps = {
        method: [abs(one[method]["coverage"] - one["target"]) for one in report["targets"]]
        for method in ("negative_binomial", "normal")
    }
    assert sum(gaps["negative_binomial"]) < sum(gaps["normal"])
    assert max(gaps["negative_binomial"]) < 0.035
