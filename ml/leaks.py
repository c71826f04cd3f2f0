"""Looks for ways in which the answer reached the questions: columns, order, names and rows that know too much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.backorder_file import FLAGS, BackorderTable
from ml.telling_columns import keys_of_names, strength, surely_above, telling_column

Floats = NDArray[np.float64]

ORDER_ROC = 0.70
LATER_NAMES = re.compile(r"(^|_)(next|future|outcome|target|label|resolved|closed)(_|$)")
"""Headings of columns that cannot have been known when the others were."""
SHARED_ROWS = 0.02
"""Share of informative test rows that may stand in the training files, too: unchanged parts do, in small numbers."""
INFORMATIVE = 6
"""Different positive quantities from which a row is a fingerprint rather than a coincidence."""
SUSPICIOUS = {"roc_auc": 0.95, "pr_auc": 0.30}
"""On the official split; published results above come from files in which the same part is on both sides."""


@dataclass(frozen=True)
class Leak:
    """`kind` is a stable word, `what` the column or file, `figure` how strong it is."""

    kind: str
    what: str
    figure: float
    sentence: str

    def as_json(self) -> dict[str, object]:
        return {"kind": self.kind, "what": self.what, "figure": round(self.figure, 4), "sentence": self.sentence}


def find_leaks(training: list[BackorderTable], test: BackorderTable) -> list[Leak]:
    """What in the files themselves gives the answer away; empty is the ordinary case."""
    found = [leak for table, name in ((training[0], "training"), (test, "test")) for leak in _within(table, name)]
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
    for name, values in columns.items():
        told = telling_column(table.label, values)
        if told is not None:
            what = f"{name}{told.how}"
            sentence = f"In the {file} file the column {what} alone ranks with {told.figure}: it knows the answer."
            if name in table.others:
                sentence += " No model reads it."
            found.append(Leak("column", what, told.strength, sentence))
        elif name in table.others and LATER_NAMES.search(name):
            sentence = f"The column {name} of the {file} file is named for what comes later. No model reads it."
            found.append(Leak("name", name, 1.0, sentence))
    roc, surely = strength(table.label, table.index.astype(float)), surely_above(table.label)
    if roc > max(ORDER_ROC, surely):
        found.append(
            Leak("order", file, roc, f"The rows of the {file} file are sorted by their answer (ROC {roc:.3f}).")
        )
    if table.sku is not None:
        roc = max(strength(table.label, key) for key in keys_of_names(table.label, table.sku))
        if roc > max(ORDER_ROC, surely):
            found.append(Leak("sku", file, roc, f"The SKU numbers of the {file} file tell the answer (ROC {roc:.3f})."))
    return found


def _informative(table: BackorderTable) -> NDArray[np.bool_]:
    """Rows whose quantities are so many different ones that two parts hardly share them."""
    quantities = np.sort(np.nan_to_num(np.stack(list(table.numbers.values())[:12])), axis=0)
    return ((np.diff(quantities, axis=0) != 0) & (quantities[1:] > 0)).sum(axis=0) >= INFORMATIVE


def _shared_rows(training: list[BackorderTable], test: BackorderTable) -> list[Leak]:
    telling = test.take(_informative(test))
    if not len(telling):
        return []
    known = {key.tobytes() for table in training for key in table.take(_informative(table)).row_keys(with_label=False)}
    shared = np.array([key.tobytes() in known for key in telling.row_keys(with_label=False)])
    share = float(shared.mean())
    positive = telling.label == 1
    share_positive = float(shared[positive].mean()) if positive.any() else 0.0
    worst = max(share, share_positive)
    if worst <= SHARED_ROWS or shared.sum() < 5:
        return []
    sentence = (
        f"{int(shared.sum())} rows of the test file ({share_positive:.1%} of its positives) are in the training files."
    )
    return [Leak("rows", "training and test", worst, sentence)]


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
