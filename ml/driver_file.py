"""Reads files of figures that may move demand: series, SKU, day, value."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ml.table_file import places_of, rows_of

COLUMNS = ("series", "sku", "day", "value")


@dataclass(frozen=True)
class DriverFile:
    """Rows (series, SKU code or None, day, value), and how many were left out by reason."""

    rows: list[tuple[str, str | None, date, float]]
    rejected: dict[str, int]


def read_driver_file(path: Path) -> DriverFile:
    """Raises UnreadableFile without the four columns. Of rows of the same series, SKU and day the last one holds."""
    lines = rows_of(path)
    header = [cell.strip().lower() for cell in next(lines, (0, []))[1]]
    series, sku, day, value = places_of(path, header, COLUMNS).values()
    found: dict[tuple[str, str | None, date], float] = {}
    rejected: Counter[str] = Counter()
    for _, row in lines:
        if len(row) != len(header) or not row[series].strip():
            rejected["another number of cells, or no series"] += 1
            continue
        try:
            key = row[series].strip().lower(), row[sku].strip() or None, date.fromisoformat(row[day].strip()[:10])
            figure = float(row[value])
        except ValueError:
            rejected["day or value cannot be read"] += 1
            continue
        if not math.isfinite(figure) or (key[0] == "price" and (figure <= 0 or key[1] is None)):
            rejected["the value cannot be, or a price of no SKU"] += 1
            continue
        found[key] = figure
    return DriverFile([(*key, figure) for key, figure in found.items()], dict(rejected))
