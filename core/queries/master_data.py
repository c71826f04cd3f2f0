"""Where master data does not fit together: one statement per check, each row naming what is at fault."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from core.domain.priority import TIER_RANK

MOST = 100
"""Objects that a finding names; `count` has them all."""

_STOCKED = "l.is_active and l.kind in ('dc', 'warehouse', 'store')"


@dataclass(frozen=True, slots=True)
class Finding:
    """`objects` are codes, at most MOST of `count`; `meaning` says in words what follows and what mends it."""

    check: str
    meaning: str
    count: int
    objects: list[str]


CHECKS: dict[str, tuple[str, str]] = {
    "location_without_calendar": (
        "locations have no calendar: they count every day as a working day; locationSet names one",
        f"""select l.code from location l where l.calendar_id is null
            and ({_STOCKED} or exists (select from lane x where x.to_location_id = l.id))""",
    ),
    "location_without_lane": (
        "locations hold stock, but no lane leads away from them: nothing is sold or moved from there; laneSet makes one",
        f"select l.code from location l where {_STOCKED} and not exists (select from lane x where x.from_location_id = l.id)",
    ),
    "zone_without_way": (
        "delivery zones lead to a destination that no active location has a lane to: orders there are held; laneSet makes one",
        f"""select trim(z.country::text || ' ' || z.postal_prefix) as code from delivery_zone z
            where not exists (select from lane x join location l on l.id = x.from_location_id
                where x.to_location_id = z.location_id and {_STOCKED})""",
    ),
    "destination_without_zone": (
        "destinations have no address: no order goes there; deliveryZoneSet gives them some",
        """select l.code from location l where l.kind = 'destination'
            and not exists (select from delivery_zone z where z.location_id = l.id)""",
    ),
    "channel_without_location": (
        "channels have no active location to sell from: their orders are held; channelSet names one",
        f"""select c.code from channel c where c.location_ids is not null
            and not exists (select from location l where l.id = any(c.location_ids) and {_STOCKED})""",
    ),
    "channel_without_way": (
        "channels sell from locations of which none has a lane to a delivery zone: their orders are held; laneSet makes one",
        f"""select c.code from channel c where c.location_ids is not null
            and exists (select from location l where l.id = any(c.location_ids) and {_STOCKED})
            and not exists (select from location l join lane x on x.from_location_id = l.id
                join delivery_zone z on z.location_id = x.to_location_id
                where l.id = any(c.location_ids) and {_STOCKED})""",
    ),
    "class_without_channel": (
        "demand classes have protected stock, but no channel is of that class: it binds nobody; channelSet or protectedStockSet",
        """select distinct p.demand_class as code from protected_stock p where p.demand_class <> ''
            and not exists (select from channel c where c.protected_class = p.demand_class)""",
    ),
    "customer_of_unknown_grade": (
        "customers have a tier that no rule knows: they count as STANDARD; customerSet gives them another",
        "select c.code from customer c where not c.tier = any($2::text[])",
    ),
    "customers_of_one_address": (
        "customers share their e-mail with another one: orders that name it find the newest; customerSet changes one",
        """select c.code from customer c join customer_person p on p.customer_id = c.id where p.email is not null
            and exists (select from customer_person o where lower(o.email) = lower(p.email) and o.customer_id <> c.id)""",
    ),
    "sku_without_supplier": (
        "SKUs are on sale, but no approved supplier offers them: what is short is never bought; supplierTermsSet names one",
        """select k.code from sku k where k.status in ('ACTIVE', 'PREORDER')
            and not exists (select from kit_component x where x.kit_sku_id = k.id)
            and not exists (select from supplier_sku x where x.sku_id = k.id and x.is_approved)""",
    ),
    "sku_with_dead_substitute": (
        "SKUs have a substitute that is discontinued: it is never taken; substituteRemove ends it",
        """select distinct k.code from sku k join substitute s on s.sku_id = k.id join sku o on o.id = s.substitute_sku_id
            where k.status <> 'DISCONTINUED' and o.status = 'DISCONTINUED'""",
    ),
    "supplier_without_lane": (
        "suppliers leave from a place that no lane leads away from: their transit is unknown; laneSet makes one",
        """select v.code from supplier v where v.location_id is not null
            and not exists (select from lane x where x.from_location_id = v.location_id)""",
    ),
}
"""By name: what it means, and the SQL of the codes at fault ($2: grades that rules know)."""


async def find_faults(sql: asyncpg.Connection) -> list[Finding]:
    """What every check finds, in their order; nothing when all fits together."""
    found: list[Finding] = []
    for check, (meaning, statement) in CHECKS.items():
        grades = "" if "$2" in statement else " where $2::text[] is not null"
        rows = await sql.fetch(
            f"select f.code, count(*) over () as count from ({statement}) f{grades} order by f.code limit $1",
            MOST,
            list(TIER_RANK),
        )
        if rows:
            found.append(Finding(check, meaning, rows[0]["count"], [row["code"] for row in rows]))
    return found
