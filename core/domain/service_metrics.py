"""Service measures: fill rates, kept promises and percentiles, each with its denominator said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class LineService:
    """One order line: units ordered, and units covered by stock at the moment it was placed."""

    ordered: int
    filled_at_once: int


def unit_fill_rate(lines: Iterable[LineService]) -> float | None:
    """Units covered at once / units ordered; None when nothing was ordered."""
    ordered = filled = 0
    for line in lines:
        ordered += line.ordered
        filled += min(line.filled_at_once, line.ordered)
    return filled / ordered if ordered else None


def line_fill_rate(lines: Iterable[LineService]) -> float | None:
    """Lines covered wholly at once / lines; None without lines."""
    count = filled = 0
    for line in lines:
        count += 1
        filled += line.filled_at_once >= line.ordered
    return filled / count if count else None


@dataclass(frozen=True, slots=True)
class PromiseOutcome:
    """A first promise (complete date) and the day the whole promised quantity was fulfilled; None: not yet."""

    promised: date
    fulfilled: date | None


def promise_kept_rate(outcomes: Iterable[PromiseOutcome], today: date) -> float | None:
    """Promises kept / promises that can be judged: fulfilled, or past their date. None when none can be.

    A promise that is overdue and unfulfilled counts as broken; one whose date is still to come does not count.
    """
    judged = kept = 0
    for outcome in outcomes:
        if outcome.fulfilled is not None:
            judged += 1
            kept += outcome.fulfilled <= outcome.promised
        elif outcome.promised < today:
            judged += 1
    return kept / judged if judged else None


def late_days(outcome: PromiseOutcome, today: date) -> int:
    """Days after the promise (negative: early); an unfulfilled one counts up to `today`, at least 0."""
    if outcome.fulfilled is not None:
        return (outcome.fulfilled - outcome.promised).days
    return max(0, (today - outcome.promised).days)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` (0..1) of the values do not exceed (nearest rank); None without values.

    This describes what happened; a statement about the next case needs `eta.quantile`.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not at {share}")
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(round(len(values) * share, 9)) - 1)]


def median(values: Sequence[float]) -> float | None:
    """The middle value, or the mean of the middle two; None without values."""
    if not values:
        return None
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
