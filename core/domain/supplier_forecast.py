"""What we expect to buy of a SKU in the coming weeks, as far as demand and the reorder rule say it; shared with suppliers."""

from __future__ import annotations

import math

from core.domain.purchasing import order_quantity
from core.domain.replenishment import suggest


def expected_purchases(
    position: int,
    weekly_demand: float,
    reorder_point: int,
    reorder_quantity: int,
    moq: int,
    multiple: int,
    weeks: int,
) -> list[tuple[int, int]]:
    """(week, units) of the orders that are likely, week 0 being now.

    `position` is the inventory position. Demand is taken to go on evenly; each week ends with the reorder rule, and what
    would be missing without one is bought too. An expectation, not an order.
    """
    found: list[tuple[int, int]] = []
    left = float(position)
    for week in range(weeks):
        if week:
            left -= weekly_demand
        units = math.floor(left)
        quantity = suggest(units, reorder_point, reorder_quantity, moq, multiple)
        if not quantity and units < 0:
            quantity = order_quantity(-units, moq, multiple)
        if quantity:
            found.append((week, quantity))
            left += quantity
    return found
