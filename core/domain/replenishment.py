"""Replenishment: inventory position, reorder point, safety stock and economic order quantity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from core.domain.purchasing import order_quantity, reorder_need


def inventory_position(
    *, on_hand: int, unsellable: int, allocated: int, open: int, backordered: int, on_order: int
) -> int:
    """Usable stock and inbound less every unit already asked for (architecture.md section 5); may be negative.

    `open` is what is due within the lead time; backorders count as demand and inbound as supply, so that the same
    backorder is not bought twice.
    """
    return on_hand - unsellable - allocated - open - backordered + on_order


def suggest(inventory_position: int, reorder_point: int, reorder_quantity: int, moq: int, multiple: int) -> int:
    """Units to order now: the reorder need of the plain reorder-point rule, with MOQ and multiple."""
    return order_quantity(reorder_need(inventory_position, reorder_point, reorder_quantity), moq, multiple)


def lead_time_demand_sd(demand_mean: float, demand_sd: float, lead_time: float, lead_time_sd: float) -> float:
    """sqrt(L * sd_d^2 + d^2 * sd_L^2), units (reference/promising.md section 12); demand per day, lead time in days."""
    return math.sqrt(lead_time * demand_sd**2 + demand_mean**2 * lead_time_sd**2)


def safety_stock(
    cycle_service_level: float, demand_mean: float, demand_sd: float, lead_time: float, lead_time_sd: float
) -> int:
    """z * sd of the lead-time demand, rounded up; z is the normal quantile of the cycle service level (0..1).

    Under-covers skewed or intermittent demand. Raises statistics.StatisticsError for a level outside (0, 1).
    """
    z = NormalDist().inv_cdf(cycle_service_level)
    return max(0, math.ceil(round(z * lead_time_demand_sd(demand_mean, demand_sd, lead_time, lead_time_sd), 9)))


def reorder_point(demand_mean: float, lead_time: float, safety_stock: int) -> int:
    """Expected demand over the lead time plus safety stock, rounded up: compare with the inventory position."""
    return math.ceil(round(demand_mean * lead_time, 9)) + safety_stock


def economic_order_quantity(yearly_demand: float, order_cost: float, yearly_holding_cost: float) -> int:
    """sqrt(2 D K / h), rounded to units: K per order and h per unit and year in the same money. 0 without demand."""
    economic = _economic(max(yearly_demand, 0.0), order_cost, yearly_holding_cost)
    return round(economic)


def _economic(yearly_demand: float, order_cost: float, yearly_holding_cost: float) -> float:
    if yearly_holding_cost <= 0:
        raise ValueError("holding a unit must cost something, or one would order once for ever")
    return math.sqrt(2 * yearly_demand * order_cost / yearly_holding_cost)


def best_lot(
    yearly_demand: float,
    order_cost: float,
    holding_rate: float,
    prices: Sequence[tuple[int, int]],
    moq: int = 1,
    multiple: int = 1,
    most: int | None = None,
) -> int:
    """The lot of least yearly cost: goods at the price of that quantity, orders, and holding half a lot.

    `prices` are (from quantity, unit price) ascending, the first from 1; `holding_rate` is the yearly cost of a unit as a
    share of its price. Candidates are each price's economic quantity, rounded down and up, where that price holds, and where each begins
    (all-units discount; Hadley and Whitin 1963). `most` bounds the lot, as what can be sold within its shelf life does;
    minimum and multiple of the supplier go before it. 0 without demand.
    """
    if yearly_demand <= 0:
        return 0
    candidates: set[int] = set()
    for place, (start, price) in enumerate(prices):
        end = prices[place + 1][0] - 1 if place + 1 < len(prices) else math.inf
        economic = _economic(yearly_demand, order_cost, holding_rate * max(price, 1))
        candidates |= {int(min(max(lot, start, 1), end)) for lot in (math.floor(economic), math.ceil(economic))}
    bounded = {min(units, most) for units in candidates} if most is not None else candidates
    lots = {order_quantity(max(units, 1), moq, multiple) for units in bounded}
    lots |= {lot for units in bounded if (lot := units // multiple * multiple) >= max(moq, 1)}

    def cost(lot: int) -> float:
        price = next(price for start, price in reversed(prices) if start <= lot)
        return yearly_demand * price + order_cost * yearly_demand / lot + holding_rate * price * lot / 2

    fitting = {lot for lot in lots if most is None or lot <= most}
    return min(sorted(fitting or {min(lots)}), key=cost)
