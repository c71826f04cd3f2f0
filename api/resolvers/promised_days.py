"""Days that a supplier types: refused when they cannot be meant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from core.errors import DateInPast


def refuse_past(now: datetime, days: Iterable[date | None], path: tuple[str, ...]) -> None:
    """Raise DateInPast for a day that has passed everywhere on Earth.

    Documents are not judged so: they arrive late, and what they promised by then is overdue.
    """
    today = (now - timedelta(hours=12)).date()
    for day in days:
        if day is not None and day < today:
            raise DateInPast("date", day, today, path=path)
