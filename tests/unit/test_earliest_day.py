"""A requested day is past when it is past at every location that could serve."""

from datetime import UTC, date, datetime, time

from core.domain.calendars import WorkCalendar
from core.domain.network import Location, Network

EVERY_DAY = WorkCalendar(frozenset(range(1, 8)))
ZONES = {1: ("dc", "Asia/Seoul"), 2: ("dc", "Europe/London"), 3: ("destination", "America/New_York")}


def _network(*ids: int) -> Network:
    return Network({n: Location(n, f"L{n}", *ZONES[n], time(15), EVERY_DAY) for n in ids}, {})


def test_only_locations_that_hold_stock_count():
    early = datetime(2026, 11, 22, 3, 50, tzinfo=UTC)  # 22:50 of the 21st in New York
    assert _network(1, 2, 3).earliest_day(early) == date(2026, 11, 22)
    late = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # the 23rd in Seoul
    assert _network(1, 2, 3).earliest_day(late) == date(2026, 11, 22)
    assert _network(1, 2, 3).earliest_day(late, [1, 3]) == date(2026, 11, 23)
    assert _network(3).earliest_day(late) == date(2026, 11, 22)
