"""Writes the demo company (its figures: `demo_company`) into an empty database, by the rules every change keeps."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from core.database import SYSTEM_ROLE, plain_dsn
from core.domain.calendars import WorkCalendar, local_day
from core.domain.eta import usable_date
from core.domain.states import DateBasis
from migrations.demo_company import (
    CALENDARS,
    CHANNELS,
    CUSTOMERS,
    DELAY_RULES,
    ENGLISH_HOLIDAYS,
    KITS,
    LANES,
    LOCATIONS,
    LOTS,
    MIN_LIFE,
    OPENING_STOCK,
    OUR_EDI_ID,
    PACKS,
    PARTNERS,
    POLICIES,
    PROTECTED,
    PURCHASE_ORDERS,
    SKUS,
    STOCK_AT,
    SUBSTITUTES,
    SUPPLIER_SKUS,
    SUPPLIERS,
    ZONES,
)

OWNER_ROLE = "bm_owner"
SEED_LOCK = 0x6268_7365_6564
ACTOR = "seed"


class _Writer:
    """Inserts rows and remembers their ids by (table, code)."""

    def __init__(self, sql: asyncpg.Connection, now: datetime) -> None:
        self.sql = sql
        self.now = now
        self._ids: dict[tuple[str, str], int] = {}

    async def add(self, table: str, **values: Any) -> int | None:
        """Insert one row; returns its id when the table has one."""
        columns = ", ".join(values)
        marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        row = await self.sql.fetchrow(f"insert into {table} ({columns}) values ({marks}) returning *", *values.values())
        found = row.get("id") if row else None
        code = values.get("code") or values.get("number")
        if found is not None and code is not None:
            self._ids[table, code] = found
        return found

    def id(self, table: str, code: str) -> int:
        return self._ids[table, code]


async def seed(dsn: str, now: datetime) -> None:
    """Fill the migrated database at `dsn` (any PostgreSQL URL); does nothing when it holds a location already.

    One transaction as `bm_system`; `now` dates the opening stock and the purchase orders. Ends with ANALYZE, because
    plans made on empty tables are slow.
    """
    sql = await asyncpg.connect(plain_dsn(dsn))
    try:
        await sql.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        async with sql.transaction():
            await sql.execute(f"set local role {SYSTEM_ROLE}")
            await sql.execute("select pg_advisory_xact_lock($1)", SEED_LOCK)
            if await sql.fetchval("select exists (select from location)"):
                return
            writer = _Writer(sql, now)
            await _write_network(writer)
            await _write_catalogue(writer)
            await _write_partners(writer)
            gates = await _take_all_gates(sql)
            await _write_kits(writer)
            await _write_opening_stock(writer, gates)
            await _write_purchase_orders(writer)
        await _analyze(sql)
    finally:
        await sql.close()


async def _write_network(writer: _Writer) -> None:
    for code, name, working_days, country in CALENDARS:
        await writer.add("calendar", code=code, name=name, working_days=working_days, country=country)
    for day in ENGLISH_HOLIDAYS:
        for code in ("GB", "CARRIER-GB"):
            await writer.add("calendar_exception", calendar_id=writer.id("calendar", code), day=day, is_working=False)
    for code, name, kind, time_zone, calendar, cutoff in LOCATIONS:
        await writer.add(
            "location",
            code=code,
            name=name,
            kind=kind,
            time_zone=time_zone,
            calendar_id=writer.id("calendar", calendar),
            cutoff_time=cutoff,
        )
    for country, prefix, zone in ZONES:
        await writer.add(
            "delivery_zone", country=country, postal_prefix=prefix, location_id=writer.id("location", zone)
        )
    for origin, target, days, calendar, cost, carbon in LANES:
        await writer.add(
            "lane",
            from_location_id=writer.id("location", origin),
            to_location_id=writer.id("location", target),
            transit_days=days,
            calendar_id=writer.id("calendar", calendar),
            cost=cost,
            carbon_g_per_kg=carbon,
        )
    for code, name, language, places, max_shown, protected_class in CHANNELS:
        await writer.add(
            "channel",
            code=code,
            name=name,
            default_language=language,
            location_ids=[writer.id("location", place) for place in places],
            max_shown=max_shown,
            protected_class=protected_class,
        )
    for code, value in POLICIES.items():
        await writer.add("policy", code=code, value=value)
    for rule in DELAY_RULES:
        await writer.add("delay_rule", **rule)


async def _write_catalogue(writer: _Writer) -> None:
    for code, english, korean, weight, cost, price, reorder_point, reorder_quantity, status in SKUS:
        await writer.add(
            "sku",
            code=code,
            name={"en": english, "ko": korean},
            status=status,
            weight_g=weight,
            unit_cost=cost,
            unit_price=price,
            currency="USD",
            reorder_point=reorder_point,
            reorder_quantity=reorder_quantity,
            tracks_lots=code in MIN_LIFE,
            tracks_expiry=code in MIN_LIFE,
            min_life_days=MIN_LIFE.get(code, 0),
        )
    for sku, code, units in PACKS:
        await writer.add("sku_pack", sku_id=writer.id("sku", sku), code=code, units=units)
    for sku, substitute, rank, needs_consent in SUBSTITUTES:
        await writer.add(
            "substitute",
            sku_id=writer.id("sku", sku),
            substitute_sku_id=writer.id("sku", substitute),
            rank=rank,
            needs_consent=needs_consent,
        )
    for code, tier, language, name, email, address in CUSTOMERS:
        customer = await writer.add("customer", code=code, tier=tier, language=language)
        if name:
            await writer.add("customer_person", customer_id=customer, name=name, email=email, address=address)


async def _write_partners(writer: _Writer) -> None:
    for code, name, time_zone, calendar, place in SUPPLIERS:
        await writer.add(
            "supplier",
            code=code,
            name=name,
            time_zone=time_zone,
            calendar_id=writer.id("calendar", calendar),
            location_id=writer.id("location", place),
        )
    for supplier, sku, vendor_code, price, moq, multiple, lead_time, p80 in SUPPLIER_SKUS:
        await writer.add(
            "supplier_sku",
            supplier_id=writer.id("supplier", supplier),
            sku_id=writer.id("sku", sku),
            vendor_code=vendor_code,
            price=price,
            currency="USD",
            moq=moq,
            order_multiple=multiple,
            lead_time_days=lead_time,
            lead_time_p80=p80,
            is_preferred=True,
        )
    for code, supplier, edi_id, guide in PARTNERS:
        partner = await writer.add(
            "partner",
            code=code,
            supplier_id=writer.id("supplier", supplier),
            qualifier="ZZ",
            interchange_id=edi_id,
            our_qualifier="ZZ",
            our_interchange_id=OUR_EDI_ID,
            group_id=edi_id,
            our_group_id=OUR_EDI_ID,
        )
        await writer.add(
            "partner_guide",
            partner_id=partner,
            version=1,
            guide=guide.to_json(),
            active_from=writer.now,
            state="active",
        )


async def _take_all_gates(sql: asyncpg.Connection) -> dict[int, int]:
    """The gate protocol of data-model.md section 3: sorted, one statement, version + 1."""
    rows = await sql.fetch(
        """with k as (select sku_id from sku_gate order by sku_id for no key update)
        update sku_gate g set version = g.version + 1, changed_by = pg_current_xact_id()
        from k where g.sku_id = k.sku_id returning g.sku_id, g.version"""
    )
    return {row["sku_id"]: row["version"] for row in rows}


async def _write_kits(writer: _Writer) -> None:
    for kit, component, units in KITS:
        await writer.add(
            "kit_component",
            kit_sku_id=writer.id("sku", kit),
            component_sku_id=writer.id("sku", component),
            quantity=units,
        )


async def _write_lots(writer: _Writer, code: str, place: str) -> list[tuple[int | None, int]]:
    """The lots of a SKU at a location as (id, units)."""
    written: list[tuple[int | None, int]] = []
    for at, lot, units, days in LOTS[code]:
        if at == place:
            lot_id = await writer.add(
                "lot",
                sku_id=writer.id("sku", code),
                location_id=writer.id("location", place),
                code=lot,
                expires_on=writer.now.date() + timedelta(days=days),
                on_hand=units,
            )
            written.append((lot_id, units))
    return written


async def _write_opening_stock(writer: _Writer, gates: dict[int, int]) -> None:
    for code, quantities in OPENING_STOCK.items():
        sku_id = writer.id("sku", code)
        for place, quantity in zip(STOCK_AT, quantities, strict=True):
            if not quantity:
                continue
            key = {"sku_id": sku_id, "location_id": writer.id("location", place)}
            await writer.add("stock_level", **key, on_hand=quantity)
            lots = await _write_lots(writer, code, place) if code in LOTS else [(None, quantity)]
            for lot_id, units in lots:
                await writer.add(
                    "stock_movement",
                    **key,
                    kind="adjusted",
                    on_hand_delta=units,
                    lot_id=lot_id,
                    cause_kind="opening",
                    actor=ACTOR,
                    occurred_at=writer.now,
                    gate_version=gates[sku_id],
                )
    for code, place, demand_class, quantity in PROTECTED:
        await writer.add(
            "protected_stock",
            sku_id=writer.id("sku", code),
            location_id=writer.id("location", place),
            demand_class=demand_class,
            from_date=writer.now.date() - timedelta(days=1),  # in force in every zone
            quantity=quantity,
        )


def _dock_calendar(place: str) -> tuple[str, WorkCalendar]:
    time_zone, calendar = next((row[3], row[4]) for row in LOCATIONS if row[0] == place)
    working_days, country = next((row[2], row[3]) for row in CALENDARS if row[0] == calendar)
    exceptions = dict.fromkeys(ENGLISH_HOLIDAYS, False) if country == "GB" else {}
    return time_zone, WorkCalendar(frozenset(working_days), country, exceptions)


async def _write_purchase_orders(writer: _Writer) -> None:
    prices = {(row[0], row[1]): row[3] for row in SUPPLIER_SKUS}
    for number, supplier, place, status, days_ago, lines in PURCHASE_ORDERS:
        time_zone, calendar = _dock_calendar(place)
        today = local_day(writer.now, time_zone)
        sent_at = writer.now - timedelta(days=days_ago)
        answered = status == "ACKNOWLEDGED"
        first_dock = calendar.next_working_day(today + timedelta(days=lines[0][1][0][2]))
        order_id = await writer.add(
            "purchase_order",
            supplier_id=writer.id("supplier", supplier),
            number=number,
            location_id=writer.id("location", place),
            status=status,
            currency="USD",
            requested_date=first_dock,
            approval={"rule": "purchase_approval_limit", "approvedBy": ACTOR},
            cause={"kind": "opening"},
            sent_at=sent_at,
            acknowledged_at=sent_at + timedelta(hours=20) if answered else None,
        )
        for line_number, (sku, parts) in enumerate(lines, start=1):
            docks = [calendar.next_working_day(today + timedelta(days=days)) for _, _, days in parts]
            line_id = await writer.add(
                "purchase_order_line",
                sku_id=writer.id("sku", sku),
                purchase_order_id=order_id,
                line_number=line_number,
                supplier_id=writer.id("supplier", supplier),
                ordered=sum(quantity for _, quantity, _ in parts),
                **{state: quantity for state, quantity, _ in parts},
                price=prices[supplier, sku],
                requested_date=docks[0],
                promised_date=docks[0] if answered else None,
            )
            basis = DateBasis.CONFIRMED_ORDER if answered else DateBasis.LEAD_TIME
            first_id = None
            for dock, (_, quantity, _) in zip(docks, parts, strict=True):
                supply_id = await writer.add(
                    "supply",
                    sku_id=writer.id("sku", sku),
                    location_id=writer.id("location", place),
                    kind="purchase",
                    supplier_id=writer.id("supplier", supplier),
                    purchase_order_line_id=line_id,
                    split_from_id=first_id,
                    quantity=quantity,
                    paper_date=dock,
                    usable_date=usable_date(dock, basis, 0, POLICIES["receiving_days"], calendar),
                    date_basis=basis.value,
                )
                first_id = first_id or supply_id


async def _analyze(sql: asyncpg.Connection) -> None:
    tables = await sql.fetchval(
        """select string_agg(quote_ident(relname), ', ') from pg_class
        where relnamespace = 'public'::regnamespace and relowner = $1::regrole and relkind in ('r', 'p')""",
        OWNER_ROLE,
    )
    await sql.execute(f"set role {OWNER_ROLE}")
    await sql.execute(f"analyze {tables}")
