"""From rows of snapshots to the columns that the risk models read, and back to training sets ordered by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.risk_training import TrainingSet

Floats = NDArray[np.float64]

NAMES = {
    "on_hand": "national_inv", "in_transit": "in_transit_qty", "lead_time_weeks": "lead_time",
    "forecast_3": "forecast_3_month", "forecast_6": "forecast_6_month", "forecast_9": "forecast_9_month",
    "sales_1": "sales_1_month", "sales_3": "sales_3_month", "sales_6": "sales_6_month", "sales_9": "sales_9_month",
    "minimum_stock": "min_bank", "past_due": "pieces_past_due", "on_time_6": "perf_6_month_avg",
    "on_time_12": "perf_12_month_avg", "backordered": "local_bo_qty",
}  # fmt: skip
"""Figure of `core/queries/risk_snapshot.py:FIGURES` -> column of `ml/risk_features.py:feature_matrix`."""
EVERY_DAYS = 7
"""A SKU's snapshots of neighbouring days are nearly the same row: one a week is learned from."""


def numbers_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
    """One column per name; what is null is NaN."""
    return {
        name: np.array([np.nan if row[figure] is None else float(row[figure]) for row in rows], dtype=float)
        for figure, name in NAMES.items()
    }


def by_figure(numbers: Mapping[str, Floats]) -> dict[str, Floats]:
    """The same columns under the names that people see."""
    return {figure: numbers[name] for figure, name in NAMES.items()}


def training_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Labelled snapshots of what was not short yet, one a week per SKU and location."""
    return [
        row
        for row in rows
        if not row["backordered"] and (row["day"].toordinal() + row["sku_id"] + row["location_id"]) % EVERY_DAYS == 0
    ]


def training_set_of(rows: Sequence[Mapping[str, Any]]) -> TrainingSet:
    """At natural rates, every row with the same weight; groups are SKU and location."""
    label = np.array([bool(row["went_short"]) for row in rows], dtype=np.int8)
    keys = [(row["sku_id"], row["location_id"]) for row in rows]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    group = np.array([places[key] for key in keys], dtype=np.int64)
    rate = float(label.mean()) if len(label) else 0.0
    return TrainingSet(numbers_of(rows), label, np.ones(len(label)), group, rate, 0, 0, 0)


def split_by_time(
    rows: Sequence[Mapping[str, Any]], horizon_days: int, test_days: int
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """(before, after): the newest `test_days` are judged, and what is learned from ended `horizon_days` before them.

    The gap keeps outcomes that lie within the judged days out of the training set.
    """
    if not rows:
        return [], []
    newest: datetime = max(row["taken_at"] for row in rows)
    cut = newest - timedelta(days=test_days)
    gap = timedelta(days=horizon_days)
    return [row for row in rows if row["taken_at"] + gap <= cut], [row for row in rows if row["taken_at"] > cut]
