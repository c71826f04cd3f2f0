"""Working days, cut-offs in local time and transit both ways."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import calendars
from core.domain.calendars import WorkCalendar, arrival, latest_ship_date, local_day, ship_day
from core.errors import ConfigurationError

PLAIN = WorkCalendar()
KOREA = WorkCalendar(country="KR")


def test_weekends_and_public_holidays_are_closed():
    assert [KOREA.is_working(date(2026, 9, day)) for day in range(23, 30)] == [
        True,
        False,
        False,
        False,
        False,
        True,
        True,
    ]  # Chuseok 24 to 26 September, then a Sunday
    assert PLAIN.is_working(date(2026, 9, 24))


def test_exceptions_have_the_last_word_either_way():
    calendar = WorkCalendar(country="KR", exceptions={date(2026, 9, 24): True, date(2026, 9, 28): False})
    assert calendar.is_working(date(2026, 9, 24))
    assert not calendar.is_working(date(2026, 9, 28))


def test_adding_working_days_over_a_year_end():
    assert PLAIN.add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 1)
    assert KOREA.add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert PLAIN.add_working_days(date(2026, 6, 6), 0) == date(2026, 6, 8)
    assert PLAIN.add_working_days(date(2026, 6, 6), 2) == date(2026, 6, 9)
    assert PLAIN.add_working_days(date(2026, 6, 8), -1) == date(2026, 6, 5)
    assert PLAIN.is_working(date(2028, 12, 29))  # a leap year has its last day too
    assert WorkCalendar(frozenset(range(1, 8))).is_working(date(2028, 12, 31))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 6, 10, 4, 59, tzinfo=UTC), date(2026, 6, 10)),  # 13:59 in Seoul, cut-off 14:00
        (datetime(2026, 6, 10, 5, 0, tzinfo=UTC), date(2026, 6, 11)),
        (datetime(2026, 6, 10, 15, 30, tzinfo=UTC), date(2026, 6, 11)),  # already the 11th in Seoul
        (datetime(2026, 6, 12, 5, 0, tzinfo=UTC), date(2026, 6, 15)),  # Friday after the cut-off
        (datetime(2026, 6, 13, 1, 0, tzinfo=UTC), date(2026, 6, 15)),  # Saturday morning
    ],
)
def test_ship_day_reads_the_local_clock(now: datetime, expected: date):
    assert ship_day(now, "Asia/Seoul", time(14, 0), KOREA) == expected


def test_ship_day_without_a_cutoff_uses_the_whole_day():
    assert ship_day(datetime(2026, 6, 10, 14, 59, tzinfo=UTC), "Asia/Seoul", None, KOREA) == date(2026, 6, 10)
    assert local_day(datetime(2026, 6, 10, 15, 0, tzinfo=UTC), "Asia/Seoul") == date(2026, 6, 11)


def test_arrival_starts_at_the_carriers_next_working_day():
    assert arrival(date(2026, 6, 12), 2, PLAIN) == date(2026, 6, 16)
    assert arrival(date(2026, 6, 13), 1, PLAIN) == date(2026, 6, 16)  # taken over on Monday, one day of driving
    assert arrival(date(2026, 6, 13), 0, PLAIN) == date(2026, 6, 15)


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)), st.integers(0, 12))
def test_latest_ship_date_is_the_inverse_of_arrival(delivery: date, transit_days: int):
    ship = latest_ship_date(delivery, transit_days, KOREA)
    assert arrival(ship, transit_days, KOREA) <= delivery
    assert arrival(ship + timedelta(days=1), transit_days, KOREA) > delivery


def test_a_calendar_that_cannot_be_is_refused():
    with pytest.raises(ConfigurationError, match="no holiday calendar for country 'ZZ'"):
        WorkCalendar(country="ZZ").is_working(date(2026, 1, 1))
    with pytest.raises(ConfigurationError, match=r"ISO weekdays 1\.\.7, not \[0, 1\]"):
        WorkCalendar(frozenset({0, 1}))
    with pytest.raises(ConfigurationError, match="no working day within 400 days"):
        WorkCalendar(frozenset()).next_working_day(date(2026, 1, 1))
    with pytest.raises(ConfigurationError, match="no time zone 'Mars/Base'"):
        local_day(datetime(2026, 1, 1, tzinfo=UTC), "Mars/Base")
    with pytest.raises(ValueError, match="needs an offset"):
        local_day(datetime(2026, 1, 1), "Asia/Seoul")


def test_a_second_name_is_no_new_country_but_one_that_was_written_keeps_its_holidays():
    calendars.check_country("GB")
    with pytest.raises(ConfigurationError, match="'UK'; ISO 3166 says 'GB'"):
        calendars.check_country("UK")
    with pytest.raises(ConfigurationError, match="no holiday calendar for country 'ZZ'"):
        calendars.check_country("ZZ")
    assert [WorkCalendar(country="UK").is_working(date(2026, 12, day)) for day in (24, 25)] == [True, False]


def test_holidays_that_were_recalled_are_there_and_an_unknown_country_stops_nobody():
    calendars._public_holidays.cache_clear()
    calendars.recall_holidays(["ZZ", "KR"], 2026)
    assert WorkCalendar(country="KR").is_working(date(2027, 1, 1)) is False
    assert calendars._public_holidays.cache_info().misses == 3  # ZZ, and two years of KR
