"""The recount sees every planted difference, alarms once, and clears the alarm when the books balance again."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from core.database import Database
from core.queries.identities import CHECKS
from core.services.reconcile_stock import Difference, reconcile_stock, recount
from core.services.seal_ledgers import seal_ledgers
from core.services.verify_ledgers import verify_ledgers
from core.settings import Settings
from core.unit_of_work import run_unit_of_work
from workers.commands.audit import audit_report

pytestmark = pytest.mark.anyio

# A sound little world: one SKU, 10 on hand at A, 6 given to line 1 (2 of them shipped), 4 backordered on supply 1.
WORLD = """
insert into calendar (id, code, name, working_days) values (1, 'C', 'C', '{1,2,3,4,5}');
insert into location (id, code, name, kind, time_zone, calendar_id) values
  (1, 'A', 'A', 'warehouse', 'UTC', 1), (2, 'B', 'B', 'warehouse', 'UTC', 1);
insert into sku (id, code, name, currency) values (1, 'S', '{"en": "S"}', 'EUR');
insert into channel (code, name) values ('web', 'web');
insert into supplier (id, code, name) values (1, 'V', 'V');
insert into stock_movement (sku_id, location_id, kind, on_hand_delta, allocated_delta, cause_kind, actor, occurred_at,
  gate_version) values (1, 1, 'received', 12, 0, 'x', 'x', now(), 1), (1, 1, 'allocated', 0, 6, 'x', 'x', now(), 1),
  (1, 1, 'shipped', -2, -2, 'x', 'x', now(), 1);
insert into stock_level (sku_id, location_id, on_hand, allocated) values (1, 1, 10, 4);
insert into purchase_order (id, supplier_id, number, location_id, currency) values (1, 1, 'P1', 1, 'EUR');
insert into purchase_order_line (sku_id, id, purchase_order_id, line_number, supplier_id, ordered, accepted)
  values (1, 1, 1, 1, 1, 9, 9);
insert into supply (sku_id, id, location_id, kind, purchase_order_line_id, quantity, pegged, usable_date)
  values (1, 1, 1, 'purchase', 1, 9, 4, '2026-12-01');
insert into sales_order (id, number, channel, currency, placed_at, external_number)
  values (1, 'O1', 'web', 'EUR', now(), 'X1');
insert into order_line (sku_id, id, order_id, line_number, ordered, allocated, backordered, shipped, current_promise_id)
  values (1, 1, 1, 1, 10, 4, 4, 2, 1);
insert into peg (sku_id, id, location_id, order_line_id, need_date, quantity, kind, supply_id)
  values (1, 1, 1, 1, '2026-12-01', 4, 'HARD', null), (1, 2, 1, 1, '2026-12-01', 4, 'FIRM', 1);
insert into shipment (id, number, order_id, location_id, status) values (1, 'H1', 1, 1, 'SHIPPED');
insert into shipment_line (sku_id, shipment_id, order_line_id, location_id, quantity) values (1, 1, 1, 1, 2);
insert into promise (sku_id, id, order_line_id, sequence, quantity, complete, cause_kind, slices, actor)
  values (1, 1, 1, 1, 10, true, 'PLACED',
  '[{"quantity": 6, "source": "ON_HAND", "shipDate": "2026-11-01"},
    {"quantity": 4, "source": "PURCHASE_ORDER", "shipDate": "2026-12-01"}]', 'x');
insert into backorder (sku_id, id, order_line_id, quantity, state, cause, opened_at)
  values (1, 1, 1, 4, 'PEGGED', 'DEMAND_SPIKE', now());
insert into backorder_event (sku_id, backorder_id, sequence, to_state, quantity, actor)
  values (1, 1, 1, 'PEGGED', 4, 'x');
insert into transfer (sku_id, id, from_location_id, to_location_id, quantity, shipped, received, state)
  values (1, 1, 2, 1, 5, 5, 2, 'in_transit');
insert into supply (sku_id, id, location_id, kind, transfer_id, quantity, received, usable_date)
  values (1, 2, 1, 'transfer', 1, 5, 2, '2026-12-01');
"""


async def as_owner(database_url: str, *statements: str) -> None:
    """Behind the product's back: no trigger, no gate."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await as_owner(database_url, WORLD)
    async with Database(Settings(database_url=database_url, pool_size=3)) as database:
        yield database


async def checks(database: Database) -> list[str]:
    return sorted(difference.check for difference in await run_unit_of_work(database, recount))


