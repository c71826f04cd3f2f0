"""Where things are and when they move: calendars, locations, lanes, delivery zones, channels and policies."""

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa

from core.domain.states import LocationKind
from core.tables import columns as c


class Calendar(c.Row, table=True):
    """Working weekdays (ISO 1..7) and the country whose public holidays are free."""

    __table_args__ = (
        c.unique("code"),
        c.check("working_days <@ array[1,2,3,4,5,6,7] and cardinality(working_days) > 0", "working_days"),
    )

    id: int | None = c.identity()
    code: str = c.text()
    name: str = c.text()
    working_days: list[int] = c.array(sa.Integer)
    country: str | None = c.country(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class CalendarException(c.Row, table=True):
    """A day that is worked, or not, against the rule of its calendar."""

    calendar_id: int = c.key(references="calendar.id")
    day: date = c.key(sa.Date)
    is_working: bool = c.flag()
    created_at: datetime = c.created()


class Location(c.Row, table=True):
    """A place of the network with its zone, calendar and daily cut-off."""

    __table_args__ = (c.unique("code"), c.one_of("kind", LocationKind))

    id: int | None = c.identity()
    code: str = c.text()
    name: str = c.text(default="")
    kind: str = c.text()
    time_zone: str = c.text(default="UTC")
    calendar_id: int | None = c.ref("calendar.id", null=True)
    cutoff_time: time | None = c.time_of_day(null=True)
    is_active: bool = c.flag(True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class Lane(c.Row, table=True):
    """A way from one location to another: transit in working days of its calendar, cost in minor units a unit."""

    __table_args__ = (
        c.check("from_location_id <> to_location_id", "not_itself"),
        c.check("transit_days >= 0", "transit_days"),
        c.index("lane_to_idx", "to_location_id"),
    )

    from_location_id: int = c.key(references="location.id")
    to_location_id: int = c.key(references="location.id")
    transit_days: int = c.integer()
    calendar_id: int | None = c.ref("calendar.id", null=True)
    cost: int = c.bigint(default=0)
    carbon_g_per_kg: int = c.integer(default=0)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class DeliveryZone(c.Row, table=True):
    """Maps a ship-to to its destination location; the longest prefix wins, '' is the whole country."""

    country: str = c.key(sa.CHAR(2))
    postal_prefix: str = c.key(sa.Text)
    location_id: int = c.ref("location.id")
    created_at: datetime = c.created()


class Channel(c.Row, table=True):
    """Where orders come from: which locations it sells from (null = all) and how much stock it may show."""

    code: str = c.key(sa.Text)
    name: str = c.text()
    default_language: str = c.text(default="en")
    location_ids: list[int] | None = c.array(sa.BigInteger, null=True)
    max_shown: int | None = c.integer(null=True)
    protected_class: str = c.text(default="")
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class Policy(c.Row, table=True):
    """A business parameter that changes without a release: deadlines, limits, hysteresis."""

    code: str = c.key(sa.Text)
    value: Any = c.json()
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
