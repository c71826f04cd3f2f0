"""Date estimates: lead-time quantiles, when a supply becomes usable, and when a customer's date may move."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.domain.calendars import WorkCalendar, arrival
from core.domain.states import DateBasis

FEWEST_OBSERVATIONS = 20
"""Below this many observations a quantile is not shown: it would pretend to a certainty nobody has."""


def quantile(observations: Sequence[int], q: float) -> int | None:
    """Split-conformal quantile: the ceil((n+1)q)-th smallest observation (reference/promising.md section 6).

    A new exchangeable observation is not above it with probability >= q. None when n is too small to say so.
    """
    if not 0 < q < 1:
        raise ValueError(f"a quantile level lies between 0 and 1, not at {q}")
    n = len(observations)
    rank = math.ceil(round((n + 1) * q, 9))  # rounded first: (n + 1) * 0.07 must not become 7.000000000000001
    if rank > n:
        return None
    return sorted(observations)[rank - 1]


def lead_time_p80(observed_days: Sequence[int], fallback_days: int) -> int:
    """P80 of the observed lead times in days, or the agreed `fallback_days` while there are too few of them."""
    observed = quantile(observed_days, 0.8) if len(observed_days) >= FEWEST_OBSERVATIONS else None
    return fallback_days if observed is None else observed


@dataclass(frozen=True, slots=True)
class DateEstimate:
    """What we said, what we believe, and on what it rests (`DateEstimate` of the API).

    `promised` was told to the customer; `expected` is P80 where known, else the paper date. `coverage` is the share
    of past cases that kept their P80 (0..1). Raises ValueError when quantiles rest on fewer than 20 observations.
    """

    promised: date | None
    expected: date
    p50: date | None
    p80: date | None
    p95: date | None
    timezone: str
    basis: DateBasis
    coverage: float | None
    observations: int

    def __post_init__(self) -> None:
        if self.observations < FEWEST_OBSERVATIONS and (self.p50 or self.p80 or self.p95):
            raise ValueError(f"{self.observations} observations are too few for quantiles")


def estimate_date(
    paper_date: date,
    late_days: Sequence[int],
    timezone: str,
    basis: DateBasis,
    promised: date | None = None,
    coverage: float | None = None,
) -> DateEstimate:
    """The estimate for `paper_date`; `late_days` says how late earlier cases of this basis came (negative: early)."""
    p50 = p80 = p95 = None
    if len(late_days) >= FEWEST_OBSERVATIONS:
        p50, p80, p95 = (
            None if days is None else paper_date + timedelta(days=days)
            for days in (quantile(late_days, 0.5), quantile(late_days, 0.8), quantile(late_days, 0.95))
        )
    return DateEstimate(promised, p80 or paper_date, p50, p80, p95, timezone, basis, coverage, len(late_days))


def complete_estimate(parts: Iterable[DateEstimate]) -> DateEstimate:
    """The estimate of a whole that is complete when its last part is: the part that is expected last binds.

    Raises ValueError without parts. Quantiles are those of the binding part: parts share suppliers and lanes, so
    multiplying their chances as if independent would understate the tail.
    """
    return max(parts, key=lambda part: (part.expected, part.promised or date.min))


def usable_date(
    paper_date: date, basis: DateBasis, late_days_p80: int, receiving_days: int, calendar: WorkCalendar
) -> date:
    """The day a supply can be given out: paper date, P80 of the lateness of this basis, then receiving and inspection.

    `late_days_p80` are calendar days and never pull a date forward; they are left out for LEAD_TIME (its paper date
    is a P80 already) and ON_HAND. `receiving_days` are working days of `calendar`, that of the receiving location.
    """
    if basis is DateBasis.ON_HAND:
        return paper_date
    late = 0 if basis is DateBasis.LEAD_TIME else max(0, late_days_p80)
    return calendar.add_working_days(calendar.next_working_day(paper_date + timedelta(days=late)), receiving_days)


def ship_notice_arrival(shipped_on: date, stated_date: date | None, transit_days: int, calendar: WorkCalendar) -> date:
    """Paper date of a ship notice: the date it states; ship day plus transit when there is none or it cannot be."""
    if stated_date is not None and stated_date >= shipped_on:
        return stated_date
    return arrival(shipped_on, transit_days, calendar)


def should_move(previous: date | None, new: date | None, hysteresis_days: int, certain: bool) -> bool:
    """May the customer's date move from `previous` to `new`?

    Always when a date appears or is lost, or when the change is certain (the supplier or carrier said so) and is a
    change at all; an estimate must differ by at least `hysteresis_days`, so that noise tells nobody anything.
    """
    if previous == new:
        return False
    if previous is None or new is None or certain:
        return True
    return abs((new - previous).days) >= hysteresis_days
