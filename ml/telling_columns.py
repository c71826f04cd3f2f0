"""How strongly a column of a file, or the place of a row, tells the answer: by order, empty cells, values, digits, ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.backorder_file import SHARES

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

USUAL: dict[str, float] = {
    "national_inv": 0.83, "in_transit_qty": 0.56, "forecast_3_month": 0.79, "forecast_6_month": 0.80, "forecast_9_month": 0.79,
    "sales_1_month": 0.66, "sales_3_month": 0.67, "sales_6_month": 0.66, "sales_9_month": 0.64, "min_bank": 0.53,
    "pieces_past_due": 0.57, "local_bo_qty": 0.57, "lead_time": 0.61, "perf_6_month_avg": 0.61, "perf_12_month_avg": 0.61,
    "deck_risk": 0.54, "ppap_risk": 0.53,
}  # fmt: skip
"""How well a column of the public file ranks by itself, in the best of its ways; each quarter of the file says the same within
.03. Others, and whether any of them is empty, tell next to nothing (.50 to .53)."""
ORDER_ALONE = {
    "national_inv": 0.80, "in_transit_qty": 0.54, "forecast_3_month": 0.76, "forecast_6_month": 0.75, "forecast_9_month": 0.74,
    "sales_1_month": 0.64, "sales_3_month": 0.64, "sales_6_month": 0.63, "sales_9_month": 0.62, "pieces_past_due": 0.55,
    "local_bo_qty": 0.56, "lead_time": 0.55, "perf_6_month_avg": 0.55,
}  # fmt: skip
"""The same by the order of values alone: a file in which most columns say so is like the public one, and what they tell in
another is nobody's to know."""
ALIKE, MOST_ALIKE = 0.06, 10
COLUMN_ROC = 0.93
"""In another file: beyond this a column is the answer."""
STRONGER = 0.06
"""By how much a column may rank better than usual."""
LEAST = 0.04
"""The same for empty cells and fractions, which are to say nothing."""
UNREAD_ROC = 0.72
"""What a column ranks that no model reads before it is hinted at: nobody knows its usual strength, and months of cover rank .80."""
COLUMN_PR, COLUMN_LIFT = 0.20, 8.0
"""Precision of the best column is .045 where one row in a hundred is positive: beyond both it knows some of the answers."""
PURE = 0.35
"""Share of positives that surely lies behind a single value, or at an end of a column: in the public file it is .20 at most (200
items with the least stock), so that beyond this the value was written by somebody who knew."""
PURE_ODDS = 45.0
"""The same where positives are more frequent, as odds over those of the file: they are 35 in the public one."""
IN_ORDER = 0.95
"""From here on rows stand in the order of a column: slope of their places on its ranks, 1 in a file that was sorted by it."""
LONGEST_END = 2000
"""Rows at an end of a column that are looked at together."""
RARE = 0.1
"""Share of positives above which precision says nothing of this kind."""
FEWEST_POSITIVES = 20
FEWEST_PURE = 10
NOTHING = 0.53
LIKE_ITSELF = ("", " by single values", " by its last digit")
"""Ways that say no more than the column does; empty cells and fractions are to say nothing."""
PERIODS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 25, 50, 100)
BLOCK = 50
PRIOR_ROWS = 20.0
"""Rows of the whole file that the rate of a value is mixed with."""


@dataclass(frozen=True)
class Told:
    """How a column tells ("" by its order, " is empty", " by single values" ...), how strongly, and whether that is beyond
    what a figure derived from columns that are known beforehand may do."""

    how: str
    strength: float
    figure: str
    is_sure: bool = True


def is_like_public(label: Labels, numbers: Mapping[str, Floats]) -> bool:
    """Do most columns rank as those of the public file do: then one that ranks better stands out."""
    told = {name: strength(label, np.nan_to_num(numbers[name], nan=-1.0)) for name in ORDER_ALONE if name in numbers}
    return sum(abs(roc - ORDER_ALONE[name]) <= ALIKE for name, roc in told.items()) >= MOST_ALIKE


