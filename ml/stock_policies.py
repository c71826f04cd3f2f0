"""Order-up-to levels of a stock policy for every item and service level at once, and its yardstick normal(mean, sd)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.replenishment import reorder_point, safety_stock
from ml.demand import demand_quantile, forecast_demand

Floats = NDArray[np.float64]

METHODS = ("negative_binomial", "bootstrap", "normal")
DRAWS = 400
REVIEW = 1
"""Periods between two looks at the stock."""


@dataclass(frozen=True)
class LeadTime:
    """Periods from order to receipt: its mean and standard deviation."""

    mean: float
    sd: float = 0.0

    @property
    def protected(self) -> float:
        """Periods that the stock must last: until what is ordered at the next review is there."""
        return self.mean + REVIEW


def order_up_to(units: Floats, lead: LeadTime, levels: Sequence[float], seed: int = 1) -> Floats:
    """Order-up-to levels, units: one plane per method of METHODS, one row per service level, one column per item.

    `units` is what was known (rows are items, columns periods, NaN unknown). The negative binomial has the forecast
    chosen for the item, a spread shared with items of its size, the uncertainty of both and of the lead time, and levels
    put right by what they would have held. The bootstrap draws periods of the item's past. The yardstick takes mean and
    standard deviation of the whole past.
    """
    return np.stack([
        _negative_binomial(units, lead, levels), _bootstrap(units, lead, levels, seed), _normal(units, lead, levels)
    ])  # fmt: skip


def _negative_binomial(units: Floats, lead: LeadTime, levels: Sequence[float]) -> Floats:
    horizon = max(1, round(lead.protected))
    found = forecast_demand(units, horizon)
    mean = lead.protected * found.centre
    variance = found.variance_over(lead.protected) + (found.centre * lead.sd) ** 2
    return np.stack([demand_quantile(found.ask(level), mean, variance) for level in levels])


def _bootstrap(units: Floats, lead: LeadTime, levels: Sequence[float], seed: int) -> Floats:
    """Sums of periods drawn from each item's known past, over a drawn lead time."""
    random = np.random.default_rng(seed)
    known = ~np.isnan(units)
    order = np.argsort(~known, axis=1, kind="stable")  # the known periods first
    past = np.take_along_axis(np.nan_to_num(units), order, axis=1)
    count = np.maximum(known.sum(axis=1), 1)
    longest = int(np.ceil(lead.protected + 3 * lead.sd))
    intervals = np.clip(np.rint(lead.protected + lead.sd * random.standard_normal(DRAWS)), REVIEW, longest)
    total = np.zeros((len(units), DRAWS))
    for period in range(longest):
        drawn = (random.random((len(units), DRAWS)) * count[:, None]).astype(int)
        total += np.take_along_axis(past, drawn, axis=1) * (period < intervals)
    return np.quantile(total, levels, axis=1, method="higher")


def _normal(units: Floats, lead: LeadTime, levels: Sequence[float]) -> Floats:
    known = ~np.isnan(units)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, units, 0.0).sum(axis=1) / count
    sd = np.sqrt((np.where(known, units - mean[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(count - 1, 1))
    return np.array([
        [float(reorder_point(m, lead.protected, safety_stock(level, m, s, lead.protected, lead.sd)))
         for m, s in zip(mean.tolist(), sd.tolist(), strict=True)]
        for level in levels
    ])  # fmt: skip
