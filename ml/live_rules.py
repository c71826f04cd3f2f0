"""Reorder points and quantities of SKUs over all their places, from forecasts: what the rule that buys compares with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.purchasing import order_quantity
from core.domain.stock_classes import ReplenishmentRules
from core.services.keep_demand import lot_of
from ml.demand import DemandForecast, demand_quantile
from ml.live_demand import REVIEW_WEEKS, asked_each
from ml.live_drivers import LiveFactors, scaled
from ml.stock_budget import BudgetItems, spend_budget

Floats = NDArray[np.float64]
FEWEST_WEEKS = 2
"""Weeks of history below which a SKU keeps its own rule."""


@dataclass(frozen=True)
class SkuDemand:
    """Per SKU, in the order of `skus`: the forecast, lines a week, and weeks of history."""

    skus: list[int]
    found: DemandForecast
    lines: Floats
    weeks: Floats


def reorder_rules(
    demand: SkuDemand,
    targets: Sequence[Mapping[str, Any]],
    own: Mapping[int, tuple[int, int]],
    rules: ReplenishmentRules,
    factors: LiveFactors,
    speaks: NDArray[np.int64],
) -> dict[int, tuple[int, int]]:
    """(reorder point, order quantity) by SKU that has a supplier and history enough.

    `targets` are drafts of its places (`core/services/keep_demand.py:keep_targets`). A reorder point is compared with the
    position over all places, so that it rests on the demand of all places together: the sum of their points would hold
    each place's safety twice. `speaks` is the row of `factors` that holds for each SKU. Within a budget service levels
    follow from what a level costs; else they are those of the classes, the highest of a SKU's places.
    """
    places: dict[int, list[Mapping[str, Any]]] = {}
    for target in targets:
        places.setdefault(target["sku_id"], []).append(target)
    chosen = [
        n
        for n, sku_id in enumerate(demand.skus)
        if demand.weeks[n] >= FEWEST_WEEKS and places[sku_id][0]["lead_time_days"] is not None
    ]
    if not chosen:
        return {}
    skus = [demand.skus[n] for n in chosen]
    first = [places[sku_id][0] for sku_id in skus]
    interval = np.array([row["lead_days"] / 7 for row in first]) + REVIEW_WEEKS
    spread = np.array([row["lead_sd_days"] / 7 for row in first])
    over = np.ones(len(demand.skus))
    drivers = factors.of(speaks[chosen])
    over[chosen] = drivers.over(interval)
    found = scaled(demand.found, over)
    centre = np.maximum(found.centre[chosen], 0.0)
    mean = interval * centre
    variance = interval * found.variance[chosen] + interval**2 * found.centre_variance[chosen] + (centre * spread) ** 2
    usual = np.maximum(demand.found.centre[chosen], 0.0) * drivers.over_year()
    lots = [lot_of(row, float(usual[n]), rules) for n, row in enumerate(first)]
    if rules.budget_percent is None:
        levels = np.array([max(row["service_level"] for row in places[sku_id]) for sku_id in skus])
        points = demand_quantile(asked_each(found, levels, chosen), mean, variance).astype(np.int64)
    else:
        lots = [
            min(lot, _multiple(own[sku_id][1] or lot, row)) for lot, sku_id, row in zip(lots, skus, first, strict=True)
        ]
        points = spend_budget(
            BudgetItems(
                mean, variance, np.array(lots, float), demand.lines[chosen], demand.weeks[chosen],
                np.array([float(row["unit_cost"]) for row in first]),
                np.array([float(own[sku_id][0]) for sku_id in skus]),
                np.array([float(_multiple(own[sku_id][1], row)) for sku_id, row in zip(skus, first, strict=True)]),
                np.array([float(_position(places[sku_id])) for sku_id in skus]),
            ),
            rules.budget_percent / 100,
        )  # fmt: skip
    return {sku_id: (int(point), int(lot)) for sku_id, point, lot in zip(skus, points, lots, strict=True)}


def _multiple(units: int, row: Mapping[str, Any]) -> int:
    return order_quantity(max(1, ceil(units)), row["moq"] or 1, row["order_multiple"] or 1)


def _position(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["free"] + row["inbound"] - row["claimed"] for row in rows)
