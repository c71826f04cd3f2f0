"""Channels, locations and delivery zones, as lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from core.queries.page import Filter, Page, Sort, SortKey, fetch_page

LOCATIONS = Sort("location+", (SortKey('l.code collate "C"', str, "text"),), descending=False)
ZONES = Sort(
    "zone+",
    (SortKey('z.country::text collate "C"', str, "text"), SortKey('z.postal_prefix collate "C"', str, "text")),
    descending=False,
)
_LOCATION = """select l.id, l.code, l.name, l.kind, l.time_zone as timezone, to_char(l.cutoff_time, 'HH24:MI') as cutoff_time,
    (select c.code from calendar c where c.id = l.calendar_id) as calendar, l.is_active
from location l"""
_ZONE = """select z.country::text as country, z.postal_prefix, z.location_id
from delivery_zone z"""


async def channels(sql: asyncpg.Connection) -> list[asyncpg.Record]:
    """All of them by code; there are few."""
    return await sql.fetch(
        "select code, name, default_language, location_ids, max_shown, protected_class from channel order by code"
    )


async def locations_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the locations by code."""
    where = Filter()
    where.add_given("l.code = any(?::text[])", given.get("codes"))
    where.add_given("l.kind = any(?::text[])", given.get("kind"))
    where.add_given("l.is_active = ?", given.get("is_active"))
    return await fetch_page(sql, _LOCATION, where, LOCATIONS, page)


async def zones_page(
    sql: asyncpg.Connection, given: Mapping[str, Any], page: Page
) -> tuple[Sequence[asyncpg.Record], bool]:
    """One page of the delivery zones by country and prefix."""
    where = Filter()
    where.add_given("z.country = upper(?)", given.get("country"))
    where.add_given("z.location_id = (select l.id from location l where l.code = ?)", given.get("location"))
    return await fetch_page(sql, _ZONE, where, ZONES, page)


async def zone(sql: asyncpg.Connection, country: str, prefix: str) -> asyncpg.Record | None:
    """One zone."""
    return await sql.fetchrow(f"{_ZONE} where z.country = $1 and z.postal_prefix = $2", country, prefix)