def telling_column(label: Labels, values: Floats, name: str = "", *, is_public: bool = False) -> Told | None:
    """The first way in which a column ranks too well to be known beforehand; None is the ordinary case.

    `name` is that of a column of the public file's layout; in a file like that one its usual strength is known. Of others
    what is sure goes before what is only odd.
    """
    few = label.sum() < FEWEST_POSITIVES
    filled = np.nan_to_num(values, nan=-1.0)
    ways = {" is empty": np.isnan(values).astype(float), "": filled}
    if not few:
        ways |= {
            " by single values": rate_of_value(label, values),
            " by its last digit": rate_of_value(label, filled % 10),
        }
    if name:
        ways[" by its fraction"] = (np.round(filled * (100 if name in SHARES else 1), 6) % 1 != 0).astype(float)
    chance = surely_above(label) - 0.5
    counted = {how: Counted.of(label, column) for how, column in ways.items()}
    odd = None
    for how, counts in counted.items():
        usual = USUAL.get(name, NOTHING) if how in LIKE_ITSELF else NOTHING
        limit = UNREAD_ROC
        if name and is_public:
            limit = usual + (STRONGER if how in LIKE_ITSELF else LEAST)
        elif name and how in LIKE_ITSELF:
            limit = COLUMN_ROC
        roc = counts.roc()
        if roc > max(limit, usual + chance):
            figure = f"ROC {roc:.3f}, where {usual:.2f} is usual" if is_public and name else f"ROC {roc:.3f}"
            if name or roc > COLUMN_ROC:
                return Told(how, roc, figure)
            odd = odd or Told(how, roc, figure, is_sure=False)
    rate = float(label.mean()) if len(label) else 0.0
    if few or rate > RARE:
        return odd
    for how, counts in counted.items():
        pr = counts.precision()
        if pr > max(COLUMN_PR, COLUMN_LIFT * rate):
            return Told(how, pr, f"precision {pr:.3f} at a rate of {rate:.3f}")
    ends = [counted[how] for how in ("", " by its fraction") if how in counted]
    return _pure_part(Counted.of(label, values), ends, pure_from(rate)) or odd


@dataclass(frozen=True)
class Counted:
    """Rows and positives per different value of a column, the values ascending."""

    rows: NDArray[np.int64]
    positives: Floats

    @classmethod
    def of(cls, label: Labels, column: Floats) -> Counted:
        _, place = np.unique(column, return_inverse=True)
        return cls(np.bincount(place), np.bincount(place, weights=label).astype(np.float64))

    def roc(self) -> float:
        """Area under the ROC curve in the better of both directions; .5 where there is nothing to tell apart."""
        negatives = self.rows - self.positives
        pairs = self.positives.sum() * negatives.sum()
        if not pairs:
            return 0.5
        below = np.cumsum(negatives) - negatives
        area = float((self.positives * (below + negatives / 2)).sum() / pairs)
        return max(area, 1 - area)

    def precision(self) -> float:
        """Average precision in the better of both directions."""
        best = 0.0
        for rows, positives in ((self.rows, self.positives), (self.rows[::-1], self.positives[::-1])):
            share = np.cumsum(positives) / np.maximum(np.cumsum(rows), 1)
            best = max(best, float((share * positives).sum() / max(positives.sum(), 1)))
        return best


def pure_from(rate: float) -> float:
    """Share of positives behind a value from which somebody who knew wrote it, in a file of this rate."""
    odds = PURE_ODDS * rate / (1 - rate)
    return max(PURE, odds / (1 + odds))


def _pure_part(values: Counted, ends: list[Counted], limit: float) -> Told | None:
    """A value (empty, too), or an end of a column, behind which surely more than `limit` are positive."""
    share = surely_share(values.positives, values.rows)
    if len(share) and share.max() > limit:
        best = int(share.argmax())
        return Told(
            " at one value", float(share[best]), f"{int(values.positives[best])} of {int(values.rows[best])} rows"
        )
    for end in ends:
        for step in (1, -1):
            rows, positives = np.cumsum(end.rows[::step]), np.cumsum(end.positives[::step])
            share = np.where(rows <= LONGEST_END, surely_share(positives, rows), 0.0)
            if len(share) and share.max() > limit:
                best = int(share.argmax())
                return Told(" at one end", float(share[best]), f"{int(positives[best])} of {int(rows[best])} rows")
    return None


def surely_share(positives: Floats, rows: NDArray[np.int64]) -> Floats:
    """What share of positives lies behind a value with certainty (three standard errors; Wilson 1927); 0 below ten of them."""
    share, z = positives / np.maximum(rows, 1), 3.0
    low = (share + z**2 / (2 * rows) - z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))) / (
        1 + z**2 / rows
    )
    return np.where(positives >= FEWEST_PURE, low, 0.0)


