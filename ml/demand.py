"""Chooses a forecast per series by rolling backtest, and makes a distribution of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, poisson

from ml.smoothing import COARSE_METHODS, METHODS

Floats = NDArray[np.float64]

CHOICE = tuple(METHODS)
FIRST_CHOICE = CHOICE.index("sba")
ORIGINS = 4
SHORTEST = 4
"""Known periods before an origin from which on a series is judged there."""
SHRINKAGE = 6.0
"""Backtest origins at which a series' own errors have as much say as those of all series."""
SCORES_NEEDED = 200
WIDEST_CORRECTION = 0.1
MOST_CERTAIN = 1_000_000
"""A level is put up by at most so that its risk of running short is divided by this: what sold once or twice goes on to jump by
more than a negative binomial of its past knows, and only its far tail holds nine of ten such jumps."""
HISTORY = (1, 3, 10)
"""Periods with demand that part series into those that never sold, did a few times, sometimes, and often."""
CHOSEN_SAYS = 0.5
"""Weight of the chosen forecast against the mean of the whole past in the centre of the distribution."""
LAW_NEEDS = 30
"""Series with demand from which the law is fitted."""
LAW_SAYS = 20.0
"""Periods of a series' own history at which its variance has as much say as that of series of its size."""


@dataclass(frozen=True)
class DemandForecast:
    """Per series: units per period (`mean`), the centre of its distribution, variance of the demand of one period and of
    the centre, and the method's place in CHOICE.

    The centre lies between the chosen forecast and the mean of the whole past: for stock, the two together are surer
    than either.
    """

    mean: Floats
    centre: Floats
    variance: Floats
    centre_variance: Floats
    method: NDArray[np.int64]
    grade: NDArray[np.int64]
    """How often a series has sold, by HISTORY."""
    scores: dict[int, Floats]
    """How high in its distribution the demand of each backtest came, by the grade of the series then: what the levels are
    put right by."""
    overlap: int = 1
    """Backtests of a series that share periods: together they say as much as one."""

    def variance_over(self, periods: float) -> Floats:
        """Of the demand of `periods` together: the periods' own spread, and that the mean is an estimate itself."""
        return periods * self.variance + periods**2 * self.centre_variance

    def quantile(self, level: float, periods: float) -> Floats:
        """Units that suffice for `periods` together with probability `level` (negative binomial by moments)."""
        return demand_quantile(self.ask(level), periods * self.centre, self.variance_over(periods))

    def ask(self, level: float) -> Floats:
        """Per series the level whose quantile held `level` of the backtests: split conformal over all series that had sold
        as often, at most WIDEST_CORRECTION away. Demand that wanders is wider than its recent past."""
        everything = np.concatenate(list(self.scores.values())) if self.scores else np.zeros(0)
        asked = np.full(len(self.grade), level)
        for grade in np.unique(self.grade):
            own = self.scores.get(int(grade), everything)
            own = own if len(own) >= SCORES_NEEDED else everything
            asked[self.grade == grade] = _put_right(own, level, len(own) / self.overlap)
        return asked


def _put_right(scores: Floats, level: float, apart: float) -> float:
    """The level that held `level` of the scores, of which so many are of intervals `apart` from each other."""
    if len(scores) < SCORES_NEEDED:
        return level
    place = min(len(scores), int(np.ceil(len(scores) * (1 + 1 / apart) * level))) - 1
    high = min(level + WIDEST_CORRECTION, 1 - (1 - level) / MOST_CERTAIN)
    return float(np.clip(np.partition(scores, place)[place] + 1e-9, level - WIDEST_CORRECTION, high))


def forecast_demand(units: Floats, horizon: int = 3, origins: int = ORIGINS) -> DemandForecast:
    """All methods on all series, the method of each chosen by its squared errors over `origins` rolling origins.

    Rows are series, columns periods, NaN is unknown. At each origin the methods see what lies before it and are
    judged on the `horizon` periods after it. Few origins say little, so that a series' errors are mixed with those of
    all series.
    """
    told = past_forecasts(units, horizon, origins)
    method = _choose(backtest(units, horizon, origins, told))
    mean = np.stack([METHODS[name](units) for name in CHOICE])[method, np.arange(len(units))]
    past, variance, centre_variance = moments(units)
    first = first_demand(units, horizon, origins)
    centre = _centre(mean, past)
    unsold = _grade(units) == 0
    mean, centre, variance = (
        np.where(unsold, new, own) for new, own in zip((first[0], *first), (mean, centre, variance), strict=True)
    )
    scores = _scores(units, horizon, origins, told)
    overlap = max(1, min(horizon, origins))
    return DemandForecast(mean, centre, variance, centre_variance, method, _grade(units), scores, overlap)


