"""Change where and when goods move: calendars, lanes between locations, cut-offs; promises that rest on them follow.

An edit that moves no day (a name, a cost, what was there already) asks for no judging.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from core.domain.calendars import LONGEST_CLOSURE_DAYS, WorkCalendar, check_country
from core.domain.states import LocationKind
from core.errors import ConfigurationError, InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.codes import lane_ends_of, location_ids_of
from core.repositories.network import lock_network
from core.services.rejudge_routes import request_rejudging

MAX_EXCEPTIONS = 2_000
MAX_TRANSIT_DAYS = 365
MAX_COST = 10**12
MAX_CODE = 64


@dataclass(frozen=True, slots=True)
class SetCalendar:
    """A calendar by its code, new or known. What is None stays as it is; `country` '' ends its public holidays.

    `working_days` are ISO weekdays; `exceptions` (day, is it worked) replace all that there were.
    """

    code: str
    name: str | None = None
    working_days: Sequence[int] | None = None
    country: str | None = None
    exceptions: Sequence[tuple[date, bool]] | None = None


@dataclass(frozen=True, slots=True)
class SetLane:
    """A lane by its ends, new or known. What is None stays as it is; `calendar` '' means that it runs every day."""

    from_location: str
    to_location: str
    transit_days: int | None = None
    calendar: str | None = None
    cost: int | None = None
    carbon_g_per_kg: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeLocation:
    """What is None stays as it is; `cutoff_time` is local (HH:MM), '' for none; `calendar` '' is every day."""

    location: str
    cutoff_time: str | None = None
    calendar: str | None = None


async def set_calendar(uow: Transaction, request: SetCalendar) -> str:
    """Make a calendar or change it; returns its code. What rests on it is judged anew by a job.

    Raises InvalidInput (no code, no or wrong weekdays, an unknown country, days given twice, a calendar that never
    opens).
    """
    code = _code(request.code)
    await lock_network(uow)
    before = await uow.sql.fetchrow("select * from calendar where code = $1", code)
    days = request.working_days if request.working_days is not None else (before["working_days"] if before else None)
    if not days or len(set(days)) < len(days) or not set(days) <= set(range(1, 8)):
        raise InvalidInput(
            "Working days are ISO weekdays 1 (Monday) to 7, each once, and at least one.",
            path=("input", "workingDays"),
            value=str(list(days or [])),
        )
    country = (before["country"] if before else None) if request.country is None else _country(request.country)
    known = await _exceptions(uow, before["id"]) if before else {}
    exceptions = known if request.exceptions is None else _checked(request.exceptions)
    _must_open(WorkCalendar(frozenset(days), country, exceptions), uow.now.date())
    calendar_id = await uow.sql.fetchval(
        """insert into calendar (code, name, working_days, country, created_at, updated_at)
        values ($1, $2, $3, $4, clock_timestamp(), clock_timestamp())
        on conflict (code) do update set name = excluded.name, working_days = excluded.working_days,
            country = excluded.country, updated_at = excluded.updated_at returning id""",
        code,
        (before["name"] if before else code) if request.name is None else request.name,
        sorted(days),
        country,
    )
    if request.exceptions is not None:
        await uow.sql.execute("delete from calendar_exception where calendar_id = $1", calendar_id)
        await uow.sql.execute(
            """insert into calendar_exception (calendar_id, day, is_working, created_at)
            select $1, u.day, u.works, clock_timestamp() from unnest($2::date[], $3::bool[]) as u(day, works)""",
            calendar_id,
            list(exceptions),
            list(exceptions.values()),
        )
    old = None if before is None else _calendar(sorted(before["working_days"]), before["country"], known)
    new = _calendar(sorted(days), country, exceptions)
    uow.audit("calendarSet", f"calendar:{code}", old, new)
    if new != old:
        request_rejudging(uow, await _locations_of(uow, calendar_id))
    return code


async def set_lane(uow: Transaction, request: SetLane) -> tuple[int, int]:
    """Make a lane or change it; returns (from, to) by location id. What is served over it is judged anew by a job.

    Raises NotFound (location, calendar) and InvalidInput (a lane to itself or from a delivery zone, figures that cannot
    be, a new one without transit days).
    """
    origin, target = await lane_ends_of(uow, request.from_location, request.to_location)
    if origin == target:
        raise InvalidInput("A lane leads to another location.", path=("input", "toLocation"), value=request.to_location)
    for name, value, most in (
        ("transitDays", request.transit_days, MAX_TRANSIT_DAYS),
        ("cost", request.cost, MAX_COST),
        ("carbonGPerKg", request.carbon_g_per_kg, 10**9),
    ):
        if value is not None and not 0 <= value <= most:
            raise InvalidInput(f"{value} is not between 0 and {most}.", path=("input", name), value=value)
    await lock_network(uow)
    if await uow.sql.fetchval("select kind from location where id = $1", origin) == LocationKind.DESTINATION:
        raise InvalidInput(
            f"Nothing leaves from the delivery zone {request.from_location!r}.",
            path=("input", "fromLocation"),
            value=request.from_location,
        )
    before = await uow.sql.fetchrow(
        "select * from lane where from_location_id = $1 and to_location_id = $2", origin, target
    )
    if before is None and request.transit_days is None:
        raise InvalidInput("A new lane needs its transit days.", path=("input", "transitDays"))
    old: dict[str, Any] = _lane(before) if before else {"calendarId": None, "cost": 0, "carbonGPerKg": 0}
    new = {
        "transitDays": old.get("transitDays") if request.transit_days is None else request.transit_days,
        "calendarId": await calendar_id_of(uow, request.calendar, old["calendarId"]),
        "cost": old["cost"] if request.cost is None else request.cost,
        "carbonGPerKg": old["carbonGPerKg"] if request.carbon_g_per_kg is None else request.carbon_g_per_kg,
    }
    await uow.sql.execute(
        """insert into lane (from_location_id, to_location_id, transit_days, calendar_id, cost, carbon_g_per_kg, created_at,
            updated_at) values ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())
        on conflict (from_location_id, to_location_id) do update set transit_days = excluded.transit_days,
            calendar_id = excluded.calendar_id, cost = excluded.cost, carbon_g_per_kg = excluded.carbon_g_per_kg,
            updated_at = excluded.updated_at""",
        origin,
        target,
        *new.values(),
    )
    uow.audit("laneSet", f"lane:{request.from_location}:{request.to_location}", old if before else None, new)
    if any(old.get(name) != new[name] for name in ("transitDays", "calendarId")):
        request_rejudging(uow, [origin])
    return origin, target


async def change_location(uow: Transaction, request: ChangeLocation) -> int:
    """Change cut-off or calendar of a location; returns its id. What is served from it is judged anew by a job.

    Raises NotFound (location, calendar) and InvalidInput (no time of the day).
    """
    cutoff = cutoff_of(request.cutoff_time)
    location_id = (await location_ids_of(uow, [request.location], ("input", "location")))[request.location]
    await lock_network(uow)
    before = await uow.sql.fetchrow("select cutoff_time, calendar_id from location where id = $1", location_id)
    after = {
        "cutoff_time": before["cutoff_time"] if request.cutoff_time is None else cutoff,
        "calendar_id": await calendar_id_of(uow, request.calendar, before["calendar_id"]),
    }
    await uow.sql.execute(
        "update location set cutoff_time = $2, calendar_id = $3, updated_at = clock_timestamp() where id = $1",
        location_id,
        *after.values(),
    )
    uow.audit("locationChange", f"location:{request.location}", _location(before), _location(after))
    if after != dict(before):
        request_rejudging(uow, [location_id])
    return location_id


def cutoff_of(text: str | None) -> time | None:
    """A local time of the day; None for none. Raises InvalidInput."""
    if not text:
        return None
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise InvalidInput(f"{text!r} is not a time such as 15:30.", path=("input", "cutoffTime"), value=text)
    return found


def _code(code: str) -> str:
    code = code.strip()
    if not 0 < len(code) <= MAX_CODE:
        raise InvalidInput(f"A code has 1 to {MAX_CODE} characters.", path=("input", "code"), value=code[:MAX_CODE])
    return code


def _checked(exceptions: Sequence[tuple[date, bool]]) -> dict[date, bool]:
    found = dict(exceptions)
    if len(found) < len(exceptions) or len(found) > MAX_EXCEPTIONS:
        raise InvalidInput(
            f"At most {MAX_EXCEPTIONS} exceptions, one per day.", path=("input", "exceptions"), value=len(exceptions)
        )
    return found


def _country(code: str) -> str | None:
    """An ISO 3166 alpha-2 code in capitals; '' is none. Longer names that the source of holidays knows are no codes."""
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise InvalidInput(
            f"{code[:MAX_CODE]!r} is not a two-letter ISO 3166 country code such as KR.",
            path=("input", "country"),
            value=code[:MAX_CODE],
        )
    if not code:
        return None
    try:
        check_country(code.upper())
    except ConfigurationError as error:
        raise InvalidInput(str(error), path=("input", "country"), value=code) from error
    return code.upper()


def _must_open(calendar: WorkCalendar, today: date) -> None:
    """From every closed day a working day must be found on both sides, as whoever plans for that day will need it."""
    try:
        calendar.next_working_day(today)
    except ConfigurationError as error:
        where = "exceptions" if "working day" in str(error) else "country"
        value = calendar.country if where == "country" else today.isoformat()
        raise InvalidInput(str(error), path=("input", where), value=value) from error
    reopens = date.min
    for day in sorted(day for day, works in calendar.exceptions.items() if not works):
        if day < reopens:
            continue
        try:
            closes = calendar.previous_working_day(day)
            reopens = calendar.next_working_day(closes + timedelta(days=1))
        except (ConfigurationError, OverflowError) as error:
            raise InvalidInput(
                f"Around {day} the calendar is closed for {LONGEST_CLOSURE_DAYS} days or more.",
                path=("input", "exceptions"),
                value=day.isoformat(),
            ) from error


async def _exceptions(uow: Transaction, calendar_id: int) -> dict[date, bool]:
    rows = await uow.sql.fetch("select day, is_working from calendar_exception where calendar_id = $1", calendar_id)
    return {row["day"]: row["is_working"] for row in rows}


async def calendar_id_of(uow: Transaction, code: str | None, known: int | None) -> int | None:
    """The calendar that was named: None keeps the `known` one, '' is every day."""
    if code is None:
        return known
    if not code:
        return None
    found = await uow.sql.fetchval("select id from calendar where code = $1", code)
    if found is None:
        raise NotFound("calendar", code, path=("input", "calendar"))
    return found


async def _locations_of(uow: Transaction, calendar_id: int) -> list[int]:
    """Where goods leave by this calendar: locations that keep it, and the beginnings of lanes that do."""
    rows = await uow.sql.fetch(
        """select id from location where calendar_id = $1
        union select from_location_id from lane where calendar_id = $1""",
        calendar_id,
    )
    return [row["id"] for row in rows]


def _calendar(days: Sequence[int], country: str | None, exceptions: dict[date, bool]) -> dict[str, Any]:
    worked = {day.isoformat(): works for day, works in sorted(exceptions.items())}
    return {"workingDays": list(days), "country": country, "exceptions": worked}


def _lane(row: Any) -> dict[str, Any]:
    return {
        "transitDays": row["transit_days"],
        "calendarId": row["calendar_id"],
        "cost": row["cost"],
        "carbonGPerKg": row["carbon_g_per_kg"],
    }


def _location(row: Any) -> dict[str, Any]:
    cutoff = row["cutoff_time"]
    return {"cutoffTime": None if cutoff is None else cutoff.isoformat("minutes"), "calendarId": row["calendar_id"]}
