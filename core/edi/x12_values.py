"""Reads the values of X12 elements: dates of six or eight digits, times, decimals; no floats, no silent defaults."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)


def is_decimal(text: str) -> bool:
    """Whether `text` is an explicit decimal of type R, with forms such as `1000.`, `.5` and `-2`."""
    return len(text) <= 30 and _DECIMAL.fullmatch(text) is not None


def decimal(text: str) -> Decimal | None:
    """The number, or None where there is none; a caller that needs one checks `is_decimal` first."""
    return Decimal(text) if is_decimal(text) else None


def is_unknown_date(text: str) -> bool:
    """Senders write 00000000, 99999999, 9999... and 20991231 for "not known"."""
    digits = text.strip()
    return bool(digits) and (not digits.strip("0") or digits.startswith("9999") or digits == "20991231")


def day(text: str) -> date | None:
    """CCYYMMDD or YYMMDD (a two-digit year below 50 is 20YY) as a day; None where empty, unknown or no date."""
    digits = text.strip()[:8]
    if not _DIGITS.fullmatch(digits) or is_unknown_date(digits):
        return None
    if len(digits) == 6:
        digits = ("20" if digits[:2] < "50" else "19") + digits
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if len(digits) == 8 else None
    except ValueError:
        return None


def moment(day_text: str, time_text: str) -> datetime | None:
    """Day and HHMM[SS] as a naive moment at the place the document speaks of; midnight where the time is unreadable."""
    on = day(day_text)
    if on is None:
        return None
    digits = time_text.strip()
    try:
        hour, minute, second = (int(digits[at : at + 2] or 0) if digits.isdecimal() else 0 for at in (0, 2, 4))
        return datetime.combine(on, time(hour, minute, second))
    except ValueError:
        return datetime.combine(on, time())


def same_number(left: str, right: str) -> bool:
    """Whether two control numbers are the same number whatever their leading zeros; other text must match exactly."""
    if left.isdecimal() and right.isdecimal():
        return left.lstrip("0") == right.lstrip("0")
    return left == right
