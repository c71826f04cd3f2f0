"""Makes one training set of several files: later files only add positives, weights restore the first file's rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.backorder_file import BackorderTable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingSet:
    """Rows to fit on. The weighted share of positives is `rate`, that of the first file."""

    numbers: dict[str, Floats]
    label: NDArray[np.int8]
    weight: Floats
    group: NDArray[np.int64]
    rate: float
    repeated_dropped: int
    added_positives: int
    duplicates_dropped: int

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: NDArray[np.bool_]) -> TrainingSet:
        return replace(
            self, numbers={name: values[rows] for name, values in self.numbers.items()},
            label=self.label[rows], weight=self.weight[rows], group=self.group[rows],
        )  # fmt: skip


def training_set(tables: Sequence[BackorderTable]) -> TrainingSet:
    """The first file without rows that are repeated under the same SKU, and the positives that only the others have.

    A positive of a later file that equals a row of an earlier one in all columns but `sku` is dropped. Added
    positives share the weight of the first file's positives with a known (or unknown) lead time, since a file of
    positives may leave out one of both kinds.
    """
    first = tables[0]
    keep = np.arange(len(first))
    if first.sku is not None:
        keep = np.sort(np.unique(first.row_keys(with_sku=True), return_index=True)[1])
    repeated, first = len(first) - len(keep), first.take(keep)
    seen = {key.tobytes() for key in first.row_keys()}
    parts, duplicates = [first], 0
    for table in tables[1:]:
        positives = table.take(table.label == 1)
        fresh = []
        for row, key in enumerate(positives.row_keys()):
            name = key.tobytes()
            if name in seen:
                duplicates += 1
            else:
                seen.add(name)
                fresh.append(row)
        parts.append(positives.take(np.array(fresh, dtype=np.int64)))
    numbers = {name: np.concatenate([part.numbers[name] for part in parts]) for name in first.numbers}
    label = np.concatenate([part.label for part in parts])
    flags = np.concatenate([part.flags for part in parts])
    rate = float(first.label.mean())
    return TrainingSet(
        numbers, label, _weights(numbers["lead_time"], label, len(first)), _groups(numbers, flags), rate,
        repeated, len(label) - len(first), duplicates,
    )  # fmt: skip


def _weights(lead_time: Floats, label: NDArray[np.int8], first_rows: int) -> Floats:
    weight = np.ones(len(label))
    is_first = np.arange(len(label)) < first_rows
    for known in (True, False):
        stratum = (label == 1) & (~np.isnan(lead_time) == known)
        if (stratum & ~is_first).any() and (stratum & is_first).any():
            weight[stratum] = (stratum & is_first).sum() / stratum.sum()
    positives = float((label[is_first] == 1).sum())
    if 0 < positives < weight[label == 1].sum():  # a kind of positive the first file does not have at all
        weight[label == 1] *= positives / weight[label == 1].sum()
    return weight


def fingerprints(table: BackorderTable) -> NDArray[np.int64]:
    """A number per look-alike: rows that may be the same part under another name share it."""
    return _groups(table.numbers, table.flags)


def _groups(numbers: dict[str, Floats], flags: NDArray[np.int8]) -> NDArray[np.int64]:
    """Sellers by minimum stock, lead time, on-time share and long forecast; items without sales by all columns."""
    selling = np.nan_to_num(numbers["sales_9_month"]) > 0
    four = ("min_bank", "lead_time", "perf_12_month_avg", "forecast_9_month")
    columns = [
        np.where(selling & (name not in four), 0.0, np.nan_to_num(values, nan=-1e18))
        for name, values in numbers.items()
    ]
    columns += [np.where(selling, 0.0, flag) for flag in flags.T.astype(float)]
    packed = np.ascontiguousarray(np.stack([selling.astype(float), *columns], axis=1))
    opaque = packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).ravel()
    return np.unique(opaque, return_inverse=True)[1].astype(np.int64)
