"""Which of two messages about the same thing is the older one: documents, and what was said through the portal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

_WIDTH = 14


def is_older(said: str | None, known: str | None) -> bool:
    """Was `said` made before `known`? False where one of them has no sequence.

    A sequence begins with the day its document names (a ship notice adds the time); then come day and time of its
    interchange, control numbers, and its place. Documents that name a time are compared by it among themselves only:
    the others would all be older than any of their own day. Numbers are compared by value, however wide they are.
    """
    if not said or not known:
        return False
    first, second = _parts(said), _parts(known)
    if first[0] != second[0]:
        return first[0] < second[0]
    if first[1] and second[1] and first[1] != second[1]:
        return first[1] < second[1]
    return first[2:] < second[2:]


def newest(sequences: Iterable[str | None]) -> str:
    """The one that no other is newer than; empty where none is known."""
    found = ""
    for sequence in sequences:
        if not found or is_older(found, sequence):
            found = sequence or found
    return found


def sequence_at(now: datetime, time_zone: str) -> str:
    """The sequence of what a supplier says by itself at this instant: documents carry its local time too."""
    local = now.astimezone(ZoneInfo(time_zone))
    return f"{local:%Y%m%d%H%M%S}-{local:%Y%m%dT%H%M%S}-{local:%f}"


def _parts(sequence: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Day, time of day (may be empty), the moment it was sent, and what else tells two of one moment apart."""
    head, _, rest = sequence.partition("-")
    day, time = head[:8], head[8:14]
    sent, _, more = rest.partition("-")
    return day, time, sent or f"{day}T{time}", tuple(part.zfill(_WIDTH) for part in more.split("-"))
