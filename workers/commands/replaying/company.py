"""The company of a replay: three locations, lanes, suppliers and opening stock, from a seed and the surveyed file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from core.database import Database
from core.edi.guide import PartnerGuide
from core.repositories.gates import take_gates
from core.unit_of_work import UnitOfWork, unit_of_work
from workers.commands.replaying.history import SkuFacts, Survey

CHANNEL = "shop"
OUR_EDI_ID = "BACKORDER"
SUPPLIERS = (
    # code, lead time in days
    ("NORTHWOOD", 5), ("LACEWING", 7), ("BRIGHTWARE", 9), ("PAPERMOON", 11), ("OAKFIELD", 13), ("SILVERLINE", 16),
    ("TEAROSE", 19), ("FARPORT", 23),
)  # fmt: skip
COUNTRIES = {
    "United Kingdom": ("GB", 1), "EIRE": ("IE", 2), "Channel Islands": ("JE", 2), "Germany": ("DE", 3),
    "France": ("FR", 3), "Netherlands": ("NL", 3), "Belgium": ("BE", 3), "Spain": ("ES", 4), "Portugal": ("PT", 4),
    "Italy": ("IT", 4), "Switzerland": ("CH", 4), "Austria": ("AT", 4), "Denmark": ("DK", 4), "Norway": ("NO", 5),
    "Sweden": ("SE", 5), "Finland": ("FI", 5), "Poland": ("PL", 5), "Czech Republic": ("CZ", 5), "Greece": ("GR", 6),
    "Cyprus": ("CY", 6), "Malta": ("MT", 6), "Iceland": ("IS", 6), "Lithuania": ("LT", 6), "Israel": ("IL", 7),
    "Japan": ("JP", 8), "Australia": ("AU", 9), "USA": ("US", 7), "Canada": ("CA", 8), "Brazil": ("BR", 9),
    "Singapore": ("SG", 8), "Hong Kong": ("HK", 8), "Bahrain": ("BH", 8), "Lebanon": ("LB", 8),
    "Saudi Arabia": ("SA", 8), "United Arab Emirates": ("AE", 8), "RSA": ("ZA", 9),
}  # fmt: skip
ELSEWHERE = ("XX", 9)
"""Countries without a lane of their own, and rows that name none."""
LOCATIONS = (("MAIN", "dc", "16:00"), ("NORTH", "dc", "14:00"), ("RESERVE", "warehouse", "12:00"))
SHARES = {"MAIN": 0.70, "NORTH": 0.18, "RESERVE": 0.12}


def country_code(name: str) -> str:
    """ISO code of a country as the file writes it."""
    return COUNTRIES.get(name, ELSEWHERE)[0]


def draw(seed: int, *names: object) -> float:
    """A number in [0, 1) that depends only on the seed and the names: every run of a replay gets the same."""
    text = f"{seed}:" + ":".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


@dataclass(frozen=True, slots=True)
class SkuPlan:
    """How one product is stocked and bought."""

    code: str
    facts: SkuFacts
    supplier: str
    lead_time_days: int
    opening: int
    reorder_point: int
    reorder_quantity: int
    order_multiple: int


def plan_sku(seed: int, code: str, facts: SkuFacts) -> SkuPlan:
    """Opening stock and a plain reorder point from a busy week's demand over the lead time, both unevenly judged."""
    supplier, lead_time = SUPPLIERS[int(draw(seed, "supplier", code) * len(SUPPLIERS))]
    week = max(facts.busy_week(), 1.0)
    opening = int(week * (lead_time + 10) / 7 * (0.7 + 0.8 * draw(seed, "opening", code))) + 2
    multiple = 12 if facts.units > 600 else 6 if facts.units > 100 else 1
    quantity = max(multiple, round(2 * week / multiple) * multiple)
    point = int(week * (lead_time + 5) / 7 * (0.65 + 0.6 * draw(seed, "point", code))) + 1
    return SkuPlan(code, facts, supplier, lead_time, opening, point, quantity, multiple)


FORESIGHT = {"isAutomatic": True, "budgetPercent": 89, "orderCost": 150}
"""Reorder points follow the forecasts and tie up what the plain ones would; a tenth less is planned, since a point that rises is
filled at once and one that falls only sells down. A line that costs next to nothing would be ordered every other day."""


async def found_company(database: Database, survey: Survey, seed: int, at: datetime, foresight: bool = False) -> None:
    """Write the company into a migrated, empty database; does nothing when it is there. One transaction."""
    async with unit_of_work(database) as uow:
        if await uow.sql.fetchval("select exists (select from location)"):
            return
        await uow.sql.execute(
            """insert into simulation_clock (simulated_at) values ($1)
            on conflict (id) do update set simulated_at = excluded.simulated_at""",
            at,
        )
        uow.now = at
        await _network(uow)
        if foresight:
            await uow.sql.execute("insert into policy (code, value) values ('replenishment', $1)", FORESIGHT)
        await _partners(uow)
        await _customers(uow, survey, seed)
        await _products(uow, [plan_sku(seed, code, facts) for code, facts in sorted(survey.skus.items())])


async def _new_id(uow: UnitOfWork, sql: str, *values: Any) -> int:
    found = await uow.sql.fetchval(sql, *values)
    assert isinstance(found, int)
    return found


