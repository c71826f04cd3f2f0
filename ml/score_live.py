"""Scores rows of figures with the model that may speak: chance, score and the reasons that weigh most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.backorder_risk import RiskModel
from ml.calibration import Line, log_odds
from ml.live_figures import numbers_of
from ml.model_store import ModelMismatch, stored_of, unpack
from ml.risk_explanation import explain

FIRST_RULE = RiskModel("rule", Line(2.0, -3.5), 0.0, 0)
"""The ratio rule before any outcome is known: a rank that is worth something, a chance that is only a guess."""
EXPLAINED_ABOVE = 0.02
"""Places below this chance, and below that from which acting pays, are not explained while nobody waits there: nobody looks at
them, and ten questions each cost time."""


@dataclass(frozen=True)
class Spoken:
    """What was said of one row. `score` is in log-odds."""

    score: float
    probability: float
    reasons: list[dict[str, Any]]


def speaker(row: Any) -> tuple[RiskModel, int | None, str | None]:
    """(model, its id, why it is not the active one): the active model of `learning_model`, else the ratio rule."""
    if row is None:
        return FIRST_RULE, None, None
    try:
        return unpack(stored_of(row)), int(row["id"]), None
    except ModelMismatch as error:
        return FIRST_RULE, None, str(error)


def score_rows(model: RiskModel, rows: Sequence[Mapping[str, Any]], act_above: float = EXPLAINED_ABOVE) -> list[Spoken]:
    """One answer per row of `core/queries/risk_snapshot.py:figures_as_of`, in their order."""
    if not rows:
        return []
    numbers = numbers_of(rows)
    chance = model.probability(numbers)
    scores = log_odds(chance)
    told = np.flatnonzero((chance >= min(EXPLAINED_ABOVE, act_above)) | (np.nan_to_num(numbers["local_bo_qty"]) > 0))
    reasons: dict[int, list[dict[str, Any]]] = {}
    if len(told):
        explained = explain(model, {name: values[told] for name, values in numbers.items()})
        for place, found in zip(told.tolist(), explained, strict=True):
            reasons[place] = [
                {"code": reason.code, "weight": round(reason.weight, 4), "facts": _known(reason.facts)}
                for reason in found
            ]
    return [
        Spoken(float(score), float(p), reasons.get(place, []))
        for place, (score, p) in enumerate(zip(scores, chance, strict=True))
    ]


def _known(facts: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if value != value else round(value, 4) for name, value in facts.items()}
