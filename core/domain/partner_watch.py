"""What is strange in the traffic of a partner: numbers that are missing, a silence it never kept, another envelope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FARTHEST = 1000
"""A jump of more control numbers is a new count, as a partner that wraps or starts anew makes it."""
FEWEST_PAUSES, KEPT_PAUSES = 5, 20
SHORTEST_SILENCE = 24 * 3600
"""Seconds; a partner that was quiet for less is not called silent, however often it usually writes."""
PAUSE = 3600
"""Seconds without a document from which on we speak of a pause."""


def read_numbers(last: int | None, found: Iterable[int]) -> tuple[int | None, list[int], set[int]]:
    """The newest control number, those that are missing below it, and those at or below `last` that came late."""
    late: set[int] = set()
    missing: list[int] = []
    for number in sorted(set(found)):
        if last is None or number - last > FARTHEST or last - number > FARTHEST:
            last = number
        elif number <= last:
            late.add(number)
        else:
            missing += range(last + 1, number)
            last = number
    return last, missing, late


def silence_limit(pauses: Sequence[int], own_hours: int | None) -> int | None:
    """Seconds without a document after which the partner is silent: its guide's, else twice the longest pause it has
    made of late; None while too little is known."""
    if own_hours is not None:
        return own_hours * 3600
    if len(pauses) < FEWEST_PAUSES:
        return None
    return max(SHORTEST_SILENCE, 2 * max(pauses[-KEPT_PAUSES:]))


def changed_marks(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of the marks (separators, versions) that are other ones than those known; unknown ones are no change."""
    return sorted(name for name, value in now.items() if name in before and before[name] != value)
