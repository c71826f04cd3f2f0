"""Cross-validates the risk model on training files alone, grouped so that no part is on both sides under another name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ml.backorder_file import read_backorder_file
from ml.backorder_risk import Settings, fit_risk
from ml.ranking import risk_metrics
from ml.risk_features import ratio_rule
from ml.risk_training import training_set


def cross_validate(
    train: list[Path], folds: int = 5, settings: Settings = Settings(), say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Fit on all folds but one, score the first file's rows of that one; means over the folds, and each by itself.

    Folds are drawn by fingerprint (`ml/risk_training.py:fingerprints`); what later files add is only learned from.
    Raises UnreadableFile.
    """
    joined = training_set([read_backorder_file(path) for path in train])
    first = np.arange(len(joined)) < len(joined) - joined.added_positives
    fold = np.random.default_rng(1).integers(0, folds, joined.group.max() + 1)[joined.group]
    figures: list[dict[str, float | None]] = []
    rules: list[dict[str, float | None]] = []
    for number in range(folds):
        held = (fold == number) & first
        if not 0 < joined.label[held].sum() < held.sum():
            continue
        say(f"Fold {number + 1} of {folds} ...")
        model = fit_risk(joined.take(fold != number), settings=settings)
        rows = joined.take(held)
        chance = model.probability(rows.numbers)
        figures.append(risk_metrics(rows.label, chance, chance))
        rules.append(risk_metrics(rows.label, ratio_rule(rows.numbers)))
    return {"folds": figures, "mean": _mean(figures), "ratio_rule": _mean(rules), "groups": int(joined.group.max() + 1)}


def _mean(figures: list[dict[str, float | None]]) -> dict[str, float | None]:
    names = figures[0] if figures else {}
    known = {name: [value for one in figures if (value := one[name]) is not None] for name in names}
    return {name: float(np.mean(values)) if values else None for name, values in known.items()}