async def test_a_sound_world_has_no_difference(database: Database) -> None:
    assert await run_unit_of_work(database, recount) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("update stock_level set on_hand = 11", ["counters_equal_movements"]),
        (
            "update stock_level set allocated = 5",
            ["allocated_equals_hard_pegs", "counters_equal_movements"],
        ),
        ("delete from peg where id = 1", ["allocated_equals_hard_pegs", "dated_promise_has_pegs", "line_equals_pegs"]),
        ("update peg set quantity = 3 where id = 2", ["dated_promise_has_pegs", "line_equals_pegs", "supply_equals_pegs"]),
        ("update peg set kind = 'OPEN', supply_id = null, created_at = now() - interval '1 day',"
         " updated_at = now() - interval '1 day' where id = 2", ["dated_promise_has_pegs", "supply_equals_pegs"]),
        ("update supply set pegged = 5 where id = 1", ["supply_equals_pegs"]),
        ("update supply set quantity = 8 where id = 1", ["purchase_line_equals_supplies"]),
        ("update shipment set status = 'PLANNED'", ["shipped_equals_shipments"]),
        ("update backorder set quantity = 3", ["backorder_equals_line"]),
        ("delete from backorder", ["backorder_equals_line"]),
        ("update backorder set state = 'ON_HOLD'", ["backorder_is_its_last_event"]),
        ("update promise set sequence = 2", ["promise_sequence_has_no_gap"]),
        ("update order_line set current_promise_id = null", ["current_promise_is_the_newest"]),
        ("update transfer set received = 3", ["transfer_balances"]),
        ("update transfer set lost = 1", ["transfer_balances"]),
        ("update peg set location_id = 2 where id = 2", ["peg_is_where_its_supply_is"]),
        ("insert into event (position, topic, kind, occurred_at) values (1, 'x', 'x', now() - interval '1 day')",
         ["order_has_its_event"]),
    ],
)  # fmt: skip
async def test_a_planted_difference_is_found(
    database: Database, database_url: str, statement: str, expected: list[str]
) -> None:
    await as_owner(database_url, statement)
    assert await checks(database) == expected


async def test_the_alarm_is_raised_once_and_cleared(database: Database, database_url: str) -> None:
    await as_owner(database_url, "update stock_level set on_hand = 11")
    for _ in range(2):
        assert await run_unit_of_work(database, reconcile_stock) == [
            Difference(
                "counters_equal_movements",
                [
                    {
                        "sku_id": 1,
                        "location_id": 1,
                        "on_hand": 11,
                        "moved_on_hand": 10,
                        "unsellable": 0,
                        "moved_unsellable": 0,
                        "allocated": 4,
                        "moved_allocated": 4,
                    }
                ],
                1,
            )
        ]
    await as_owner(database_url, "update stock_level set on_hand = 10")
    assert await run_unit_of_work(database, reconcile_stock) == []
    alarms = await database.system.fetch("select check_name, cleared_at is null as open from ledger_alarm")
    assert [tuple(row) for row in alarms] == [("counters_equal_movements", False)]
    kinds = await database.system.fetch("select kind from outbox where topic = 'alarm' order by id")
    assert [row["kind"] for row in kinds] == ["LEDGER_DIFFERENCE", "LEDGER_CLEARED"]
    assert await database.system.fetchval("select on_hand from stock_level") == 10


async def test_every_check_runs(database: Database) -> None:
    for query in CHECKS.values():
        await database.system.fetch(query)


async def test_promises_are_sealed_and_their_change_is_found(database: Database, database_url: str) -> None:
    heads = await run_unit_of_work(database, lambda uow: seal_ledgers(uow, key=b"k"))
    assert [(head.ledger, head.entries) for head in heads] == [("promise", 1)]
    await as_owner(database_url, "update promise set slices = '[]'")
    reports = await run_unit_of_work(database, lambda uow: verify_ledgers(uow, heads, key=b"k"))
    assert [(report.ledger, [fault.kind for fault in report.faults]) for report in reports] == [
        ("audit", []),
        ("promise", ["ROWS_ALTERED"]),
    ]


async def test_the_audit_command_reports(database: Database, database_url: str, tmp_path) -> None:
    settings = Settings(database_url=database_url, data_dir=tmp_path, pool_size=2, seal_key="k")  # type: ignore[arg-type]
    report = await audit_report(settings, verify=True)
    assert (report["ok"], report["differences"], [ledger["unsealed_entries"] for ledger in report["ledgers"]]) == (
        True,
        [],
        [0, 1],
    )
    await as_owner(database_url, "update stock_level set on_hand = 11")
    assert (await audit_report(settings, verify=False))["ok"] is False
