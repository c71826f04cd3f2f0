"""How far figures have moved away from those of the training: the population stability index."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10
SMALLEST_SHARE = 1e-4
FEWEST_ROWS = 100
"""Rows below which chance alone moves the shares."""


def reference_of(numbers: Mapping[str, Floats]) -> dict[str, dict[str, list[float]]]:
    """Per column its inner decile edges, and the share of rows in each bin; the last share is that of unknown cells."""
    found = {}
    for name, values in numbers.items():
        known = values[~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.zeros(0)
        found[name] = {"edges": edges.tolist(), "shares": _shares(values, edges).tolist()}
    return found


def stability(reference: Mapping[str, Mapping[str, list[float]]], numbers: Mapping[str, Floats]) -> dict[str, float]:
    """PSI per column: sum of (now - then) ln(now / then) over the bins; 0 is "the same", above .25 "another population".

    Empty when there are fewer than FEWEST_ROWS rows.
    """
    found: dict[str, float] = {}
    for name, then in reference.items():
        values = numbers[name]
        if len(values) < FEWEST_ROWS:
            continue
        now = np.maximum(_shares(values, np.array(then["edges"])), SMALLEST_SHARE)
        before = np.maximum(np.array(then["shares"]), SMALLEST_SHARE)
        found[name] = float(((now - before) * np.log(now / before)).sum())
    return found


def _shares(values: Floats, edges: Floats) -> Floats:
    unknown = np.isnan(values)
    places = np.searchsorted(edges, values[~unknown], side="left")
    counts = np.append(np.bincount(places, minlength=len(edges) + 1), unknown.sum())
    return counts / max(1, len(values))
