"""Days and instants as callers write them: within the centuries that can be reckoned with, instants with their offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from dateutil.parser import isoparse
from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition, wrap_parser
from strawberry.types.scalar import ScalarDefinition

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
"""Beyond them sums of days and zones leave the calendar of Python and PostgreSQL."""


def _within(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"It lies between {FIRST_DAY} and {LAST_DAY}.")


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    _within(day)
    return day


def _instant(text: str) -> datetime:
    instant = isoparse(text)
    if instant.tzinfo is None:
        raise ValueError("An instant needs its offset, such as 2026-12-01T09:00:00Z.")
    _within(instant.date())
    return instant.astimezone(UTC)


SCALARS: Mapping[object, ScalarDefinition] = {
    date: replace(
        DateDefinition,
        description="A calendar day (ISO 8601), 1900-01-01 to 2999-12-31, in the zone that stands beside it.",
        parse_value=wrap_parser(_day, "Date"),
    ),
    datetime: replace(
        DateTimeDefinition,
        description="An instant (ISO 8601) with its offset, 1900-01-01 to 2999-12-31.",
        parse_value=wrap_parser(_instant, "DateTime"),
    ),
}
"""Of the schema: by Python type."""
