"""Weekly demand from facts to forecasts and reorder points: cleaned, corrected for empty shelves, as distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.input_faults import InputFault, judge_line, kept_share, missing_weeks
from core.domain.states import InputFaultAction, InputFaultReason
from ml.demand import CHOICE, DemandForecast, demand_below, demand_quantile
from ml.demand_drivers import new_items

Floats = NDArray[np.float64]

HORIZON = 4
"""Weeks that a forecast is judged over."""
REVIEW_WEEKS = 1 / 7
"""Stock is looked at daily."""
MOST_INFLATED = 3.0
SAYS_NOTHING = 0.1
"""A week without demand in which less than this share of it could come is unknown, where there are weeks that are usual."""
Key = tuple[int, int]


@dataclass(frozen=True)
class History:
    """`units` has a row per key and a column per week, oldest first; NaN is unknown. `corrected`: weeks put up for empty
    shelves; `left_out`: weeks without a record."""

    keys: list[Key]
    units: Floats
    corrected: NDArray[np.int64]
    left_out: NDArray[np.int64]
    idle_weeks: NDArray[np.int64]
    faults: list[InputFault]
    lines: Floats
    """Lines a week since the series began."""


def clean_history(
    demand: Sequence[Mapping[str, Any]], out: Sequence[Mapping[str, Any]], at: datetime, weeks: int
) -> History:
    """A series begins with the first week in which anything was asked for; a week in which nobody recorded anything is
    unknown. Whatever is taken back or left out is listed in `faults`."""
    keys = sorted({(row["sku_id"], row["location_id"]) for row in demand})
    places = {key: place for place, key in enumerate(keys)}
    units = np.zeros((len(keys), weeks))
    lines = np.zeros(len(keys))
    faults: list[InputFault] = []
    for row in demand:
        place, week = places[row["sku_id"], row["location_id"]], weeks - 1 - row["weeks_ago"]
        if not 0 <= week < weeks:
            continue
        units[place, week] += row["units"]
        lines[place] += row["lines"]
        for odd in row["odd"] or ():
            fault = judge_line(
                row["sku_id"],
                row["location_id"],
                odd["line"],
                (at - timedelta(weeks=row["weeks_ago"])).date(),
                odd["units"],
                odd["median"],
            )
            faults.append(fault)
            units[place, week] -= fault.units_off
    gaps = [weeks - 1 - ago for ago in missing_weeks(units.sum(axis=0)[::-1].tolist())] if len(keys) else []
    for week in gaps:
        day = (at - timedelta(weeks=weeks - week)).date()
        faults.append(
            InputFault(
                f"week:{day}",
                InputFaultReason.GAP,
                InputFaultAction.LEFT_OUT,
                None,
                None,
                day,
                0.0,
                float(np.median(units.sum(axis=0))),
            )
        )
    sold = units > 0
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), 0)
    units[np.arange(weeks)[None, :] < first[:, None]] = np.nan
    units[:, gaps] = np.nan
    idle = np.where(sold.any(axis=1), sold[:, ::-1].argmax(axis=1), weeks)
    corrected = _corrected_for_empty_shelves(units, places, out, weeks)
    lines /= np.maximum((~np.isnan(units)).sum(axis=1), 1)
    return History(keys, units, corrected, np.full(len(keys), len(gaps)), idle.astype(np.int64), faults, lines)


def of_whole_company(history: History) -> tuple[list[int], Floats, Floats]:
    """SKUs with demand anywhere, their units over all places by week (NaN unknown), and lines a week."""
    skus = sorted({sku_id for sku_id, _ in history.keys})
    rows = np.searchsorted(skus, [sku_id for sku_id, _ in history.keys])
    units = np.zeros((len(skus), history.units.shape[1]))
    known = np.zeros(units.shape, dtype=bool)
    lines = np.zeros(len(skus))
    np.add.at(units, rows, np.nan_to_num(history.units))
    np.logical_or.at(known, rows, ~np.isnan(history.units))
    np.add.at(lines, rows, history.lines)
    return skus, np.where(known, units, np.nan), lines


def _corrected_for_empty_shelves(
    units: Floats, places: Mapping[Key, int], out: Sequence[Mapping[str, Any]], weeks: int
) -> NDArray[np.int64]:
    """Put weeks up by what customers did not ask for because nothing was there, as far as that is measured; how many."""
    share = np.zeros_like(units)
    for row in out:
        place, week = places.get((row["sku_id"], row["location_id"])), weeks - 1 - row["weeks_ago"]
        if place is not None and 0 <= week < weeks:
            share[place, week] = min(1.0, share[place, week] + row["share"])
    filled = share < 0.1
    known = ~np.isnan(units)
    count = (filled & known).sum(axis=1)
    usual = np.where(count > 3, np.where(filled & known, units, 0.0).sum(axis=1) / np.maximum(count, 1), 0.0)
    empty = np.argwhere(known & (share >= 0.5))
    kept = kept_share((float(units[p, w]), float(share[p, w]), float(usual[p])) for p, w in empty.tolist())
    came = 1 - share * (1 - kept)
    put_up = known & (share > 0) & (units > 0) & (came < 0.999)
    units[put_up] = np.minimum(units / np.maximum(came, 1 / MOST_INFLATED), units * MOST_INFLATED)[put_up]
    units[known & (units == 0) & (came < SAYS_NOTHING) & (usual > 0)[:, None]] = np.nan
    return put_up.sum(axis=1)


def start_as_similar(found: DemandForecast, units: Floats, places: Sequence[Mapping[str, Any]]) -> DemandForecast:
    """The forecast, with series of a few weeks drawn to how items like them (supplier, cost of a unit) began, where that
    would have told the first weeks of older items better."""
    groups = [(place["supplier_id"], int(np.log2(max(place["unit_cost"], 1)) // 1.5)) for place in places]
    drawn = new_items(units, groups)
    young = ~np.isnan(drawn)
    ratio = np.where(young & (found.centre > 0), drawn / np.maximum(found.centre, 1e-9), 1.0)
    return replace(
        found, mean=np.where(young, drawn, found.mean), centre=np.where(young, drawn, found.centre),
        variance=np.maximum(found.variance * np.maximum(ratio, 1.0), np.where(young, drawn, found.variance)),
    )  # fmt: skip


def forecast_rows(history: History, found: DemandForecast) -> list[dict[str, Any]]:
    """One row of `demand_forecast` per series."""
    high = found.quantile(0.9, HORIZON)
    known = (~np.isnan(history.units)).sum(axis=1)
    return [
        {
            "sku_id": key[0],
            "location_id": key[1],
            "method": CHOICE[int(found.method[n])],
            "weekly_mean": float(max(found.mean[n], 0.0)),
            "centre": float(max(found.centre[n], 0.0)),
            "weekly_variance": float(found.variance[n]),
            "centre_variance": float(found.centre_variance[n]),
            "weeks_known": int(known[n]),
            "weeks_corrected": int(history.corrected[n]),
            "weeks_left_out": int(history.left_out[n]),
            "p90_horizon": float(high[n]),
        }
        for n, key in enumerate(history.keys)
    ]


@dataclass(frozen=True)
class Protection:
    """Per series: expected demand until goods ordered at the next look are there, and the stock that covers it."""

    mean: Floats
    reorder_point: NDArray[np.int64]
    chance_short: Floats


def protect(
    found: DemandForecast, lead_weeks: Floats, lead_sd_weeks: Floats, levels: Floats, positions: Floats
) -> Protection:
    """Negative binomial with an uncertain lead time; each level is the one that held in the backtests (`ask`)."""
    interval = lead_weeks + REVIEW_WEEKS
    mean = interval * np.maximum(found.centre, 0.0)
    variance = interval * found.variance + interval**2 * found.centre_variance + (found.centre * lead_sd_weeks) ** 2
    points = demand_quantile(asked_each(found, levels), mean, variance)
    short = 1 - demand_below(np.maximum(positions, 0) + 1, mean, variance)
    return Protection(mean, points.astype(np.int64), np.where(mean > 0, np.where(positions < 0, 1.0, short), 0.0))


def asked_each(found: DemandForecast, levels: Floats, rows: Sequence[int] | None = None) -> Floats:
    """Each series' own level put right (`DemandForecast.ask`); `levels` belong to `rows`, all without them."""
    places = np.arange(len(levels)) if rows is None else np.asarray(rows)
    asked = np.zeros(len(levels))
    for level in np.unique(levels):
        here = levels == level
        asked[here] = found.ask(float(level))[places[here]]
    return asked
