"""SES, SBA, TSB and ADIDA over all series at once: short recursions down the periods, NumPy across the series."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMOOTHING = 0.1
"""Of sizes, intervals and probabilities of intermittent demand, as is usual (Croston 1972, Teunter et al. 2011)."""
ADIDA_RANGE = (0.1, 0.3)
SES_RANGE = (0.02, 0.5)
EXACT, COARSE = 1e-10, 2e-3
"""Width of the bracket at which the search for a smoothing ends: for a forecast, and for one that is only compared."""


def ses(units: Floats, alpha: float | Floats) -> Floats:
    """Simple exponential smoothing: the level after the last period, per series; it starts at the first known period.

    Rows are series, columns periods, NaN is unknown and leaves the level as it is.
    """
    return _ses(np.ascontiguousarray(units.T), alpha)[0]


def ses_optimised(units: Floats, bounds: tuple[float, float] = SES_RANGE, tolerance: float = EXACT) -> Floats:
    """SES with the smoothing within `bounds` that makes each series' one-step squared errors least."""
    columns = np.ascontiguousarray(units.T)
    alpha = minimise_golden(lambda tried: _ses(columns, tried)[1], bounds, len(units), tolerance)
    return _ses(columns, alpha)[0]


def sba(units: Floats, alpha: float = SMOOTHING) -> Floats:
    """Croston's size over interval times (1 - alpha/2): Syntetos and Boylan (2005). 0 without any demand."""
    rows = len(units)
    size, interval, since = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    started = np.zeros(rows, bool)
    for column in units.T:
        since += ~np.isnan(column)
        sold = np.nan_to_num(column) > 0
        first = sold & ~started
        size = np.where(first, column, np.where(sold, alpha * column + (1 - alpha) * size, size))
        interval = np.where(first, since, np.where(sold, alpha * since + (1 - alpha) * interval, interval))
        since[sold] = 0
        started |= sold
    return np.divide((1 - alpha / 2) * size, interval, out=np.zeros(rows), where=started)


def tsb(units: Floats, alpha_size: float = SMOOTHING, alpha_probability: float = SMOOTHING) -> Floats:
    """Smoothed probability of demand times smoothed size: Teunter, Syntetos and Babai (2011); fades when demand ends."""
    rows = len(units)
    size, probability = np.zeros(rows), np.full(rows, np.nan)
    started = np.zeros(rows, bool)
    for column in units.T:
        known = ~np.isnan(column)
        sold = np.nan_to_num(column) > 0
        size = np.where(sold & ~started, column, np.where(sold, alpha_size * column + (1 - alpha_size) * size, size))
        begun = np.where(np.isnan(probability), sold, alpha_probability * sold + (1 - alpha_probability) * probability)
        probability = np.where(known, begun, probability)
        started |= sold
    return np.where(started, np.nan_to_num(probability) * size, 0.0)


def adida(units: Floats, tolerance: float = EXACT) -> Floats:
    """Sums over the mean interval between demands, smoothed, per period: Nikolopoulos et al. (2011).

    Incomplete sums at the beginning are left out; the smoothing is the best one of 0.1 to 0.3. 0 without any demand.
    Unknown periods within a series count as none sold.
    """
    rows, periods = units.shape
    known = ~np.isnan(units)
    began = np.where(known.any(axis=1), known.argmax(axis=1), periods)
    sold = np.nan_to_num(units) > 0
    last = periods - sold[:, ::-1].argmax(axis=1)  # place after the last demand
    demands = sold.sum(axis=1)
    level = np.ones(rows, dtype=int)
    some = demands > 0
    level[some] = np.maximum(1, np.rint((last - began)[some] / demands[some])).astype(int)
    forecast = np.zeros(rows)
    filled = np.nan_to_num(units)
    for width in np.unique(level[some]):
        chosen = np.flatnonzero(some & (level == width))
        sums = _sums(filled[chosen], periods - began[chosen], int(width))
        forecast[chosen] = ses_optimised(sums, ADIDA_RANGE, tolerance) / width
    return forecast


METHODS: dict[str, Callable[[Floats], Floats]] = {"ses": ses_optimised, "sba": sba, "tsb": tsb, "adida": adida}
"""Each turns histories into units expected per period after the last one: all four forecasts are flat."""
COARSE_METHODS: dict[str, Callable[[Floats], Floats]] = {
    **METHODS,
    "ses": partial(ses_optimised, tolerance=COARSE),
    "adida": partial(adida, tolerance=COARSE),
}
"""The same in a third of the time, for backtests."""


def _ses(columns: Floats, alpha: float | Floats) -> tuple[Floats, Floats]:
    """Level after the last period, and the mean squared one-step error, per series; `columns` has a row per period."""
    level = columns[0].copy()
    error, count = np.zeros(len(level)), np.full(len(level), len(columns) - 1.0)
    if np.isnan(columns).any():
        missing = np.isnan(columns)
        count = np.maximum((~missing).sum(axis=0) - 1.0, 0)
        for column, unknown in zip(columns[1:], missing[1:], strict=True):
            gap = column - level
            gap[unknown] = 0.0
            level = np.where(np.isnan(level), column, level + alpha * gap)
            gap[np.isnan(gap)] = 0.0
            error += gap * gap
        return np.nan_to_num(level), error / np.maximum(count, 1)
    for column in columns[1:]:
        gap = column - level
        error += gap * gap
        level = alpha * column + (1 - alpha) * level
    return level, error / np.maximum(count, 1)


def _sums(units: Floats, lengths: NDArray[np.int64], width: int) -> Floats:
    """Sums of `width` periods counted from the end; NaN in front where a series has fewer of them."""
    periods = units.shape[1]
    chunks = periods // width
    sums = units[:, periods - chunks * width :].reshape(len(units), chunks, width).sum(axis=2)
    missing = chunks - lengths // width
    return np.where(np.arange(chunks)[None, :] < missing[:, None], np.nan, sums)


def minimise_golden(
    loss: Callable[[Floats], Floats], bounds: tuple[float, float], rows: int, tolerance: float
) -> Floats:
    """Golden-section search (Kiefer 1953) for `rows` functions at once: the middle of a bracket under `tolerance` wide.

    `loss` takes one point per function and returns one value per function. A function that is equal at both inner
    points is done, so that a flat one stays in the middle.
    """
    shrink = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.full(rows, float(bounds[0])), np.full(rows, float(bounds[1]))
    left, right = high - shrink * (high - low), low + shrink * (high - low)
    at_left, at_right = loss(left), loss(right)
    width = bounds[1] - bounds[0]
    while width >= tolerance:
        lower, upper = at_left < at_right, at_right < at_left
        if not (lower | upper).any():
            break
        high, low = np.where(lower, right, high), np.where(upper, left, low)
        span = shrink * (high - low)
        point = np.where(lower, high - span, low + span)
        value = loss(point)
        left, right = (
            np.where(lower, point, np.where(upper, right, left)),
            np.where(lower, left, np.where(upper, point, right)),
        )
        at_left, at_right = (
            np.where(lower, value, np.where(upper, at_right, at_left)),
            np.where(lower, at_left, np.where(upper, value, at_right)),
        )
        width *= shrink
    return (low + high) / 2
