"""Broken figures of a demand history file: what is taken back, what is left out as unknown, and how many of each."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLIP = 1_000.0
FAR = 50.0
"""Times the usual figure from which one is looked at."""
ABSURD = 1_000.0
"""Times the next largest figure of its series, and of the usual one, from which one cannot be."""
SAYS_ENOUGH = 3
"""Other figures above zero that say what is usual."""
RARE = 0.98
"""Share of all figures above zero that lie below what is rare in the file."""
OFTEN = 0.005
"""Share of figures that are thousandfold beyond doubt from which any whole thousand above all others of its series is one."""
WHOLE_ROW = 4
"""Figures above zero, all of them whole thousands, from which a row was written in another unit."""


def repair(units: Floats, names: list[str], findings: Counter[str]) -> list[int]:
    """Mend `units` (a row per series, NaN unknown) in place; returns the rows to keep.

    A figure of whole thousands that is usual once divided by a thousand was written in another unit and is taken back, as
    is a row of nothing but whole thousands in a file of others; one far beyond all others of its series is unknown.
    A row that repeats name and figures of one before is dropped; what only it knows is kept.
    """
    _whole_rows(units, findings)
    _single_figures(units, findings)
    seen: dict[str, list[int]] = {}
    kept: list[int] = []
    for row, name in enumerate(names):
        before = next((other for other in seen.get(name, ()) if _repeats(units[row], units[other])), None)
        if before is not None:
            units[before] = np.where(np.isnan(units[before]), units[row], units[before])
            findings["dropped: repeated row"] += 1
            continue
        seen.setdefault(name, []).append(row)
        kept.append(row)
    return kept


def _repeats(row: Floats, other: Floats) -> bool:
    """Do two rows of one name say the same wherever both say something, and sell at all."""
    both = ~np.isnan(row) & ~np.isnan(other)
    return int(both.sum()) >= SAYS_ENOUGH and bool((row[both] == other[both]).all()) and bool(np.nansum(row[both]) > 0)


def _whole_rows(units: Floats, findings: Counter[str]) -> None:
    sold = np.nan_to_num(units) > 0
    thousands = sold & (np.nan_to_num(units) % SLIP == 0)
    count = sold.sum(axis=1)
    whole = (count >= WHOLE_ROW) & (thousands.sum(axis=1) == count)
    others = sold[~whole].sum()
    if whole.any() and others and thousands[~whole].sum() < 0.05 * others and whole.mean() < 0.5:
        units[whole] /= SLIP
        findings["repaired: rows in thousandths"] += int(whole.sum())


def _single_figures(units: Floats, findings: Counter[str]) -> None:
    sold = np.where(np.nan_to_num(units) > 0, units, np.nan)
    known = sold[~np.isnan(sold)]
    if len(known) < SAYS_ENOUGH:
        return
    enough = (~np.isnan(sold)).sum(axis=1) > SAYS_ENOUGH
    usual = np.full(len(units), np.nan)
    if enough.any():
        usual[enough] = np.nanmedian(sold[enough], axis=1)
    others = known[known % SLIP != 0]
    is_mixed = len(others) >= 0.5 * len(known)
    rare, common = np.quantile(
        others if is_mixed else known, [RARE, 0.5]
    )  # what a series of few figures is held against
    with np.errstate(invalid="ignore"):
        thousands = sold % SLIP == 0
        far = sold > FAR * usual[:, None]
        back = far & thousands & (sold / SLIP >= 0.2 * usual[:, None]) & (sold / SLIP <= 5 * usual[:, None])
        if is_mixed:
            beyond = np.where(enough[:, None], far, sold > FAR * common) & (sold > rare)
            back |= beyond & thousands & (sold / SLIP <= rare)
            if back.sum() >= OFTEN * len(known):
                largest = np.max(np.where(np.isnan(sold) | thousands, 0.0, sold), axis=1)
                back |= thousands & (sold > np.where(largest > 0, largest, rare)[:, None]) & (sold / SLIP <= rare)
        units[back] /= SLIP
        ranked = np.sort(np.where(np.isnan(sold), 0.0, np.where(back, sold / SLIP, sold)), axis=1)
        second = np.maximum(ranked[:, -2], usual)
        absurd = ~back & ((far & (sold > ABSURD * second[:, None])) | (sold > ABSURD * rare))
    units[absurd] = np.nan
    if back.any():
        findings["repaired: thousandfold figures"] += int(back.sum())
    if absurd.any():
        findings["cells_unknown: absurd"] += int(absurd.sum())
