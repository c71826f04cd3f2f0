"""Plays a demand history against stock policies over many service levels: coverage, fill rate, stock and cost as a curve."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.replenishment import economic_order_quantity
from ml.demand_file import SHORTEST, DemandHistory, read_demand_file
from ml.simulate_stock import Played, play
from ml.stock_policies import METHODS, LeadTime, order_up_to
from ml.table_file import UnreadableFile

Floats = NDArray[np.float64]

TARGETS = (0.90, 0.95, 0.99)
CURVE = (0.50, 0.60, 0.70, 0.80, 0.85, 0.90, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999)
YARDSTICK = "normal"
REPLANS = 24
"""The levels are made anew so many times while a history is played, at most every period."""
PERIODS_PER_YEAR = 12


@dataclass(frozen=True)
class Costs:
    """Per unit cost (1 where the file names none): `holding` a period, `backorder` per unit not served at once; `order`
    in money per order, 0 for no lot sizes."""

    holding: float = 0.02
    backorder: float = 1.0
    order: float = 0.0


def simulate_replenishment(
    path: Path, lead_time: float = 2.0, lead_time_sd: float = 0.0, start: int | None = None, costs: Costs | None = None,
    seed: int = 1, replans: int = REPLANS, say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Play the periods from `start` (default: the second half); the levels rest on what was known before each.

    Lead times are those of the file's column `lead_time` where it has one, else `lead_time` periods; with a standard
    deviation each order's own is drawn. Every policy sees the same demand and lead times. Raises UnreadableFile.
    """
    began = time.perf_counter()
    costs = costs or Costs()
    history = read_demand_file(path)
    periods = history.units.shape[1]
    begin = periods // 2 if start is None else start
    enough = (~np.isnan(history.units[:, :begin])).sum(axis=1) >= SHORTEST
    if not enough.any() or begin >= periods:
        raise UnreadableFile(
            f"{path}: no series has {SHORTEST} known periods before period {begin} and one to play after."
        )
    leads = np.where(np.isnan(history.lead_time), lead_time, history.lead_time)
    leads = np.minimum(np.maximum(np.rint(leads), 0), max(1, (periods - begin) // 2))
    totals: list[tuple[Played, Floats, Floats]] = []
    for lead in np.unique(leads[enough]):
        rows = np.flatnonzero(enough & (leads == lead))
        say(f"{len(rows):,} items with a lead time of {lead:g} periods ...")
        totals.append(_play_group(history, rows, begin, LeadTime(float(lead), lead_time_sd), costs, seed, replans))
    points = _points(totals, costs)
    return {
        "curves": points,
        "targets": [_compared(points, target) for target in TARGETS],
        "items": int(enough.sum()), "items_left_out": int((~enough).sum()),
        "periods_played": periods - begin, "lead_times": sorted({float(lead) for lead in leads[enough]}),
        "lead_time_sd": lead_time_sd, "costs": {"holding": costs.holding, "backorder": costs.backorder, "order": costs.order},
        "file": history.findings, "columns": history.columns, "seconds": round(time.perf_counter() - began, 3),
    }  # fmt: skip


def _play_group(
    history: DemandHistory, rows: NDArray[np.int64], begin: int, lead: LeadTime, costs: Costs, seed: int, replans: int
) -> tuple[Played, Floats, Floats]:
    """What was played, what a unit costs, and the mean demand of the protected periods before the play, per item."""
    units = history.units[rows]
    played = units[:, begin:]
    every = max(1, -(-played.shape[1] // replans))
    latest: dict[str, Floats] = {}

    def target(period: int) -> Floats:
        if (period + 1) % every == 0 or not latest:
            latest["levels"] = order_up_to(units[:, : begin + period + 1], lead, CURVE, seed)
        return latest["levels"]

    random = np.random.default_rng(seed)
    drawn = np.full(played.shape, lead.mean) + lead.sd * random.standard_normal(played.shape)
    cost = np.where(np.isnan(history.cost[rows]), 1.0, history.cost[rows])
    lots = _lots(units[:, :begin], cost, costs) if costs.order > 0 else None
    lead_times = np.maximum(np.rint(drawn), 0).astype(np.int64)
    done = play(
        played, target, lead_times, measured_from=round(lead.mean), protects=round(lead.protected), least_order=lots
    )  # fmt: skip
    return done, cost, lead.protected * np.nanmean(units[:, :begin], axis=1)


def _lots(units: Floats, cost: Floats, costs: Costs) -> Floats:
    monthly = np.nanmean(units, axis=1)
    return np.array([
        float(economic_order_quantity(mean * PERIODS_PER_YEAR, costs.order, max(costs.holding * unit * PERIODS_PER_YEAR, 1e-9)))
        for mean, unit in zip(monthly.tolist(), cost.tolist(), strict=True)
    ])  # fmt: skip


def _points(totals: list[tuple[Played, Floats, Floats]], costs: Costs) -> dict[str, list[dict[str, float]]]:
    """Per method, one point per service level of CURVE."""
    cost = np.concatenate([cost for _, cost, _ in totals])
    protected = np.concatenate([mean for _, _, mean in totals])
    periods, demanded, intervals = (
        np.concatenate([getattr(done, name) for done, _, _ in totals]) for name in ("periods", "demanded", "intervals")
    )
    names = ("covered", "stock", "short", "orders", "sufficed", "levels")
    sums = {name: np.concatenate([getattr(done, name) for done, _, _ in totals], axis=-1) for name in names}
    sold = (protected > 0) & (intervals > 0)
    points: dict[str, list[dict[str, float]]] = {}
    for place, method in enumerate(METHODS):
        points[method] = []
        for row, level in enumerate(CURVE):
            covered, stock, short, orders, sufficed, levels = (sums[name][place, row] for name in names)
            mean_stock, mean_level = stock / np.maximum(periods, 1), levels / np.maximum(intervals, 1)
            spent = costs.holding * cost * stock + costs.backorder * cost * short + costs.order * orders
            points[method].append({
                "service_level": level,
                "coverage": float(sufficed.sum() / max(intervals.sum(), 1)),
                "level_multiple": float((mean_level[sold] / protected[sold]).mean()) if sold.any() else 0.0,
                "level_pooled_multiple": float(mean_level[sold].sum() / max(protected[sold].sum(), 1e-9)),
                "periods_without_backlog": float(covered.sum() / max(periods.sum(), 1)),
                "fill_rate": float(1 - short.sum() / max(demanded.sum(), 1)),
                "stock": float(mean_stock.sum()),
                "stock_value": float((cost * mean_stock).sum()),
                "cost_per_period": float((spent / np.maximum(periods, 1)).sum()),
            })  # fmt: skip
    return points


def _compared(points: dict[str, list[dict[str, float]]], target: float) -> dict[str, Any]:
    """Each method at the target, and what the yardstick covers with the same stock (mean over items, and pooled units)."""
    said: dict[str, Any] = {"target": target}
    for method, curve in points.items():
        said[method] = dict(next(point for point in curve if point["service_level"] == target))
    for method in METHODS:
        if method == YARDSTICK:
            continue
        here = said[method]
        same, pooled, played = (
            _at_stock(points[YARDSTICK], stock, here[stock], reached)
            for stock, reached in (("level_multiple", "coverage"), ("level_pooled_multiple", "coverage"),
                                   ("stock", "periods_without_backlog"))
        )  # fmt: skip
        gap = abs(here["coverage"] - target)
        here |= {
            "normal_coverage_at_same_stock": same,
            "normal_coverage_at_same_pooled_stock": pooled,
            "normal_without_backlog_at_same_stock": played,
            "nearer_than_normal": gap < abs(said[YARDSTICK]["coverage"] - target),
            "nearer_at_same_stock": gap < abs(same - target),
        }
    return said


def _at_stock(curve: list[dict[str, float]], stock: str, held: float, reached: str) -> float:
    """What a curve reaches with a stock, on the line between its points (to its last one beyond them)."""
    return float(np.interp(held, [point[stock] for point in curve], [point[reached] for point in curve]))