async def _network(uow: UnitOfWork) -> None:
    weekdays = await uow.sql.fetchval(
        "insert into calendar (code, name, working_days, country) values ('GB', 'Work days', '{1,2,3,4,5}', 'GB') returning id"
    )
    daily = await uow.sql.fetchval(
        "insert into calendar (code, name, working_days) values ('CARRIER', 'Monday to Saturday', '{1,2,3,4,5,6}') returning id"
    )
    ids: dict[str, int] = {}
    for code, kind, cutoff in LOCATIONS:
        ids[code] = await _new_id(
            uow,
            """insert into location (code, name, kind, time_zone, calendar_id, cutoff_time)
            values ($1, $1, $2, 'Europe/London', $3, $4::text::time) returning id""",
            code,
            kind,
            weekdays,
            cutoff,
        )
    for country, transit in sorted({*COUNTRIES.values(), ELSEWHERE}):
        zone = await _new_id(
            uow,
            "insert into location (code, name, kind, calendar_id) values ($1, $1, 'destination', $2) returning id",
            f"ZONE-{country}",
            daily,
        )
        await uow.sql.execute("insert into delivery_zone values ($1, '', $2)", country, zone)
        for code, more in (("MAIN", 0), ("NORTH", 1)):
            await uow.sql.execute(
                "insert into lane (from_location_id, to_location_id, transit_days, calendar_id) values ($1, $2, $3, $4)",
                ids[code],
                zone,
                transit + more,
                daily,
            )
    for origin, target, transit in (("RESERVE", "MAIN", 2), ("RESERVE", "NORTH", 3), ("NORTH", "MAIN", 1)):
        await uow.sql.execute(
            "insert into lane (from_location_id, to_location_id, transit_days, calendar_id) values ($1, $2, $3, $4)",
            ids[origin],
            ids[target],
            transit,
            weekdays,
        )
    await uow.sql.execute("insert into channel (code, name) values ($1, 'Shop')", CHANNEL)
    for code, value in (
        ("purchase_approval_limit", {"GBP": 10**12}),
        ("duplicate_window_minutes", 5),
        ("release_to_warehouse", "AT_ONCE"),
        ("purchase_requests", "DAILY"),
        ("hold_deadline_hours", {"DUPLICATE": 24}),
        ("hold_deadline_action", {"DUPLICATE": "RELEASE"}),
    ):
        await uow.sql.execute(
            "insert into policy (code, value) values ($1, $2::text::jsonb)", code, msgspec.json.encode(value).decode()
        )


async def _partners(uow: UnitOfWork) -> None:
    guide = PartnerGuide().to_json()
    for code, _ in SUPPLIERS:
        supplier = await uow.sql.fetchval(
            "insert into supplier (code, name, time_zone) values ($1, $1, 'Europe/London') returning id", code
        )
        partner = await uow.sql.fetchval(
            """insert into partner (code, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id,
                group_id, our_group_id, is_active) values ($1, $2, 'ZZ', $1, 'ZZ', $3, $1, $3, true) returning id""",
            code,
            supplier,
            OUR_EDI_ID,
        )
        await uow.sql.execute(
            "insert into partner_guide (partner_id, version, guide, active_from, state) values ($1, 1, $2, $3, 'active')",
            partner,
            guide,
            uow.now,
        )


async def _customers(uow: UnitOfWork, survey: Survey, seed: int) -> None:
    codes = sorted(survey.customers)
    tiers = ["VIP" if (x := draw(seed, "tier", code)) < 0.05 else "GOLD" if x < 0.2 else "STANDARD" for code in codes]
    await uow.sql.execute(
        "insert into customer (code, tier) select * from unnest($1::text[], $2::text[])", codes, tiers
    )


async def _products(uow: UnitOfWork, plans: list[SkuPlan]) -> None:
    rows = await uow.sql.fetch(
        """insert into sku (code, name, unit_cost, unit_price, currency, reorder_point, reorder_quantity)
        select u.code, jsonb_build_object('en', u.name), u.price * 6 / 10, u.price, 'GBP', u.point, u.quantity
        from unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::int[]) as u(code, name, price, point, quantity)
        order by u.code returning id, code""",
        [plan.code for plan in plans],
        [plan.facts.description or plan.code for plan in plans],
        [plan.facts.price for plan in plans],
        [plan.reorder_point for plan in plans],
        [plan.reorder_quantity for plan in plans],
    )
    ids = {row["code"]: row["id"] for row in rows}
    await uow.sql.execute(
        """insert into supplier_sku (supplier_id, sku_id, vendor_code, price, currency, moq, order_multiple,
            lead_time_days, lead_time_p80, is_preferred)
        select s.id, u.sku_id, 'V' || u.code, u.price * 6 / 10, 'GBP', u.multiple, u.multiple, u.lead,
            u.lead + 2 + u.lead / 6, true
        from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::int[])
            as u(sku_id, code, supplier, price, multiple, lead) join supplier s on s.code = u.supplier""",
        [ids[plan.code] for plan in plans],
        [plan.code for plan in plans],
        [plan.supplier for plan in plans],
        [plan.facts.price for plan in plans],
        [plan.order_multiple for plan in plans],
        [plan.lead_time_days for plan in plans],
    )
    versions = await take_gates(uow, ids.values())
    locations = {
        r["code"]: r["id"] for r in await uow.sql.fetch("select id, code from location where kind <> 'destination'")
    }
    stock: list[tuple[int, int, int, int]] = []
    for plan in plans:
        for code, share in SHARES.items():
            if quantity := int(plan.opening * share):
                sku_id = ids[plan.code]
                stock.append((sku_id, locations[code], quantity, versions[sku_id]))
    columns: list[list[Any]] = [list(column) for column in zip(*stock, strict=True)] if stock else [[], [], [], []]
    await uow.sql.execute(
        """with u as (select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[])
                as u(sku_id, location_id, quantity, version)),
        m as (insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor, occurred_at,
            gate_version) select sku_id, location_id, 'adjusted', quantity, 'opening', 'replay', $5, version from u)
        insert into stock_level (sku_id, location_id, on_hand) select sku_id, location_id, quantity from u""",
        *columns,
        uow.now,
    )
