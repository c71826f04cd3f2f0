"""Drivers of the live demand by week: season, public holidays, dated plans, prices and imported series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.calendars import WorkCalendar
from core.domain.demand_plan import DemandPlan
from ml.demand import DemandForecast
from ml.demand_drivers import Drivers, Factors, learn_factors, yearly_waves

Floats = NDArray[np.float64]

YEAR = 52
AHEAD = 26
"""Weeks ahead for which factors are known; what protects longer takes their mean."""
PRICE = "price"


@dataclass(frozen=True)
class LiveFactors:
    """Factors of the known weeks (`past`) and of the weeks ahead (`ahead`), a row per series; `learned` says what won."""

    past: Floats
    ahead: Floats
    learned: Factors

    def of(self, rows: NDArray[np.int64]) -> LiveFactors:
        """Those of some series."""
        return LiveFactors(self.past[rows], self.ahead[rows], self.learned)

    def over(self, weeks: Floats | float) -> Floats:
        """Mean factor of the next so many weeks, per series; a week that ends later counts for its days."""
        length = np.clip(np.broadcast_to(np.asarray(weeks, float), len(self.ahead)), 1 / 7, AHEAD)
        whole, series = np.floor(length).astype(int), np.arange(len(self.ahead))
        before = np.cumsum(np.pad(self.ahead, ((0, 0), (1, 0))), axis=1)[series, whole]
        last = self.ahead[series, np.minimum(whole, AHEAD - 1)]
        return (before + (length - whole) * last) / length

    def over_year(self) -> Floats:
        """Mean factor of the year to come, per series: the weeks ahead that are known, then those of a year before."""
        return np.hstack([self.past[:, AHEAD - YEAR :], self.ahead]).mean(axis=1)

    def lasts(self, usual_weeks: Floats) -> Floats:
        """Weeks until so many usual weeks of demand are asked for, per series; after the known ones, the year's mean."""
        asked = np.cumsum(self.ahead, axis=1)
        whole = (asked <= usual_weeks[:, None]).sum(axis=1)
        before = np.where(whole > 0, asked[np.arange(len(asked)), whole - 1], 0.0)
        pace = np.hstack([self.ahead, self.over_year()[:, None]])[np.arange(len(asked)), whole]
        return whole + (usual_weeks - before) / pace


def live_factors(
    units: Floats, sku_ids: Sequence[int], codes: Sequence[str], today: date, plan: DemandPlan, country: str | None,
    figures: Sequence[Mapping[str, Any]],
) -> LiveFactors:  # fmt: skip
    """Learn factors for `units` (a row per series, a column per week of seven days up to `today`, NaN unknown)."""
    weeks = units.shape[1]
    known = (~np.isnan(units)).any(axis=0)
    skip = int(known.argmax()) if known.any() else 0
    days = [today - timedelta(days=7 * (weeks - week) - 1) for week in range(weeks + AHEAD)]
    common = yearly_waves(np.arange(weeks + AHEAD, dtype=float))
    if plan.country or country:
        free = _public_holidays(plan.country or country or "", days)
        common |= {"holidays": free - free.mean(), "before holidays": np.append(free[1:], 0.0) - free.mean()}
    common |= _outside(figures, days, weeks)
    promoted, planned = _plan(plan, codes, days, weeks)
    drivers = Drivers(
        {name: column[skip:] for name, column in common.items()},
        None if promoted is None else promoted[:, skip:],
        None if (price := _prices(figures, sku_ids, days)) is None else price[:, skip:],
    )
    learned = learn_factors(units[:, skip:], drivers)
    whole = np.ones((len(units), weeks + AHEAD))
    whole[:, skip : skip + learned.by_week.shape[1]] = learned.by_week
    if planned is not None:
        whole[:, weeks:] *= planned[:, weeks:]
    return LiveFactors(whole[:, :weeks], whole[:, weeks:], learned)


def scaled(found: DemandForecast, factor: Floats) -> DemandForecast:
    """The forecast with its mean multiplied per series, its spread with it."""
    spread = np.where(factor > 1, factor**2, factor)
    return replace(
        found, mean=found.mean * factor, centre=found.centre * factor, variance=found.variance * spread,
        centre_variance=found.centre_variance * factor**2,
    )  # fmt: skip


def _public_holidays(country: str, days: Sequence[date]) -> Floats:
    """Share of each week's five working days that are public holidays."""
    calendar = WorkCalendar(country=country)
    return np.array([
        sum(day.isoweekday() < 6 and not calendar.is_working(day) for day in (first + timedelta(days=n) for n in range(7))) / 5
        for first in days
    ])  # fmt: skip


def _outside(figures: Sequence[Mapping[str, Any]], days: Sequence[date], weeks: int) -> dict[str, Floats]:
    """Imported series for all, a mean a week, in standard deviations from their past mean; the last known goes on.

    A series that says nothing of a third of the known weeks says too little.
    """
    found: dict[str, Floats] = {}
    for series in sorted({row["series"] for row in figures if row["sku_id"] is None}):
        sums, count = np.zeros(len(days)), np.zeros(len(days))
        for row in figures:
            week = (row["day"] - days[0]).days // 7
            if row["series"] == series and row["sku_id"] is None and 0 <= week < len(days):
                sums[week] += row["value"]
                count[week] += 1
        told = np.flatnonzero(count)
        past = told[told < weeks]
        if len(past) < weeks / 3 or (sums[past] / count[past]).std() == 0:
            continue
        values = np.interp(np.arange(len(days)), told, sums[told] / count[told])
        found[series] = (values - values[past].mean()) / values[past].std()
    return found


def _plan(
    plan: DemandPlan, codes: Sequence[str], days: Sequence[date], weeks: int
) -> tuple[Floats | None, Floats | None]:
    """Share of each week in which an event without a stated factor runs, by series; and the factors that planners state."""
    if not plan.events:
        return None, None
    promoted, planned = np.zeros((len(codes), len(days))), np.ones((len(codes), len(days)))
    for event in plan.events:
        rows = [row for row, code in enumerate(codes) if event.covers(code)]
        for week, first in enumerate(days):
            shared = ((min(event.last, first + timedelta(days=6)) - max(event.first, first)).days + 1) / 7
            if shared <= 0 or not rows:
                continue
            if event.factor is not None and week >= weeks:
                planned[rows, week] *= 1 + (event.factor - 1) * shared
            else:
                promoted[rows, week] = np.minimum(promoted[rows, week] + shared, 1.0)
    return promoted, planned


def _prices(figures: Sequence[Mapping[str, Any]], sku_ids: Sequence[int], days: Sequence[date]) -> Floats | None:
    """Log of each week's price over the SKU's median one; 0 where no price is known."""
    by_sku: dict[int, list[tuple[date, float]]] = {}
    for row in figures:
        if row["series"] == PRICE and row["value"] > 0:
            by_sku.setdefault(row["sku_id"], []).append((row["day"], row["value"]))
    if not by_sku:
        return None
    found = np.zeros((len(sku_ids), len(days)))
    starts = np.array([(first + timedelta(days=3)).toordinal() for first in days])
    for place, sku_id in enumerate(sku_ids):
        told = by_sku.get(sku_id)
        if told:
            since = np.array([day.toordinal() for day, _ in told])
            price = np.array([value for _, value in told])[
                np.maximum(np.searchsorted(since, starts, side="right") - 1, 0)
            ]
            found[place] = np.log(price / np.median(price))
    return found
