"""Windows of quotas shared out among locations: what is slow to arrive uses the early ones, so that all is complete sooner."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date

from core.domain.allowance import marks
from core.domain.ways import Asking, Option
from core.domain.window_flow import most_through, windows_of


def earlier_through_windows(start: Asking, options: Sequence[Option], found: Asking) -> Asking:
    """An answer that goes on from `start` and is complete earlier than `found`, or `found` where there is none.

    Whoever could also claim a later window gives way. For one day of completion that is the rule of the earliest
    deadline: units are jobs, released when they are there and due in the last window from which they arrive in time;
    windows are slots (Jackson 1955). Where several quotas overlap that may miss a plan: a maximum flow through their
    windows is asked then. It misses none where of two windows that overlap one lies within the other, as weeks in longer spans
    of whole weeks; where they cross it may, and allows no more than they do.
    """
    days = sorted({option.arrives for option in options if option.arrives < found.complete})
    if not days or _best(start, options, days[-1]).remaining:
        return found
    return _best(start, options, days[bisect_left(days, 0, key=lambda day: -_best(start, options, day).remaining)])


def _best(start: Asking, options: Sequence[Option], last: date) -> Asking:
    """The more complete of the two ways, by the earliest deadline where both are."""
    trial = _fill(start, options, last)
    if not trial.remaining or sum(len(a.steps) > 1 for a in start.demand.allowances) < 2:
        return trial
    other = _flow(start, options, last)
    return other if other.remaining < trial.remaining else trial


def _flow(start: Asking, options: Sequence[Option], last: date) -> Asking:
    """What arrives by `last`, as a maximum flow through all windows has it."""
    edges = marks(start.demand.allowances, date.min)
    timely = [(bisect_right(edges, option.claim_day), option) for option in options if option.arrives <= last]
    streams: dict[tuple[bool, int], dict[int, int | None]] = {}
    for cell, option in sorted(timely, key=lambda way: way[0]):
        of_stream = streams.setdefault(_stream(option), {})
        place = option.part.donor_id or option.part.location_id
        limit = None if option.limit is None else option.limit - start.taken.get(place, 0)
        before = of_stream.get(cell, max((u for u in of_stream.values() if u is not None), default=0))
        of_stream[cell] = None if limit is None or before is None else max(limit, before)
    shares = most_through(streams, windows_of(start.demand.allowances, edges, start.claims), start.remaining)
    trial = start.copy()
    for cell, option in sorted(timely, key=lambda way: (way[0], way[1].key)):
        name = _stream(option), cell
        if shares.get(name):
            before = trial.remaining
            trial.take(option, shares[name])
            shares[name] -= before - trial.remaining
    return trial


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
