"""Reads demand histories: one row per series, one column per period, the name of the series in the first column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.table_file import UnreadableFile, rows_of

Floats = NDArray[np.float64]

SHORTEST = 6
"""Known periods below which nothing can be learned and judged."""


ATTRIBUTES = {
    "lead_time": "lead_time", "leadtime": "lead_time", "lead time": "lead_time", "lt": "lead_time",
    "cost": "cost", "unit_cost": "cost", "unit cost": "cost", "price": "cost", "unit_price": "cost", "value": "cost",
}  # fmt: skip
"""Headings of columns that say something of the series instead of holding a period's units."""


@dataclass(frozen=True)
class DemandHistory:
    """`units` has one row per series, oldest period first, right-aligned: the last column is the last known period.

    NaN is unknown: before a series began, or a cell that could not be used. `lead_time` (periods) and `cost` (of a unit)
    are NaN where the file does not say.
    """

    names: list[str]
    units: Floats
    lead_time: Floats
    cost: Floats
    findings: dict[str, int]


def read_demand_file(path: Path) -> DemandHistory:
    """Raises UnreadableFile when no series can be used; cells and rows that cannot are counted by reason.

    An empty cell is unknown, not none. Negative units are returns booked without their sale, and unknown.
    """
    lines = rows_of(path)
    header = next(lines, (0, []))[1]
    said = {
        ATTRIBUTES[name]: place for place, cell in enumerate(header) if (name := cell.strip().lower()) in ATTRIBUTES
    }
    periods = [place for place in range(1, len(header)) if place not in said.values()]
    if len(periods) < SHORTEST:
        raise UnreadableFile(
            f"{path}: a name and at least {SHORTEST} periods are needed, there are {len(header)} columns."
        )
    findings: Counter[str] = Counter()
    names: list[str] = []
    kept: list[Floats] = []
    facts: dict[str, list[float]] = {"lead_time": [], "cost": []}
    for _, row in lines:
        findings["rows_read"] += 1
        if len(row) != len(header):
            findings["rejected: another number of cells"] += 1
            continue
        units = _units([row[place] for place in periods], findings)
        known = np.flatnonzero(~np.isnan(units))
        if len(known) < SHORTEST:
            findings[f"rejected: fewer than {SHORTEST} known periods"] += 1
            continue
        names.append(row[0].strip())
        for name, values in facts.items():
            value = _number(row[said[name]], findings) if name in said else float("nan")
            values.append(value if value >= 0 else float("nan"))
        kept.append(np.concatenate([np.full(len(units) - 1 - known[-1], np.nan), units[: known[-1] + 1]]))
    if not kept:
        raise UnreadableFile(f"{path}: no series could be used ({dict(findings)}).")
    findings["repeated_names"] = len(names) - len(set(names))
    findings["rows_used"] = len(names)
    return DemandHistory(names, np.stack(kept), np.array(facts["lead_time"]), np.array(facts["cost"]), dict(findings))


def _units(cells: list[str], findings: Counter[str]) -> Floats:
    try:
        units = np.array([cell or "nan" for cell in cells], dtype=np.float64)
    except ValueError:
        units = np.array([_number(cell, findings) for cell in cells])
    units[np.isinf(units)] = np.nan
    negative = units < 0
    if negative.any():
        findings["cells_unknown: negative"] += int(negative.sum())
        units[negative] = np.nan
    findings["cells_unknown: empty or not a number"] += int(np.isnan(units).sum() - negative.sum())
    return units


def _number(cell: str, findings: Counter[str]) -> float:
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        findings["cells_unreadable"] += 1
        return float("nan")
