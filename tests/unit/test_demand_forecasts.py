"""Smoothing recursions by hand, against scipy and (where installed) statsforecast; choice, distribution, command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typer.testing import CliRunner

from ml.demand import CHOICE, DemandForecast, backtest, demand_below, demand_quantile, forecast_demand
from ml.demand_file import read_demand_file
from ml.evaluate_demand import evaluate_demand
from ml.smoothing import METHODS, adida, minimise_golden, sba, ses, ses_optimised, tsb
from ml.table_file import UnreadableFile
from workers.commands.demand import app

HISTORIES = arrays(float, st.tuples(st.integers(1, 6), st.integers(2, 30)), elements=st.integers(0, 9).map(float))


def intermittent(series: int, periods: int, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    rate = random.uniform(0.05, 1, (series, 1))
    return ((random.random((series, periods)) < rate) * random.geometric(0.3, (series, periods))).astype(float)


def test_recursions_by_hand():
    units = np.array([[0.0, 4, 0, 0, 2]])
    assert ses(units[:, 1:4], 0.5)[0] == 1.0
    size, interval = 0.1 * 2 + 0.9 * 4, 0.1 * 3 + 0.9 * 2
    assert sba(units)[0] == pytest.approx(0.95 * size / interval)
    probability = 0.0
    for sold in (1, 0, 0, 1):
        probability = 0.1 * sold + 0.9 * probability
    assert tsb(units)[0] == pytest.approx(probability * size)
    # mean interval 5 / 2, rounded to even: pairs from the end are 4 and 2; one step decides nothing, so the middle 0.2 stays
    assert adida(units)[0] == pytest.approx((4 + 0.2 * (2 - 4)) / 2)


@given(HISTORIES)
@settings(max_examples=30, deadline=None)
def test_every_method_answers_with_a_finite_flow_of_units(units):
    for name, method in METHODS.items():
        mean = method(units)
        assert np.isfinite(mean).all(), name
        assert (mean >= 0).all(), name
        assert (mean <= units.max(axis=1) * 1.0001 + 1e-9).all(), name
        assert (mean[~units.any(axis=1)] == 0).all(), name


@given(HISTORIES, st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_what_is_unknown_before_a_series_began_changes_nothing(units, periods):
    longer = np.hstack([np.full((len(units), periods), np.nan), units])
    for name, method in METHODS.items():
        assert method(longer) == pytest.approx(method(units), abs=1e-6), name


def test_each_series_is_forecast_as_if_alone():
    units = intermittent(40, 30)
    for method in METHODS.values():
        assert method(units) == pytest.approx([method(units[row : row + 1])[0] for row in range(40)], abs=1e-6)


def test_golden_section_finds_the_least_of_each():
    centres = np.linspace(0.05, 0.35, 61)
    found = minimise_golden(lambda at: (at - centres) ** 2, (0.1, 0.3), 61, 1e-10)
    assert found == pytest.approx(np.clip(centres, 0.1, 0.3), abs=1e-7)
    assert minimise_golden(lambda at: at * 0, (0.1, 0.3), 2, 1e-10) == pytest.approx([0.2, 0.2])


def test_values_equal_statsforecast():
    models = pytest.importorskip("statsforecast.models", reason="statsforecast (558 MB) is not installed: no oracle")
    units = intermittent(150, 48, seed=7)
    units[0] = 0
    oracles = {
        "ses": (models.SimpleExponentialSmoothing(alpha=0.2), ses(units, 0.2)),
        "ses_optimised": (models.SimpleExponentialSmoothingOptimized(), ses_optimised(units, (0.01, 0.99))),
        "sba": (models.CrostonSBA(), sba(units)),
        "tsb": (models.TSB(alpha_d=0.2, alpha_p=0.3), tsb(units, 0.2, 0.3)),
        "adida": (models.ADIDA(), adida(units)),
    }
    for name, (oracle, ours) in oracles.items():
        theirs = [float(np.nan_to_num(oracle.forecast(y=row, h=1)["mean"][0])) for row in units]
        assert ours == pytest.approx(theirs, abs=1e-6), name


@given(st.floats(0.01, 200), st.floats(1.001, 30), st.floats(0.05, 0.995))
def test_quantile_is_the_least_that_suffices(mean, spread, level):
    at, variance = np.array([mean]), np.array([mean * spread])
    units = demand_quantile(level, at, variance)
    assert 1 - demand_below(units + 1, at, variance)[0] <= 1 - level + 1e-9
    assert units[0] == 0 or demand_below(units, at, variance)[0] < level + 1e-9


def test_quantiles_at_the_edges():
    assert demand_quantile(0.99, np.array([0.0]), np.array([0.0]))[0] == 0
    assert demand_quantile(0.95, np.array([4.0]), np.array([3.0]))[0] == 8  # Poisson(4)
    assert demand_below(np.array([1.0]), np.array([0.0]), np.array([0.0]))[0] == 1


def test_backtest_never_sees_what_it_is_judged_on():
    units = intermittent(20, 30)
    changed = units.copy()
    changed[:, -3:] += 50
    first, second = backtest(units, 3, 4), backtest(changed, 3, 4)
    for number in range(3, 4):
        assert (first[number] == second[number]).all()
    assert (first[0] != second[0]).any()
    found = forecast_demand(units)
    spoilt = [name for place, name in enumerate(CHOICE) if not np.isfinite(first[:, place]).all()]
    assert spoilt == []
    assert set(found.method.tolist()) <= set(range(len(CHOICE)))


def test_levels_are_put_right_by_errors_that_chose_nothing():
    """Steady demand: a tenth exceeds the .90. Scores of a method chosen by the same errors say .893."""
    kept = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        units = random.poisson(random.gamma(1, 2, (3000, 1)) * random.gamma(2, 0.5, (3000, 23))).astype(float)
        kept.append((units[:, 20:].sum(axis=1) <= forecast_demand(units[:, :20]).quantile(0.9, 3)).mean())
    assert np.mean(kept) == pytest.approx(0.9, abs=0.004)


def test_few_backtests_that_stand_apart_put_a_level_higher():
    """Split conformal: ceil((n + 1) level) of n, where backtests that share periods count as one."""
    one, scores = np.ones(1), np.arange(1, 201) / 200
    asked = [
        float(DemandForecast(one, one, one, one, np.zeros(1, int), np.full(1, 3), {3: scores}, overlap).ask(0.9)[0])
        for overlap in (1, 10)
    ]
    assert asked == pytest.approx([0.905, 0.945], abs=1e-6)


def test_a_dying_item_is_not_forecast_by_croston():
    random = np.random.default_rng(2)
    units = np.hstack([random.poisson(3, (200, 30)), np.zeros((200, 18))]).astype(float)
    found = forecast_demand(units)
    assert (found.method != CHOICE.index("sba")).all()
    assert found.mean.mean() < 0.7 < sba(units).mean()


def test_levels_are_put_right_where_demand_is_wilder_than_its_past():
    random = np.random.default_rng(3)
    walk = np.exp(np.cumsum(random.normal(0, 0.5, (600, 40)), axis=1) + 2).round()
    wild, calm = forecast_demand(walk), forecast_demand(random.poisson(5, (600, 40)).astype(float))
    assert wild.ask(0.9).min() > 0.93
    assert 0.8 <= calm.ask(0.9).min() <= calm.ask(0.9).max() < 0.91
    assert (calm.ask(0.5) < calm.ask(0.9)).all()
    assert (calm.ask(0.9) < calm.ask(0.99)).all()
    assert calm.ask(0.99).max() < 1


def test_an_item_that_never_sold_is_expected_to_sell_as_those_before_it_did():
    random = np.random.default_rng(5)
    units = random.poisson(2, (600, 40)).astype(float)
    units[np.arange(40)[None, :] < random.integers(0, 80, 600)[:, None]] = 0  # each begins to sell one day
    before, after = units[:, :37], units[:, 37:].sum(axis=1)
    found = forecast_demand(before)
    unsold = ~(before > 0).any(axis=1)
    assert 0 < found.mean[unsold].max() < 0.5 * found.mean[~unsold].mean()
    assert (after[unsold] <= found.quantile(0.95, 3)[unsold]).mean() == pytest.approx(0.95, abs=0.04)


def save(path: Path, units: np.ndarray) -> Path:
    lines = [",".join(["sku", *[f"m{number}" for number in range(units.shape[1])]])]
    lines += [f"S{row}," + ",".join("" if np.isnan(x) else f"{x:g}" for x in units[row]) for row in range(len(units))]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_file_is_aligned_to_its_last_known_period(tmp_path):
    nan = float("nan")
    path = save(
        tmp_path / "a.csv", np.array([[1, 2, 3, 4, 5, 6, nan, nan], [nan, nan, 1, 1, nan, 1, 1, 2], [1, nan] * 4])
    )
    path.write_text(path.read_text() + "S3,1,2,3,4,5,-6,seven,8\nS4,1\nS0,1,1,1,1,1,1,1,1\n")
    history = read_demand_file(path)
    assert history.names == ["S0", "S3", "S0"]
    assert np.nan_to_num(history.units, nan=-1).tolist() == [
        [-1, -1, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, -1, -1, 8], [1] * 8
    ]  # fmt: skip
    assert {key: count for key, count in history.findings.items() if count} == {
        "rows_read": 6, "cells_unknown: empty or not a number": 2 + 3 + 4 + 1, "cells_unknown: negative": 1,
        "cells_unreadable": 1, "rejected: fewer than 6 known periods": 2, "rejected: another number of cells": 1,
        "repeated_names": 1, "rows_used": 3,
    }  # fmt: skip
    with pytest.raises(UnreadableFile, match="at least 6 periods"):
        read_demand_file(save(tmp_path / "b.csv", np.ones((2, 3))))


def test_command(tmp_path):
    path = save(tmp_path / "a.csv", intermittent(300, 36))
    done = CliRunner().invoke(app, ["evaluate", str(path), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert {"rmsse", "bias", "coverage", "seconds", "seconds_per_10000"} <= report.keys()
    assert (report["series"], report["judged"], sum(report["chosen"].values())) == (300, 1200, 1200)
    assert report["rmsse"] < report["methods"]["naive"]["rmsse"]
    assert abs(report["bias"]) < 0.1
    assert report["methods"]["zero"]["bias"] == -1
    assert report["coverage"]["0.95"] == pytest.approx(0.95, abs=0.03)
    refused = CliRunner().invoke(app, ["evaluate", str(tmp_path / "none.csv")])
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_what_is_judged_is_not_known_to_the_forecast(tmp_path, monkeypatch):
    """Demand of the last three periods says nothing to any forecast of them."""
    units = intermittent(30, 20)
    said = []

    def watched(history, horizon):
        found = forecast_demand(history, horizon)
        said.append((history.shape, found.mean))
        return found

    monkeypatch.setattr("ml.evaluate_demand.forecast_demand", watched)
    monkeypatch.setattr("ml.evaluate_demand.TIMED_SERIES", 10)
    for last in (units[:, 17:], units[:, 17:] * 9 + 5):
        evaluate_demand(save(tmp_path / "a.csv", np.hstack([units[:, :17], last])))
    one, other = said[:4], said[6:10]  # four origins, then the whole history twice, for the clock
    assert [shape[1] for shape, _ in one] == [8, 11, 14, 17]
    assert all((mean == again).all() for (_, mean), (_, again) in zip(one, other, strict=True))


@pytest.mark.skipif("BACKORDER_DATA" not in os.environ, reason="BACKORDER_DATA is unset: no real demand to measure on")
@pytest.mark.parametrize(
    "name", ["auto_3000x24_monthly", "carparts_2674x51_monthly", "online_retail_weekly_units_by_sku_40w"]
)
def test_real_demand(name):
    report = evaluate_demand(Path(os.environ["BACKORDER_DATA"]) / "demand" / f"{name}.csv.gz", origins=2)
    assert report["rmsse"] < report["methods"]["naive"]["rmsse"]
    assert abs(report["bias"]) < 0.2
    assert report["coverage"]["0.9"] == pytest.approx(0.9, abs=0.03)
    assert abs(report["coverage"]["0.95"] - 0.95) < abs(report["coverage_normal"]["0.95"] - 0.95)
    assert report["cpu_seconds_per_10000"] < 5
