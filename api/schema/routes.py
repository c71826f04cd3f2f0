"""Where and when goods move: calendars and lanes, as planners set them."""

from __future__ import annotations

from datetime import date

import strawberry
from strawberry import Info, field

from api.schema.errors import UserError
from api.schema.node import build
from api.schema.sku import Location


@strawberry.type(description="A day that is worked, or not, against the rule of its calendar.")
class CalendarException:
    """One day."""

    day: date = field(description="The day.")
    is_working: bool = field(description="Is it worked.")


@strawberry.type(description="The days on which a location works or a lane runs.")
class Calendar:
    """One calendar."""

    code: str = field(description="Unique code.")
    name: str = field(description="Name.")
    working_days: list[int] = field(description="ISO weekdays: 1 is Monday, 7 Sunday.")
    country: str | None = field(description="ISO 3166 code of whose public holidays are free.", default=None)
    exceptions: list[CalendarException] = field(description="Days against the rule, by day.")


@strawberry.type(description="A way from one location to another.")
class Lane:
    """One lane."""

    from_location_id: strawberry.Private[int]
    to_location_id: strawberry.Private[int]
    transit_days: int = field(description="Days under way, counted in days of its calendar.")
    calendar: str | None = field(description="Code of its calendar; null: it runs every day.", default=None)
    cost: int = field(description="Minor units of money per unit.")
    carbon_g_per_kg: int = field(description="Grams of CO2e per kilogram.")

    @field(description="Where it begins.")
    async def from_location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.from_location_id))

    @field(description="Where it ends.")
    async def to_location(self, info: Info) -> Location:
        return build("Location", await info.context.loaders.location_by_id.load(self.to_location_id))


@strawberry.input(description="A day that is worked, or not, against the rule.")
class CalendarExceptionInput:
    """One day."""

    day: date = field(description="The day.")
    is_working: bool = field(default=False, description="Is it worked.")


@strawberry.input(description="A calendar, new or known; what is null stays as it is.")
class CalendarSetInput:
    """Input of calendarSet."""

    code: str = field(description="Its code; a new one makes a new calendar.")
    name: str | None = field(default=None, description="Name; of a new one its code.")
    working_days: list[int] | None = field(
        default=None, description="ISO weekdays, 1 is Monday; a new calendar needs them."
    )
    country: str | None = field(
        default=None, description="ISO 3166 code of whose public holidays are free; empty: of none."
    )
    exceptions: list[CalendarExceptionInput] | None = field(
        default=None, description="Days against the rule; they replace all that there were."
    )


@strawberry.input(description="A lane by its ends, new or known; what is null stays as it is.")
class LaneSetInput:
    """Input of laneSet."""

    from_location: str = field(description="Code of where it begins.")
    to_location: str = field(description="Code of where it ends: a location, or a delivery zone.")
    transit_days: int | None = field(default=None, description="Days under way; a new lane needs them.")
    calendar: str | None = field(default=None, description="Code of its calendar; empty: it runs every day.")
    cost: int | None = field(default=None, description="Minor units of money per unit.")
    carbon_g_per_kg: int | None = field(default=None, description="Grams of CO2e per kilogram.")


@strawberry.input(description="When a location ships; what is null stays as it is.")
class LocationChangeInput:
    """Input of locationChange."""

    location: str = field(description="Code of the location.")
    cutoff_time: str | None = field(
        default=None, description="Local time (HH:MM) from which on nothing leaves that day; empty: it ships all day."
    )
    calendar: str | None = field(default=None, description="Code of its calendar; empty: it works every day.")


@strawberry.type(description="Answer of calendarSet.")
class CalendarPayload:
    """The calendar after it."""

    calendar: Calendar | None = field(description="The calendar.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


@strawberry.type(description="Answer of laneSet.")
class LanePayload:
    """The lane after it."""

    lane: Lane | None = field(description="The lane.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


@strawberry.type(description="Answer of locationSet and locationChange.")
class LocationPayload:
    """The location after it."""

    location: Location | None = field(description="The location.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")
