"""Fits a risk model on labelled snapshots and compares it, on days it never saw, with the one that speaks and the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from ml.backorder_risk import RiskModel, fit_risk, kind_for
from ml.calibration import platt_line
from ml.drift import reference_of
from ml.live_figures import by_figure, numbers_of, split_by_time, training_rows, training_set_of
from ml.model_store import StoredModel, pack
from ml.ranking import risk_metrics
from ml.risk_features import ratio_rule
from ml.risk_training import TrainingSet


@dataclass(frozen=True)
class Candidate:
    """A fitted model, packed, with its figures on the judged days and those of its rivals."""

    kind: str
    stored: StoredModel
    rows: int
    positives: int
    metrics: dict[str, Any]
    baseline: dict[str, Any]
    incumbent: dict[str, Any] | None
    against: dict[str, Any]
    """Figures of the candidate on the same days as those of the incumbent: judged ones that the incumbent never saw."""
    unseen_positives: int
    judged: int
    judged_positives: int
    reference: dict[str, Any]
    days: tuple[Any, Any]
    curve: list[dict[str, float]]


def train_live(
    rows: Sequence[Mapping[str, Any]],
    incumbent: RiskModel | None,
    horizon_days: int,
    test_days: int,
    learned_until: date | None = None,
) -> Candidate | None:
    """None without a labelled snapshot. The model that is kept learns from all rows once it has been judged on the newest.

    The incumbent did, too: it is compared only on judged days whose outcomes came after `learned_until`, the last day that it
    learned from, and the horizon.

    Which kind is fitted depends on the positives that are known (`ml/backorder_risk.py:kind_for`).
    """
    rows = training_rows(rows)
    if not rows:
        return None
    before, after = split_by_time(rows, horizon_days, test_days)
    everything = training_set_of(rows)
    kind = kind_for(int(everything.label.sum()))
    label = np.array([bool(row["went_short"]) for row in after], dtype=np.int8)
    numbers = numbers_of(after)
    metrics: dict[str, Any] = {}
    baseline = risk_metrics(label, ratio_rule(numbers)) if len(after) else {}
    theirs: dict[str, Any] | None = None
    against: dict[str, Any] = {}
    gap = timedelta(days=horizon_days)
    unseen = np.array([learned_until is None or row["day"] > learned_until + gap for row in after], dtype=bool)
    curve: list[dict[str, float]] = []
    if before and len(after):
        judged = _fit(training_set_of(before), kind)
        said = judged.probability(numbers)
        metrics = risk_metrics(label, said, said)
        curve = calibration_curve(label, said)
        if incumbent is not None:
            against = risk_metrics(label[unseen], said[unseen], said[unseen])
            said = incumbent.probability(numbers)[unseen]
            theirs = risk_metrics(label[unseen], said, said)
    if theirs is None and incumbent is not None:
        theirs = {}
    if theirs is not None and incumbent is not None:
        theirs["is_rule"] = incumbent.kind == "rule"
    days = (min(row["day"] for row in rows), max(row["day"] for row in rows))
    return Candidate(
        kind, pack(_fit(everything, kind)), len(rows), int(everything.label.sum()), metrics, baseline, theirs, against,
        int(label[unseen].sum()), len(after), int(label.sum()), reference_of(by_figure(everything.numbers)), days, curve,
    )  # fmt: skip


def calibration_curve(label: np.ndarray, said: np.ndarray, bins: int = 10) -> list[dict[str, float]]:
    """Per tenth of the rows by what was said: mean said and share that came."""
    if not len(said):
        return []
    order = np.argsort(said, kind="stable")
    return [
        {"said": float(said[part].mean()), "came": float(label[part].mean()), "rows": len(part)}
        for part in np.array_split(order, min(bins, len(order)))
    ]


def _fit(training: TrainingSet, kind: Any) -> RiskModel:
    """Fitted at the natural rate; a logistic model is brought to it exactly, since a regularised one shrinks from it."""
    model = fit_risk(training, kind)
    if kind != "logistic" or not 0 < training.rate < 1:
        return model
    return model.calibrated(platt_line(model.probability(training.numbers), training.label.astype(float)))
