"""The risk that an item goes short: which of three models speaks, its probability, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ml.calibration import Line, from_log_odds, platt_line
from ml.risk_features import FEATURES, feature_matrix, ratio_rule
from ml.risk_training import TrainingSet
from ml.threads import one_thread

Floats = NDArray[np.float64]
Kind = Literal["rule", "logistic", "boosted"]

RULE_BELOW = 50
LOGISTIC_BELOW = 200
"""Positives in the training set below which the simpler model speaks (reference/ml.md section 4)."""
REHEARSED_SHARE = 0.02
"""So many of the rows are learned a second time with the stock unknown, so that an unknown stock is no surprise."""


@dataclass(frozen=True)
class Settings:
    """How the boosted model is grown; no class weights, so that probabilities stay those of the training set."""

    learning_rate: float = 0.05
    iterations: int = 300
    leaves: int = 31
    rows_per_leaf: int = 80
    l2: float = 5.0
    feature_share: float = 0.4
    seed: int = 1


@dataclass(frozen=True)
class RiskModel:
    """A fitted model. `kind` says which one speaks; `line` brings its probabilities to the rate of the place."""

    kind: Kind
    estimator: Any
    rate: float
    positives: int
    line: Line = field(default_factory=Line)

    def probability(self, numbers: Mapping[str, Floats]) -> Floats:
        """P(goes short) per item; `numbers` has the columns of `ml/risk_features.py:feature_matrix`."""
        return self.line.apply(self._raw(numbers))

    def calibrated(self, line: Line) -> RiskModel:
        return replace(self, line=line)

    def _raw(self, numbers: Mapping[str, Floats]) -> Floats:
        if self.kind == "rule":
            return _rule_probability(numbers, self.estimator)
        with one_thread():
            return self.estimator.predict_proba(feature_matrix(numbers))[:, 1]


def kind_for(positives: int) -> Kind:
    """The cold start: the ratio rule under 50 positives, logistic under 200, then the boosted trees."""
    return "rule" if positives < RULE_BELOW else "logistic" if positives < LOGISTIC_BELOW else "boosted"


def fit_risk(training: TrainingSet, kind: Kind | None = None, settings: Settings = Settings()) -> RiskModel:
    """Fit the model that the number of positives allows, or the named one. The same input gives the same model."""
    positives = int(training.label.sum())
    kind = kind or kind_for(min(positives, len(training) - positives))
    if positives in (0, len(training)):
        kind = "rule"  # nothing to tell apart
    if kind == "rule":
        return RiskModel(kind, _rule_line(training), training.rate, positives)
    estimator: Any = _logistic() if kind == "logistic" else _boosted(settings)
    rows, label, weight = _rehearsed(feature_matrix(training.numbers), training, settings.seed)
    order = np.random.default_rng(settings.seed).permutation(len(label))
    rows, label, weight = rows[order], label[order], weight[order]
    rows[:, np.isnan(rows).all(axis=0)] = 0.0  # a figure nobody has yet says nothing, and cannot be binned
    weights = {"logisticregression__sample_weight" if kind == "logistic" else "sample_weight": weight}
    with one_thread():
        estimator.fit(rows, label, **weights)
    return RiskModel(kind, estimator, training.rate, positives)


def act_above(cost_of_acting: float, cost_of_backorder: float) -> float:
    """The probability from which acting is cheaper than waiting: c_act / c_backorder, at most 1."""
    if cost_of_acting < 0 or cost_of_backorder <= 0:
        raise ValueError("costs of acting are not negative, those of a backorder are positive")
    return min(1.0, cost_of_acting / cost_of_backorder)


def _boosted(settings: Settings) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate, max_iter=settings.iterations, max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.rows_per_leaf, l2_regularization=settings.l2, max_features=settings.feature_share,
        monotonic_cst=list(FEATURES.values()), early_stopping=False,  # pyright: ignore[reportArgumentType]
        random_state=settings.seed,
    )  # fmt: skip


def _logistic() -> Pipeline:
    return make_pipeline(
        FunctionTransformer(_flattened), StandardScaler(), LogisticRegression(C=0.1, max_iter=500), memory=None
    )


def _flattened(rows: Floats) -> Floats:
    """Signed logarithms: quantities span seven powers of ten. Unknown becomes 0, with a column that says so."""
    unknown = np.isnan(rows)
    small = np.sign(rows) * np.log1p(np.abs(rows))
    told = unknown[
        :, [list(FEATURES).index(name) for name in ("on_hand", "on_time_6", "sales_trend", "forecast_to_sales")]
    ]
    return np.hstack([np.where(unknown, 0.0, small), told.astype(float)])


def _rehearsed(rows: Floats, training: TrainingSet, seed: int) -> tuple[Floats, NDArray[np.int8], Floats]:
    drawn = np.random.default_rng(seed).random(len(rows)) < REHEARSED_SHARE
    numbers = {name: values[drawn] for name, values in training.numbers.items()}
    numbers["national_inv"] = np.full(int(drawn.sum()), np.nan)
    return (
        np.vstack([rows, feature_matrix(numbers)]),
        np.concatenate([training.label, training.label[drawn]]),
        np.concatenate([training.weight, training.weight[drawn]]),
    )


def _flat_rule(numbers: Mapping[str, Floats]) -> Floats:
    score = ratio_rule(numbers)
    return from_log_odds(np.sign(score) * np.log1p(np.abs(score)))


def _rule_line(training: TrainingSet) -> Line:
    if not 0 < training.label.sum() < len(training):
        rate = (float(training.label.sum()) + 0.5) / (len(training) + 1)
        return Line(0.05, float(np.log(rate / (1 - rate))))
    return platt_line(_flat_rule(training.numbers), training.label.astype(float), training.weight)


def _rule_probability(numbers: Mapping[str, Floats], line: Line) -> Floats:
    return line.apply(_flat_rule(numbers))
