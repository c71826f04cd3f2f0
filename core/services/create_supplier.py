"""Take a supplier into the books: from then on it can offer SKUs, be asked, and be a trading partner's business."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.errors import InvalidInput, NotFound
from core.ports import Transaction

# As a token, a file name and a log line can carry it.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class CreateSupplier:
    """`calendar` is the code of its working days, `location` that of the place of kind supplier that its goods leave from."""

    code: str
    name: str
    time_zone: str = "UTC"
    calendar: str | None = None
    location: str | None = None


async def create_supplier(uow: Transaction, wanted: CreateSupplier) -> int:
    """Write the supplier; returns its id. Raises NotFound, InvalidInput, also for a code that is taken."""
    if not _CODE.fullmatch(wanted.code):
        raise InvalidInput(
            "A supplier's code has 1 to 64 letters, digits and . _ -, and begins with a letter or digit.",
            path=("input", "code"),
            value=wanted.code,
        )
    if not wanted.name.strip() or len(wanted.name) > 200:
        raise InvalidInput("A supplier has a name of at most 200 characters.", path=("input", "name"))
    try:
        ZoneInfo(wanted.time_zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(
            f"{wanted.time_zone!r} is no time zone.", path=("input", "timeZone"), value=wanted.time_zone
        ) from None
    calendar_id = await _id(uow, "calendar", wanted.calendar)
    location_id = await _id(uow, "location", wanted.location)
    if location_id is not None and await uow.sql.fetchval("select kind from location where id = $1", location_id) != (
        "supplier"
    ):
        raise InvalidInput(
            f"{wanted.location!r} is a place of ours, not of a supplier.",
            path=("input", "location"),
            value=wanted.location,
        )
    supplier_id = await uow.sql.fetchval(
        """insert into supplier (code, name, time_zone, calendar_id, location_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6) on conflict (code) do nothing returning id""",
        wanted.code,
        wanted.name.strip(),
        wanted.time_zone,
        calendar_id,
        location_id,
        uow.now,
    )
    if supplier_id is None:
        raise InvalidInput(f"There is a supplier {wanted.code!r} already.", path=("input", "code"), value=wanted.code)
    uow.audit("supplierCreate", f"supplier:{supplier_id}", None, {"code": wanted.code, "name": wanted.name.strip()})
    return supplier_id


async def _id(uow: Transaction, table: str, code: str | None) -> int | None:
    if code is None:
        return None
    found = await uow.sql.fetchval(f"select id from {table} where code = $1", code)
    if found is None:
        raise NotFound(table, code, path=("input", table))
    return found
