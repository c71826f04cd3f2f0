"""Forecast demand once a day from what was asked for, and make stock targets of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from workers.job import JobContext, job

DEFAULT_LEAD_DAYS = 14.0
"""Where nobody supplies a SKU."""


@job(queue="learning", timeout=900, attempts=3)
async def forecast_demand(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """All SKUs and places with demand; running it again on the same day replaces the day's figures."""
    from core.domain.stock_classes import abc_classes, xyz_class
    from core.queries.demand_history import WEEKS, weekly_demand, weeks_out_of_stock
    from core.queries.stock_positions import positions
    from core.services.keep_demand import (
        keep_forecasts,
        keep_targets,
        load_replenishment_rules,
        planners_rules,
        weekly_sd,
    )
    from ml.demand import forecast_demand as forecast
    from ml.live_demand import HORIZON, clean_history, forecast_history, forecast_rows, of_whole_company, protect
    from ml.live_rules import SkuDemand, reorder_rules

    async with context.snapshot() as uow:
        at = uow.now
        asked = await weekly_demand(uow.sql, at)
        out = await weeks_out_of_stock(uow.sql, at)
        rules = await load_replenishment_rules(uow)
    if not asked:
        return {"forecasts": 0}
    history = await asyncio.to_thread(clean_history, asked, out, at, WEEKS)
    found = await asyncio.to_thread(forecast_history, history)
    rows = forecast_rows(history, found)
    done = await context.run(lambda uow: keep_forecasts(uow, rows, history.faults))
    async with context.snapshot() as uow:
        places = await positions(uow.sql, history.keys)
        own = await planners_rules(uow, sorted({sku_id for sku_id, _ in history.keys})) if rules.is_automatic else {}

    def draft() -> list[dict[str, Any]]:
        import numpy as np

        classes = abc_classes(
            [row["weekly_mean"] * 52 * place["unit_cost"] for row, place in zip(rows, places, strict=True)]
        )
        spreads = [weekly_sd(row["weekly_variance"]) for row in rows]
        kinds = [xyz_class(row["weekly_mean"], sd) for row, sd in zip(rows, spreads, strict=True)]
        levels = [rules.service[abc + xyz] for abc, xyz in zip(classes, kinds, strict=True)]
        leads = [_lead_days(place) for place in places]
        lead, lead_sd = [days for days, _ in leads], [sd for _, sd in leads]
        stock = np.array([place["free"] + place["inbound"] - place["claimed"] for place in places], dtype=float)
        needed = protect(found, np.array(lead) / 7, np.array(lead_sd) / 7, np.array(levels), stock)
        return [
            {
                **place, "abc": classes[n], "xyz": kinds[n], "service_level": levels[n], "weekly_mean": rows[n]["weekly_mean"],
                "weekly_sd": spreads[n], "lead_days": lead[n], "lead_sd_days": lead_sd[n],
                "protected_mean": float(needed.mean[n]), "reorder_point": int(needed.reorder_point[n]),
                "chance_short": float(needed.chance_short[n]), "idle_weeks": int(history.idle_weeks[n]),
            }
            for n, place in enumerate(places)
        ]  # fmt: skip

    def rule() -> dict[int, tuple[int, int]]:
        import numpy as np

        skus, units, lines = of_whole_company(history)
        weeks = (~np.isnan(units)).sum(axis=1).astype(float)
        return reorder_rules(SkuDemand(skus, forecast(units, HORIZON), lines, weeks), drafts, own, rules)

    drafts = await asyncio.to_thread(draft)
    wanted = await asyncio.to_thread(rule) if rules.is_automatic else {}
    return done | await context.run(lambda uow: keep_targets(uow, drafts, wanted))


def _lead_days(place: Mapping[str, Any]) -> tuple[float, float]:
    """Days until goods ordered now are there, and their standard deviation: as observed, else as agreed and as late as
    the supplier usually is."""
    if place["observed_p50"] is not None:
        return float(place["observed_p50"]), max((place["observed_p80"] - place["observed_p50"]) / 0.84, 0.0)
    return float(place["lead_time_days"] or DEFAULT_LEAD_DAYS) + max(place["bias"] or 0.0, 0.0), float(
        place["spread"] or 0.0
    )