def _grade(units: Floats) -> NDArray[np.int64]:
    return np.searchsorted(HISTORY, (np.nan_to_num(units) > 0).sum(axis=1), side="right")


def first_demand(units: Floats, horizon: int, origins: int) -> tuple[float, float]:
    """Mean and variance of a period of a series that has never sold: what those that had not sold at the backtest
    origins went on to sell. (0, 0) where too few of them are known: a new item is not expected to sell nothing."""
    found = []
    for number in range(origins):
        origin = units.shape[1] - horizon - number
        before, after = units[:, : max(origin, 0)], units[:, max(origin, 0) : origin + horizon]
        rows = ((~np.isnan(before)).sum(axis=1) >= SHORTEST) & ~(np.nan_to_num(before) > 0).any(axis=1)
        found.append(after[rows & ~np.isnan(after).any(axis=1)].sum(axis=1))
    sold = np.concatenate(found)
    if len(sold) < LAW_NEEDS:
        return 0.0, 0.0
    mean = float(sold.mean()) / horizon
    return mean, max(float(sold.var()) / horizon, mean)


def past_forecasts(units: Floats, horizon: int, origins: int) -> dict[int, Floats]:
    """By origin: what each method would have said (rows as CHOICE), for those that are judged and those that were known when
    the method of a judged one was chosen."""
    judged = range(origins)
    before = (number + horizon + more for number in judged for more in judged)
    found = {}
    for number in sorted({*judged, *before}):
        origin = units.shape[1] - horizon - number
        if origin >= SHORTEST:
            found[origin] = np.stack([COARSE_METHODS[name](units[:, :origin]) for name in CHOICE])
    return found


def backtest(
    units: Floats, horizon: int, origins: int, told: dict[int, Floats] | None = None, periods: int | None = None
) -> Floats:
    """Mean squared error per origin, method and series, as known after `periods` (default: all of them).

    NaN where a series has too little before or nothing after. `told` are the `past_forecasts`.
    """
    told = past_forecasts(units, horizon, origins) if told is None else told
    known_until = units.shape[1] if periods is None else periods
    errors = np.full((origins, len(CHOICE), len(units)), np.nan)
    for number in range(origins):
        origin = known_until - horizon - number
        if origin not in told:
            break
        before, after = units[:, :origin], units[:, origin : origin + horizon]
        judged = ((~np.isnan(before)).sum(axis=1) >= SHORTEST) & (~np.isnan(after)).any(axis=1)
        known = np.where(np.isnan(after), 0.0, 1.0)
        for place, said in enumerate(told[origin]):
            gap = np.where(np.isnan(after), 0.0, after - said[:, None])
            error = (gap**2).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            errors[number, place] = np.where(judged, error, np.nan)
    return errors


def _choose(errors: Floats) -> NDArray[np.int64]:
    """The method of each series: least squared errors, its own mixed with those of all series. SBA where none are known."""
    known = ~np.isnan(errors)
    if not known.any():
        return np.full(errors.shape[2], FIRST_CHOICE)
    scale = np.where(known, errors, 0.0).sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)  # per series
    relative = errors / np.maximum(scale, 1e-12)
    counted = known[:, 0].sum(axis=0)
    own = np.nan_to_num(np.nanmean(_with_row(relative), axis=0), nan=1.0)
    overall = np.nanmean(relative, axis=(0, 2))
    return ((counted * own + SHRINKAGE * overall[:, None]) / (counted + SHRINKAGE)).argmin(axis=0)


