"""Looks for ways in which the answer reached the questions: columns, order, names and rows that know too much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.backorder_file import FLAGS, NUMBERS, BackorderTable
from ml.hidden_answers import copied_rows, telling_neighbour, telling_pairs
from ml.telling_columns import (
    beyond_columns,
    is_like_public,
    keys_of_names,
    strength,
    surely_above,
    telling_column,
    telling_place,
)

Floats = NDArray[np.float64]

ORDER_ROC = 0.60
"""Place of a row, and part number: .51 and .55 in the public file."""
LATER_NAMES = re.compile(r"(^|_)(next|future|outcome|target|label|resolved|closed)(_|$)")
"""Headings of columns that cannot have been known when the others were."""
SHARED_ROWS = 0.02
"""Share of informative test rows that may stand in the training files, too: unchanged parts do, in small numbers."""
NEAR_ROWS = 0.06
"""The same for rows that are alike but for some columns: below .02 between weeks, and parts, of the public file."""
LIKENESSES = (
    ("", ()),
    (" but for stock, transit and the last month's sales", ("national_inv", "in_transit_qty", "sales_1_month")),
    (" but for the forecasts", ("national_inv", "forecast_3_month", "forecast_6_month", "forecast_9_month")),
)
INFORMATIVE = 6
"""Different positive quantities from which a row is a fingerprint rather than a coincidence."""
SUSPICIOUS = {"roc_auc": 0.95, "pr_auc": 0.30}
"""On the official split; published results above come from files in which the same part is on both sides."""


@dataclass(frozen=True)
class Leak:
    """`kind` is a stable word ("hint": worth a look, no proof), `what` the column or file, `figure` how strong it is."""

    kind: str
    what: str
    figure: float
    sentence: str

    def as_json(self) -> dict[str, object]:
        return {"kind": self.kind, "what": self.what, "figure": round(self.figure, 4), "sentence": self.sentence}


def find_leaks(training: list[BackorderTable], test: BackorderTable) -> list[Leak]:
    """What in the files themselves gives the answer away; empty is the ordinary case."""
    files = [(table, "training" if not place else f"training ({place + 1})") for place, table in enumerate(training)]
    found = [leak for table, name in (*files, (test, "test")) for leak in _within(table, name)]
    # of later files only positives are learned from: their order is nothing
    for table, name in (*files[:1], (test, "test")):
        found += _by_place(table, name)
    return found + _shared_rows(training, test) + _shared_parts(training, test)


def suspicious_figures(figures: Mapping[str, float | None]) -> list[Leak]:
    """A result that is too good: above .95 ROC or .30 PR one looks for the leak first."""
    return [
        Leak("too_good", name, value, f"{name} {value:.3f} is above {limit}: look for a leak before believing it.")
        for name, limit in SUSPICIOUS.items()
        if (value := figures.get(name)) is not None and value > limit
    ]


def _within(table: BackorderTable, file: str) -> list[Leak]:
    found = []
    columns = {**table.numbers, **dict(zip(FLAGS, table.flags.T.astype(float), strict=True)), **table.others}
    is_public = is_like_public(table.label, table.numbers)
    for name, values in columns.items():
        told = telling_column(table.label, values, "" if name in table.others else name, is_public=is_public)
        if told is not None:
            what = f"{name}{told.how}"
            knows = "it knows the answer" if told.is_sure else "it knows the answer, or sums up what others say"
            sentence = f"In the {file} file the column {what} alone ranks with {told.figure}: {knows}."
            if name in table.others:
                sentence += " No model reads it."
            found.append(Leak("column" if told.is_sure else "hint", what, told.strength, sentence))
        elif name in table.others and LATER_NAMES.search(name):
            sentence = f"The column {name} of the {file} file is named for what comes later. No model reads it."
            found.append(Leak("name", name, 1.0, sentence))
    known = {name for name in columns if any(leak.what.startswith(name) for leak in found)}
    left = {name: values for name, values in columns.items() if name not in known}
    # what stock and forecast say together is known of a file like the public one only
    return found + _within_pairs(table, file, left, () if is_public else tuple(table.numbers))


def _within_pairs(
    table: BackorderTable, file: str, columns: Mapping[str, Floats], known_to_tell: tuple[str, ...]
) -> list[Leak]:
    """Answers of pairs of columns, none of which tells them by itself."""
    found = []
    for what, told in telling_pairs(table.label, columns, known_to_tell):
        sentence = (
            f"In the {file} file the columns {what}{told.how} tell the answer together: {told.figure} are positive."
        )
        found.append(Leak("columns", what, told.strength, sentence))
    return found


def _by_place(table: BackorderTable, file: str) -> list[Leak]:
    found = []
    read = [*table.numbers.values(), *table.flags.T.astype(float)]
    names = [*table.numbers, *FLAGS, *table.others]
    for name, values in zip(names, [*read, *table.others.values()], strict=True):
        if (told := telling_neighbour(table.label, values)) is not None:
            sentence = f"In the {file} file the column {name} knows the answer{told.how.removeprefix(' of the answer')} ({told.figure})."
            found.append(Leak("neighbour", name, told.strength, sentence))
    (how, roc), surely = telling_place(table.label, table.index, read), surely_above(table.label)
    if roc > max(ORDER_ROC, surely):
        sentence = f"The rows of the {file} file are {how} their answer (ROC {roc:.3f})."
        found.append(Leak("order", file, roc, sentence))
    if table.sku is not None:
        keys = keys_of_names(table.label, table.sku)
        roc = beyond_columns(table.label, keys[0], max(strength(table.label, key) for key in keys), read)
        if roc > max(ORDER_ROC, surely):
            found.append(Leak("sku", file, roc, f"The SKU numbers of the {file} file tell the answer (ROC {roc:.3f})."))
    return found


def _informative(table: BackorderTable) -> NDArray[np.bool_]:
    """Rows whose quantities are so many different ones that two parts hardly share them."""
    quantities = np.sort(np.nan_to_num(np.stack(list(table.numbers.values())[:12])), axis=0)
    return ((np.diff(quantities, axis=0) != 0) & (quantities[1:] > 0)).sum(axis=0) >= INFORMATIVE


def _shared_rows(training: list[BackorderTable], test: BackorderTable) -> list[Leak]:
    """Test rows that stand in the training files: as they are, or in all that does not change from week to week."""
    telling = test.take(_informative(test))
    if not len(telling):
        return []
    known = [table.take(_informative(table)) for table in training]
    positive = telling.label == 1
    for words, changing in LIKENESSES:
        keys = {key.tobytes() for table in known for key in table.row_keys(with_label=False, leave_out=changing)}
        own = telling.row_keys(with_label=False, leave_out=changing)
        shared = np.array([key.tobytes() in keys for key in own])
        share, share_positive = float(shared.mean()), float(shared[positive].mean()) if positive.any() else 0.0
        worst = max(share, share_positive)
        limit = NEAR_ROWS if changing else SHARED_ROWS
        if worst > limit and shared.sum() >= 5 and (share > limit or shared[positive].sum() >= 5):
            sentence = (
                f"{int(shared.sum())} rows of the test file ({share_positive:.1%} of its positives) are in the training "
                f"files{words}."
            )
            return [Leak("rows", "training and test", worst, sentence)]
    return _copied(known, telling)


def _copied(training: list[BackorderTable], test: BackorderTable) -> list[Leak]:
    """Test rows that stand in the training files with some noise in their figures."""

    def figures(table: BackorderTable) -> Floats:
        return np.stack([table.numbers[name] for name in NUMBERS], axis=1)

    share, limit = copied_rows([figures(table) for table in training], figures(test))
    if share <= limit:
        return []
    sentence = f"{share:.1%} of the rows of the test file have one training row far nearer to them than all others: copies with noise."
    return [Leak("rows", "training and test", share, sentence)]


def _shared_parts(training: list[BackorderTable], test: BackorderTable) -> list[Leak]:
    names = [set(table.sku.tolist()) for table in training if table.sku is not None]
    if not names or test.sku is None:
        return []
    shared = float(np.isin(test.sku, list(set.union(*names))).mean())
    if shared <= SHARED_ROWS:
        return []
    sentence = (
        f"{shared:.1%} of the SKUs of the test file are in the training files: the split is not by time and part."
    )
    return [Leak("parts", "training and test", shared, sentence)]
