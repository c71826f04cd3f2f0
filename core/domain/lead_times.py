"""Lead times as suppliers really keep them: observed quantiles, drawn towards what was agreed while there are few."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PRIOR_WEIGHT = 10
"""Observations that the agreed lead time weighs as much as: with as many of our own, both count half."""
FEWEST = 5
"""Below this many observations of a supplier nothing is changed."""
LONGEST_LEAD_DAYS = 3_650
"""A lead time beyond ten years is a slip of the pen; days that far ahead must still be days of the calendar."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Agreed lead time of one SKU in days: the usual one, and the one that four of five orders keep."""

    days: int
    p80: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What dates rest on. `count` observations of the SKU itself; `supplier_count` of the supplier's other SKUs too."""

    p50: int
    p80: int
    count: int
    supplier_count: int


def calibrate(
    agreed: Mapping[int, Agreed], observed: Mapping[int, Sequence[int]], prior_weight: int = PRIOR_WEIGHT
) -> dict[int, Calibrated]:
    """Lead times by SKU of one supplier, from the days that its deliveries took.

    Two steps of shrinkage: the supplier's factor (its quantile of taken to agreed days over all SKUs) is drawn to 1 with
    the weight of `prior_weight` observations, and each SKU's own quantile to the agreed one times that factor. Empty
    below FEWEST observations in all. A lead time is 1 to LONGEST_LEAD_DAYS days, and P80 at least P50.
    """
    total = sum(len(observed.get(sku_id, ())) for sku_id in agreed)
    if total < FEWEST:
        return {}
    factors = []
    for q, base in ((0.5, "days"), (0.8, "p80")):
        ratios = [day / max(1, getattr(agreed[s], base)) for s in agreed for day in observed.get(s, ())]
        factors.append((total * _quantile(ratios, q) + prior_weight) / (total + prior_weight))
    found: dict[int, Calibrated] = {}
    for sku_id, terms in agreed.items():
        own = observed.get(sku_id, ())
        p50 = _drawn(own, 0.5, terms.days * factors[0], prior_weight)
        p80 = _drawn(own, 0.8, terms.p80 * factors[1], prior_weight)
        found[sku_id] = Calibrated(_lead_days(min(p50, p80)), _lead_days(max(p50, p80)), len(own), total)
    return found


def _lead_days(days: int) -> int:
    return min(max(1, days), LONGEST_LEAD_DAYS)


def _drawn(own: Sequence[int], q: float, prior: float, weight: int) -> int:
    if not own:
        return math.ceil(round(prior, 6))
    return math.ceil(round((len(own) * _quantile(own, q) + weight * prior) / (len(own) + weight), 6))


def _quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least the share `q` of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(len(ordered) * q, 9)) - 1)]
