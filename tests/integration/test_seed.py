"""The demo company: written once, by the gate protocol, and consistent in every identity."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from core.domain.calendars import WorkCalendar
from core.domain.priority import TIER_RANK
from core.edi.guide import PartnerGuide
from migrations import demo_company, demo_data
from workers.commands.seed import seed_database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 10, 1, 0, tzinfo=UTC)


@pytest.fixture
async def sql(database_url: str):
    await demo_data.seed(database_url, NOW)
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def counts(sql: asyncpg.Connection) -> dict[str, int]:
    tables = (
        "location",
        "lane",
        "sku",
        "stock_level",
        "stock_movement",
        "supply",
        "customer",
        "partner_guide",
        "policy",
    )
    return {table: await sql.fetchval(f"select count(*) from {table}") for table in tables}


async def test_it_is_written_once(sql: asyncpg.Connection, database_url: str):
    before = await counts(sql)
    assert before == {
        "location": 11,
        "lane": 14,
        "sku": 14,
        "stock_level": 32,
        "stock_movement": 33,
        "supply": 5,
        "customer": 6,
        "partner_guide": 2,
        "policy": 8,
    }
    await asyncio.gather(demo_data.seed(database_url, NOW), demo_data.seed(database_url, NOW))
    assert await counts(sql) == before


async def test_two_at_once_write_one_company(database_url: str):
    await asyncio.gather(*(demo_data.seed(database_url, NOW) for _ in range(3)))
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from location") == 11
    await connection.close()


async def test_a_failure_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(demo_company.OPENING_STOCK, "NO-SUCH-SKU", (1, 0, 0, 0))
    with pytest.raises(KeyError):
        await demo_data.seed(database_url, NOW)
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from location") == 0
    await connection.close()


async def test_counters_equal_the_ledger_and_gates_were_taken(sql: asyncpg.Connection):
    assert (
        await sql.fetchval(
            """select count(*) from stock_level l full join (select sku_id, location_id, sum(on_hand_delta) as on_hand
            from stock_movement group by 1, 2) m using (sku_id, location_id)
        where l.on_hand is distinct from m.on_hand or l.allocated <> 0 or l.unsellable <> 0"""
        )
        == 0
    )
    assert {row["version"] for row in await sql.fetch("select version from sku_gate")} == {2}
    assert (
        await sql.fetchval("select count(*) from stock_movement where gate_version <> 2 or cause_kind <> 'opening'")
        == 0
    )


async def test_lots_sum_to_their_stock_and_a_kit_has_none(sql: asyncpg.Connection):
    """A newcomer can try both: a SKU in lots that expire, and a kit of two SKUs that are in stock."""
    rows = await sql.fetch(
        """select k.code, v.on_hand, sum(t.on_hand)::int as lots, min(t.expires_on) as first, k.min_life_days
        from stock_level v join sku k on k.id = v.sku_id left join lot t on t.sku_id = v.sku_id and t.location_id = v.location_id
        where k.tracks_lots group by k.id, v.location_id, v.on_hand order by v.location_id"""
    )
    days = [NOW.date() + timedelta(days=days) for days in (40, 200)]
    assert [tuple(row) for row in rows] == [("TEA-SENCHA", 24, 24, days[0], 30), ("TEA-SENCHA", 18, 18, days[1], 30)]
    parts = await sql.fetch(
        """select k.code, n.quantity, exists (select from stock_level v where v.sku_id = n.kit_sku_id) as has_stock
        from kit_component n join sku k on k.id = n.component_sku_id order by 1"""
    )
    assert [tuple(row) for row in parts] == [("MUG-WHITE", 4, False), ("TEAPOT-1L", 1, False)]


async def test_purchase_lines_equal_their_supplies(sql: asyncpg.Connection):
    rows = await sql.fetch(
        """select p.number, k.code, l.ordered, l.accepted, l.supplier_backordered, l.unanswered,
            array_agg(s.quantity order by s.id) as supplies, array_agg(s.usable_date order by s.id) as usable
        from purchase_order p join purchase_order_line l on l.purchase_order_id = p.id join sku k on k.id = l.sku_id
        join supply s on s.sku_id = l.sku_id and s.purchase_order_line_id = l.id
        group by p.number, k.code, l.line_number, l.ordered, l.accepted, l.supplier_backordered, l.unanswered
        order by p.number, l.line_number"""
    )
    assert [tuple(row) for row in rows] == [
        ("PO-H-0871", "LAMP-DESK", 24, 24, 0, 0, [24], [date(2026, 6, 22)]),
        ("PO-H-0871", "TOASTER-2S", 30, 20, 10, 0, [20, 10], [date(2026, 6, 22), date(2026, 7, 7)]),
        ("PO-H-0872", "MUG-BLUE", 96, 0, 0, 96, [96], [date(2026, 6, 23)]),
        ("PO-H-0872", "TEA-SENCHA", 24, 0, 0, 24, [24], [date(2026, 6, 23)]),
    ]


async def test_the_reserve_reaches_customers_only_by_transfer(sql: asyncpg.Connection):
    reach = await sql.fetch(
        """select a.code as origin, array_agg(b.code order by b.code) as targets from lane l
        join location a on a.id = l.from_location_id join location b on b.id = l.to_location_id
        where a.kind <> 'supplier' group by a.code order by a.code"""
    )
    assert {row["origin"]: row["targets"] for row in reach} == {
        "DC-ICN": ["STORE-SEOUL", "ZONE-KR", "ZONE-KR-JEJU", "ZONE-US"],
        "DC-LTN": ["ZONE-DE", "ZONE-GB", "ZONE-US"],
        "RES-BUSAN": ["DC-ICN", "DC-LTN"],
        "STORE-SEOUL": ["ZONE-KR"],
    }
    assert {row["country"] for row in await sql.fetch("select distinct country from delivery_zone")} == {
        "KR",
        "GB",
        "US",
        "DE",
    }


async def test_guides_calendars_and_names_can_be_used(sql: asyncpg.Connection):
    await sql.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    guides = await sql.fetch("select guide from partner_guide order by id")
    assert [PartnerGuide.from_json(row["guide"]) for row in guides] == [row[3] for row in demo_company.PARTNERS]
    for row in await sql.fetch("select working_days, country from calendar"):
        assert WorkCalendar(frozenset(row["working_days"]), row["country"]).next_working_day(NOW.date()) >= NOW.date()
    assert await sql.fetchval("select count(*) from sku where name ->> 'en' > '' and name ->> 'ko' > ''") == 14
    assert [row["code"] for row in await sql.fetch("select code from sku order by id limit 3")] == [
        "KETTLE-17",
        "LAMP-DESK",
        "MUG-BLUE",
    ]


async def test_the_documented_stock_is_the_seeded_stock():
    rows = [line.split("|") for line in (demo_company.__doc__ or "").splitlines() if line.count("|") == 9]
    documented = {
        cells[1].strip(): tuple(int(cell) for cell in cells[2:6])
        for cells in rows
        if cells[2].strip().isdigit() and cells[1].strip() in {sku[0] for sku in demo_company.SKUS}
    }
    assert documented.pop("GRINDER-PRO") == (0, 0, 0, 0)
    assert documented == demo_company.OPENING_STOCK


async def test_the_planner_knows_the_tables(sql: asyncpg.Connection):
    assert await sql.fetchval("select reltuples from pg_class where oid = 'stock_level'::regclass") == 32


async def test_the_seed_command_says_whether_it_did_anything(database_url: str):
    assert await seed_database(database_url) is True
    assert await seed_database(database_url) is False


def test_every_tier_has_a_rank():
    assert {customer[1] for customer in demo_company.CUSTOMERS} <= set(TIER_RANK)
