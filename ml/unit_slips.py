"""Finds quantities that were written in another unit (thousandfold) and takes them back where that is beyond doubt."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FACTOR = 1000
CUMULATIVE = (
    ("sales_1_month", "sales_3_month", "sales_6_month", "sales_9_month"),
    ("forecast_3_month", "forecast_6_month", "forecast_9_month"),
)
"""Each holds the one before it, so that a value below its predecessor is a fault of one of both."""
COLUMN_SHARE = 0.9
"""A column of which so many of the values are whole thousands was written in thousandths: naturally it is about 1 %."""
NEEDED_VALUES = 50
SUSPECT_SHARE = 0.002
"""Lonely thousandfold cells are 0.07 % of the rows of the public file; from here on they are a fault of the file."""


def repair_unit_slips(numbers: dict[str, Floats], repaired: Counter[str], suspects: Counter[str]) -> None:
    """Divide by 1000, in place: whole columns, whole rows, single cells; count what was done and what is only odd."""
    quantities = [name for name in numbers if not name.startswith("perf") and name != "lead_time"]
    _columns(numbers, [*quantities, "lead_time"], repaired)
    _rows(numbers, quantities, repaired)
    _cells_of_sums(numbers, repaired, suspects)
    _lonely_cells(numbers, quantities, repaired, suspects)
    _lead_times(numbers["lead_time"], repaired)


def _thousands(values: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return (values != 0) & (values % FACTOR == 0)


def _columns(numbers: dict[str, Floats], names: list[str], repaired: Counter[str]) -> None:
    for name in names:
        values = numbers[name]
        counted = np.isfinite(values) & (values != 0)
        whole = _thousands(values) & counted
        if counted.sum() >= NEEDED_VALUES and whole.sum() >= COLUMN_SHARE * counted.sum():
            values[whole] /= FACTOR
            repaired[f"{name}: whole column in thousandths"] += int(whole.sum())


def _rows(numbers: dict[str, Floats], names: list[str], repaired: Counter[str]) -> None:
    table = np.stack([numbers[name] for name in names])
    counted = np.isfinite(table) & (table != 0)
    slipped = (counted.sum(axis=0) >= 2) & (_thousands(table) | ~counted).all(axis=0)
    for name in names:
        numbers[name][slipped] /= FACTOR
    if slipped.any():
        repaired["rows in thousandths"] += int(slipped.sum())


def _cells_of_sums(numbers: dict[str, Floats], repaired: Counter[str], suspects: Counter[str]) -> None:
    """In a chain of sums a thousandfold cell stands above a later one; dividing it must mend the chain."""
    for chain in CUMULATIVE:
        for _ in chain:  # a row may hold more than one
            table = np.stack([numbers[name] for name in chain])
            broken = _is_broken(table)
            for place, name in enumerate(chain):
                tried = table.copy()
                tried[place] /= FACTOR
                mended = broken & _thousands(table[place]) & ~_is_broken(tried)
                if mended.any():
                    numbers[name][mended] /= FACTOR
                    repaired[f"{name}: thousandfold against the other months"] += int(mended.sum())
                    broken &= ~mended
        table = np.stack([numbers[name] for name in chain])
        if left := int(_is_broken(table).sum()):
            suspects[f"{chain[0].partition('_')[0]}: fewer units in more months"] += left
        _last_of_chain(numbers, chain, repaired, suspects)


def _last_of_chain(
    numbers: dict[str, Floats], chain: tuple[str, ...], repaired: Counter[str], suspects: Counter[str]
) -> None:
    """A thousandfold last sum breaks no order; it stands out against the one before it."""
    last, before = numbers[chain[-1]], numbers[chain[-2]]
    with np.errstate(invalid="ignore"):
        odd = _thousands(last) & (before > 0) & (last / FACTOR >= before) & (last > 100 * before)
    _mend_if_many(numbers, chain[-1], odd, repaired, suspects)


def _lonely_cells(numbers: dict[str, Floats], names: list[str], repaired: Counter[str], suspects: Counter[str]) -> None:
    """A whole-thousand quantity a hundred times above everything else of its row."""
    table = np.nan_to_num(np.abs(np.stack([numbers[name] for name in names])))
    ranked = np.sort(table, axis=0)
    for place, name in enumerate(names):
        if name in {month for chain in CUMULATIVE for month in chain}:
            continue
        others = np.where(table[place] == ranked[-1], ranked[-2], ranked[-1])
        odd = _thousands(numbers[name]) & (others > 0) & (table[place] > 100 * others)
        _mend_if_many(numbers, name, odd, repaired, suspects)


def _mend_if_many(
    numbers: dict[str, Floats], name: str, odd: NDArray[np.bool_], repaired: Counter[str], suspects: Counter[str]
) -> None:
    if not odd.any():
        return
    if odd.sum() >= max(2, SUSPECT_SHARE * len(odd)):
        numbers[name][odd] /= FACTOR
        repaired[f"{name}: thousandfold against the rest of the row"] += int(odd.sum())
    else:
        suspects[f"{name}: perhaps thousandfold"] += int(odd.sum())


def _lead_times(values: Floats, repaired: Counter[str]) -> None:
    with np.errstate(invalid="ignore"):
        long = values >= FACTOR
    values[long] /= FACTOR
    if long.any():
        repaired["lead_time: thousandfold"] += int(long.sum())


def _is_broken(table: Floats) -> NDArray[np.bool_]:
    """Columns in which a later sum is smaller than an earlier one; unknown cells are passed over."""
    highest = np.maximum.accumulate(np.nan_to_num(table, nan=-np.inf), axis=0)
    with np.errstate(invalid="ignore"):
        return np.any(table[1:] < highest[:-1], axis=0)
