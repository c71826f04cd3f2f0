"""The 34 figures of a SKU at a location that its risk is judged by: all of them known to a live system at time t."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEEKS_PER_MONTH = 52 / 12
LONGEST_COVER = 99.0
"""Months; where nothing is asked for, stock lasts for ever."""

FEATURES: dict[str, int] = {
    "on_hand": -1, "in_transit": 0, "position": -1,
    "forecast_3": 0, "forecast_6": 0, "forecast_9": 0,
    "sales_1": 0, "sales_3": 0, "sales_6": 0, "sales_9": 0,
    "minimum_stock": 0, "lead_time": 0, "lead_time_unknown": 0,
    "past_due": 0, "on_time_6": 0, "on_time_12": 0, "on_time_change": 0, "backordered": 0,
    "cover_by_forecast": -1, "cover_by_sales": -1, "position_cover": -1,
    "stock_less_minimum": -1, "position_less_minimum": -1,
    "stock_less_lead_time_forecast": -1, "position_less_lead_time_forecast": -1,
    "position_less_forecast": -1, "ratio": -1,
    "sales_trend": 0, "sales_trend_long": 0, "forecast_to_sales": 0, "forecast_trend": 0,
    "in_transit_to_forecast": 0, "past_due_to_forecast": 0, "sign_of_stock": -1,
}  # fmt: skip
"""Name of each feature and how risk may move with it: -1 = more of it never means more risk, 0 = as the data say.

Every figure that grows with the stock is held, so that more stock, all else equal, never means more risk. What is in transit
stays free: goods under way are also a sign that somebody saw a shortage coming."""
POSITIONS = (
    "position",
    "position_cover",
    "position_less_minimum",
    "position_less_lead_time_forecast",
    "position_less_forecast",
    "ratio",
)
"""Features of stock and transit together."""


def feature_matrix(numbers: Mapping[str, Floats]) -> Floats:
    """One row per item, one column per name in FEATURES; NaN where a figure is unknown.

    `numbers` has the columns of the public file (units, months, weeks of lead time, on-time shares 0..1). Unknown sums
    of sales and forecast are read off the line between their neighbours; unknown inbound, past-due, back-ordered
    and minimum quantities count as none, as they are in nine of ten rows.
    """
    n = _filled(numbers)
    stock, transit, minimum, past_due = n["national_inv"], n["in_transit_qty"], n["min_bank"], n["pieces_past_due"]
    f3, f6, f9 = n["forecast_3_month"], n["forecast_6_month"], n["forecast_9_month"]
    s1, s3, s6, s9 = n["sales_1_month"], n["sales_3_month"], n["sales_6_month"], n["sales_9_month"]
    lead, on_time_6, on_time_12 = n["lead_time"], n["perf_6_month_avg"], n["perf_12_month_avg"]
    position = stock + transit
    lead_time_forecast = f3 / 3 * np.nan_to_num(lead, nan=8.0) / WEEKS_PER_MONTH
    columns = {
        "on_hand": stock, "in_transit": transit, "position": position,
        "forecast_3": f3, "forecast_6": f6, "forecast_9": f9,
        "sales_1": s1, "sales_3": s3, "sales_6": s6, "sales_9": s9,
        "minimum_stock": minimum, "lead_time": lead, "lead_time_unknown": np.isnan(lead).astype(float),
        "past_due": past_due, "on_time_6": on_time_6, "on_time_12": on_time_12,
        "on_time_change": on_time_6 - on_time_12, "backordered": n["local_bo_qty"],
        "cover_by_forecast": _months(stock, f3 / 3), "cover_by_sales": _months(stock, s3 / 3),
        "position_cover": _months(position, (f3 + s3) / 6),
        "stock_less_minimum": stock - minimum, "position_less_minimum": position - minimum,
        "stock_less_lead_time_forecast": stock - lead_time_forecast,
        "position_less_lead_time_forecast": position - lead_time_forecast,
        "position_less_forecast": position - f3, "ratio": (position - f3) / (f3 + s3 + 1),
        "sales_trend": _share(s1, s3 / 3), "sales_trend_long": _share(s3, s9 / 3),
        "forecast_to_sales": _share(f3, s3), "forecast_trend": _share(f3, f9 / 3),
        "in_transit_to_forecast": _share(transit, f3), "past_due_to_forecast": _share(past_due, f3),
        "sign_of_stock": np.sign(stock),
    }  # fmt: skip
    return np.stack([columns[name] for name in FEATURES], axis=1)


def ratio_rule(numbers: Mapping[str, Floats]) -> Floats:
    """The yardstick: -(on hand + in transit - forecast3) / (forecast3 + sales3 + 1); higher is riskier, never NaN."""
    n = _filled(numbers)
    stock = np.nan_to_num(n["national_inv"])
    forecast = n["forecast_3_month"]
    return -(stock + n["in_transit_qty"] - forecast) / (forecast + n["sales_3_month"] + 1)


_CHAINS = (
    (("sales_1_month", 1), ("sales_3_month", 3), ("sales_6_month", 6), ("sales_9_month", 9)),
    (("forecast_3_month", 3), ("forecast_6_month", 6), ("forecast_9_month", 9)),
)


def _filled(numbers: Mapping[str, Floats]) -> dict[str, Floats]:
    """The columns with unknown sums read off their neighbours, and rare quantities set to none where unknown."""
    filled = dict(numbers)
    for chain in _CHAINS:
        names, months = zip(*chain, strict=True)
        table = _interpolated(np.stack([numbers[name] for name in names]), np.array(months, dtype=float))
        filled.update(zip(names, table, strict=True))
    for name in ("in_transit_qty", "pieces_past_due", "local_bo_qty", "min_bank"):
        filled[name] = np.nan_to_num(numbers[name])
    return filled


def _interpolated(sums: Floats, months: Floats) -> Floats:
    """Unknown sums from the known ones before and after them; beyond the last at its monthly rate; none if all unknown."""
    known = ~np.isnan(sums)
    for pattern in np.unique(known, axis=1).T:
        if pattern.all():
            continue
        rows = np.flatnonzero((known == pattern[:, None]).all(axis=0))
        at = np.concatenate([[0.0], months[pattern]])
        values = np.vstack([np.zeros(len(rows)), sums[np.ix_(pattern, rows)]])
        for place in np.flatnonzero(~pattern):
            after = int(np.searchsorted(at, months[place]))
            if after == len(at):
                sums[place, rows] = values[-1] / at[-1] * months[place] if at[-1] > 0 else 0.0
            else:
                share = (months[place] - at[after - 1]) / (at[after] - at[after - 1])
                sums[place, rows] = values[after - 1] + share * (values[after] - values[after - 1])
    return sums


def _months(stock: Floats, monthly: Floats) -> Floats:
    """How long stock lasts, months, -LONGEST_COVER..LONGEST_COVER; for ever without demand."""
    with np.errstate(divide="ignore", invalid="ignore"):
        cover = np.where(monthly > 0, stock / monthly, np.where(stock >= 0, np.inf, -np.inf))
    return np.where(np.isnan(stock), np.nan, np.clip(cover, -LONGEST_COVER, LONGEST_COVER))


def _share(part: Floats, whole: Floats) -> Floats:
    """part / whole; NaN where both are none (nothing can be said), a high figure where only the whole is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.where(part > 0, LONGEST_COVER, np.nan))
