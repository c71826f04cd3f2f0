"""Forecast demand once a day from what was asked for, and make stock targets of it."""

from __future__ import annotations

import asyncio
from typing import Any

from workers.job import JobContext, job


@job(queue="learning", timeout=900, attempts=3)
async def forecast_demand(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """All SKUs and places with demand, and targets for stock without any; running it again on the same day replaces the day's
    figures."""
    import numpy as np

    from core.queries.demand_drivers import imported_figures, usual_country
    from core.queries.demand_history import WEEKS, weekly_demand, weeks_out_of_stock
    from core.queries.stock_positions import idle_stock, positions
    from core.services.keep_demand import (
        first_known_day,
        keep_forecasts,
        keep_targets,
        load_demand_plan,
        load_replenishment_rules,
        planners_rules,
    )
    from ml.demand import forecast_demand as forecast
    from ml.live_demand import HORIZON, clean_history, forecast_rows, of_whole_company, start_as_similar
    from ml.live_drivers import live_factors, scaled
    from ml.live_rules import SkuDemand, reorder_rules
    from ml.live_targets import draft_idle, draft_targets

    async with context.snapshot() as uow:
        at = uow.now
        asked = await weekly_demand(uow.sql, at)
        out = await weeks_out_of_stock(uow.sql, at)
        rules, plan = await load_replenishment_rules(uow), await load_demand_plan(uow)
        figures = await imported_figures(uow.sql, first_known_day(at, WEEKS))
        country = await usual_country(uow.sql)
    history = await asyncio.to_thread(clean_history, asked, out, at, WEEKS)
    async with context.snapshot() as uow:
        places = await positions(uow.sql, history.keys, at)
        idle = await idle_stock(uow.sql, history.keys, at)
        idle_places = await positions(uow.sql, [(row["sku_id"], row["location_id"]) for row in idle], at)
        own = await planners_rules(uow, sorted({sku_id for sku_id, _ in history.keys})) if rules.is_automatic else {}

    def foresee() -> tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]:
        if not history.keys:
            return None, [], []
        codes = [place["code"] for place in places]
        factors = live_factors(
            history.units, [key[0] for key in history.keys], codes, at.date(), plan, country, figures
        )
        found = start_as_similar(forecast(history.units / factors.past, HORIZON), history.units, places)
        rows = forecast_rows(history, scaled(found, factors.over(HORIZON)))
        return factors, rows, draft_targets(history, found, factors, rows, places, rules, plan, at.date())

    def rule() -> dict[int, tuple[int, int]]:
        skus, units, lines = of_whole_company(history)
        first = np.searchsorted(
            [key[0] for key in history.keys], skus
        )  # its place with the lowest id speaks for the SKU
        weeks = (~np.isnan(units)).sum(axis=1).astype(float)
        found = forecast(units / factors.past[first], HORIZON)
        return reorder_rules(SkuDemand(skus, found, lines, weeks), drafts, own, rules, factors, first)

    factors, rows, drafts = await asyncio.to_thread(foresee)
    done = await context.run(lambda uow: keep_forecasts(uow, rows, history.faults))
    wanted = await asyncio.to_thread(rule) if rules.is_automatic and history.keys else {}
    drafts += draft_idle(idle, idle_places, rules)
    done |= await context.run(lambda uow: keep_targets(uow, drafts, wanted))
    return done | {"drivers": factors.learned.used if history.keys else {}}
