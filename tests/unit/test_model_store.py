"""Stored models come back as they were, or are refused in plain words; who takes over is decided on unseen days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")

from core.domain.model_choice import drift_alarms, judge  # noqa: E402
from ml.backorder_risk import fit_risk  # noqa: E402
from ml.calibration import Line  # noqa: E402
from ml.drift import reference_of, stability  # noqa: E402
from ml.live_figures import NAMES, numbers_of, split_by_time, training_rows, training_set_of  # noqa: E402
from ml.model_store import ModelMismatch, pack, unpack  # noqa: E402
from ml.ranking import risk_metrics  # noqa: E402
from ml.train_live import train_live  # noqa: E402


def _rows(count: int = 600, seed: int = 1):
    random = np.random.default_rng(seed)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for number in range(count):
        row = {figure: float(abs(random.normal(10, 5))) for figure in NAMES} | {"backordered": 0.0, "on_time_6": None}
        row |= {"sku_id": number % 20, "location_id": 1, "taken_at": at + timedelta(days=number // 20)}
        row["day"] = row["taken_at"].date()
        rows.append(row | {"went_short": bool(row["on_hand"] < 6)})
    return rows


@pytest.mark.parametrize("kind", ["rule", "logistic", "boosted"])
def test_a_model_comes_back_as_it_was(kind):
    training = training_set_of(_rows())
    model = fit_risk(training, kind).calibrated(Line(0.9, -0.2))
    again = unpack(pack(model))
    assert again.kind == kind
    assert np.array_equal(again.probability(training.numbers), model.probability(training.numbers))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "0" * 64}, "damaged"),
        ({"format": 1}, "format 1"),
        ({"features": ("on_hand",)}, "other features"),
        ({"libraries": {"scikit-learn": "0.24.1"}}, "scikit-learn 0.24.1"),
    ],
)
def test_a_mismatch_is_refused_in_plain_words(change, words):
    stored = pack(fit_risk(training_set_of(_rows(100)), "logistic"))
    with pytest.raises(ModelMismatch, match=words):
        unpack(replace(stored, **change))


def test_a_type_that_is_not_ours_is_neither_packed_nor_read():
    model = fit_risk(training_set_of(_rows(100)), "logistic")
    with pytest.raises(ModelMismatch, match="no model of ours"):
        pack(replace(model, estimator=datetime(2026, 1, 1, tzinfo=UTC)))


def test_judged_days_and_their_outcomes_are_not_learned_from():
    rows = _rows()
    before, after = split_by_time(rows, horizon_days=7, test_days=10)
    cut = max(row["taken_at"] for row in rows) - timedelta(days=10)
    assert {row["taken_at"] > cut for row in after} == {True}
    assert max(row["taken_at"] for row in before) == cut - timedelta(days=7)
    assert len(training_rows(rows)) < len(rows) / 5, "one snapshot a week"


@pytest.mark.parametrize(
    ("ours", "theirs", "positives", "promoted"),
    [
        ({"pr_auc": 0.3, "brier_skill": 0.1}, None, 40, True),
        ({"pr_auc": 0.3, "brier_skill": 0.1}, {"pr_auc": 0.2, "brier_skill": 0.1}, 40, True),
        ({"pr_auc": 0.3, "brier_skill": 0.1}, {"pr_auc": 0.3, "brier_skill": 0.1}, 40, False),
        ({"pr_auc": 0.3, "brier_skill": 0.0}, {"pr_auc": 0.2, "brier_skill": 0.1}, 40, False),
        ({"pr_auc": 0.05, "brier_skill": 0.1}, None, 40, False),
        ({"pr_auc": 0.3, "brier_skill": 0.1}, None, 9, False),
    ],
)
def test_only_a_better_model_takes_over(ours, theirs, positives, promoted):
    assert judge(ours, theirs, {"pr_auc": 0.1, "brier_skill": None}, positives, is_rule=False).promote is promoted


def test_who_speaks_is_compared_on_days_it_never_saw():
    """A model knows by heart the days that it was fitted on; on them no newer one would ever be better."""
    rows = _rows(1_200)
    for row in rows:  # the truth can be learned, but not by heart
        row["went_short"] = bool(row["on_hand"] + row["sales_1"] < 18) if row["sku_id"] % 2 else row["went_short"]
    incumbent = fit_risk(training_set_of(training_rows(rows)), "boosted")
    last = max(row["day"] for row in rows)
    seen = train_live(rows, incumbent, 7, 28, last)
    assert seen is not None
    assert seen.unseen_positives == 0
    assert not judge(
        seen.metrics, seen.incumbent, {}, 40, is_rule=False, against=seen.against, unseen_positives=0
    ).promote
    older = train_live(rows, incumbent, 7, 28, last - timedelta(days=20))
    assert older is not None
    fresh = [row for row in training_rows(rows) if row["day"] > last - timedelta(days=13)]
    assert older.unseen_positives == sum(row["went_short"] for row in fresh)
    numbers, label = numbers_of(fresh), np.array([row["went_short"] for row in fresh], dtype=np.int8)
    assert older.incumbent is not None
    assert older.incumbent["pr_auc"] == risk_metrics(label, incumbent.probability(numbers))["pr_auc"]
    ours = {"pr_auc": 0.3, "brier_skill": 0.1}
    kwargs = {"is_rule": False, "against": {"pr_auc": 0.5, "brier_skill": 0.1}, "unseen_positives": 12}
    assert judge(ours, {"pr_auc": 0.4, "brier_skill": 0.1}, {"pr_auc": 0.1}, 40, **kwargs).promote
    assert not judge(ours, {"pr_auc": 0.6, "brier_skill": 0.1}, {"pr_auc": 0.1}, 40, **kwargs).promote


def test_the_rule_never_takes_over_from_a_learned_model():
    assert judge({}, None, {}, 0, is_rule=True).promote
    assert not judge({}, {"pr_auc": 0.2}, {}, 0, is_rule=True).promote


def test_drift_is_seen_where_it_is():
    reference = reference_of({"on_hand": np.arange(1000.0), "sales_3": np.arange(1000.0)})
    found = stability(reference, {"on_hand": np.arange(1000.0) * 3, "sales_3": np.arange(1000.0)})
    assert found["sales_3"] == pytest.approx(0.0, abs=1e-9)
    assert found["on_hand"] > 0.25
    assert drift_alarms(found, 0.02, 0.01) == [
        f"on_hand: the figures are distributed otherwise than in the training (PSI {found['on_hand']:.2f})",
        "calibration: 2.00 times as many shortages are said as came",
    ]
    assert drift_alarms({"a": 0.1}, 0.011, 0.01) == []
    assert drift_alarms({}, 0.3, 0.0) == ["calibration: 30.0% of the places were said to run short, and none did"]
    assert drift_alarms({}, 0.0, 0.0) == drift_alarms({}, 0.3, None) == drift_alarms({}, None, 0.0) == []
