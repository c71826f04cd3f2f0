"""Locations, lanes and delivery zones: which location serves a customer, and on which days."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from core.domain.calendars import WorkCalendar, arrival, latest_ship_date, ship_day

MAX_REMEMBERED = 20_000
"""Answers kept per network: it lives as long as its rows stay the same."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds stock, a supplier's door, or (kind `destination`) a delivery zone."""

    id: int
    code: str
    kind: str
    time_zone: str
    cutoff_time: time
    calendar: WorkCalendar
    is_active: bool = True

    @property
    def holds_stock(self) -> bool:
        return self.is_active and self.kind in ("dc", "warehouse", "store")


@dataclass(frozen=True, slots=True)
class Lane:
    """A way from one location to another; `transit_days` are working days of its calendar."""

    from_location_id: int
    to_location_id: int
    transit_days: int
    calendar: WorkCalendar
    cost: int = 0
    carbon_g_per_kg: int = 0


@dataclass(slots=True)
class Network:
    """The reference data of where and when, loaded with each unit of work."""

    locations: dict[int, Location]
    lanes: dict[tuple[int, int], Lane]
    zones: list[tuple[str, str, int]] = field(default_factory=list)
    """(country, postal prefix, destination location id)."""
    _sources: dict[tuple[int | None, tuple[int, ...] | None], list[int]] = field(default_factory=dict)
    _deliveries: dict[tuple[int, int | None, date], date | None] = field(default_factory=dict)
    _first_days: dict[tuple[int, datetime], date] = field(default_factory=dict)

    def time_zone(self, location_id: int | None) -> str:
        """Whose clocks hold there; UTC where no location is known."""
        return self.locations[location_id].time_zone if location_id in self.locations else "UTC"

    def today(self, location_id: int, now: datetime) -> date:
        """The calendar day at the location."""
        return now.astimezone(ZoneInfo(self.locations[location_id].time_zone)).date()

    def earliest_day(self, now: datetime, allowed: Collection[int] | None = None) -> date:
        """The calendar day where it is earliest among the locations that hold stock; a requested day before it is past.

        `allowed` narrows them (a channel's own). Without any location it is the day in UTC.
        """
        places = [x.id for x in self.locations.values() if x.holds_stock and (allowed is None or x.id in allowed)]
        return min((self.today(place, now) for place in places), default=now.astimezone(UTC).date())

    def destination(self, country: str, postal_code: str) -> int | None:
        """The delivery zone of an address: the longest matching postal prefix of its country, or None."""
        matches = [
            (len(prefix), location_id)
            for zone_country, prefix, location_id in self.zones
            if zone_country == country.upper() and postal_code.upper().startswith(prefix.upper())
        ]
        return max(matches)[1] if matches else None

    def sources(self, destination_id: int | None, allowed: list[int] | None = None) -> list[int]:
        """Locations that ship straight to the destination, nearest first (transit days, cost, id).

        Without a destination every location that holds stock serves, by id; `allowed` narrows (a channel's own).
        """
        key = (destination_id, tuple(allowed) if allowed is not None else None)
        if key not in self._sources:
            found = [
                (lane.transit_days, lane.cost, location.id) if lane is not None else (0, 0, location.id)
                for location in self.locations.values()
                if location.holds_stock
                and (allowed is None or location.id in allowed)
                and ((lane := self.lanes.get((location.id, destination_id or 0))) is not None or destination_id is None)
            ]
            self._sources[key] = [location_id for _, _, location_id in sorted(found)]
        return self._sources[key]

    def donors(self, location_id: int) -> list[int]:
        """Locations that hold stock and can transfer to this one, nearest first."""
        found = [
            (lane.transit_days, lane.cost, lane.from_location_id)
            for lane in self.lanes.values()
            if lane.to_location_id == location_id
            and (donor := self.locations.get(lane.from_location_id)) is not None
            and donor.holds_stock
        ]
        return [donor_id for _, _, donor_id in sorted(found)]

    def first_ship_day(self, location_id: int, now: datetime) -> date:
        """The first day the location can still ship: today before its cut-off, else its next working day."""
        key = (location_id, now)
        if key not in self._first_days:
            if len(self._first_days) > MAX_REMEMBERED:
                self._first_days.clear()
            place = self.locations[location_id]
            self._first_days[key] = ship_day(now, place.time_zone, place.cutoff_time, place.calendar)
        return self._first_days[key]

    def ship_day_from(self, location_id: int, day: date) -> date:
        """The first working day of the location on or after `day`."""
        return self.locations[location_id].calendar.next_working_day(day)

    def arrive(self, lane: Lane, ship_date: date) -> date:
        """The day on which what leaves on `ship_date` reaches the end of the lane."""
        return arrival(ship_date, lane.transit_days, lane.calendar)

    def moved_by(self, from_location_id: int, to_location_id: int, ship_date: date, now: datetime) -> date:
        """The day at the other end on which what leaves on `ship_date` is there: never one that is over there."""
        lane = self.lanes[from_location_id, to_location_id]
        return max(self.arrive(lane, ship_date), self.today(to_location_id, now))

    def delivery_date(self, location_id: int, destination_id: int | None, ship_date: date) -> date | None:
        """When what leaves on `ship_date` arrives; None when no lane is known."""
        key = (location_id, destination_id, ship_date)
        if key not in self._deliveries:
            if len(self._deliveries) > MAX_REMEMBERED:
                self._deliveries.clear()
            lane = self.lanes.get((location_id, destination_id or 0))
            self._deliveries[key] = None if lane is None else self.arrive(lane, ship_date)
        return self._deliveries[key]

    def latest_ship_day(self, location_id: int, destination_id: int | None, delivery_date: date) -> date:
        """The last day to ship so that the goods arrive by `delivery_date` (that day itself without a lane)."""
        lane = self.lanes.get((location_id, destination_id or 0))
        return delivery_date if lane is None else latest_ship_date(delivery_date, lane.transit_days, lane.calendar)
