"""By how many days units move from one cover of many lines to another."""

from __future__ import annotations

import numpy as np

from core.domain.repromising.columns import Ints, packed, sorted_with_order


def farthest(before: tuple[Ints, Ints, Ints], after: tuple[Ints, Ints, Ints], count: int) -> tuple[Ints, Ints]:
    """By how many days the unit that moves most moves back, and forward (negative), per entry.

    Both sides are (entry, day, units) and have the same units per entry; the n-th unit by day is compared with the n-th.
    """
    ends, sides = [], []
    for entry, day, quantity in (before, after):
        some = np.flatnonzero(quantity > 0)
        entry, day, quantity = entry[some], day[some], quantity[some]
        order = _by_entry_and_day(entry, day)
        ends.append(np.cumsum(quantity[order]))
        sides.append((entry[order], day[order]))
    cuts = np.sort(np.concatenate(ends), kind="stable")  # two ascending runs: one merge, where np.union1d would hash
    cuts = cuts[np.diff(cuts, prepend=0) != 0]
    old, new = (np.searchsorted(end, cuts) for end in ends)
    moved, entry = sides[1][1][new] - sides[0][1][old], sides[0][0][old]
    back, forward = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.maximum.at(back, entry, moved)
    np.minimum.at(forward, entry, moved)
    return back, forward


def _by_entry_and_day(entry: Ints, day: Ints) -> Ints:
    if not len(entry):
        return entry
    first = int(day.min())
    return sorted_with_order(packed(entry, day - first, int(day.max()) - first + 1))[1]
