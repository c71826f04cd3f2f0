"""How good a ranking and its probabilities are when one row in a hundred matters; with bands from the bootstrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

ECE_BINS = 10
BAND = (5.0, 95.0)
BAND_METRICS = ("roc_auc", "pr_auc", "recall_at_1pct", "recall_at_5pct", "precision_at_100", "brier_skill", "ece")


def risk_metrics(label: Ints, score: Floats, probability: Floats | None = None) -> dict[str, float | None]:
    """ROC-AUC, average precision, precision and recall at the top 1 % and 5 %, precision of the first 100.

    With `probability` also the Brier skill against always saying the rate of these rows, and the ECE in
    ten bins of equal size. Ties share their rank (ROC) or are taken as one step (PR, top shares).
    None where it cannot be said: no rows, or only one kind of row.
    """
    order = np.argsort(-score, kind="stable")
    return _metrics(label[order].astype(float), score[order], None if probability is None else probability[order],
                    np.ones(len(label)))  # fmt: skip


def bootstrap_bands(
    label: Ints, score: Floats, probability: Floats | None, rounds: int, seed: int = 1
) -> dict[str, list[float]]:
    """5 % and 95 % points of each figure over `rounds` draws of the rows with replacement (Poisson weights)."""
    random = np.random.default_rng(seed)
    order = np.argsort(-score, kind="stable")
    label_, score_ = label[order].astype(float), score[order]
    probability_ = None if probability is None else probability[order]
    drawn = [
        _metrics(label_, score_, probability_, random.poisson(1.0, len(label)).astype(float)) for _ in range(rounds)
    ]
    bands: dict[str, list[float]] = {}
    for name in BAND_METRICS:
        values = [value for figures in drawn if (value := figures.get(name)) is not None]
        if values:
            low, high = np.percentile(values, BAND)
            bands[name] = [float(low), float(high)]
    return bands


def expected_calibration_error(label: Floats, probability: Floats, weight: Floats | None = None) -> float:
    """Mean |predicted - observed| over ten bins that hold equally many rows; never below |mean - rate|."""
    order = np.argsort(-probability, kind="stable")
    return _ece(label[order], probability[order], np.ones(len(label)) if weight is None else weight[order])


def _metrics(label: Floats, score: Floats, probability: Floats | None, weight: Floats) -> dict[str, float | None]:
    rows, positives = float(weight.sum()), float((weight * label).sum())
    names = ("roc_auc", "pr_auc", "precision_at_1pct", "recall_at_1pct", "precision_at_5pct", "recall_at_5pct",
             "precision_at_100", "brier_skill", "ece")  # fmt: skip
    figures: dict[str, float | None] = dict.fromkeys(names)
    if not 0 < positives < rows:
        return figures
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # the end of each run of ties
    hits, taken = np.cumsum(weight * label)[last], np.cumsum(weight)[last]
    misses = taken - hits
    figures["roc_auc"] = float(
        np.sum(np.diff(misses, prepend=0.0) * (hits + np.append(0.0, hits[:-1])) / 2) / (positives * (rows - positives))
    )
    gained = np.diff(hits, prepend=0.0)
    figures["pr_auc"] = float(
        np.sum(gained * np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)) / positives
    )
    for name, wanted in (("1pct", rows * 0.01), ("5pct", rows * 0.05), ("100", min(100.0, rows))):
        found = float(np.interp(wanted, np.append(0.0, taken), np.append(0.0, hits)))
        figures[f"precision_at_{name}"] = found / wanted
        if name != "100":
            figures[f"recall_at_{name}"] = found / positives
    if probability is not None:
        rate = positives / rows
        brier = float((weight * (probability - label) ** 2).sum() / rows)
        figures["brier_skill"] = 1 - brier / (rate * (1 - rate))
        figures["ece"] = _ece(label, probability, weight)
    return figures


def _ece(label: Floats, probability: Floats, weight: Floats) -> float:
    """Rows sorted by probability, descending or nearly so."""
    place = np.cumsum(weight) - weight
    bins = np.minimum((place * ECE_BINS / max(weight.sum(), 1.0)).astype(int), ECE_BINS - 1)
    gap = np.bincount(bins, weight * (probability - label), ECE_BINS)
    return float(np.abs(gap).sum() / weight.sum())
