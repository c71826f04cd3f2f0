"""What a shown date waits for, and the days by which it has come with 50, 80 and 95 % probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.domain.calendars import WorkCalendar
from core.domain.eta import FEWEST_OBSERVATIONS, Spread, last_of, one_after_another
from core.domain.network import Network


@dataclass(frozen=True, slots=True)
class DatePart:
    """Goods that leave `location_id` on `ship_date` at the earliest (None: when they are there), and come from `supply`.

    `supply` is (SKU, supply id), None for stock on hand or for what has no source yet; `carried` is the planned time on
    the road, None when only the departure matters.
    """

    ship_date: date | None
    location_id: int
    supply: tuple[int, int] | None
    carried: timedelta | None = None
    destination_id: int | None = None
    """Where the road ends: its lane says how long it takes from any day; where that is unknown, it is as long as planned."""

    @property
    def paths(self) -> list[str]:
        """Groups that speak of putting away, of leaving the location and of the road from it, the closest first."""
        shelf = [] if self.supply is None else [f"SHELF|ALL|{self.location_id}", "SHELF|ALL"]
        leaving = [f"SHIP|ALL|{self.location_id}", "SHIP|ALL"] if self.ship_date is not None else []
        return shelf + leaving + ([] if self.carried is None else [f"CARRY|ALL|{self.location_id}", "CARRY|ALL"])


@dataclass(frozen=True, slots=True)
class SupplyDates:
    """The day a supply was stated for, the day it counts as usable from, and how late such supplies come (None: unknown)."""

    paper_date: date
    usable_date: date
    late: Spread | None
    is_own: bool = False
    """It moves between our own locations: taken as planned while nobody measures it."""
    receiving_days: int = 0
    """Working days of the location from the dock to the shelf, as planned; what was measured there takes their place."""


@dataclass(frozen=True, slots=True)
class DateQuantiles:
    """Quantiles and what they rest on; all null below FEWEST_OBSERVATIONS, and one where more than the rest never comes."""

    p50: date | None
    p80: date | None
    p95: date | None
    coverage: float | None
    observations: int
    latest: date | None = None
    """The last day on which such goods still came; null below FEWEST_OBSERVATIONS."""

    def expected(self, paper: date) -> date:
        """P80; where more than a fifth never comes the last day that is left, and never one before the paper date."""
        return self.p80 or max(paper, self.latest or paper)


UNKNOWN = DateQuantiles(None, None, None, None, 0)

AS_PLANNED = 10**9
"""Observations of a departure that was never measured: it is taken as planned and adds nothing to what others know."""


def part_spread(
    part: DatePart, supply: SupplyDates | None, known: Mapping[str, Spread], now: datetime, network: Network
) -> Spread | None:
    """The distribution of a part over ordinal days; None while any stage of it was not measured.

    The stages add up: the supply's day at our dock (given that it has not come by yesterday), the working days of receiving,
    inspecting and putting away, leaving (cut-off and working days of the location), the road (working days of its lane).
    Goods for a later day do not leave before it. A day that is named but not reached is never in the past.
    """
    leaving = _leaving(part, supply, known, now, network)
    if leaving is None or part.carried is None:
        return leaving
    road = _closest(part, known, "CARRY")
    return None if road is None else one_after_another(leaving.moved(lambda day: _delivered(part, day, network)), road)


def _leaving(
    part: DatePart, supply: SupplyDates | None, known: Mapping[str, Spread], now: datetime, network: Network
) -> Spread | None:
    calendar, today = network.locations[part.location_id].calendar, network.today(part.location_id, now)

    def working(day: int) -> int:
        return calendar.next_working_day(date.fromordinal(day)).toordinal()

    late = _closest(part, known, "SHIP")
    if part.supply is None:
        if part.ship_date is None:
            return None
        if late is None:
            return Spread((working(max(part.ship_date, today).toordinal()),), (1.0,), AS_PLANNED, 1.0)
        return late.shifted(part.ship_date.toordinal()).given_late(today.toordinal() - 1).moved(working)
    there = None if supply is None else _there(supply, today, calendar, _closest(part, known, "SHELF"))
    if there is None or supply is None or part.ship_date is None:
        return there
    earliest = network.first_ship_day(part.location_id, now)
    if part.ship_date > calendar.next_working_day(supply.usable_date):
        earliest = max(earliest, part.ship_date)
    leaving = there.moved(working).not_before(earliest.toordinal())
    return leaving if late is None else one_after_another(leaving, late.not_before(0)).moved(working)


def _there(supply: SupplyDates, today: date, calendar: WorkCalendar, shelf: Spread | None) -> Spread | None:
    """When the goods can be given out; what arrives on a closed day is received from the next working day on.

    From the dock to the shelf it takes as long as was measured at this place, else as planned.
    """
    if supply.late is None:
        return Spread((max(supply.usable_date, today).toordinal(),), (1.0,), AS_PLANNED, 1.0) if supply.is_own else None

    def open_from(day: int) -> date:
        return calendar.next_working_day(date.fromordinal(day))

    late = supply.late.shifted(supply.paper_date.toordinal()).given_late(today.toordinal() - 1)
    if shelf is None:
        return late.moved(lambda day: calendar.add_working_days(open_from(day), supply.receiving_days).toordinal())
    at_dock = late.moved(lambda day: open_from(day).toordinal())
    return one_after_another(at_dock, shelf.not_before(0)).moved(lambda day: open_from(day).toordinal())


def _delivered(part: DatePart, day: int, network: Network) -> int:
    lane = (part.location_id, part.destination_id)
    driven = None if lane[1] is None else network.delivery_date(lane[0], lane[1], date.fromordinal(day))
    return day + (part.carried or timedelta()).days if driven is None else driven.toordinal()


def _closest(part: DatePart, known: Mapping[str, Spread], stage: str) -> Spread | None:
    return next((known[path] for path in part.paths if path.startswith(stage) and path in known), None)


def quantiles_of(parts: Sequence[Spread | None]) -> DateQuantiles:
    """When all parts have come. UNKNOWN while one of them is; no quantile rests on too few observations."""
    if not parts or any(part is None for part in parts):
        return UNKNOWN
    whole = last_of([part for part in parts if part is not None])
    if whole.observations == AS_PLANNED:
        return UNKNOWN
    if whole.observations < FEWEST_OBSERVATIONS:
        return DateQuantiles(None, None, None, None, whole.observations)
    days = [whole.quantile(level) for level in (0.5, 0.8, 0.95)]
    p50, p80, p95, latest = (None if day is None else date.fromordinal(day) for day in (*days, whole.days[-1]))
    return DateQuantiles(p50, p80, p95, whole.coverage, whole.observations, latest)
