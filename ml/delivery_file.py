"""Reads delivery histories in the SCMS layout: promised and actual days of purchase-order lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.table_file import UnreadableFile, places_of, rows_of

PROMISED = "Scheduled Delivery Date"
ACTUAL = "Delivered to Client Date"
LEVELS = ("Fulfill Via", "Vendor", "Country")
"""Route, supplier, destination: from what has many lines to what has few."""
FORMATS = ("%d-%b-%y", "%m/%d/%y", "%m/%d/%Y", "%Y-%m-%d")
ABSURD_DAYS = 1095
OPEN = np.iinfo(np.int64).max
"""The day of a delivery that has not happened."""

Days = NDArray[np.int64]


@dataclass(frozen=True)
class Deliveries:
    """`promised` and `actual` are ordinal days; `levels` one array per level, each key with those above it in front."""

    promised: Days
    actual: Days
    levels: tuple[NDArray[np.str_], ...]
    findings: dict[str, int]

    def __len__(self) -> int:
        return len(self.promised)

    @property
    def delay(self) -> NDArray[np.float64]:
        """Days actual - promised of what was delivered; NaN for the rest."""
        return np.where(self.actual == OPEN, np.nan, (self.actual - self.promised).astype(float))


def read_delivery_file(path: Path) -> Deliveries:
    """Raises UnreadableFile when columns are missing or no line can be used; unusable lines are counted by reason.

    A line without an actual day is still open and counts as such. Lines more than three years off are typing errors.
    """
    lines = rows_of(path)
    header = [name.strip() for name in next(lines, (0, []))[1]]
    at = places_of(path, header, (PROMISED, ACTUAL, *LEVELS))
    findings: Counter[str] = Counter()
    kept: list[tuple[int, int, list[str]]] = []
    for _, row in lines:
        findings["rows_read"] += 1
        if len(row) != len(header):
            findings["rejected: another number of cells"] += 1
            continue
        promised, actual = day_of_cell(row[at[PROMISED]]), day_of_cell(row[at[ACTUAL]])
        if promised is None:
            findings["rejected: promised day unreadable"] += 1
        elif actual is None and row[at[ACTUAL]].strip():
            findings["rejected: actual day unreadable"] += 1
        elif actual is not None and abs(actual - promised) > ABSURD_DAYS:
            findings["rejected: more than three years off"] += 1
        else:
            keys = [row[at[name]].strip() or "unknown" for name in LEVELS]
            kept.append((promised, OPEN if actual is None else actual, keys))
    if not kept:
        raise UnreadableFile(f"{path}: no line could be used ({dict(findings)}).")
    findings["rows_used"] = len(kept)
    findings["open"] = sum(actual == OPEN for _, actual, _ in kept)
    levels = tuple(
        np.array(["|".join(keys[: depth + 1]) for _, _, keys in kept], dtype=np.str_) for depth in range(len(LEVELS))
    )
    promised, actual = (np.array([row[place] for row in kept], dtype=np.int64) for place in (0, 1))
    return Deliveries(promised, actual, levels, dict(findings))


_known: dict[str, int | None] = {}


def day_of_cell(cell: str) -> int | None:
    """Ordinal of a day in one of FORMATS. Histories repeat their days, so that each is read once."""
    if cell not in _known:
        _known[cell] = next((day.toordinal() for form in FORMATS if (day := _parsed(cell.strip(), form))), None)
    return _known[cell]


def _parsed(cell: str, form: str) -> date | None:
    try:
        return datetime.strptime(cell, form).date()
    except ValueError:
        return None
