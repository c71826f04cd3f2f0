"""Answers that no column tells by itself: those of rows before and after, of two columns together, of a row nearly the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ml.telling_columns import (
    COLUMN_ROC,
    FEWEST_POSITIVES,
    RARE,
    Counted,
    Labels,
    Told,
    pure_from,
    strength,
    surely_above,
    surely_share,
)

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

STEPS = (1, 2, 3)
"""Rows up and down whose answers a column may hold."""
NEIGHBOUR_ROC = 0.60
"""Columns of the public file rank the answers of other rows with .54 at most."""
FURTHER = 0.05
"""By how much a column must rank them better than those of its own rows: in a file that was sorted it ranks both."""
BINS = 16
MORE = 1.5
"""Times the share behind the value of each column by itself from which two tell what none of them does."""
LOOKED_AT = 3000
"""Rows whose nearest rows are looked for."""
NEXT = 4
NEARER = 0.2
"""A copy is this much nearer than the fourth nearest row; of the rows of the public file one in forty has such a neighbour."""
COPIES = 0.06


def telling_neighbour(label: Labels, column: Floats) -> Told | None:
    """Does a column hold, row by row, the answers of rows before or after it, or count them."""
    if label.sum() < FEWEST_POSITIVES:
        return None
    filled = np.nan_to_num(column, nan=-1.0)
    _, place = np.unique(filled, return_inverse=True)
    own = _roc(place, label)
    if own > COLUMN_ROC:
        return None  # it is the answer itself
    steps = np.diff(filled, prepend=filled[:1])
    counted = max(strength(label, steps), strength(label, np.roll(steps, -1)))
    if counted > COLUMN_ROC:
        return Told(" of the answer by its steps from row to row", counted, f"ROC {counted:.3f}")
    limit = max(NEIGHBOUR_ROC, own + FURTHER, surely_above(label))
    for step in (*STEPS, *(-step for step in STEPS)):
        roc = _roc(place, np.roll(label, step))
        if roc > limit:
            rows = f"{abs(step)} row{'s' * (abs(step) > 1)} {'before' if step > 0 else 'after'}"
            return Told(f" of the answer {rows}", roc, f"ROC {roc:.3f}")
    return None


def telling_pairs(
    label: Labels, columns: Mapping[str, Floats], known_to_tell: Collection[str] = ()
) -> Iterator[tuple[str, Told]]:
    """Pairs of columns behind whose values together surely most rows are positive, far more than behind those of each: by
    their values, their last digits, and which of both is larger. Two columns that are `known_to_tell` are no pair."""
    rate = float(label.mean()) if len(label) else 0.0
    if label.sum() < FEWEST_POSITIVES or rate > RARE:
        return
    limit = pure_from(rate)
    coded = {name: (_binned(values), _last_digits(values)) for name, values in columns.items()}
    for one, other in combinations(columns, 2):
        if one in known_to_tell and other in known_to_tell:
            continue
        larger = np.nan_to_num(np.sign(columns[one] - columns[other]), nan=2.0).astype(np.int64) + 1
        ways = {
            "": (coded[one][0], coded[other][0]),
            " by their last digits": (coded[one][1], coded[other][1]),
            " by which is larger": (larger, np.zeros_like(larger)),
        }
        for how, (first, second) in ways.items():
            codes = first * (int(second.max(initial=0)) + 1) + second
            rows, positives = np.bincount(codes), np.bincount(codes, weights=label).astype(np.float64)
            share = surely_share(positives, np.maximum(rows, 1))
            best = int(share.argmax())
            if share[best] > limit and (
                first is larger or share[best] > MORE * _alone(label, codes == best, first, second)
            ):
                figure = f"{int(positives[best])} of {int(rows[best])} rows"
                yield f"{one} with {other}", Told(how, float(share[best]), figure)
                break


def _alone(label: Labels, cell: NDArray[np.bool_], *columns: Codes) -> float:
    """The larger share of positives behind the value that each column has in a cell."""
    return max(float(label[column == column[cell][0]].mean()) for column in columns)


def copied_rows(training: Sequence[Floats], test: Floats) -> tuple[float, float]:
    """Share of test rows that have one training row far nearer than the next ones, and the share from which they are copies
    with some noise: what training rows have among themselves is no more than likeness.

    Rows are figures of an item (NaN unknown), columns the same in all.
    """
    known, asked = _flat(np.vstack(training)), _flat(test)
    wide = known.std(axis=0) if len(known) else np.zeros(0)
    if len(known) <= NEXT or not len(asked) or not wide.any():
        return 0.0, 1.0
    known, asked = (rows[:, wide > 0] / wide[wide > 0] for rows in (known, asked))
    tree = KDTree(known)
    own, _ = tree.query(_some(known), k=NEXT + 1)  # the nearest is the row itself
    return _alike(tree.query(_some(asked), k=NEXT)[0]), max(COPIES, 2 * _alike(own[:, 1:]) + 0.01)


def _alike(distance: Floats) -> float:
    return float((distance[:, 0] < NEARER * distance[:, -1]).mean())


def _some(rows: Floats) -> Floats:
    return rows[:: max(1, len(rows) // LOOKED_AT)]


def _flat(rows: Floats) -> Floats:
    rows = np.nan_to_num(rows)
    return np.sign(rows) * np.log1p(np.abs(rows))


def _roc(place: Codes, label: Labels) -> float:
    return Counted(np.bincount(place), np.bincount(place, weights=label).astype(np.float64)).roc()


def _binned(values: Floats) -> Codes:
    """Different values where they are few, else sixteenths of the rows; what is empty is a value of its own."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) > BINS:
        known = np.unique(np.quantile(values[~np.isnan(values)], np.arange(1, BINS) / BINS))
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(known, values, side="right")).astype(np.int64)


def _last_digits(values: Floats) -> Codes:
    return np.where(np.isnan(values), 10, np.floor(np.abs(np.nan_to_num(values))) % 10).astype(np.int64)
