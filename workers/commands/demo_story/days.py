"""The days of the story, worked out from the seed's calendars and lanes; the system's answers are held against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from core.domain.calendars import WorkCalendar, arrival, local_day, ship_day
from migrations.demo_company import CALENDARS, ENGLISH_HOLIDAYS, LANES, LOCATIONS, POLICIES
from workers.commands.demo_story import figures

LONGEST_RUN = timedelta(seconds=100)
"""No day may turn and no cut-off may pass while the story runs."""


def calendar(code: str) -> WorkCalendar:
    working_days, country = next((row[2], row[3]) for row in CALENDARS if row[0] == code)
    closed = dict.fromkeys(ENGLISH_HOLIDAYS, False) if country == "GB" else {}
    return WorkCalendar(frozenset(working_days), country, closed)


def _place(code: str) -> tuple[str, WorkCalendar, clock_time | None]:
    row = next(row for row in LOCATIONS if row[0] == code)
    return row[3], calendar(row[4]), row[5]


@dataclass(slots=True)
class Days:
    """All days follow from `now`, an aware instant."""

    now: datetime
    home: WorkCalendar = field(init=False)
    today: date = field(init=False)

    def __post_init__(self) -> None:
        zone, self.home, _ = _place(figures.HOME)
        self.today = local_day(self.now, zone)

    def leaves_now(self, place: str) -> date:
        """The first day on which what is there now can leave."""
        zone, work, cutoff = _place(place)
        return ship_day(self.now, zone, cutoff, work)

    def arrives(self, origin: str, target: str, leaves: date) -> date:
        days, code = next((row[2], row[3]) for row in LANES if row[:2] == (origin, target))
        return arrival(leaves, days, calendar(code))

    def delivered(self, leaves: date) -> date:
        """At the customer, from the distribution centre of the story."""
        return self.arrives(figures.HOME, figures.ZONE, leaves)

    def after_transfer(self) -> date:
        """The day on which units of the reserve warehouse can leave for the customer."""
        there = self.arrives(figures.RESERVE, figures.HOME, self.leaves_now(figures.RESERVE))
        return self.home.next_working_day(there)

    def after_lead_time(self, sku: str) -> date:
        """The day on which units that are ordered today can leave, by the P80 of the lead time."""
        return self.home.next_working_day(self.today + timedelta(days=figures.terms(sku).lead_p80))

    def usable(self, dock: date) -> date:
        """The day on which what is at the dock on `dock` can leave."""
        return self.home.add_working_days(self.home.next_working_day(dock), POLICIES["receiving_days"])

    def dock_for(self, usable: date) -> date:
        return self.home.add_working_days(usable, -POLICIES["receiving_days"])

    def inbound(self, days: int) -> date:
        """The day on which units of a seeded purchase order can leave."""
        return self.usable(self.home.next_working_day(self.today + timedelta(days=days)))

    def around(self, day: date, working_days: int) -> date:
        return self.home.add_working_days(day, working_days)


def seconds_until_quiet(now: datetime) -> float:
    """How long to wait so that no midnight or cut-off of any place falls into the run; 0 most of the time."""
    latest = 0.0
    for _, _, _, zone, _, cutoff in LOCATIONS:
        local = now.astimezone(ZoneInfo(zone))
        for turn in (clock_time(), cutoff):
            if turn is None:
                continue
            moment = datetime.combine(local.date(), turn, ZoneInfo(zone))
            if moment <= local:
                moment = datetime.combine(local.date() + timedelta(days=1), turn, ZoneInfo(zone))
            left = (moment.astimezone(UTC) - now.astimezone(UTC)).total_seconds()
            if left < LONGEST_RUN.total_seconds():
                latest = max(latest, left + 1)
    return latest
