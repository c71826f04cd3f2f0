"""Reads demand histories: a row per series with a column per period, a column per series, or a row per series and period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.demand_columns import Columns, day_of, long_columns, recognise
from ml.demand_repairs import repair
from ml.table_file import NOTHING, UnreadableFile, rows_of

Floats = NDArray[np.float64]

SHORTEST = 6
"""Known periods below which nothing can be learned and judged."""
LOOKED_AT = 200
"""Rows from which is seen which columns hold numbers."""


@dataclass(frozen=True)
class DemandHistory:
    """`units` has one row per series, oldest period first, right-aligned: the last column is the last known period.

    NaN is unknown: before a series began, or a cell that could not be used. `lead_time` (periods) and `cost` (of a unit)
    are NaN where the file does not say. `findings` counts what was found broken, `columns` says how the file was read.
    """

    names: list[str]
    units: Floats
    lead_time: Floats
    cost: Floats
    findings: dict[str, int]
    columns: dict[str, Any] = field(default_factory=dict)


def read_demand_file(path: Path) -> DemandHistory:
    """Raises UnreadableFile when no series can be used; cells and rows that cannot are counted by reason.

    An empty cell is unknown, not none. Negative units are returns booked without their sale, and unknown. Thousandfold
    figures are taken back, absurd ones unknown, repeated rows dropped (`ml/demand_repairs.py:repair`).
    """
    rows = list(_rows(path))
    if not rows:
        raise UnreadableFile(f"{path}: the file is empty.")
    findings: Counter[str] = Counter()
    header, rows = _with_header(rows)
    layout = "a row per item"
    if (long := long_columns(header)) is not None:
        header, rows, layout = *_spread(header, rows, long, findings), "a row per item and period"
    elif _is_transposed(header, rows):
        header, rows, layout = *_turned(header, rows), "a column per item"
    width = len(header)
    findings["rows_read"] += len(rows)
    findings["rejected: another number of cells"] += sum(len(row) != width for row in rows)
    rows = [row for row in rows if len(row) == width]
    columns = recognise(header, _numeric(rows[:LOOKED_AT], width))
    if len(columns.periods) < SHORTEST:
        raise UnreadableFile(
            f"{path}: a name and at least {SHORTEST} periods are needed; of its {width} columns ({', '.join(header[:8])}"
            f"{', ...' if width > 8 else ''}) {len(columns.periods)} are periods."
        )
    return _history(path, header, rows, columns, findings, layout)


def _history(
    path: Path, header: Sequence[str], rows: list[list[str]], columns: Columns, findings: Counter[str], layout: str
) -> DemandHistory:
    names: list[str] = []
    kept: list[Floats] = []
    facts: dict[str, list[float]] = {"lead_time": [], "cost": []}
    for number, row in enumerate(rows):
        units = _units([row[place] for place in columns.periods], findings)
        known = np.flatnonzero(~np.isnan(units))
        if len(known) < SHORTEST:
            findings[f"rejected: fewer than {SHORTEST} known periods"] += 1
            continue
        names.append(row[columns.name].strip() if columns.name >= 0 else str(number + 1))
        for name, values in facts.items():
            value = _number(row[columns.facts[name]], findings) if name in columns.facts else float("nan")
            values.append(value if value >= 0 else float("nan"))
        kept.append(np.concatenate([np.full(len(units) - 1 - known[-1], np.nan), units[: known[-1] + 1]]))
    if not kept:
        raise UnreadableFile(f"{path}: no series could be used ({dict(findings)}).")
    units = np.stack(kept)
    use = repair(units, names, findings)
    names = [names[row] for row in use]
    findings["repeated_names"] = len(names) - len(set(names))
    findings["rows_used"] = len(names)
    return DemandHistory(
        names, units[use], np.array(facts["lead_time"])[use] * columns.lead_time_factor, np.array(facts["cost"])[use],
        dict(findings), {
            "layout": layout, "name": header[columns.name] if columns.name >= 0 else None,
            "periods": [header[columns.periods[0]], header[columns.periods[-1]], len(columns.periods)],
            **{fact: header[columns.facts[fact]] if fact in columns.facts else None for fact in facts},
            "lead_time_factor": columns.lead_time_factor, "left_out": [header[place] for place in columns.left_out],
        },
    )  # fmt: skip


def _rows(path: Path) -> Iterator[list[str]]:
    """Rows that are not blank, whatever separates their cells."""
    return (row for _, row in rows_of(path) if any(cell.strip() for cell in row))


def _with_header(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; a file that begins with figures gets headings of its own."""
    first = rows[0]
    figures = [cell.strip() for cell in first[1:] if _is_number(cell)]
    if len(figures) >= SHORTEST and len(figures) >= 0.5 * len(first) and len(set(figures)) < len(figures):
        has_name = not _is_number(first[0]) or len({row[0] for row in rows}) == len(rows)
        return ["name"] * has_name + [f"t{number}" for number in range(1, len(first) + (not has_name))], rows
    header = [cell.strip() for cell in first]
    if len(rows) > 1 and len(rows[1]) == len(header) + 1:  # as R writes row names: without a heading
        header = ["name", *header]
    return header, rows[1:]


