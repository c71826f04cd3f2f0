"""How much may be claimed for which days, whatever stock there is: quotas of an asker and the release day of a pre-order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class WaitsFor(StrEnum):
    """Why a claim has its day although there would be units before."""

    QUOTA = "QUOTA"
    RELEASE_DATE = "RELEASE_DATE"


Claims = Sequence[tuple[date, int]]
"""What a question has taken so far: units by the day they claim."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Units that may be claimed in each window, over all locations: `steps` are (first day, units or None: no limit).

    Days ascend, a window ends where the next begins, and what one leaves over is not for the next; before the first
    day nothing may be claimed.
    """

    steps: Sequence[tuple[date, int | None]]
    waits_for: WaitsFor
    quota_id: int | None = None

    def left(self, day: date, claims: Claims) -> int | None:
        """Units that may still be claimed in the window of `day`; None: no limit."""
        start, end, allowed = date.min, date.max, 0
        for since, units in self.steps:
            if since > day:
                end = since
                break
            start, allowed = since, units
        return None if allowed is None else allowed - sum(units for taken, units in claims if start <= taken < end)


def room(allowances: Iterable[Allowance], day: date, claims: Claims) -> int | None:
    """Units that may still be claimed for `day` besides `claims`: the tightest wins; None: no limit."""
    limits = [units for a in allowances if (units := a.left(day, claims)) is not None]
    return max(0, min(limits)) if limits else None


def blocker(allowances: Iterable[Allowance], day: date, claims: Claims) -> WaitsFor | None:
    """What keeps one more unit from being claimed for `day`."""
    tight = [(units, a.waits_for) for a in allowances if (units := a.left(day, claims)) is not None and units <= 0]
    return min(tight)[1] if tight else None


def marks(allowances: Iterable[Allowance], after: date) -> list[date]:
    """The days after `after` on which more may be claimed."""
    return sorted({since for a in allowances for since, _ in a.steps if since > after})
