"""The seven confirmation strategies as bounds on one function, and that function.

Curves are cumulative units by day on a common grid of days. With c0 the present confirmation, r the request and A the
cumulative ATP with look-ahead of what nobody else has, a line is confirmed `min(upper, A)`: the most it can have at
every day. Source: confirmation strategies of backorder processing (Win, Gain, Redistribute, Fill, Lose of SAP aATP).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Strategy(StrEnum):
    """What a run may do to the lines of a segment."""

    WIN = "WIN"
    GAIN = "GAIN"
    IMPROVE = "IMPROVE"
    REDISTRIBUTE = "REDISTRIBUTE"
    FILL = "FILL"
    LOSE = "LOSE"
    SKIP = "SKIP"


class Reaction(StrEnum):
    """What becomes of a line whose strategy cannot be kept (Win not on time, Gain made worse by late supply)."""

    KEEP = "KEEP"
    """Its present promise stays as it is and it is listed."""
    BEST_EFFORT = "BEST_EFFORT"
    """It gets the best that can be had and is listed."""


STRATEGIES = tuple(Strategy)
CODE = {strategy: code for code, strategy in enumerate(STRATEGIES)}
"""Small integers for arrays."""

RESTORED = (Strategy.GAIN, Strategy.IMPROVE)
"""In this order: what they have is theirs before anybody improves."""
IMPROVING = (Strategy.GAIN, Strategy.IMPROVE, Strategy.REDISTRIBUTE)


def bounds(strategy: Strategy, present: Sequence[int], requested: Sequence[int]) -> tuple[list[int], list[int]]:
    """(lower, upper) bound of the new confirmation at each day.

    What a line has earlier than it asked for is not taken from it without need, so the request counts as at least the
    present confirmation where the upper bound is the request.
    """
    nothing = [0] * len(present)
    wish = [max(a, b) for a, b in zip(present, requested, strict=True)]
    has = list(present)
    return {
        Strategy.WIN: (list(requested), wish),
        Strategy.GAIN: (has, wish),
        Strategy.IMPROVE: (has, wish),
        Strategy.REDISTRIBUTE: (nothing, wish),
        Strategy.FILL: (nothing, has),
        Strategy.LOSE: (nothing, nothing),
        Strategy.SKIP: (has, has),
    }[strategy]


def atp_curve(free: Sequence[int]) -> list[int]:
    """Cumulative ATP with look-ahead of a projected balance: max(0, min over later days)."""
    found, lowest = [0] * len(free), free[-1]
    for index in range(len(free) - 1, -1, -1):
        lowest = min(lowest, free[index])
        found[index] = max(0, lowest)
    return found


def confirm(upper: Sequence[int], present: Sequence[int], atp: Sequence[int], last: int) -> list[int]:
    """The most a line can be confirmed: min(upper, ATP) at every day.

    After index `last` (the day by which ordering anew would deliver) only what it has there already is kept: a later
    supply would be worse than the order anew that it is promised instead.
    """
    found = [min(u, a) for u, a in zip(upper, atp, strict=True)]
    if last + 1 < len(found):
        reached = found[last] if last >= 0 else 0
        for index in range(last + 1, len(found)):
            found[index] = max(reached, min(upper[index], present[index], atp[index]))
    return found
