"""Say to which destination the addresses of a country belong, by postal prefix; the longest prefix wins."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.domain.states import LocationKind
from core.errors import InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.codes import location_ids_of
from core.repositories.network import lock_network

_COUNTRY = re.compile(r"[A-Z]{2}")
_PREFIX = re.compile(r"([A-Z0-9][A-Z0-9 -]{0,15})?")


@dataclass(frozen=True, slots=True)
class Zone:
    """Country (ISO 3166 alpha-2) and postal prefix, both in capitals; '' is the whole country."""

    country: str
    postal_prefix: str = ""


def zone_of(country: str, postal_prefix: str) -> Zone:
    """The zone that was named, in the form in which it is kept. Raises InvalidInput."""
    zone = Zone(country.strip().upper(), postal_prefix.strip().upper())
    if not _COUNTRY.fullmatch(zone.country):
        raise InvalidInput(
            f"{country[:8]!r} is not a two-letter ISO 3166 country code such as KR.",
            path=("input", "country"),
            value=country[:8],
        )
    if not _PREFIX.fullmatch(zone.postal_prefix):
        raise InvalidInput(
            "A postal prefix has at most 16 letters, digits, spaces and -; empty: the whole country.",
            path=("input", "postalPrefix"),
            value=postal_prefix[:32],
        )
    return zone


async def set_delivery_zone(uow: Transaction, zone: Zone, location: str) -> Zone:
    """Map the zone to a destination, whatever it was mapped to before. New answers and orders follow at once.

    Orders that were placed keep the destination that they were promised for. Raises NotFound and InvalidInput (a location
    that is no destination).
    """
    location_id = (await location_ids_of(uow, [location], ("input", "location")))[location]
    await lock_network(uow)
    kind = await uow.sql.fetchval("select kind from location where id = $1", location_id)
    if kind != LocationKind.DESTINATION:
        raise InvalidInput(
            f"{location!r} is a {kind}: addresses belong to a location of kind DESTINATION, made by locationSet.",
            path=("input", "location"),
            value=location,
        )
    before = await _forget(uow, zone)
    await uow.sql.execute(
        """insert into delivery_zone (country, postal_prefix, location_id, created_at)
        values ($1, $2, $3, clock_timestamp())""",
        zone.country,
        zone.postal_prefix,
        location_id,
    )
    uow.audit("deliveryZoneSet", _name(zone), {"locationId": before} if before else None, {"locationId": location_id})
    return zone


async def remove_delivery_zone(uow: Transaction, zone: Zone) -> Zone:
    """Forget the zone: its addresses fall to the next shorter prefix; without one new orders there wait for an address.

    Raises NotFound.
    """
    await lock_network(uow)
    before = await _forget(uow, zone)
    if before is None:
        raise NotFound("delivery zone", f"{zone.country} {zone.postal_prefix}".strip(), path=("input", "postalPrefix"))
    uow.audit("deliveryZoneRemove", _name(zone), {"locationId": before}, None)
    return zone


async def _forget(uow: Transaction, zone: Zone) -> int | None:
    """Take it out, in whichever letters it was written; returns the destination that it had."""
    rows = await uow.sql.fetch(
        "delete from delivery_zone where country = $1 and upper(postal_prefix) = $2 returning location_id",
        zone.country,
        zone.postal_prefix,
    )
    return rows[0]["location_id"] if rows else None


def _name(zone: Zone) -> str:
    return f"delivery_zone:{zone.country}:{zone.postal_prefix}"
