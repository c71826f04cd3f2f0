"""Reads delivery histories in the SCMS layout: promised and actual days of purchase-order lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.table_file import LONGEST_NAME, NOTHING, UnreadableFile, places_of, rows_of

PROMISED = "Scheduled Delivery Date"
ACTUAL = "Delivered to Client Date"
LEVELS = ("Fulfill Via", "Vendor", "Country")
"""Route, supplier, destination: from what has many lines to what has few."""
FORMATS = ("%d-%b-%y", "%m/%d/%y", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d-%b-%Y", "%Y/%m/%d", "%d-%m-%Y")
READABLE = "2-Jun-06, 6/2/2006 (month first), 2006-06-02 or 2.6.2006"
ABSURD_DAYS = 1095
LONGEST_OPEN = 0.999
"""A line that has been open at the end of the file for longer than this share of all delays has lost its day."""
OPEN = np.iinfo(np.int64).max
"""The day of a delivery that has not happened."""

_TIME = re.compile(r"[T ]\d{1,2}:\d{2}.*$")
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

    A line without an actual day is still open and counts as such, but not for longer than almost any delivery ever took: then
    its day is missing, and nothing is known of it. Lines more than three years off are typing errors.
    """
    lines = rows_of(path)
    header = [name.strip() for name in next(lines, (0, []))[1]]
    at = places_of(path, header, (PROMISED, ACTUAL, *LEVELS))
    findings: Counter[str] = Counter()
    kept: list[tuple[int, int, list[str]]] = []
    unreadable = ""
    seen: set[tuple[str, ...]] = set()
    tells_apart = len(header) > len(at)  # a file of nothing but the needed columns may say the same of two lines
    for _, row in lines:
        findings["rows_read"] += 1
        if len(row) != len(header):
            findings["rejected: another number of cells"] += 1
            continue
        if tells_apart and tuple(row) in seen:
            findings["dropped: repeated row"] += 1
            continue
        seen.add(tuple(row))
        promised, actual = day_of_cell(row[at[PROMISED]]), day_of_cell(row[at[ACTUAL]])
        if promised is None:
            known = _said(row[at[PROMISED]])
            findings[f"rejected: promised day {'unreadable' if known else 'missing'}"] += 1
            unreadable = unreadable or known
        elif actual is None and (known := _said(row[at[ACTUAL]])):
            findings["rejected: actual day unreadable"] += 1
            unreadable = unreadable or known
        elif actual is not None and abs(actual - promised) > ABSURD_DAYS:
            findings["rejected: more than three years off"] += 1
        else:
            keys = [row[at[name]].strip()[:LONGEST_NAME] or "unknown" for name in LEVELS]
            kept.append((promised, OPEN if actual is None else actual, keys))
    if not kept:
        told = f" Days are read as {READABLE}, not as {unreadable!r}." if unreadable else ""
        raise UnreadableFile(f"{path}: no line could be used ({dict(findings)}).{told}")
    kept = _without_lost_days(kept, findings)
    findings["rows_used"] = len(kept)
    findings["open"] = sum(actual == OPEN for _, actual, _ in kept)
    levels = tuple(
        np.array(["|".join(keys[: depth + 1]) for _, _, keys in kept], dtype=np.str_) for depth in range(len(LEVELS))
    )
    promised, actual = (np.array([row[place] for row in kept], dtype=np.int64) for place in (0, 1))
    return Deliveries(promised, actual, levels, dict(findings))


def _without_lost_days(
    lines: list[tuple[int, int, list[str]]], findings: Counter[str]
) -> list[tuple[int, int, list[str]]]:
    came = [(promised, actual) for promised, actual, _ in lines if actual != OPEN]
    if not came:
        return lines
    end = max(actual for _, actual in came)
    longest = float(np.quantile([actual - promised for promised, actual in came], LONGEST_OPEN))
    kept = [line for line in lines if line[1] != OPEN or end - line[0] <= max(longest, 0.0)]
    if len(kept) < len(lines):
        findings["rejected: actual day missing"] = len(lines) - len(kept)
    return kept


def _said(cell: str) -> str:
    """What stands in a cell; nothing where it is a word for that."""
    return "" if cell.strip().lower() in NOTHING else cell.strip()


_known: dict[str, int | None] = {}


def day_of_cell(cell: str) -> int | None:
    """Ordinal of a day in one of FORMATS. Histories repeat their days, so that each is read once."""
    if cell not in _known:
        plain = _TIME.sub("", cell.strip())
        _known[cell] = next((day.toordinal() for form in FORMATS if (day := _parsed(plain, form))), None)
    return _known[cell]


def _parsed(cell: str, form: str) -> date | None:
    try:
        return datetime.strptime(cell, form).date()
    except ValueError:
        return None
