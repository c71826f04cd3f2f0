"""How much longer a supply that is overdue will take, given that it has not come yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_LATER = 5
"""Below this many deliveries that were later still, the record says nothing about what is to come."""
LONGEST_GUESS_DAYS = 30


@dataclass(frozen=True, slots=True)
class LateRecord:
    """A supplier's record: days after the paper date at which deliveries came (`late_days`), and how long those that are
    still missing have been waited for (`missing_days`, censored: they will come later than that)."""

    late_days: Sequence[int] = ()
    missing_days: Sequence[int] = ()


def remaining_days(record: LateRecord, elapsed: int, q: float = 0.8) -> int | None:
    """P80 (or `q`) of the days still to come of a delivery that is missing `elapsed` days after its paper date.

    The Kaplan-Meier estimate of the lateness, conditional on being later than `elapsed` (reference/promising.md section
    6): deliveries that are missing count as long as they have been waited for. None when fewer than FEWEST_LATER
    deliveries came later than that, or when the missing ones leave the quantile open.
    """
    later = sorted(day for day in record.late_days if day > elapsed)
    if len(later) < FEWEST_LATER:
        return None
    survival = 1.0
    for day in sorted(set(later)):
        at_risk = sum(d >= day for d in later) + sum(m >= day for m in record.missing_days)
        survival *= 1 - later.count(day) / at_risk
        if survival <= 1 - q + 1e-9:
            return day - elapsed
    return None


def overdue_days(record: LateRecord, elapsed: int, overdue: int) -> int:
    """Days from today until an overdue supply is believed to be at the dock, at least 1.

    `elapsed`: days since its paper date, `overdue`: days since the day on which it was believed usable. Without a
    record the wait is taken to last half as long again as it has lasted: what is late long stays late long.
    """
    known = remaining_days(record, elapsed)
    return max(1, known if known is not None else min((overdue + 1) // 2, LONGEST_GUESS_DAYS))
