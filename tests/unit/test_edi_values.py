"""Values of X12 elements: dates in every length, decimals in every form, nothing guessed."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from core.edi.x12_values import day, decimal, is_unknown_date, moment, same_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261201", date(2026, 12, 1)),
        ("261201", date(2026, 12, 1)),
        ("991231", date(1999, 12, 31)),
        ("500101", date(1950, 1, 1)),
        ("20240229", date(2024, 2, 29)),
        ("20230229", None),
        ("2026120", None),
        ("CCYYMMDD", None),
        ("00000000", None),
        ("99991231", None),
        ("20991231", None),
        ("", None),
        ("\u0662\u0660261201", None),
    ],
)
def test_days(text: str, expected: date | None):
    assert day(text) == expected


@pytest.mark.parametrize("text", ["0000", "000000", "99999999", "20991231"])
def test_ways_of_saying_unknown(text: str):
    assert is_unknown_date(text)
    assert not is_unknown_date("")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("0815", datetime(2026, 12, 1, 8, 15)),
        ("081530", datetime(2026, 12, 1, 8, 15, 30)),
        ("08153099", datetime(2026, 12, 1, 8, 15, 30)),
        ("", datetime(2026, 12, 1)),
        ("18:04", datetime(2026, 12, 1)),
        ("9999", datetime(2026, 12, 1)),
    ],
)
def test_moments(time: str, expected: datetime):
    assert moment("20261201", time) == expected
    assert moment("", time) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000.", Decimal(1000)),
        (".5", Decimal("0.5")),
        ("-2", Decimal(-2)),
        ("6.00", Decimal(6)),
        ("", None),
        ("1e5", None),
        ("NaN", None),
        ("1,5", None),
        ("\u00b2", None),
        ("9" * 31, None),
    ],
)
def test_numbers(text: str, number: Decimal | None):
    assert decimal(text) == number


def test_control_numbers_are_compared_as_numbers_and_other_text_as_it_is():
    assert same_number("000000041", "41")
    assert not same_number("41", "42")
    assert not same_number("A1", "0A1")
