"""How much may be claimed by which day, whatever stock there is: quotas of an asker and the release day of a pre-order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class WaitsFor(StrEnum):
    """Why a claim has its day although there would be units before."""

    QUOTA = "QUOTA"
    RELEASE_DATE = "RELEASE_DATE"


@dataclass(frozen=True, slots=True)
class Allowance:
    """Units that may be claimed up to a day, over all locations: `steps` are (from day, units in all or None: no limit).

    Days ascend and units never fall; before the first day nothing may be claimed.
    """

    steps: Sequence[tuple[date, int | None]]
    waits_for: WaitsFor
    quota_id: int | None = None

    def up_to(self, day: date) -> int | None:
        """Units in all that may be claimed for `day` or earlier; None: no limit."""
        found: int | None = 0
        for since, units in self.steps:
            if since > day:
                break
            found = units
        return found


def room(allowances: Iterable[Allowance], day: date, claimed: int) -> int | None:
    """Units that may still be claimed for `day` when `claimed` are: the tightest wins; None: no limit."""
    limits = [units for a in allowances if (units := a.up_to(day)) is not None]
    return max(0, min(limits) - claimed) if limits else None


def blocker(allowances: Iterable[Allowance], day: date, claimed: int) -> WaitsFor | None:
    """What keeps one more unit from being claimed for `day`."""
    tight = [(units, a.waits_for) for a in allowances if (units := a.up_to(day)) is not None and units <= claimed]
    return min(tight)[1] if tight else None


def marks(allowances: Iterable[Allowance], after: date) -> list[date]:
    """The days after `after` on which more may be claimed."""
    return sorted({since for a in allowances for since, _ in a.steps if since > after})
