"""Reads the values of EDIFACT elements: numbers with either decimal mark, and dates in the formats of list 2379."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.edi.interchanges import Segment
from core.edi.x12_values import day, decimal, is_unknown_date, moment

_DIGITS = re.compile(r"\d+", re.ASCII)
# List 2379 to the number of leading characters that are a day, in what order; 718 and 711 are ranges.
_DAY_FORMATS = {"102": 8, "203": 8, "204": 8, "205": 8, "303": 8, "304": 8, "101": 6, "201": 6, "202": 6, "301": 6}
_RANGES = {"718": 8, "719": 12, "711": 8, "717": 6, "713": 10}
FORMATS = frozenset(
    {*_DAY_FORMATS, *_RANGES, "2", "3", "602", "610", "616", "615", "609", "", "801", "802", "803", "804"}
)
# Formats of a fixed width, in characters: day, and day with time.
_WIDTHS = {"101": 6, "102": 8, "201": 10, "202": 12, "203": 12, "204": 14}
_DURATIONS = ("801", "802", "803", "804")


def number(text: str) -> Decimal | None:
    """The number, whichever decimal mark it has (both are allowed); None where it is none."""
    return decimal(text.replace(",", ".")) if text.count(",") + text.count(".") < 2 else None


def day_of(text: str, form: str) -> date | None:
    """The day of a DTM value in the format 2379; of a week, month, year or range its last day; None where there is none."""
    if form in _RANGES:
        width = _RANGES[form]
        end = text.rpartition("-")[2] if "-" in text else text[-width:]
        return day(end[: 8 if width != 10 and width != 6 else 6])
    if form == "616" and len(text) == 6 and _DIGITS.fullmatch(text):
        return _last_of_week(int(text[:4]), int(text[4:]))
    if form == "615" and len(text) == 4 and _DIGITS.fullmatch(text):
        return _last_of_week(2000 + int(text[:2]), int(text[2:]))
    if form in ("610", "609") and _DIGITS.fullmatch(text):
        full = text if form == "610" else f"20{text}"
        return _last_of_month(int(full[:4]), int(full[4:6])) if len(full) == 6 else None
    if form == "602" and len(text) == 4 and _DIGITS.fullmatch(text):
        return _last_of_month(int(text), 12)
    if form in ("2", "3") and len(text) == 6:
        # 2 is DDMMYY, 3 is MMDDYY
        first, second, year = text[:2], text[2:4], text[4:]
        return day(year + (second + first if form == "2" else first + second))
    if form in _DURATIONS:
        return None
    width = _DAY_FORMATS.get(form, 8 if len(text) >= 8 else 6)
    return day(text[:width])


def moment_of(text: str, form: str) -> datetime | None:
    """Day and time of a DTM value as a naive moment at the place the document speaks of; midnight without a time."""
    width = _DAY_FORMATS.get(form)
    if width is None:
        on = day_of(text, form)
        return datetime.combine(on, datetime.min.time()) if on is not None else None
    if form in ("102", "101"):
        return moment(text[:width], "")
    digits = re.match(r"\d*", text[width:], re.ASCII)
    return moment(text[:width], digits.group()[:6] if digits else "")


def dtm_day(segment: Segment) -> date | None:
    """The day of a DTM segment."""
    return day_of(segment.value(1, 2), segment.value(1, 3))


def dtm_moment(segment: Segment) -> datetime | None:
    return moment_of(segment.value(1, 2), segment.value(1, 3))


def is_bad_date(segment: Segment) -> bool:
    """Whether a DTM value is neither a day (or a duration), nor one of the ways of saying "unknown"."""
    text, form = segment.value(1, 2), segment.value(1, 3)
    if not text or form in _DURATIONS or form not in FORMATS:
        return False
    return not is_unknown_date(text[:8]) and day_of(text, form) is None


def is_other_format(segment: Segment) -> bool:
    """Whether the digits of a DTM value are more or fewer than its format (2379) has."""
    text, width = segment.value(1, 2), _WIDTHS.get(segment.value(1, 3))
    return width is not None and _DIGITS.fullmatch(text) is not None and len(text) != width


def _last_of_week(year: int, week: int) -> date | None:
    try:
        return date.fromisocalendar(year, week, 7)
    except ValueError:
        return None


def _last_of_month(year: int, month: int) -> date | None:
    try:
        return (date(year + month // 12, month % 12 + 1, 1)) - timedelta(days=1)
    except ValueError:
        return None
