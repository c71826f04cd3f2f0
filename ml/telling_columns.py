"""How strongly one column of a file tells the answer: by its order, by being empty, or by its single values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.ranking import risk_metrics

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

COLUMN_ROC = 0.93
"""No column of the public file alone ranks better than .87, the ratio rule .90: beyond this a column is the answer."""
COLUMN_PR, COLUMN_LIFT = 0.20, 8.0
"""Precision of the best of them is .045 where one row in a hundred is positive: beyond both it knows some of the answers."""
RARE = 0.1
"""Share of positives above which precision says nothing of this kind."""
FEWEST_POSITIVES = 20
PRIOR_ROWS = 20.0
"""Rows of the whole file that the rate of a value is mixed with."""


@dataclass(frozen=True)
class Told:
    """How a column tells ("" by its order, " is empty", " by single values"), and how strongly."""

    how: str
    strength: float
    figure: str


def telling_column(label: Labels, values: Floats) -> Told | None:
    """The first way in which a column ranks too well to be known beforehand; None is the ordinary case."""
    ways = {
        " is empty": np.isnan(values).astype(float),
        "": np.nan_to_num(values, nan=-1.0),
        " by single values": rate_of_value(label, values),
    }
    surely = surely_above(label)
    for how, column in ways.items():
        if how == " by single values" and label.sum() < FEWEST_POSITIVES:
            continue
        roc = strength(label, column)
        if roc > max(COLUMN_ROC, surely):
            return Told(how, roc, f"ROC {roc:.3f}")
    rate = float(label.mean()) if len(label) else 0.0
    if label.sum() < FEWEST_POSITIVES or rate > RARE:
        return None
    for how, column in ways.items():
        pr = max(risk_metrics(label, column)["pr_auc"] or 0.0, risk_metrics(label, -column)["pr_auc"] or 0.0)
        if pr > max(COLUMN_PR, COLUMN_LIFT * rate):
            return Told(how, pr, f"precision {pr:.3f} at a rate of {rate:.3f}")
    return None


def strength(label: Labels, score: Floats) -> float:
    """How well a column ranks in the better of both directions: .5 (not at all) to 1."""
    roc = risk_metrics(label, score)["roc_auc"]
    return 0.5 if roc is None else max(roc, 1 - roc)


def surely_above(label: Labels) -> float:
    """What chance alone does not reach: five standard errors of the ROC of a column that knows nothing."""
    fewer = max(1.0, float(min(label.sum(), len(label) - label.sum())))
    return 0.5 + 5 * float(np.sqrt(1 / (12 * fewer)))


def rate_of_value(label: Labels, values: NDArray[np.float64] | NDArray[np.str_]) -> Floats:
    """Share of positives among the other half's rows (odd, even) with the same value: a code that has no order tells, too."""
    _, place = np.unique(values, return_inverse=True)
    half = np.arange(len(label)) % 2
    rate, kinds = float(label.mean()) if len(label) else 0.0, int(place.max(initial=-1)) + 1
    told = np.zeros(len(label))
    for side in (0, 1):
        other, own = half != side, half == side
        rows = np.bincount(place[other], minlength=kinds)
        positives = np.bincount(place[other], weights=label[other], minlength=kinds)
        told[own] = ((positives + PRIOR_ROWS * rate) / (rows + PRIOR_ROWS))[place[own]]
    return told


def keys_of_names(label: Labels, names: NDArray[np.str_]) -> list[Floats]:
    """What a part number may say by itself: its number, its place among all, how it begins and ends, how long it is."""
    numbers = np.array([float(name) if name.isdecimal() and len(name) < 16 else np.nan for name in names.tolist()])
    found = [np.nan_to_num(numbers, nan=-1.0), np.unique(names, return_inverse=True)[1].astype(float)]
    if label.sum() >= FEWEST_POSITIVES:
        parts = [[name[:size] for name in names.tolist()] for size in (1, 2, 3)]
        parts += [[name[-size:] for name in names.tolist()] for size in (1, 2, 3)]
        found += [rate_of_value(label, np.array(part)) for part in parts]
        found.append(rate_of_value(label, np.array([float(len(name)) for name in names.tolist()])))
    return found
