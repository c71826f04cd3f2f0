"""Brings probabilities to the rate of the place where they are used: prior shift, and Platt's line on the log-odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize

Floats = NDArray[np.float64]

SMALLEST = 1e-7


def log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return np.log(clipped / (1 - clipped))


def from_log_odds(odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(odds, -40, 40)))


@dataclass(frozen=True)
class Line:
    """log-odds -> slope * log-odds + shift. The slope is positive, so that no two items change places."""

    slope: float = 1.0
    shift: float = 0.0

    def apply(self, probability: Floats) -> Floats:
        return from_log_odds(self.slope * log_odds(probability) + self.shift)

    def then(self, other: Line) -> Line:
        """This line, and the other one on what it gives."""
        return Line(self.slope * other.slope, self.shift * other.slope + other.shift)


def prior_shift(probability: Floats, rate: float) -> Line:
    """The shift of all log-odds that makes the mean probability equal to `rate` (0 < rate < 1).

    The method for a changed base rate with an unchanged picture of each class (Saerens et al. 2002, one step).
    """
    if not 0 < rate < 1:
        return Line()
    odds = log_odds(probability)
    shift = brentq(lambda moved: float(from_log_odds(odds + moved).mean()) - rate, -30, 30, xtol=1e-10)
    return Line(shift=float(shift))  # pyright: ignore[reportArgumentType]


def platt_line(probability: Floats, label: Floats, weight: Floats | None = None) -> Line:
    """The line that makes `label` most likely (Platt 1999, with his smoothed targets); for held-out predictions only."""
    odds = log_odds(probability)
    weights = np.ones(len(odds)) if weight is None else weight
    positives, negatives = (weights * label).sum(), (weights * (1 - label)).sum()
    target = np.where(label > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(at: Floats) -> tuple[float, Floats]:
        line = at[0] * odds + at[1]
        fault = weights * (from_log_odds(line) - target)
        value = float((weights * (np.logaddexp(0, line) - target * line)).sum())
        return value / len(odds), np.array([(fault * odds).sum(), fault.sum()]) / len(odds)

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 5.0), (-20.0, 20.0)])
    return Line(float(found.x[0]), float(found.x[1]))


def mean_ratio(probability: Floats, label: NDArray[Any]) -> float | None:
    """Mean prediction over observed rate; outside 0.8-1.25 the model needs a new base rate. None without positives."""
    rate = float(label.mean()) if len(label) else 0.0
    return float(probability.mean() / rate) if rate > 0 else None
