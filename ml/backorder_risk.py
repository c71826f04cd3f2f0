"""The risk that an item goes short: which of three models speaks, its probability, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ml.calibration import Line, from_log_odds, platt_line
from ml.risk_features import FEATURES, POSITIONS, feature_matrix, ratio_rule
from ml.risk_training import TrainingSet
from ml.threads import one_thread

Floats = NDArray[np.float64]
Kind = Literal["rule", "logistic", "boosted"]

RULE_BELOW = 50
LOGISTIC_BELOW = 200
"""Positives in the training set below which the simpler model speaks (reference/ml.md section 4)."""
JUDGED = 1000
"""Positives that were held out from which the line of the probabilities is known well enough."""
REHEARSED_SHARE = 0.02
"""So many of the rows are learned a second time with the stock unknown, so that an unknown stock is no surprise."""


@dataclass(frozen=True)
class Settings:
    """How the boosted model is grown; no class weights, so that probabilities stay those of the training set."""

    learning_rate: float = 0.05
    iterations: int = 300
    leaves: int = 48
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
        """With `line` on top of what its probabilities were brought to before."""
        return replace(self, line=self.line.then(line))

    def _raw(self, numbers: Mapping[str, Floats]) -> Floats:
        if self.kind == "rule":
            return _rule_probability(numbers, self.estimator)
        with one_thread():
            return self.estimator.predict_proba(_rows(self.kind, numbers))[:, 1]


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
    estimator = _fitted(kind, training, settings)
    line = _deserved(training, settings) if kind == "boosted" else Line()
    return RiskModel(kind, estimator, training.rate, positives, line)


def _fitted(kind: Kind, training: TrainingSet, settings: Settings) -> Any:
    estimator: Any = _logistic() if kind == "logistic" else _boosted(settings)
    rows, label, weight = _rehearsed(kind, training, settings.seed)
    order = np.random.default_rng(settings.seed).permutation(len(label))
    rows, label, weight = rows[order], label[order], weight[order]
    rows[:, np.isnan(rows).all(axis=0)] = 0.0  # a figure nobody has yet says nothing, and cannot be binned
    weights = {"logisticregression__sample_weight" if kind == "logistic" else "sample_weight": weight}
    with one_thread():
        estimator.fit(rows, label, **weights)
    if kind == "logistic":
        _hold(estimator, rows, label, weight)
    return estimator


def _deserved(training: TrainingSet, settings: Settings) -> Line:
    """What brings the chances of the trees to what came of items they had not seen: they are too sure of both.

    Look-alikes are held out together, a third at a time, until JUDGED positives have been.
    """
    thirds = np.random.default_rng(settings.seed).integers(0, 3, training.group.max() + 1)[training.group]
    said = np.full(len(training), np.nan)
    for third in range(3):
        held, learned = training.take(thirds == third), training.take(thirds != third)
        if not 0 < learned.label.sum() < len(learned) or not len(held):
            continue
        with one_thread():
            said[thirds == third] = _fitted("boosted", learned, settings).predict_proba(_rows("boosted", held.numbers))[
                :, 1
            ]
        if training.label[~np.isnan(said)].sum() >= JUDGED:
            break
    judged = ~np.isnan(said)
    if training.label[judged].sum() < RULE_BELOW:
        return Line()
    return platt_line(said[judged], training.label[judged].astype(float), training.weight[judged])


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


def _hold(model: Pipeline, rows: Floats, label: NDArray[np.int8], weight: Floats) -> None:
    """Fit the weights of a logistic model again, none of them against FEATURES."""
    last: Any = model[-1]
    columns = np.asarray(model[:-1].transform(rows))
    signs = [*FEATURES.values(), *[0] * (columns.shape[1] - len(FEATURES))]
    sense = 2.0 * label - 1

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = sense * (columns @ at[:-1] + at[-1])
        pull = -last.C * weight * sense * from_log_odds(-margin)
        value = last.C * float((weight * np.logaddexp(0, -margin)).sum()) + float(at[:-1] @ at[:-1]) / 2
        return value, np.append(columns.T @ pull + at[:-1], pull.sum())

    bounds = [(None, 0.0) if sign < 0 else (None, None) for sign in signs] + [(None, None)]
    start = np.append(np.where(np.array(signs) < 0, np.minimum(last.coef_[0], 0.0), last.coef_[0]), last.intercept_)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    last.coef_, last.intercept_ = found[None, :-1], found[-1:]


def _rows(kind: Kind, numbers: Mapping[str, Floats]) -> Floats:
    """The features as a kind of model reads them: trees get the position only where something is under way. Elsewhere it says
    what the stock says, and of two equal columns each tree would have drawn one by chance."""
    rows = feature_matrix(numbers)
    if kind == "boosted":
        names = list(FEATURES)
        nothing = rows[:, names.index("in_transit")] <= 0
        for name in POSITIONS:
            rows[nothing, names.index(name)] = np.nan
    return rows


def _rehearsed(kind: Kind, training: TrainingSet, seed: int) -> tuple[Floats, NDArray[np.int8], Floats]:
    rows = _rows(kind, training.numbers)
    drawn = np.random.default_rng(seed).random(len(rows)) < REHEARSED_SHARE
    numbers = {name: values[drawn] for name, values in training.numbers.items()}
    numbers["national_inv"] = np.full(int(drawn.sum()), np.nan)
    return (
        np.vstack([rows, _rows(kind, numbers)]),
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
