"""Why a score is what it is: how far each cause moves the log-odds against the same item without that cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.risk_reasons import say_reason
from ml.backorder_risk import RiskModel
from ml.calibration import log_odds

Floats = NDArray[np.float64]
Numbers = Mapping[str, Floats]

REASONS_PER_SCORE = 3
PUNCTUAL = 0.99
SHORT_LEAD_TIME = 2.0
"""Weeks; what only the quickest of the public file's suppliers need."""


@dataclass(frozen=True)
class Reason:
    """`weight` is in log-odds: 0.7 doubles the odds of going short. `facts` fill the sentence of `code`."""

    code: str
    weight: float
    facts: dict[str, float]

    def say(self, language: str = "en") -> str:
        return say_reason(self.code, self.facts, language)


def explain(model: RiskModel, numbers: Numbers) -> list[list[Reason]]:
    """The reasons per item that raise its risk most, heaviest first; at most three, none where nothing raises it.

    Each cause is taken away by itself (stock is ample, nothing is past due, the supplier is punctual ...), all
    derived figures follow, and the model is asked again: ten questions per item, so ask for items that are shown.
    """
    at = log_odds(model.probability(numbers))
    weights = {code: at - log_odds(model.probability(without(numbers))) for code, without in _CAUSES.items()}
    found: list[list[Reason]] = []
    for row in range(len(at)):
        ranked = sorted(weights, key=lambda code: -weights[code][row])[:REASONS_PER_SCORE]
        facts = _facts(numbers, row)
        found.append([_reason(code, float(weights[code][row]), facts) for code in ranked if weights[code][row] > 1e-6])
    return found


def _reason(code: str, weight: float, facts: dict[str, float]) -> Reason:
    if code == "STOCK" and not facts["on_hand"] > 0:
        code = "NO_STOCK"
    elif code == "STOCK" and np.isnan(facts["cover"]):
        code = "LITTLE_STOCK"  # without a forecast it lasts nobody knows how long
    return Reason(code, weight, facts)


def _with(numbers: Numbers, **changed: Floats) -> dict[str, Floats]:
    return {**numbers, **changed}


def _ample_stock(n: Numbers) -> dict[str, Floats]:
    wanted = np.nan_to_num(n["forecast_9_month"]) + np.nan_to_num(n["sales_9_month"]) + np.nan_to_num(n["min_bank"]) + 1
    return _with(n, national_inv=np.fmax(n["national_inv"], wanted))


def _ample_inbound(n: Numbers) -> dict[str, Floats]:
    wanted = np.nan_to_num(n["forecast_3_month"]) + np.nan_to_num(n["min_bank"]) + np.nan_to_num(n["pieces_past_due"])
    return _with(n, in_transit_qty=np.fmax(n["in_transit_qty"], wanted))


def _forecast_as_sold(n: Numbers) -> dict[str, Floats]:
    return _with(
        n,
        forecast_3_month=np.fmin(n["forecast_3_month"], n["sales_3_month"]),
        forecast_6_month=np.fmin(n["forecast_6_month"], n["sales_6_month"]),
        forecast_9_month=np.fmin(n["forecast_9_month"], n["sales_9_month"]),
    )


def _ordinary_sales(n: Numbers) -> dict[str, Floats]:
    monthly = n["sales_9_month"] / 9
    return _with(
        n,
        sales_1_month=np.fmin(n["sales_1_month"], monthly),
        sales_3_month=np.fmin(n["sales_3_month"], 3 * monthly),
        sales_6_month=np.fmin(n["sales_6_month"], 6 * monthly),
    )


_CAUSES: dict[str, Callable[[Numbers], dict[str, Floats]]] = {
    "STOCK": _ample_stock,
    "INBOUND": _ample_inbound,
    "FORECAST": _forecast_as_sold,
    "SALES": _ordinary_sales,
    "PAST_DUE": lambda n: _with(n, pieces_past_due=np.zeros_like(n["pieces_past_due"])),
    "SUPPLIER": lambda n: _with(
        n,
        perf_6_month_avg=np.full_like(n["perf_6_month_avg"], PUNCTUAL),
        perf_12_month_avg=np.full_like(n["perf_12_month_avg"], PUNCTUAL),
    ),
    "LEAD_TIME": lambda n: _with(n, lead_time=np.fmin(n["lead_time"], SHORT_LEAD_TIME)),
    "MINIMUM": lambda n: _with(n, min_bank=np.zeros_like(n["min_bank"])),
    "BACKORDERED": lambda n: _with(n, local_bo_qty=np.zeros_like(n["local_bo_qty"])),
}


def _facts(numbers: Numbers, row: int) -> dict[str, float]:
    n = {name: float(values[row]) for name, values in numbers.items()}
    monthly = n["forecast_3_month"] / 3
    return {
        "on_hand": n["national_inv"],
        "cover": n["national_inv"] / monthly if monthly > 0 else float("nan"),
        "in_transit": n["in_transit_qty"],
        "forecast": n["forecast_3_month"],
        "sales": n["sales_3_month"],
        "last_month": n["sales_1_month"],
        "monthly": n["sales_9_month"] / 9,
        "past_due": n["pieces_past_due"],
        "on_time": n["perf_6_month_avg"] * 100,
        "weeks": n["lead_time"],
        "position": n["national_inv"] + n["in_transit_qty"],
        "minimum": n["min_bank"],
        "backordered": n["local_bo_qty"],
    }