def telling_place(label: Labels, index: NDArray[np.int64], columns: Iterable[Floats] = ()) -> tuple[str, float]:
    """How strongly the place of a row in its file tells the answer: its order, its place in a period, or its block.

    What a column tells by which the file was sorted, its rows tell, too: that is not counted.
    """
    found = {"sorted by": strength(label, index.astype(float))}
    if label.sum() >= FEWEST_POSITIVES:
        found["in blocks by"] = strength(label, rate_of_value(label, (index // BLOCK).astype(float)))
    found = {how: beyond_columns(label, index, roc, columns) for how, roc in found.items()}
    if label.sum() >= FEWEST_POSITIVES:
        for period in PERIODS:
            found[f"periodic ({period}) in"] = strength(label, rate_of_value(label, (index % period).astype(float)))
    return max(found.items(), key=lambda item: item[1])


def beyond_columns(label: Labels, place: NDArray[np.int64] | Floats, roc: float, columns: Iterable[Floats]) -> float:
    """`roc`, or .5 (nothing) where a column in whose order the places stand ranks about as well."""
    if roc <= NOTHING + STRONGER:
        return roc
    limit = roc - STRONGER
    explained = any(goes_with(place, column) and strength_of_any(label, column) >= limit for column in columns)
    return 0.5 if explained else roc


def goes_with(place: NDArray[np.int64] | Floats, column: Floats) -> bool:
    """Do rows stand in the order of a column, up or down; empty cells may stand anywhere."""
    known = ~np.isnan(column)
    _, value, counts = np.unique(column[known], return_inverse=True, return_counts=True)
    if len(counts) < 2 or known.mean() < 0.5:
        return False
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[value]
    places = np.argsort(np.argsort(place[known], kind="stable"), kind="stable") + 1.0
    return bool(abs(np.cov(places, ranks, bias=True)[0, 1]) > IN_ORDER * ranks.var())


def strength_of_any(label: Labels, column: Floats) -> float:
    """How well a column ranks by its order or by single values, whichever is better."""
    filled = np.nan_to_num(column, nan=-1.0)
    return max(strength(label, filled), strength(label, rate_of_value(label, filled)))


def strength(label: Labels, score: Floats) -> float:
    """How well a column ranks in the better of both directions: .5 (not at all) to 1."""
    return Counted.of(label, score).roc()


def surely_above(label: Labels) -> float:
    """What chance alone does not reach: five standard errors of the ROC of a column that knows nothing."""
    fewer = max(1.0, float(min(label.sum(), len(label) - label.sum())))
    return 0.5 + 5 * float(np.sqrt(1 / (12 * fewer)))


def rate_of_value(label: Labels, values: NDArray[np.float64] | NDArray[np.str_]) -> Floats:
    """Share of positives among the other half's rows with the same value: a code that has no order tells, too.

    Halves are drawn, always the same: the places of rows say nothing of them.
    """
    _, place = np.unique(values, return_inverse=True)
    half = np.random.default_rng(0).integers(0, 2, len(label))
    rate, kinds = float(label.mean()) if len(label) else 0.0, int(place.max(initial=-1)) + 1
    told = np.zeros(len(label))
    for side in (0, 1):
        other, own = half != side, half == side
        rows = np.bincount(place[other], minlength=kinds)
        positives = np.bincount(place[other], weights=label[other], minlength=kinds)
        told[own] = ((positives + PRIOR_ROWS * rate) / (rows + PRIOR_ROWS))[place[own]]
    return told


def keys_of_names(label: Labels, names: NDArray[np.str_]) -> list[Floats]:
    """What a part number may say by itself: its number, its place among all, how it begins and ends, how long it is."""
    numbers = np.array([float(name) if name.isdecimal() and len(name) < 16 else np.nan for name in names.tolist()])
    found = [np.nan_to_num(numbers, nan=-1.0), np.unique(names, return_inverse=True)[1].astype(float)]
    if label.sum() >= FEWEST_POSITIVES:
        parts = [[name[:size] for name in names.tolist()] for size in (1, 2, 3)]
        parts += [[name[-size:] for name in names.tolist()] for size in (1, 2, 3)]
        found += [rate_of_value(label, np.array(part)) for part in parts]
        found.append(rate_of_value(label, np.array([float(len(name)) for name in names.tolist()])))
    return found
