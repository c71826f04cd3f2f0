"""Expected dates as distributions: days actual - promised per route, supplier and destination, shrunk, decayed, conformal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.delivery_file import Deliveries

Floats = NDArray[np.float64]
Days = NDArray[np.int64]

EARLIEST, LATEST = -365, 730
GRID = np.arange(EARLIEST, LATEST + 1)
"""Days of delay for which the distribution is kept; what lies beyond counts at the ends."""
JUST_ABOVE = 1e-6
"""A quantile holds a delivery only if its level is above the delivery's score."""


@dataclass(frozen=True)
class DateSettings:
    """`half_life_days`: age at which a delivery counts half. `shrinkage`: effective deliveries at which a group has as
    much say as its parent. `widest_correction`: how far the conformal step may move a quantile's level."""

    half_life_days: float = 365.0
    shrinkage: float = 100.0
    widest_correction: float = 0.02
    calibration_needs: int = 50


@dataclass(frozen=True)
class Delay:
    """Distribution of a delay: `cdf` over GRID, the deliveries it rests on, and the group that has the say."""

    cdf: Floats
    deliveries: int
    group: str

    def quantile(self, level: float) -> int:
        """The first day by which at least `level` of the deliveries have come."""
        return int(GRID[min(int(np.searchsorted(self.cdf, level - 1e-9)), len(GRID) - 1)])

    def below(self, days: Floats | float) -> Floats:
        """P(delay < days): the conformity scores of deliveries; `days` <= quantile(level) exactly if this < level."""
        places = np.clip(np.ceil(days) - EARLIEST - 1, -1, len(GRID) - 1).astype(np.int64)
        return np.where(places >= 0, self.cdf[places], 0.0)

    def given_late(self, days: int) -> Delay:
        """What is left to expect once `days` after the promised day have passed without a delivery."""
        gone = float(self.below(np.array(days + 1.0)))
        if gone >= 1 - 1e-9:  # later than everything that was ever seen: nothing is known but "not yet"
            return Delay((days + 1 <= GRID).astype(float), self.deliveries, self.group)
        return Delay(np.clip((self.cdf - gone) / (1 - gone), 0.0, 1.0), self.deliveries, self.group)


@dataclass
class DelayTables:
    """The distributions as of a day; a group that was never seen is answered by the nearest parent that was."""

    deliveries: Deliveries
    as_of: int
    settings: DateSettings = field(default_factory=DateSettings)
    _cache: dict[tuple[str, ...], Delay] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Lines promised before `as_of`; those not delivered by then are open and only say "later than this"."""
        known = self.deliveries.promised < self.as_of
        actual, promised = self.deliveries.actual[known], self.deliveries.promised[known]
        self._open = actual >= self.as_of
        seen = np.minimum(actual, self.as_of)
        self._delay = (seen - promised).astype(float)
        self._weight = 0.5 ** ((self.as_of - seen) / self.settings.half_life_days)
        self._levels = [keys[known] for keys in self.deliveries.levels]
        self._rows = [_grouped(keys) for keys in self._levels]
        self._cache[()] = Delay(self._curve(np.arange(len(seen))), int((~self._open).sum()), "all")

    def delay(self, path: Sequence[str]) -> Delay:
        """The distribution of a line with these keys, route first; each group is shrunk to the one above it."""
        path = tuple(path)
        if path not in self._cache:
            parent = self.delay(path[:-1])
            rows = self._rows[len(path) - 1].get(path[-1])
            if rows is None:
                self._cache[path] = parent
            else:
                say = float(self._weight[rows].sum())
                share = say / (say + self.settings.shrinkage)
                cdf = share * self._curve(rows) + (1 - share) * parent.cdf
                group = path[-1] if share >= 0.5 else parent.group
                self._cache[path] = Delay(cdf, int((~self._open[rows]).sum()), group)
        return self._cache[path]

    def _curve(self, rows: Days) -> Floats:
        """Share delivered by each day of GRID: Kaplan-Meier (1958) with weights, so that open lines count as later."""
        if not len(rows):
            return (GRID >= 0).astype(float)  # nobody knows better than the promise
        delays, reached = reached_by(self._delay[rows], self._open[rows], self._weight[rows])
        return np.concatenate([[0.0], reached])[np.searchsorted(delays, GRID, side="right")]


def reached_by(values: Floats, is_open: NDArray[np.bool_], weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Values in order, and the share that is not above each: Kaplan and Meier (1958). Of what is open its value is the least."""
    order = np.lexsort((is_open, values))
    weight = np.ones(len(values)) if weights is None else weights[order]
    at_risk = np.cumsum(weight[::-1])[::-1]
    left = np.cumprod(1.0 - np.where(is_open[order], 0.0, weight / at_risk))
    return values[order], np.asarray(1.0 - left, dtype=np.float64)


