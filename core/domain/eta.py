"""Date estimates: lead-time quantiles, when a supply becomes usable, and when a customer's date may move."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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
class Spread:
    """A distribution over whole days, at least one: `shares[i]` is the chance that it is `days[i]` or before.

    What the last share leaves of 1 is the chance that it never happens: no level above has a day. `observations` are the cases
    it rests on, `coverage` the share of past cases that kept their P80 (None: not measured).
    """

    days: tuple[int, ...]
    shares: tuple[float, ...]
    observations: int
    coverage: float | None = None

    def quantile(self, level: float) -> int | None:
        """The first day by which it has happened with at least this chance; None where no day holds it."""
        return next((day for day, share in zip(self.days, self.shares, strict=True) if share >= level - 1e-9), None)

    def below(self, day: int) -> float:
        """The chance that it happens on this day or before."""
        place = bisect_right(self.days, day)
        return self.shares[place - 1] if place else 0.0

    def shifted(self, by: int) -> Spread:
        return replace(self, days=tuple(day + by for day in self.days))

    def not_before(self, day: int) -> Spread:
        """What would be earlier happens on that day."""
        if self.days[0] >= day:
            return self
        later = [(d, s) for d, s in zip(self.days, self.shares, strict=True) if d > day]
        low = self.below(day)
        return replace(
            self,
            days=((day,) if low > 0 or not later else ()) + tuple(d for d, _ in later),
            shares=((low,) if low > 0 or not later else ()) + tuple(s for _, s in later),
        )

    def moved(self, to: Callable[[int], int]) -> Spread:
        """What would happen on a day happens on the day `to` of it, which must never fall: closed days, days of work."""
        reached: dict[int, float] = {}
        for day, share in zip(self.days, self.shares, strict=True):
            reached[to(day)] = share
        return replace(self, days=tuple(reached), shares=tuple(reached.values()))

    def given_late(self, day: int) -> Spread:
        """What is left to expect once this day has passed and it has not happened: P(. | later than `day`).

        Beyond everything that was ever seen nothing is known but "not yet": the next day, and where some never happen, no day.
        """
        gone = self.below(day)
        if gone >= 1 - 1e-9:
            return replace(self, days=(day + 1,), shares=(1.0,))
        left = [(d, (s - gone) / (1 - gone)) for d, s in zip(self.days, self.shares, strict=True) if d > day]
        left = left or [(day + 1, 0.0)]
        return replace(self, days=tuple(d for d, _ in left), shares=tuple(s for _, s in left))


def one_after_another(first: Spread, second: Spread) -> Spread:
    """The sum of two stages, each with its own causes: the days of both add up (convolution)."""
    chances: dict[int, float] = defaultdict(float)
    for day, chance in _chances(first):
        for more, likely in _chances(second):
            chances[day + more] += chance * likely
    return _spread(chances, (first, second))


def last_of(parts: Iterable[Spread]) -> Spread:
    """When all of several parts have happened: the later one decides.

    The chance that all have come by a day is taken as the product of their chances. Parts share suppliers and roads, and
    delays that go together make that product too small, never too large: what is said is kept at least as often as said.
    Raises ValueError without parts.
    """
    given = list(parts)
    if not given:
        raise ValueError("nothing to wait for")
    if len(given) == 1:
        return given[0]
    days = sorted({day for part in given for day in part.days})
    shares = [math.prod(part.below(day) for part in given) for day in days]
    kept = [(day, share) for day, share in zip(days, shares, strict=True) if share > 0] or [(days[-1], 0.0)]
    return Spread(
        tuple(day for day, _ in kept),
        tuple(share for _, share in kept),
        min(part.observations for part in given),
        _least(part.coverage for part in given),
    )


def _chances(spread: Spread) -> list[tuple[int, float]]:
    before, found = 0.0, []
    for day, share in zip(spread.days, spread.shares, strict=True):
        found.append((day, share - before))
        before = share
    return found


def _spread(chances: dict[int, float], parts: Iterable[Spread]) -> Spread:
    given = list(parts)
    days = sorted(chances)
    reached, shares = 0.0, []
    for day in days:
        reached += chances[day]
        shares.append(min(1.0, reached))
    shares[-1] = math.prod(part.shares[-1] for part in given)  # as it is, whatever the rounding of the sums
    return Spread(
        tuple(days),
        tuple(shares),
        min(part.observations for part in given),
        _least(part.coverage for part in given),
    )


def _least(coverages: Iterable[float | None]) -> float | None:
    known = list(coverages)
    return None if any(value is None for value in known) else min(value for value in known if value is not None)


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
