"""Broken figures of a demand history file: what is taken back, what is left out as unknown, and how many of each."""

from __future__ import annotations

from collections import Counter
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

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
"""Share of figures that are thousandfold beyond doubt from which less will do to see another."""
NEARER = SLIP**0.5
"""Times the usual figure from which one is nearer to it when divided, in orders of magnitude."""
DOUBTFUL = 10.0
"""Times the largest other figure of its series from which a whole thousand is doubtful in a file of many slips."""
CHANCE = 0.999
"""How sure it must be that so many series of whole thousands are no slips."""
WHOLE_ROW = 4
"""Figures above zero, all of them whole thousands, from which a row was written in another unit."""


def repair(units: Floats, names: list[str], findings: Counter[str]) -> list[int]:
    """Mend `units` (a row per series, NaN unknown) in place; returns the rows to keep.

    A figure of whole thousands that is usual once divided by a thousand was written in another unit and is taken back, as
    is a row of nothing but whole thousands in a file of others; one far beyond all others of its series is unknown. Without
    another figure of its own series to witness it none is divided: bulk goods are sold by the thousand.
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
        low, high = np.quantile(units[~whole][sold[~whole]], [1 - RARE, RARE])
        level = np.nanmedian(np.where(sold[whole], units[whole], np.nan), axis=1)
        whole[whole] = np.maximum(SLIP * low / level, 1) < np.maximum(level / high, 1)  # nearer to the others' range
    else:
        whole[:] = False
    if whole.any():
        units[whole] /= SLIP
        findings["repaired: rows in thousandths"] += int(whole.sum())


def _single_figures(units: Floats, findings: Counter[str]) -> None:
    sold = np.where(np.nan_to_num(units) > 0, units, np.nan)
    known = sold[~np.isnan(sold)]
    if len(known) < SAYS_ENOUGH:
        return
    count = (~np.isnan(sold)).sum(axis=1)
    usual = _medians(sold, count > SAYS_ENOUGH)
    others = known[known % SLIP != 0]
    is_mixed = len(others) >= 0.5 * len(known)
    rare, common = np.quantile(
        others if is_mixed else known, [RARE, 0.5]
    )  # what a series of few figures is held against
    doubtful = np.zeros(units.shape, bool)
    with np.errstate(invalid="ignore"):
        thousands = sold % SLIP == 0
        far = sold > FAR * usual[:, None]
        back = far & thousands & (sold / SLIP >= 0.2 * usual[:, None]) & (sold / SLIP <= 5 * usual[:, None])
        if is_mixed:
            witnesses = np.where(thousands, np.nan, sold)
            witnessed = 2 * thousands.sum(axis=1) <= count
            own = _medians(witnesses, witnessed & (count > 0))[:, None]
            might = thousands & (sold / SLIP <= rare)
            enough = (count > SAYS_ENOUGH)[:, None]
            back |= might & (sold > rare) & (sold > FAR * own) & np.where(enough, far, sold > FAR * common)
            if back.sum() >= OFTEN * len(known):
                largest = np.max(np.nan_to_num(witnesses), axis=1)[:, None]
                back |= might & (sold > largest) & (sold > NEARER * own)
                doubtful = might & ~back & (sold > np.where(largest > 0, DOUBTFUL * largest, rare))
                slipped = back | doubtful
                doubtful[~_slips_may_do(slipped, count, doubtful.any(axis=1))] = False
        units[back] /= SLIP
        ranked = np.sort(np.where(np.isnan(sold), 0.0, np.where(back, sold / SLIP, sold)), axis=1)
        second = np.maximum(ranked[:, -2], usual)
        absurd = ~back & ~doubtful & ((far & (sold > ABSURD * second[:, None])) | (sold > ABSURD * rare))
    units[absurd | doubtful] = np.nan
    for kind, cells in (("repaired: thousandfold figures", back), ("cells_unknown: absurd", absurd),
                        ("cells_unknown: perhaps thousandfold", doubtful)):  # fmt: skip
        if cells.any():
            findings[kind] += int(cells.sum())


def _medians(figures: Floats, rows: NDArray[np.bool_]) -> Floats:
    found = np.full(len(figures), np.nan)
    if rows.any():
        found[rows] = np.nanmedian(figures[rows], axis=1)
    return found


def _slips_may_do(slipped: NDArray[np.bool_], count: NDArray[np.int64], asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Are series with so many slips among so many figures no more than chance (binomial) leaves behind: beyond it somebody
    sells by the thousand."""
    rate, slips = slipped.sum() / count.sum(), slipped.sum(axis=1)
    may = np.zeros(len(count), bool)
    for many, figures in {(int(many), int(figures)) for many, figures in zip(slips[asked], count[asked], strict=True)}:
        alike = count == figures
        expected = alike.sum() * comb(figures, many) * rate**many * (1 - rate) ** (figures - many)
        same = alike & (slips == many)
        may |= same & (int((same & asked).sum()) <= poisson.ppf(CHANCE, expected))
    return may
