"""Forecasts demand histories at past origins, and says how far off, how biased, how wide and how quick that was."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.demand import CHOICE, DemandForecast, demand_quantile, forecast_demand
from ml.demand_file import SHORTEST, read_demand_file
from ml.smoothing import METHODS
from ml.table_file import UnreadableFile

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
TIMED_SERIES = 10_000


def evaluate_demand(
    path: Path, horizon: int = 3, origins: int = 4, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Rolling: at each of the last `origins` blocks of `horizon` periods, everything rests on the periods before it.

    RMSSE per series: root of the mean squared error over that of "as in the period before" within the history (M5);
    the mean over series, and `rmsse_pooled` from all errors and scales together. Bias: units forecast over units
    sold, less one. Coverage: share of series whose demand over the horizon stayed within the quantile.
    Raises UnreadableFile.
    """
    history = read_demand_file(path)
    units = history.units
    blocks = [units.shape[1] - horizon * number for number in range(origins, 0, -1)]
    blocks = [origin for origin in blocks if origin >= SHORTEST]
    if not blocks:
        raise UnreadableFile(f"{path}: too few periods to judge {horizon} of them after a history of {SHORTEST}.")
    judged: list[dict[str, Floats]] = []
    for origin in blocks:
        say(f"{len(units):,} series as of period {origin} ...")
        judged.append(_judge(units[:, :origin], units[:, origin : origin + horizon], horizon))
    lines = {name: np.concatenate([block[name] for block in judged]) for name in judged[0]}
    report: dict[str, Any] = _figures(lines, "chosen")
    report["coverage"] = {f"{level:g}": float((lines["sold"] <= lines[f"q{level}"]).mean()) for level in LEVELS}
    report["coverage_uncorrected"] = {
        f"{level:g}": float((lines["sold"] <= lines[f"u{level}"]).mean()) for level in LEVELS
    }
    report["coverage_normal"] = {f"{level:g}": float((lines["sold"] <= lines[f"n{level}"]).mean()) for level in LEVELS}
    report["methods"] = {name: _figures(lines, name) for name in (*CHOICE, "naive", "mean", "zero")}
    report["chosen"] = {name: int((lines["method"] == place).sum()) for place, name in enumerate(CHOICE)}
    report |= {"series": len(units), "origins": len(blocks), "horizon": horizon, "judged": len(lines["sold"])}
    report |= _timed(units, horizon)
    report["file"], report["columns"] = history.findings, history.columns
    return report


def _judge(before: Floats, after: Floats, horizon: int) -> dict[str, Floats]:
    """One line per series with enough history and a wholly known horizon."""
    usable = ((~np.isnan(before)).sum(axis=1) >= SHORTEST) & ~np.isnan(after).any(axis=1)
    before, after = before[usable], after[usable]
    found: DemandForecast = forecast_demand(before, horizon)
    means = {name: method(before) for name, method in METHODS.items()}
    means |= {
        "chosen": found.mean, "naive": _last(before), "mean": np.nanmean(before, axis=1), "zero": np.zeros(len(before))
    }  # fmt: skip
    lines = {f"mse {name}": ((after - mean[:, None]) ** 2).mean(axis=1) for name, mean in means.items()}
    lines |= {f"sum {name}": mean * horizon for name, mean in means.items()}
    lines |= {"sold": after.sum(axis=1), "scale": _scale(before), "method": found.method.astype(float)}
    for level in LEVELS:
        lines[f"q{level}"] = found.quantile(level, horizon)
        lines[f"u{level}"] = demand_quantile(level, found.centre * horizon, found.variance_over(horizon))
        lines[f"n{level}"] = found.mean * horizon + NormalDist().inv_cdf(level) * np.sqrt(horizon * found.variance)
    return lines


def _figures(lines: dict[str, Floats], name: str) -> dict[str, Any]:
    scaled = lines["scale"] > 0
    relative = np.sqrt(lines[f"mse {name}"][scaled] / lines["scale"][scaled])
    sold = float(lines["sold"].sum())
    return {
        "rmsse": float(relative.mean()) if scaled.any() else None,
        "rmsse_median": float(np.median(relative)) if scaled.any() else None,
        "rmsse_pooled": float(np.sqrt(lines[f"mse {name}"].sum() / max(lines["scale"].sum(), 1e-12))),
        "bias": float(lines[f"sum {name}"].sum()) / sold - 1 if sold > 0 else None,
    }


def _scale(units: Floats) -> Floats:
    """Mean squared step from one period to the next, from the first demand on; 0 where nothing ever changed."""
    started = np.maximum.accumulate(np.nan_to_num(units) > 0, axis=1)
    steps = np.where(started[:, :-1], np.diff(units, axis=1), np.nan)
    known = ~np.isnan(steps)
    return np.where(known, steps, 0.0).__pow__(2).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def _last(units: Floats) -> Floats:
    place = units.shape[1] - 1 - (~np.isnan(units))[:, ::-1].argmax(axis=1)
    return units[np.arange(len(units)), place]


def _timed(units: Floats, horizon: int) -> dict[str, float]:
    """Seconds of one recomputation (choice, forecast, quantiles) of these series, and of 10,000 like them, also of processor
    time: other programs only slow the clock down."""
    began = time.perf_counter()
    found = forecast_demand(units, horizon)
    found.quantile(0.95, horizon)
    seconds = time.perf_counter() - began
    many = np.resize(np.arange(len(units)), TIMED_SERIES)
    began, busy = time.perf_counter(), time.process_time()
    forecast_demand(units[many], horizon).quantile(0.95, horizon)
    return {
        "seconds": round(seconds, 3),
        "seconds_per_10000": round(time.perf_counter() - began, 3),
        "cpu_seconds_per_10000": round(time.process_time() - busy, 3),
    }
