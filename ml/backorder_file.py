"""Reads files in the layout of the public backorder set: every row is used, repaired by rule or counted with its reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.delivery_file import day_of_cell
from ml.table_file import LONGEST_NAME, UnreadableFile, folded, places_of, rows_of
from ml.unit_slips import repair_unit_slips

Floats = NDArray[np.float64]

QUANTITIES = (
    "national_inv", "in_transit_qty", "forecast_3_month", "forecast_6_month", "forecast_9_month", "sales_1_month",
    "sales_3_month", "sales_6_month", "sales_9_month", "min_bank", "pieces_past_due", "local_bo_qty",
)  # fmt: skip
SHARES = ("perf_6_month_avg", "perf_12_month_avg")
NUMBERS = (*QUANTITIES, "lead_time", *SHARES)
FLAGS = ("potential_issue", "deck_risk", "oe_constraint", "ppap_risk", "stop_auto_buy", "rev_stop")
LABEL = "went_on_backorder"
REQUIRED = (*NUMBERS, *FLAGS, LABEL)
UNKNOWN = -99
LONGEST_LEAD_TIME = 260
"""Weeks; five years. What is beyond it is a slip of the unit, not a lead time."""
EXAMPLES = 5
THOUSANDS = re.compile(r"^\s*-?\d{1,3}(,\d{3})+(\.\d+)?\s*$")


@dataclass
class Findings:
    """What was wrong in a file. Counts by reason; `lines` names the first lines (1 = heading) of each rejected kind."""

    rows_read: int = 0
    rows_used: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=dict)
    cells_unknown: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)
    suspects: Counter[str] = field(default_factory=Counter)
    repeated_rows: int = 0
    ignored_columns: list[str] = field(default_factory=list)
    unreadable_label: str = ""

    def reject(self, reason: str, line: int) -> None:
        self.rejected[reason] += 1
        if len(self.lines.setdefault(reason, [])) < EXAMPLES:
            self.lines[reason].append(line)

    def as_json(self) -> dict[str, object]:
        return {
            "rows_read": self.rows_read,
            "rows_used": self.rows_used,
            "rejected": dict(self.rejected),
            "first_lines": self.lines,
            "cells_unknown": dict(self.cells_unknown),
            "repaired": dict(self.repaired),
            "suspects": dict(self.suspects),
            "repeated_rows": self.repeated_rows,
            "ignored_columns": self.ignored_columns,
        }


@dataclass
class BackorderTable:
    """Columns as arrays; NaN is unknown. `index` is the place of the row in its file, counted from 0."""

    numbers: dict[str, Floats]
    flags: NDArray[np.int8]
    label: NDArray[np.int8]
    index: NDArray[np.int64]
    sku: NDArray[np.str_] | None
    findings: Findings
    others: dict[str, Floats] = field(default_factory=dict)
    """Columns that no model reads, where they hold numbers or yes and no: they may still tell the answer."""

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> BackorderTable:
        return BackorderTable(
            {name: values[rows] for name, values in self.numbers.items()},
            self.flags[rows], self.label[rows], self.index[rows],
            None if self.sku is None else self.sku[rows], self.findings,
            {name: values[rows] for name, values in self.others.items()},
        )  # fmt: skip

    def row_keys(
        self, *, with_sku: bool = False, with_label: bool = True, leave_out: Sequence[str] = ()
    ) -> NDArray[np.void]:
        """One opaque value per row, equal where all columns but `sku` (and on wish the label, or others) are equal."""
        kept = [name for name in NUMBERS if name not in leave_out]
        columns = [np.nan_to_num(self.numbers[name], nan=-1e18) + 0.0 for name in kept]
        columns += list(self.flags.T.astype(float)) + ([self.label.astype(float)] if with_label else [])
        if with_sku and self.sku is not None:
            columns.append(np.unique(self.sku, return_inverse=True)[1].astype(float))
        packed = np.ascontiguousarray(np.stack(columns, axis=1))
        return packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).ravel()


def read_backorder_file(path: Path) -> BackorderTable:
    """Read a CSV, plain or gzipped. Raises UnreadableFile when it cannot be opened or columns are missing.

    -99 and empty cells are unknown; impossible and unreadable cells become unknown and are counted; rows without a
    readable label, of another width, and the footer of the public file are rejected and counted; slips of the unit
    are repaired (`ml/unit_slips.py`).
    """
    findings = Findings()
    header, rows, index = _rows(path, findings)
    place = {name: column for column, name in enumerate(header)} | places_of(path, header, REQUIRED)
    findings.ignored_columns = [name for name in header if name not in (*REQUIRED, "sku")]
    if not rows:
        told = f" {LABEL} is Yes or No, not {findings.unreadable_label!r}." if findings.unreadable_label else ""
        raise UnreadableFile(f"{path}: no row could be used ({dict(findings.rejected) or 'it is empty'}).{told}")
    columns = list(zip(*rows, strict=True))
    numbers = {name: _numbers(columns[place[name]], name, findings) for name in NUMBERS}
    repair_unit_slips(numbers, findings.repaired, findings.suspects)
    flags = np.stack([_flags(columns[place[name]], name, findings) for name in FLAGS], axis=1)
    label = np.fromiter((_WORDS[cell.strip().lower()] for cell in columns[place[LABEL]]), np.int8, len(rows))
    sku = np.array([cell.strip()[:LONGEST_NAME] for cell in columns[place["sku"]]]) if "sku" in place else None
    others = {name: other_column(columns[place[name]]) for name in findings.ignored_columns}
    table = BackorderTable(numbers, flags, label, np.array(index), sku, findings, others)
    if sku is not None:
        findings.repeated_rows = len(table) - len(np.unique(table.row_keys(with_sku=True)))
    findings.rows_used = len(table)
    return table


_WORDS = {"yes": 1, "no": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0, "true": 1, "false": 0, "y": 1, "n": 0}


def _rows(path: Path, findings: Findings) -> tuple[list[str], list[list[str]], list[int]]:
    """Heading, usable rows, and the place of each in the file."""
    lines = rows_of(path)
    header = [folded(re.sub(r"\.yes$", "", name.strip(), flags=re.IGNORECASE)) for name in next(lines, (0, []))[1]]
    label = header.index(LABEL) if LABEL in header else None
    rows: list[list[str]] = []
    index: list[int] = []
    for position, (line, row) in enumerate(lines):
        reason = None
        if sum(1 for cell in row if cell.strip()) <= 1 and len(header) > 1:
            reason = "footer" if re.search(r"\(\d+ rows\)", " ".join(row)) else "empty"
        elif len(row) != len(header):
            reason = "another_number_of_cells"
        elif label is not None and row[label].strip().lower() not in _WORDS:
            reason = "label_unreadable" if row[label].strip() else "label_missing"
            findings.unreadable_label = findings.unreadable_label or row[label].strip()
        findings.rows_read += 1
        if reason is not None:
            findings.reject(reason, line)
            continue
        rows.append(row)
        index.append(position)
    return header, rows, index


def _numbers(cells: tuple[str, ...], name: str, findings: Findings) -> Floats:
    empty = "nan"
    try:
        values = np.array([cell if cell and not cell.isspace() else empty for cell in cells], dtype=np.float64)
    except ValueError:
        values = np.array([_number(cell) for cell in cells])
    blank = np.fromiter((not cell or cell.isspace() for cell in cells), bool, len(cells))
    count = findings.cells_unknown
    count[f"{name}: empty"] += int(blank.sum())
    count[f"{name}: unreadable"] += int((~np.isfinite(values) & ~blank).sum())
    values[~np.isfinite(values)] = np.nan
    minus_99 = values == UNKNOWN
    count[f"{name}: -99"] += int(minus_99.sum())
    values[minus_99] = np.nan
    if name in SHARES:
        wrong = (values < 0) | (values > 1)
    elif name == "lead_time":
        wrong = (values < 0) | ((values > LONGEST_LEAD_TIME) & (values % 1000 != 0))
    else:
        wrong = (values < 0) if name != "national_inv" else np.abs(values) > 1e12
    count[f"{name}: impossible"] += int(wrong.sum())
    values[wrong] = np.nan
    for key in [key for key, times in count.items() if not times]:
        del count[key]
    return values


def _number(cell: str) -> float:
    try:
        return float(cell.replace(",", "") if THOUSANDS.match(cell) else cell)
    except ValueError:
        return float("nan")


def other_column(cells: tuple[str, ...]) -> Floats:
    """A column of unknown meaning: yes and no as 1 and 0, numbers as they are, days by their order, other words by the
    alphabet; empty as unknown."""
    words = [cell.strip().lower() for cell in cells]
    blank = np.array([not word for word in words])
    found = np.array([_WORDS.get(word, _number(word)) for word in words], dtype=np.float64)
    if np.isnan(found[~blank]).mean() > 0.5 if (~blank).any() else False:
        days = [day_of_cell(cell) for cell in cells]
        if sum(day is not None for day in days) > 0.5 * (~blank).sum():
            found = np.array([np.nan if day is None else day for day in days], dtype=np.float64)
        else:
            rank = {word: place for place, word in enumerate(sorted(set(words)))}
            found = np.array([rank[word] for word in words], dtype=np.float64)
    return np.where(blank, np.nan, np.nan_to_num(found))


def _flags(cells: tuple[str, ...], name: str, findings: Findings) -> NDArray[np.int8]:
    values = np.fromiter((_WORDS.get(cell.strip().lower(), -1) for cell in cells), np.int8, len(cells))
    if unknown := int((values < 0).sum()):
        findings.cells_unknown[f"{name}: unreadable"] += unknown
    return values
