"""Drafts of stock targets: what each place should hold, by its forecast, its class and what is dated for the coming weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from core.domain.demand_plan import DemandPlan
from core.domain.stock_classes import ReplenishmentRules, abc_classes, xyz_class
from core.services.keep_demand import WEEKS_PER_YEAR, weekly_sd
from ml.demand import DemandForecast
from ml.live_demand import REVIEW_WEEKS, History, protect
from ml.live_drivers import LiveFactors, scaled

DEFAULT_LEAD_DAYS = 14.0
"""Where nobody supplies a SKU."""


def draft_targets(
    history: History,
    found: DemandForecast,
    factors: LiveFactors,
    rows: Sequence[Mapping[str, Any]],
    places: Sequence[Mapping[str, Any]],
    rules: ReplenishmentRules,
    plan: DemandPlan,
    today: date,
) -> list[dict[str, Any]]:
    """One draft per place, for `core/services/keep_demand.py:keep_targets`. `found` is the forecast without drivers, `rows` and
    `places` are those of `forecast_rows` and `core/queries/stock_positions.py:positions` in the order of `history`."""
    usual = np.maximum(found.mean, 0.0) * factors.over_year()
    classes = abc_classes(
        [week * WEEKS_PER_YEAR * place["unit_cost"] for week, place in zip(usual, places, strict=True)]
    )
    spreads = [weekly_sd(row["weekly_variance"]) for row in rows]
    kinds = [xyz_class(row["weekly_mean"], sd) for row, sd in zip(rows, spreads, strict=True)]
    leads = [lead_days(place) for place in places]
    levels = [
        plan.service_level(place["code"], rules.service[abc + xyz], today, today + timedelta(days=int(days) + 1))
        for place, abc, xyz, (days, _) in zip(places, classes, kinds, leads, strict=True)
    ]
    lead, lead_sd = np.array([days for days, _ in leads]) / 7, np.array([sd for _, sd in leads]) / 7
    stock = np.array([place["free"] + place["inbound"] - place["claimed"] for place in places], dtype=float)
    free = np.array([place["free"] for place in places], dtype=float)
    lasts = factors.lasts(free / np.maximum(found.mean, 1e-9)) * 7
    factor = factors.over(lead + REVIEW_WEEKS)
    needed = protect(scaled(found, factor), lead, lead_sd, np.array(levels), stock)
    return [
        {
            **place, "abc": classes[n], "xyz": kinds[n], "service_level": levels[n], "weekly_mean": rows[n]["weekly_mean"],
            "usual_mean": float(usual[n]), "cover_days": float(lasts[n]) if usual[n] > 0 else None,
            "weekly_sd": spreads[n], "lead_days": leads[n][0], "lead_sd_days": leads[n][1],
            "protected_mean": float(needed.mean[n]), "reorder_point": int(needed.reorder_point[n]),
            "chance_short": float(needed.chance_short[n]), "idle_weeks": int(history.idle_weeks[n]),
            "expected_change": float(needed.mean[n] * (1 - 1 / factor[n])),
        }
        for n, place in enumerate(places)
    ]  # fmt: skip


def draft_idle(
    idle: Sequence[Mapping[str, Any]], places: Sequence[Mapping[str, Any]], rules: ReplenishmentRules
) -> list[dict[str, Any]]:
    """Drafts for stock that nobody asks for: it has no demand to foresee, and may have been lying there for long.

    `idle` are rows of `core/queries/stock_positions.py:idle_stock`, `places` their positions.
    """
    drafts = []
    for row, place in zip(idle, places, strict=True):
        days, sd = lead_days(place)
        drafts.append({
            **place, "abc": "C", "xyz": "Z", "service_level": rules.service["CZ"], "weekly_mean": 0.0, "weekly_sd": 0.0,
            "usual_mean": 0.0, "cover_days": None,
            "lead_days": days, "lead_sd_days": sd, "protected_mean": 0.0, "reorder_point": 0, "chance_short": 0.0,
            "idle_weeks": row["idle_weeks"], "expected_change": 0.0,
        })  # fmt: skip
    return drafts


def lead_days(place: Mapping[str, Any]) -> tuple[float, float]:
    """Days until goods ordered now are there, and their standard deviation: as observed, else as agreed and as late as
    the supplier usually is."""
    if place["observed_p50"] is not None:
        return float(place["observed_p50"]), max((place["observed_p80"] - place["observed_p50"]) / 0.84, 0.0)
    late = max(place["bias"] or 0.0, 0.0)
    return float(place["lead_time_days"] or DEFAULT_LEAD_DAYS) + late, float(place["spread"] or 0.0)
