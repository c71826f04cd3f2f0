"""Ranking figures against scikit-learn and by hand; what calibration may and may not change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from ml.calibration import Line, platt_line, prior_shift
from ml.ranking import bootstrap_bands, expected_calibration_error, risk_metrics

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=200).filter(
    lambda rows: len({positive for positive, _ in rows}) == 2
)


@given(ROWS)
def test_areas_equal_those_of_scikit_learn_ties_included(rows):
    label = np.array([positive for positive, _ in rows], dtype=np.int8)
    score = np.array([score for _, score in rows], dtype=float)
    figures = risk_metrics(label, score)
    assert figures["roc_auc"] == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    assert figures["pr_auc"] == pytest.approx(average_precision_score(label, score), abs=1e-12)


def test_top_shares_and_skill_by_hand():
    label = np.zeros(1000, dtype=np.int8)
    label[[0, 1, 5, 30, 999]] = 1
    score = np.linspace(1, 0, 1000)
    figures = risk_metrics(label, score, np.full(1000, 0.005))
    assert (figures["precision_at_1pct"], figures["recall_at_1pct"]) == pytest.approx((0.3, 0.6))
    assert (figures["precision_at_5pct"], figures["recall_at_5pct"]) == pytest.approx((0.08, 0.8))
    assert figures["precision_at_100"] == pytest.approx(0.04)
    assert figures["brier_skill"] == pytest.approx(0, abs=1e-12)


def test_one_kind_of_row_has_no_figures():
    assert set(risk_metrics(np.zeros(5, dtype=np.int8), np.arange(5.0)).values()) == {None}


def test_calibration_error_is_the_gap_in_ten_equal_bins():
    label = np.tile([1.0] + [0.0] * 9, 10)
    assert expected_calibration_error(label, np.full(100, 0.1)) == pytest.approx(0)
    assert expected_calibration_error(label, np.full(100, 0.3)) == pytest.approx(0.2)


def test_bands_hold_the_figure_and_narrow_with_rows():
    random = np.random.default_rng(3)
    widths = []
    for rows in (400, 6400):
        label = (random.random(rows) < 0.2).astype(np.int8)
        score = label + random.normal(size=rows)
        low, high = bootstrap_bands(label, score, None, 100)["roc_auc"]
        assert low < risk_metrics(label, score)["roc_auc"] < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.5)


@given(st.lists(st.floats(0.0001, 0.9), min_size=2, max_size=50), st.floats(0.001, 0.5))
def test_prior_shift_reaches_the_rate_and_keeps_the_order(chances, rate):
    chances = np.array(chances)
    moved = prior_shift(chances, rate).apply(chances)
    assert moved.mean() == pytest.approx(rate, rel=1e-6)
    assert (np.diff(moved[np.argsort(chances, kind="stable")]) >= -1e-12).all()


def test_platt_finds_the_line_that_was_drawn():
    random = np.random.default_rng(5)
    claimed = random.uniform(0.01, 0.99, 40_000)
    true = Line(0.5, -1.0).apply(claimed)
    line = platt_line(claimed, (random.random(40_000) < true).astype(float))
    assert (line.slope, line.shift) == (pytest.approx(0.5, abs=0.03), pytest.approx(-1.0, abs=0.05))
