"""Reorder points that make the most of a given stock: the fewest short lines for the units and money that are tied up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ml.demand import demand_quantile

Floats = NDArray[np.float64]

LEAST_RISK, MOST_RISK = 0.002, 0.5
"""No cycle of an item is planned with less or more risk of running short."""
STEPS = 22
PRICES = (-12.0, 6.0)
"""Logarithms between which the price of stock is searched."""
MONEY_SAYS = 0.5
"""Weight of money against units in what counts as stock."""
PLANNER_SAYS = 12.0
"""Weeks of history at which the forecast has as much say as the planner's own reorder point: a few weeks know little."""


@dataclass(frozen=True)
class BudgetItems:
    """Per item: units expected until goods ordered at the next look are there and their variance, units of an order, lines
    a week, weeks of history, cost of a unit, and the planner's own reorder point and order quantity."""

    mean: Floats
    variance: Floats
    lot: Floats
    lines: Floats
    weeks: Floats
    cost: Floats
    own_point: Floats
    own_lot: Floats
    position: Floats
    """Units there and inbound, less what is claimed: stock that is there does not go when a reorder point falls."""


def spend_budget(items: BudgetItems, share: float) -> NDArray[np.int64]:
    """Reorder points that tie up `share` of what the planner's own rules would tie up, where it does the most good.

    Lines that run short in a year are lines a year times the share of cycles and of their time in which nothing is left;
    for a given stock that is least where a cycle's chance of running short is proportional to cost x lot / lines
    (Lagrange; Hadley and Whitin 1963). Stock is counted half in money and half in units, so that neither grows at the
    cost of the other. What is there stays until it is sold, whatever the points say: it counts as held, and as held by the
    planner's rules up to what they would have ordered, so that what was added once adds nothing to the budget.
    """
    weight = (1 - MONEY_SAYS) + MONEY_SAYS * items.cost / max(float(items.cost.mean()), 1e-9)
    least = np.maximum(items.position - items.mean, 0.0)
    own_least = np.maximum(np.minimum(items.position, items.own_point + items.own_lot) - items.mean, 0.0)
    budget = share * float(
        (weight * np.maximum(expected_stock(items.own_point, items.own_lot, items), own_least)).sum()
    )
    low, high = PRICES
    for _ in range(STEPS):
        middle = (low + high) / 2
        held = float(
            (weight * np.maximum(expected_stock(_points(items, weight, middle), items.lot, items), least)).sum()
        )
        low, high = (middle, high) if held > budget else (low, middle)
    return np.maximum(np.rint(_points(items, weight, high)), 1).astype(np.int64)


def _points(items: BudgetItems, weight: Floats, log_price: float) -> Floats:
    """Reorder points at a price of stock, drawn to the planner's own while little is known."""
    risk = np.exp(log_price) * weight * items.lot / np.maximum(items.lines, 0.05)
    points = demand_quantile(1 - np.clip(risk, LEAST_RISK, MOST_RISK), items.mean, items.variance)
    known = items.weeks / (items.weeks + PLANNER_SAYS)
    drawn = np.exp(known * np.log(np.maximum(points, 0.5)) + (1 - known) * np.log(np.maximum(items.own_point, 0.5)))
    return np.where(items.own_point > 0, drawn, points)


def expected_stock(point: Floats, lot: Floats, items: BudgetItems) -> Floats:
    """Units on hand on average: what is left when goods come, and half a lot; never below none (normal approximation)."""
    spread = np.sqrt(np.maximum(items.variance, 1e-9) + lot**2 / 12)
    usual = (point - items.mean + lot / 2) / spread
    return spread * (norm.pdf(usual) + usual * norm.cdf(usual))
