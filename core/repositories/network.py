"""Read the network of locations, lanes, calendars and delivery zones."""

from __future__ import annotations

from datetime import time
from typing import Any

from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.ports import Transaction

EVERY_DAY = WorkCalendar(frozenset(range(1, 8)))


STAMP = """select (select (count(*), max(updated_at)) from location)::text || (select (count(*), max(updated_at))
    from lane)::text || (select (count(*), max(updated_at)) from calendar)::text || (select (count(*), max(created_at))
    from calendar_exception)::text || (select (count(*), max(created_at)) from delivery_zone)::text
    || (select (count(*), max(updated_at)) from channel)::text || current_database()"""
"""SQL of what changes whenever a location, lane, calendar, delivery zone or channel does."""

_known: dict[str, Network] = {}


async def load_network(uow: Transaction) -> Network:
    """The whole reference network as of now: a few dozen rows, kept in the process until one of them changes."""
    return await network_now(uow.sql)


async def network_now(sql: Any) -> Network:
    """As `load_network`, on a connection."""
    stamp = await sql.fetchval(STAMP)
    network = _known.get(stamp)
    while network is None:
        found, before = await _read_network(sql), stamp
        stamp = await sql.fetchval(STAMP)
        if stamp == before:  # all of it is of one moment
            _known.clear()
            _known[stamp] = found
        network = _known.get(stamp)
    return network


async def lock_network(uow: Transaction) -> None:
    """Serialise changes of the network; call it before one, and write `clock_timestamp()`: the stamp then always moves."""
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended('network', 0))")


def known_network(stamp: str | None = None) -> Network | None:
    """The network that this process read last, if it still is the one with this stamp (None: whichever it is)."""
    if stamp is None:
        return next(iter(_known.values()), None)
    return _known.get(stamp)


async def _read_network(sql: Any) -> Network:
    exceptions: dict[int, dict] = {}
    for row in await sql.fetch("select calendar_id, day, is_working from calendar_exception"):
        exceptions.setdefault(row["calendar_id"], {})[row["day"]] = row["is_working"]
    calendars = {
        row["id"]: WorkCalendar(frozenset(row["working_days"]), row["country"], exceptions.get(row["id"], {}))
        for row in await sql.fetch("select id, working_days, country from calendar")
    }
    locations = {
        row["id"]: Location(
            row["id"],
            row["code"],
            row["kind"],
            row["time_zone"],
            row["cutoff_time"] or time(23, 59, 59),
            calendars.get(row["calendar_id"], EVERY_DAY),
            row["is_active"],
        )
        for row in await sql.fetch("select * from location")
    }
    lanes = {
        (row["from_location_id"], row["to_location_id"]): Lane(
            row["from_location_id"],
            row["to_location_id"],
            row["transit_days"],
            calendars.get(row["calendar_id"], EVERY_DAY),
            row["cost"],
            row["carbon_g_per_kg"],
        )
        for row in await sql.fetch("select * from lane")
    }
    zones = [
        (row["country"].strip(), row["postal_prefix"], row["location_id"])
        for row in await sql.fetch("select country, postal_prefix, location_id from delivery_zone")
    ]
    return Network(locations, lanes, zones)
