"""Calendars, lanes and cut-offs: what holds, and how planners change it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from strawberry import Info, argument

from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import build
from api.schema.routes import (
    Calendar,
    CalendarException,
    CalendarPayload,
    CalendarSetInput,
    Lane,
    LanePayload,
    LaneSetInput,
    LocationChangeInput,
    LocationPayload,
)
from core.queries import network
from core.services.change_routes import ChangeLocation, SetCalendar, SetLane, change_location, set_calendar, set_lane
from core.unit_of_work import UnitOfWork


async def _calendars(info: Info) -> list[Calendar]:
    async with info.context.read() as sql:
        rows = await network.calendars(sql)
    return [
        Calendar(
            code=row["code"],
            name=row["name"],
            working_days=row["working_days"],
            country=row["country"],
            exceptions=[
                CalendarException(day=date.fromisoformat(day["day"]), is_working=day["isWorking"])
                for day in row["exceptions"]
            ],
        )
        for row in rows
    ]


async def _lanes(info: Info, origin: str | None, target: str | None) -> list[Lane]:
    async with info.context.read() as sql:
        return [Lane(**dict(row)) for row in await network.lanes(sql, origin, target)]


async def calendars(info: Info) -> list[Calendar]:
    """All of them, by code."""
    return await _calendars(info)


async def lanes(
    info: Info,
    from_location: Annotated[str | None, argument(description="Only those that begin here, by code.")] = None,
    to_location: Annotated[str | None, argument(description="Only those that end here, by code.")] = None,
) -> list[Lane]:
    """Lanes by the codes of their ends."""
    return await _lanes(info, from_location, to_location)


async def calendar_set(
    info: Info,
    input: Annotated[CalendarSetInput, argument(description="The calendar.")],
    idempotency_key: IdempotencyKey,
) -> CalendarPayload:
    """Make or change a calendar."""
    days = None if input.exceptions is None else [(day.day, day.is_working) for day in input.exceptions]
    wanted = SetCalendar(input.code, input.name, input.working_days, input.country, days)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"code": await set_calendar(uow, wanted)}

    done = await run_mutation(info.context, "calendarSet", input, idempotency_key, use_case)
    code = done.result.get("code")
    found = next((row for row in await _calendars(info) if row.code == code), None) if code else None
    return CalendarPayload(calendar=found, user_errors=done.errors)


async def lane_set(
    info: Info,
    input: Annotated[LaneSetInput, argument(description="The lane.")],
    idempotency_key: IdempotencyKey,
) -> LanePayload:
    """Make or change a lane."""
    wanted = SetLane(
        input.from_location, input.to_location, input.transit_days, input.calendar, input.cost, input.carbon_g_per_kg
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        origin, target = await set_lane(uow, wanted)
        return {"fromLocationId": origin, "toLocationId": target}

    done = await run_mutation(info.context, "laneSet", input, idempotency_key, use_case)
    found = await _lanes(info, input.from_location, input.to_location) if done.result else []
    return LanePayload(lane=next(iter(found), None), user_errors=done.errors)


async def location_change(
    info: Info,
    input: Annotated[LocationChangeInput, argument(description="What is to be different.")],
    idempotency_key: IdempotencyKey,
) -> LocationPayload:
    """Change when a location ships."""
    wanted = ChangeLocation(input.location, input.cutoff_time, input.calendar)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"locationId": await change_location(uow, wanted)}

    done = await run_mutation(info.context, "locationChange", input, idempotency_key, use_case)
    found = await info.context.loaders.location_by_id.load(done.result["locationId"]) if done.result else None
    return LocationPayload(location=build("Location", found), user_errors=done.errors)
