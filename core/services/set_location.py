"""Make a location, change it, or switch it off: a new place sells from its first lane on, one that is off runs dry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from core.domain.states import LocationKind
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.network import lock_network
from core.services.change_routes import calendar_id_of, cutoff_of
from core.services.rejudge_routes import request_rejudging

STOCKED = (LocationKind.DC, LocationKind.WAREHOUSE, LocationKind.STORE)
MAX_NAME = 200
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COLUMNS = ("name", "kind", "time_zone", "calendar_id", "cutoff_time", "is_active")
_MOVING = ("kind", "time_zone", "calendar_id", "cutoff_time", "is_active")


@dataclass(frozen=True, slots=True)
class SetLocation:
    """A location by its code, new or known. What is None stays as it is; `calendar` '' is every day, `cutoff_time` '' none."""

    code: str
    name: str | None = None
    kind: LocationKind | str | None = None
    time_zone: str | None = None
    calendar: str | None = None
    cutoff_time: str | None = None
    is_active: bool | None = None


async def set_location(uow: Transaction, request: SetLocation) -> int:
    """Write the location; returns its id. What is served from it, or goes to it, is judged anew by a job.

    Switched off, it gets no new order, hold, transfer, return or refill; lines that are served from it go on until they
    have left. Raises NotFound (calendar) and InvalidInput: no code, kind or zone that could be, a new one without kind or zone,
    a place of stock that would become none or the other way round, the last one of us or of a channel switched off.
    """
    _check(request)
    cutoff = cutoff_of(request.cutoff_time)
    await lock_network(uow)
    row = await uow.sql.fetchrow(f"select id, {', '.join(_COLUMNS)} from location where code = $1", request.code)
    if row is None:
        for field, value in (("kind", request.kind), ("timeZone", request.time_zone)):
            if value is None:
                raise InvalidInput(f"{request.code!r} is new: it needs {field}.", path=("input", field))
    before: dict[str, Any] = {name: row[name] for name in _COLUMNS} if row is not None else {}
    known = before or {"name": request.code, "calendar_id": None, "cutoff_time": None, "is_active": True}
    after = {
        "name": known["name"] if request.name is None else request.name.strip(),
        "kind": known["kind"] if request.kind is None else str(LocationKind(request.kind)),
        "time_zone": known["time_zone"] if request.time_zone is None else request.time_zone,
        "calendar_id": await calendar_id_of(uow, request.calendar, known["calendar_id"]),
        "cutoff_time": known["cutoff_time"] if request.cutoff_time is None else cutoff,
        "is_active": known["is_active"] if request.is_active is None else request.is_active,
    }
    if row is not None:
        _check_kind(request.code, before["kind"], after["kind"])
    if not after["is_active"] and known["is_active"]:
        await _check_last(uow, request.code, None if row is None else row["id"], after["kind"])
    location_id = await uow.sql.fetchval(
        """insert into location (code, name, kind, time_zone, calendar_id, cutoff_time, is_active, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp())
        on conflict (code) do update set name = excluded.name, kind = excluded.kind, time_zone = excluded.time_zone,
            calendar_id = excluded.calendar_id, cutoff_time = excluded.cutoff_time, is_active = excluded.is_active,
            updated_at = excluded.updated_at returning id""",
        request.code,
        *after.values(),
    )
    uow.audit("locationSet", f"location:{request.code}", _plain(before) if before else None, _plain(after))
    if before and any(before[name] != after[name] for name in _MOVING):
        starts = await uow.sql.fetch("select from_location_id from lane where to_location_id = $1", location_id)
        request_rejudging(uow, [location_id, *(start["from_location_id"] for start in starts)])
    return location_id


def _check(request: SetLocation) -> None:
    if not _CODE.fullmatch(request.code):
        raise InvalidInput(
            "A location's code has 1 to 64 letters, digits and . _ -, and begins with a letter or digit.",
            path=("input", "code"),
            value=request.code[:64],
        )
    if request.name is not None and not (0 < len(request.name.strip()) <= MAX_NAME and request.name.isprintable()):
        raise InvalidInput(f"A name has 1 to {MAX_NAME} printable characters.", path=("input", "name"))
    if request.time_zone is not None:
        try:
            ZoneInfo(request.time_zone)
        except (KeyError, ValueError, OSError):
            raise InvalidInput(
                f"{request.time_zone[:64]!r} is no time zone such as Europe/London.",
                path=("input", "timeZone"),
                value=request.time_zone[:64],
            ) from None


def _check_kind(code: str, before: str, after: str) -> None:
    if before != after and not (before in STOCKED and after in STOCKED):
        raise InvalidInput(
            f"{code!r} is a {before} and cannot become a {after}: make another location.",
            path=("input", "kind"),
            value=after,
        )


async def _check_last(uow: Transaction, code: str, location_id: int | None, kind: str) -> None:
    """Something must be left to sell from: in all, and for every channel that names its locations."""
    if kind not in STOCKED:
        raise InvalidInput(
            f"{code!r} is a {kind}: only a place that holds stock is switched off.", path=("input", "isActive")
        )
    stocked = "select id from location where is_active and kind = any($1::text[]) and id is distinct from $2"
    if await uow.sql.fetchval(f"select not exists ({stocked})", list(STOCKED), location_id):
        raise InvalidInput(f"{code!r} is the last location that holds stock.", path=("input", "isActive"))
    alone = await uow.sql.fetch(
        f"""select code from channel where $2 = any(location_ids)
            and not exists ({stocked} and id = any(channel.location_ids)) order by code""",
        list(STOCKED),
        location_id,
    )
    if alone:
        raise InvalidInput(
            f"Nothing else serves the channel {', '.join(row['code'] for row in alone)}: give it another location than"
            f" {code!r} by channelSet first.",
            path=("input", "isActive"),
        )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    cutoff = row["cutoff_time"]
    return {
        "name": row["name"],
        "kind": row["kind"],
        "timeZone": row["time_zone"],
        "calendarId": row["calendar_id"],
        "cutoffTime": None if cutoff is None else cutoff.isoformat("minutes"),
        "isActive": row["is_active"],
    }