def _scores(units: Floats, horizon: int, origins: int, told: dict[int, Floats]) -> dict[int, Floats]:
    """P(demand < what came) at each origin and series, by what was known at the origin; by grade.

    The method, too, is the one that would have been chosen then: one that was chosen by the errors it is now judged on
    has errors that are too small, and levels put right by it are too low.
    """
    found: list[Floats] = []
    grades: list[NDArray[np.int64]] = []
    for number in range(origins):
        origin = units.shape[1] - horizon - number
        if origin not in told:
            break
        before, after = units[:, :origin], units[:, origin : origin + horizon]
        judged = ((~np.isnan(before)).sum(axis=1) >= SHORTEST) & ~np.isnan(after).any(axis=1)
        method = _choose(backtest(units, horizon, origins, told, origin))
        mean = told[origin][method, np.arange(len(units))]
        first = first_demand(before, horizon, origins)
        past, variance, centre_variance = moments(before[judged])
        grade = _grade(before[judged])
        centre = np.where(grade == 0, first[0], _centre(mean[judged], past))
        variance = np.where(grade == 0, first[1], variance)
        total = horizon * variance + horizon**2 * centre_variance
        found.append(demand_below(after[judged].sum(axis=1), horizon * centre, total))
        grades.append(grade)
    if not found:
        return {}
    scores, grade = np.concatenate(found), np.concatenate(grades)
    return {int(one): scores[grade == one] for one in np.unique(grade)}


def _centre(chosen: Floats, past: Floats) -> Floats:
    return CHOSEN_SAYS * chosen + (1 - CHOSEN_SAYS) * past


def moments(units: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and variance of a period of each series, and the variance of that mean, from all that is known of it.

    The variance is mixed with that of series of the same size (Taylor's power law, fitted over all series: variance =
    a * mean ** b), since a short history says little of its own spread; it is at least that of a Poisson.
    """
    known = ~np.isnan(units)
    count = known.sum(axis=1).astype(float)
    mean = np.where(known, units, 0.0).sum(axis=1) / np.maximum(count, 1)
    squares = (np.where(known, units - mean[:, None], 0.0) ** 2).sum(axis=1)
    variance = np.maximum(squares / np.maximum(count - 1, 1), mean)
    told = (mean > 0) & (variance > 0)
    if told.sum() >= LAW_NEEDS:
        power, factor = np.polyfit(np.log(mean[told]), np.log(variance[told]), 1)
        lawful = np.exp(np.clip(factor + power * np.log(np.maximum(mean, 1e-6)), -50, 50))
        variance = np.maximum((count * variance + LAW_SAYS * lawful) / (count + LAW_SAYS), mean)
    variance = np.where(mean > 0, variance, 0.0)
    return mean, variance, variance / np.maximum(count, 1)


def demand_below(sold: Floats, mean: Floats, variance: Floats) -> Floats:
    """P(demand < sold) of the distribution of `demand_quantile`."""
    size, share, wide = _parameters(mean, variance)
    below = np.ceil(sold) - 1
    chance = np.where(wide, nbinom.cdf(below, size, share), poisson.cdf(below, np.maximum(mean, 0)))
    return np.where(mean <= 0, (sold > 0).astype(float), chance)


def demand_quantile(level: float | Floats, mean: Floats, variance: Floats) -> Floats:
    """Smallest whole number of units that suffices with probability `level`: negative binomial by moments.

    Poisson where the variance is not above the mean, 0 without demand. One level for all, or one for each.
    """
    mean, variance = np.broadcast_arrays(np.asarray(mean, float), np.asarray(variance, float))
    size, share, wide = _parameters(mean, variance)
    level, narrow = np.broadcast_to(np.asarray(level, float), mean.shape), ~wide & (mean > 0)
    units = np.zeros(mean.shape)
    units[wide] = nbinom.ppf(level[wide], size[wide], share[wide])
    units[narrow] = poisson.ppf(level[narrow], mean[narrow])
    return units


def _parameters(mean: Floats, variance: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Size and probability of scipy's negative binomial, and where it is one (elsewhere it is Poisson)."""
    wide = (variance > mean * (1 + 1e-9)) & (mean > 0)
    safe = np.where(wide, variance, mean * 2 + 1)
    return np.maximum(mean, 1e-12) ** 2 / (safe - mean), np.clip(mean / safe, 1e-300, 1.0), wide


def _with_row(errors: Floats) -> Floats:
    """A first origin of ones where a series has no errors at all, so that their mean is no warning."""
    empty = np.isnan(errors).all(axis=0)
    return np.concatenate([errors, np.where(empty, 1.0, np.nan)[None]])
