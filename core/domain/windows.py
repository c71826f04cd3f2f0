"""Windows of quotas shared out among locations: what is slow to arrive uses the early ones, so that all is complete sooner."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

from core.domain.allowance import marks
from core.domain.ways import Asking, Option


def earlier_through_windows(start: Asking, options: Sequence[Option], found: Asking) -> Asking:
    """An answer that goes on from `start` and is complete earlier than `found`, or `found` where there is none.

    Whoever could also claim a later window gives way. For one day of completion that is the rule of the earliest
    deadline: units are jobs, released when they are there and due in the last window from which they arrive in time;
    windows are slots (Jackson 1955). No plan is missed where windows of several quotas do not overlap, or one location
    serves.
    """
    days = sorted({option.arrives for option in options if option.arrives < found.complete})
    if not days or _fill(start, options, days[-1]).remaining:
        return found
    return _fill(start, options, days[bisect_left(days, 0, key=lambda day: -_fill(start, options, day).remaining)])


def _fill(start: Asking, options: Sequence[Option], last: date) -> Asking:
    """Use what arrives by `last`, window by window."""
    edges = marks(start.demand.allowances, date.min)
    timely = [(bisect_right(edges, option.claim_day), option) for option in options if option.arrives <= last]
    due: dict[tuple[bool, int], int] = {}
    for window, option in timely:
        due[_stream(option)] = max(window, due.get(_stream(option), 0))
    trial = start.copy()
    for _, _, option in sorted(((w, due[_stream(o)], o) for w, o in timely), key=lambda way: (*way[:2], way[2].key)):
        trial.take(option)
        if not trial.remaining:
            break
    return trial


def _stream(option: Option) -> tuple[bool, int]:
    """What gives the units: a location's stock and supply, a donor's stock, or ordering anew."""
    return option.limit is None, option.part.donor_id or option.part.location_id
