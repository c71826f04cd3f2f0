"""Working days, cut-offs and transit: from an instant to a ship day, and from a ship day to a delivery day."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from core.errors import ConfigurationError

ONE_DAY = timedelta(days=1)
LONGEST_CLOSURE_DAYS = 400
"""A calendar that stays closed longer than this is a mistake of its owner, not a closure."""


@lru_cache(maxsize=512)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError as error:
        raise ConfigurationError(f"There is no holiday calendar for country {country!r}.") from error


def check_country(country: str) -> None:
    """Raises ConfigurationError for a country whose holidays are unknown and for a second name that ISO 3166 does not have.

    Calendars that were written with a second name (UK of GB) go on with its holidays; new ones are not.
    """
    try:
        code = holidays.country_holidays(country).country
    except NotImplementedError as error:
        raise ConfigurationError(f"There is no holiday calendar for country {country!r}.") from error
    if code != country:
        raise ConfigurationError(f"There is no holiday calendar for country {country!r}; ISO 3166 says {code!r}.")


def recall_holidays(countries: Iterable[str], year: int) -> None:
    """Work the public holidays of this year and the next out ahead: the first takes a third of a second of a processor.

    A country that is not known is left to who asks for it.
    """
    for country in countries:
        with suppress(ConfigurationError):
            _public_holidays(country, year)
            _public_holidays(country, year + 1)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Days on which a place works or a carrier drives.

    `working_days` are ISO weekdays (Monday 1 to Sunday 7); `country` (ISO 3166 alpha-2) closes its nation-wide public
    holidays; `exceptions` have the last word, either way (regional holidays, a worked Saturday).
    Raises ConfigurationError for a weekday outside 1..7, an unknown country, or a calendar that never opens.
    """

    working_days: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    country: str | None = None
    exceptions: dict[date, bool] = field(default_factory=dict)
    _years: dict[int, bytearray] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.working_days <= set(range(1, 8)):
            raise ConfigurationError(f"Working days are ISO weekdays 1..7, not {sorted(self.working_days)}.")

    def _open_days(self, year: int) -> bytearray:
        """One byte per day of the year: 1 when working. Worked out once per year."""
        known = self._years.get(year)
        if known is not None:
            return known
        first = date(year, 1, 1)
        closed = _public_holidays(self.country, year) if self.country else frozenset()
        days = bytearray(date(year, 12, 31).toordinal() - first.toordinal() + 1)
        for offset in range(len(days)):
            day = first + timedelta(days=offset)
            days[offset] = self.exceptions.get(day, day.isoweekday() in self.working_days and day not in closed)
        self._years[year] = days
        return days

    def is_working(self, day: date) -> bool:
        return bool(self._open_days(day.year)[day.toordinal() - date(day.year, 1, 1).toordinal()])

    def _nearest_working_day(self, day: date, step: timedelta) -> date:
        for _ in range(LONGEST_CLOSURE_DAYS):
            if self.is_working(day):
                return day
            day += step
        raise ConfigurationError(f"The calendar has no working day within {LONGEST_CLOSURE_DAYS} days of {day}.")

    def next_working_day(self, day: date) -> date:
        """`day` itself when it is a working day, otherwise the first one after it."""
        return self._nearest_working_day(day, ONE_DAY)

    def previous_working_day(self, day: date) -> date:
        """`day` itself when it is a working day, otherwise the last one before it."""
        return self._nearest_working_day(day, -ONE_DAY)

    def add_working_days(self, day: date, n: int) -> date:
        """The n-th working day after `day` (before it when n is negative); n = 0 is `next_working_day(day)`."""
        if n == 0:
            return self.next_working_day(day)
        step = ONE_DAY if n > 0 else -ONE_DAY
        for _ in range(abs(n)):
            day = self._nearest_working_day(day + step, step)
        return day


EVERY_DAY = WorkCalendar(working_days=frozenset(range(1, 8)))


def local_day(now: datetime, time_zone: str) -> date:
    """The calendar day of the aware instant `now` in the IANA zone `time_zone`."""
    return _local(now, time_zone).date()


def _local(now: datetime, time_zone: str) -> datetime:
    if now.tzinfo is None:
        raise ValueError("an instant needs an offset")
    try:
        return now.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"There is no time zone {time_zone!r}.") from error


def ship_day(now: datetime, time_zone: str, cutoff_time: time | None, calendar: WorkCalendar) -> date:
    """First day on which goods that are ready at `now` leave: today before the cut-off of a working day, else the next.

    The cut-off is local time of the location; at the cut-off itself it is too late. None: the whole day counts.
    """
    local = _local(now, time_zone)
    today = local.date()
    if calendar.is_working(today) and (cutoff_time is None or local.time() < cutoff_time):
        return today
    return calendar.next_working_day(today + ONE_DAY)


def arrival(ship_date: date, transit_days: int, calendar: WorkCalendar) -> date:
    """Delivery day: the carrier takes over on its first working day from `ship_date`, then drives `transit_days`."""
    return calendar.add_working_days(calendar.next_working_day(ship_date), transit_days)


def latest_ship_date(delivery_date: date, transit_days: int, calendar: WorkCalendar) -> date:
    """The last carrier working day whose `arrival` is not after `delivery_date`."""
    arrives = calendar.previous_working_day(delivery_date)
    return calendar.add_working_days(arrives, -transit_days) if transit_days else arrives