@dataclass(frozen=True)
class Correction:
    """The conformal step of a route: which level to ask for so that `level` is met, and whether P50 is worth its name."""

    levels: dict[float, float]
    median_beats_promise: bool

    def ask(self, level: float) -> float:
        return self.levels.get(level, level)


NO_CORRECTION = Correction({}, True)


def conformal(
    forecasts: Iterable[tuple[Delay, Floats | float]],
    levels: Sequence[float],
    settings: DateSettings,
    waiting: Iterable[tuple[Delay, Floats | float]] = (),
) -> Correction:
    """Split conformal on past forecasts (distribution, delay or delays that came): the level whose quantile held `level` of them.

    The ceil((n+1) level)-th smallest conformity score, at most `widest_correction` away from `level`: without that
    bound coverage is guaranteed for exchangeable deliveries, but suppliers change, and then one bad half-year would
    spoil the next. `waiting` are forecasts of what is still open, with its delays so far: their scores are censored.
    Left out, they would make every supplier look more punctual than it is.
    """
    known, still = ([(delay, np.atleast_1d(days)) for delay, days in said] for said in (forecasts, waiting))
    came = _joined([days for _, days in known])
    if len(came) < settings.calibration_needs:
        return NO_CORRECTION
    found = _joined([delay.below(days) for delay, days in known + still])
    scores, reached = reached_by(found, np.arange(len(found)) >= len(came))
    asked = {}
    for level in levels:
        share = min(1.0, float(np.ceil((len(scores) + 1) * level)) / len(scores))
        place = int(np.searchsorted(reached, share - 1e-9))
        low, high = level - settings.widest_correction, min(level + settings.widest_correction, 0.99)
        asked[level] = high if place == len(scores) else float(np.clip(scores[place] + JUST_ABOVE, low, high))
    medians = _joined([np.full(len(days), float(delay.quantile(0.5))) for delay, days in known])
    return Correction(asked, bool(np.abs(came - medians).mean() <= np.abs(came).mean()))


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])


def expected_days(
    delay: Delay, correction: Correction, levels: Sequence[float], before: Delay | None = None
) -> dict[float, int]:
    """Days of delay per level, never falling; the median is the promise itself where medians were no better.

    With `before`, the distribution as it was said a while ago, the median leaves the promise only as far as both say: one
    unusual season moves a median by weeks, and the next one rarely repeats it. Where more than half never came, no day is one.
    """
    days, least = {}, EARLIEST
    for level in levels:
        found = delay.quantile(correction.ask(level))
        if level == 0.5:
            found = delay.quantile(0.5) if correction.median_beats_promise else 0
            if delay.cdf[-1] < level:
                found = LATEST
            elif before is not None:
                found = _nearer_to_none(found, before.quantile(0.5))
        least = days[level] = max(least, found)
    return days


def _nearer_to_none(one: int, other: int) -> int:
    return min(one, other, key=abs) if one * other > 0 else 0


def _grouped(keys: NDArray[np.str_]) -> dict[str, Days]:
    if not len(keys):
        return {}
    names, places = np.unique(keys, return_inverse=True)
    order = np.argsort(places, kind="stable")
    return dict(
        zip(names.tolist(), np.split(order, np.searchsorted(places[order], np.arange(1, len(names)))), strict=True)
    )