def _is_transposed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Periods down, items across: the first column holds dates, in order, and no heading but its own names a period."""
    days = [day_of(row[0]) for row in rows[:LOOKED_AT] if row]
    known = [day for day in days if day is not None]
    if len(known) < SHORTEST or len(known) < len(days) or sorted(set(known)) != known:
        return False
    return not any(day_of(cell) is not None for cell in header[1:])


def _turned(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    whole = [row for row in rows if len(row) == len(header)]
    return ["name", *(row[0] for row in whole)], [
        [header[place], *(row[place] for row in whole)] for place in range(1, len(header))
    ]


def _spread(
    header: list[str], rows: list[list[str]], places: dict[str, int], findings: Counter[str]
) -> tuple[list[str], list[list[str]]]:
    """A row per item, of rows per item and period; a period that an item does not name, between its first and the file's
    last, had no demand. Rows that say the same thing twice count once."""
    facts = recognise(header, [True] * len(header)).facts
    whole = [row for row in rows if len(row) == len(header)]
    findings["rejected: another number of cells"] += len(rows) - len(whole)
    unique = list(dict.fromkeys(tuple(row) for row in whole))
    findings["dropped: repeated row"] += len(whole) - len(unique)
    labels = sorted({row[places["period"]].strip() for row in unique}, key=_period_order)
    at = {label: place for place, label in enumerate(labels)}
    told: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}
    for row in unique:
        cells = told.setdefault(row[places["name"]].strip(), [""] * len(labels))
        place, figure = at[row[places["period"]].strip()], row[places["units"]].strip()
        if _is_number(cells[place]) and _is_number(figure):
            figure = f"{_plain_number(cells[place]) + _plain_number(figure):g}"
        cells[place] = figure if figure else cells[place]
        said.setdefault(row[places["name"]].strip(), [row[facts[name]] for name in facts])
    rows_out = []
    for name, cells in told.items():
        first = next(place for place, cell in enumerate([*cells, "x"]) if cell)
        rows_out.append([name, *said[name], *cells[:first], *(cell or "0" for cell in cells[first:])])
    return ["name", *(header[facts[name]] for name in facts), *labels], rows_out


def _period_order(label: str) -> tuple[int, float, str]:
    day = day_of(label)
    if day is not None:
        return 0, day.toordinal(), label
    digits = "".join(character for character in label if character.isdigit())
    return 1, float(digits or 0), label


def _numeric(rows: Sequence[Sequence[str]], width: int) -> list[bool]:
    found = []
    for place in range(width):
        cells = [row[place] for row in rows if row[place].strip().lower() not in NOTHING]
        found.append(sum(map(_is_number, cells)) >= 0.8 * len(cells))
    return found


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


def _plain_number(cell: str) -> float:
    """1,234.5 and $3.20 as numbers."""
    return float(cell.strip().replace(",", "").lstrip("$€£₩"))


def _is_number(cell: str) -> bool:
    try:
        return np.isfinite(_plain_number(cell)).item()
    except ValueError:
        return False


def _number(cell: str, findings: Counter[str]) -> float:
    if cell.strip().lower() in NOTHING:
        return float("nan")
    try:
        return _plain_number(cell)
    except ValueError:
        findings["cells_unreadable"] += 1
        return float("nan")
