"""Safety stock of lumpy demand: the negative binomial by moments, for items the normal distribution fails."""

from __future__ import annotations

import math


def protected_mean(demand_mean: float, lead_time: float, review_time: float = 1.0) -> float:
    """Units expected until an order placed at the next review has arrived; times in the period of the demand."""
    return demand_mean * (lead_time + review_time)


def protected_variance(
    demand_mean: float, demand_variance: float, lead_time: float, lead_time_variance: float, review_time: float = 1.0,
    mean_variance: float = 0.0,
) -> float:  # fmt: skip
    """Variance of those units: the periods' own spread, an uncertain lead time, and that the mean is an estimate.

    (L+R) sd_d^2 + d^2 sd_L^2 (reference/promising.md section 12) + (L+R)^2 Var(mean).
    """
    interval = lead_time + review_time
    return interval * demand_variance + demand_mean**2 * lead_time_variance + interval**2 * mean_variance


def sufficient_stock(service_level: float, mean: float, variance: float) -> int:
    """The least whole number of units that covers a demand of this mean and variance with that probability.

    Negative binomial by moments; Poisson where the variance is not above the mean; 0 without demand. Nearer to what is
    reached than mean + z sd where demand is intermittent (reference/ml.md section 3). Raises ValueError for a level
    outside [0, 1).
    """
    if not 0 <= service_level < 1:
        raise ValueError("a service level is at least 0 and below 1: nothing covers every demand")
    if mean <= 0:
        return 0
    if variance <= mean * (1 + 1e-9):
        size, failure, log_start = math.inf, 0.0, -mean
    else:
        size = mean * mean / (variance - mean)
        failure = 1 - mean / variance
        log_start = size * math.log1p(-failure)
    units, log_chance, reached = 0, log_start, math.exp(log_start)
    while reached < service_level - 1e-12 and units < _most(mean, variance, service_level):
        units += 1
        step = mean / units if size == math.inf else failure * (size + units - 1) / units
        log_chance += math.log(step)
        reached += math.exp(log_chance)
    return units


def lumpy_safety_stock(service_level: float, mean: float, variance: float) -> int:
    """What `sufficient_stock` holds beyond the expected demand; never negative."""
    return max(0, sufficient_stock(service_level, mean, variance) - math.ceil(round(mean, 9)))


def _most(mean: float, variance: float, level: float) -> float:
    """Cantelli's bound: no distribution of these moments needs more. Ends the sum where rounding never reaches the level."""
    return mean + math.sqrt(max(variance, mean) * level / (1 - level)) + 1
