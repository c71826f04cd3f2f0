"""Make a channel or change it: which locations it sells from, how much stock it shows, whose protected stock it may touch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.customer_fields import check_language
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.codes import location_ids_of
from core.repositories.network import load_network, lock_network
from core.services.follow_up import request_allocation
from core.services.rejudge_routes import request_rejudging
from core.services.set_location import MAX_NAME, STOCKED

MAX_LOCATIONS = 1_000
MAX_SHOWN = 10**9
MAX_ASKED = 1_000
"""SKUs that are offered anew at once when the class changes; the others are at the next turn of stock."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLASS = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})?")


@dataclass(frozen=True, slots=True)
class SetChannel:
    """A channel by its code, new or known. What is None stays; no `locations` at all ([]) are all; `shows_all` ends max_shown."""

    code: str
    name: str | None = None
    default_language: str | None = None
    locations: Sequence[str] | None = None
    max_shown: int | None = None
    shows_all: bool = False
    protected_class: str | None = None


async def set_channel(uow: Transaction, request: SetChannel) -> str:
    """Write the channel; returns its code. New answers and orders follow at once; what was promised stays where it is.

    Who watches availability is told by a job. Another protected class lets what waits in the channel be offered anew. Raises
    NotFound (location) and InvalidInput (no code, class or language that could be, places that hold no stock, none that is on).
    """
    _check(request)
    ids = await location_ids_of(uow, request.locations or (), ("input", "locations"))
    await lock_network(uow)
    before = await uow.sql.fetchrow("select * from channel where code = $1", request.code)
    known: dict[str, Any] = dict(before) if before is not None else {}
    location_ids = known.get("location_ids")
    if request.locations is not None:
        location_ids = sorted(ids.values()) or None
        await _check_places(uow, ids)
    max_shown = known.get("max_shown") if request.max_shown is None else request.max_shown
    after = {
        "name": known.get("name", request.code) if request.name is None else request.name.strip(),
        "default_language": request.default_language or known.get("default_language", "en"),
        "location_ids": location_ids,
        "max_shown": None if request.shows_all else max_shown,
        "protected_class": (
            known.get("protected_class", "") if request.protected_class is None else request.protected_class
        ),
    }
    await uow.sql.execute(
        """insert into channel (code, name, default_language, location_ids, max_shown, protected_class, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())
        on conflict (code) do update set name = excluded.name, default_language = excluded.default_language,
            location_ids = excluded.location_ids, max_shown = excluded.max_shown,
            protected_class = excluded.protected_class, updated_at = excluded.updated_at""",
        request.code,
        *after.values(),
    )
    uow.audit("channelSet", f"channel:{request.code}", _plain(known) if known else None, _plain(after))
    if known:
        await _follow_up(uow, known, after)
    return request.code


async def _follow_up(uow: Transaction, before: dict[str, Any], after: dict[str, Any]) -> None:
    every = set((await load_network(uow)).sources(None))
    old, new = (every if x["location_ids"] is None else set(x["location_ids"]) for x in (before, after))
    if any(before[name] != after[name] for name in ("max_shown", "protected_class")):
        request_rejudging(uow, old | new)
    else:
        request_rejudging(uow, old ^ new)
    if before["protected_class"] != after["protected_class"]:
        rows = await uow.sql.fetch(
            """select distinct p.sku_id from protected_stock p where p.demand_class <> '' and p.demand_class = any($1::text[])
                and exists (select from backorder b where b.sku_id = p.sku_id and b.closed_at is null) order by 1 limit $2""",
            [before["protected_class"], after["protected_class"]],
            MAX_ASKED,
        )
        request_allocation(uow, [row["sku_id"] for row in rows])


def _check(request: SetChannel) -> None:
    if not _CODE.fullmatch(request.code):
        raise InvalidInput(
            "A channel's code has 1 to 64 letters, digits and . _ -, and begins with a letter or digit.",
            path=("input", "code"),
            value=request.code[:64],
        )
    if request.name is not None and not (0 < len(request.name.strip()) <= MAX_NAME and request.name.isprintable()):
        raise InvalidInput(f"A name has 1 to {MAX_NAME} printable characters.", path=("input", "name"))
    check_language(request.default_language, "defaultLanguage")
    if request.protected_class is not None and not _CLASS.fullmatch(request.protected_class):
        raise InvalidInput(
            "A class has at most 64 letters, digits and . _ -; empty: the default one.",
            path=("input", "protectedClass"),
            value=request.protected_class[:64],
        )
    if request.max_shown is not None and not 0 <= request.max_shown <= MAX_SHOWN:
        raise InvalidInput(
            f"{request.max_shown} is not between 0 and {MAX_SHOWN}; showsAll lifts the bound.",
            path=("input", "maxShown"),
            value=request.max_shown,
        )
    if request.max_shown is not None and request.shows_all:
        raise InvalidInput("Give either maxShown or showsAll.", path=("input", "showsAll"))
    if request.locations is not None and len(request.locations) > MAX_LOCATIONS:
        raise InvalidInput(f"A channel has at most {MAX_LOCATIONS} locations; none: all.", path=("input", "locations"))


async def _check_places(uow: Transaction, ids: dict[str, int]) -> None:
    rows = await uow.sql.fetch(
        "select code, kind, is_active from location where id = any($1::bigint[])", list(ids.values())
    )
    wrong = sorted(row["code"] for row in rows if row["kind"] not in STOCKED)
    if wrong:
        raise InvalidInput(f"{wrong[0]!r} holds no stock to sell.", path=("input", "locations"), value=wrong[0])
    if rows and not any(row["is_active"] for row in rows):
        raise InvalidInput(
            "All of these locations are switched off: locationSet switches one on.", path=("input", "locations")
        )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "defaultLanguage": row["default_language"],
        "locationIds": row["location_ids"],
        "maxShown": row["max_shown"],
        "protectedClass": row["protected_class"],
    }
