"""The database itself refuses what no code may do: ungated writes, broken balances, changed history, foreign rows."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

pytestmark = pytest.mark.anyio

GATE = """
with k as (select sku_id from sku_gate where sku_id = any($1::bigint[]) order by sku_id for no key update)
update sku_gate g set version = g.version + 1, changed_by = pg_current_xact_id() from k where g.sku_id = k.sku_id
"""
UNGUARDED = {"repromising_diff"}
"""Computed without gates, published under them."""


@dataclass
class World:
    """Two customers with one order each, one supplier with an order line and a supply, all of SKU 1 and 2."""

    system: asyncpg.Connection
    app: asyncpg.Connection
    login: asyncpg.Connection
    """A superuser, whom neither grants nor policies stop."""

    async def gate(self, *skus: int) -> None:
        await self.system.execute(GATE, list(skus))


SEED = """
insert into location (id, code, kind) values (1, 'A', 'dc'), (2, 'B', 'warehouse');
insert into channel (code, name) values ('web', 'Web');
insert into sku (id, code, name, currency) values (1, 'S1', '{}', 'EUR'), (2, 'S2', '{}', 'EUR');
insert into customer (id, code) values (11, 'C11'), (12, 'C12');
insert into supplier (id, code, name) values (21, 'V21', 'Vendor'), (22, 'V22', 'Other');
insert into stock_level (sku_id, location_id, on_hand, allocated) values (1, 1, 10, 4);
insert into sales_order (id, number, channel, customer_id, currency, placed_at)
  values (101, 'O101', 'web', 11, 'EUR', now()), (102, 'O102', 'web', 12, 'EUR', now());
insert into order_line (sku_id, id, order_id, customer_id, line_number, ordered, allocated, backordered)
  values (1, 1001, 101, 11, 1, 10, 4, 6), (2, 1002, 102, 12, 1, 5, 0, 5);
insert into purchase_order (id, supplier_id, number, location_id, currency) values (201, 21, 'P201', 1, 'EUR');
insert into purchase_order_line (sku_id, id, purchase_order_id, line_number, supplier_id, ordered, unanswered)
  values (1, 2001, 201, 1, 21, 20, 20);
insert into supply (sku_id, id, location_id, kind, supplier_id, purchase_order_line_id, quantity, pegged, usable_date)
  values (1, 3001, 1, 'purchase', 21, 2001, 20, 6, '2027-01-10');
insert into peg (sku_id, id, location_id, order_line_id, need_date, quantity, kind, supply_id)
  values (1, 4001, 1, 1001, '2027-01-05', 4, 'HARD', null), (1, 4002, 1, 1001, '2027-01-10', 6, 'FIRM', 3001),
  (2, 4003, 1, 1002, '2027-01-10', 5, 'OPEN', null);
insert into promise (sku_id, id, order_line_id, customer_id, sequence, quantity, cause_kind, slices, actor)
  values (1, 5001, 1001, 11, 1, 10, 'PLACED', '[]', 'test'), (2, 5002, 1002, 12, 1, 5, 'PLACED', '[]', 'test');
insert into backorder (sku_id, id, order_line_id, customer_id, quantity, cause, opened_at)
  values (1, 6001, 1001, 11, 6, 'DEMAND_SPIKE', now()), (2, 6002, 1002, 12, 5, 'DEMAND_SPIKE', now());
insert into backorder_event (sku_id, backorder_id, sequence, to_state, quantity, actor)
  values (1, 6001, 1, 'PROVISIONAL', 6, 'test'), (2, 6002, 1, 'PROVISIONAL', 5, 'test');
insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor, occurred_at, gate_version)
  values (1, 1, 'received', 10, 'goods_receipt', 'test', now(), 1);
insert into audit_entry (at, actor, operation, object) values (now(), 'test', 'orderPlace', 'order:101');
insert into event (position, topic, kind, customer_id, occurred_at)
  values (1, 'order', 'PLACED', 11, now()), (2, 'order', 'PLACED', 12, now());
insert into event (position, topic, kind, supplier_id, occurred_at) values (3, 'purchase_order', 'SENT', 21, now());
insert into event (position, topic, kind, sku_id, occurred_at) values (4, 'availability', 'CHANGED', 1, now());
insert into event (position, topic, kind, occurred_at) values (5, 'job_request', 'REQUESTED', now());
"""


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    system = await asyncpg.connect(database_url, server_settings={"role": "bm_system"})
    app = await asyncpg.connect(database_url, server_settings={"role": "bm_app"})
    login = await asyncpg.connect(database_url)
    async with system.transaction():
        await system.execute(SEED)  # new SKUs: this transaction holds their gates
    yield World(system, app, login)
    for connection in (login, app, system):
        await connection.close()


async def refused(connection: asyncpg.Connection, statement: str, *arguments: Any) -> asyncpg.PostgresError:
    """The error with which the database refuses `statement`, inside a savepoint or a transaction of its own."""
    with pytest.raises(asyncpg.PostgresError) as caught:
        async with connection.transaction():
            await connection.execute(statement, *arguments)
    return caught.value


# --- the gate


async def test_a_new_sku_has_its_gate(world: World) -> None:
    rows = await world.system.fetch("select sku_id, version from sku_gate order by sku_id")
    assert [tuple(row) for row in rows] == [(1, 1), (2, 1)]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into stock_level (sku_id, location_id) values (1, 2)",
        "update stock_level set on_hand = on_hand + 1",
        "update order_line set version = version + 1 where sku_id = 1",
        "delete from peg where id = 4003",
        "update supply set date_revision = 1",
        "insert into promise (sku_id, order_line_id, sequence, quantity, cause_kind, slices, actor)"
        " values (1, 1001, 2, 10, 'PLACED', '[]', 'test')",
    ],
)
async def test_a_write_without_the_gate_is_refused(world: World, statement: str) -> None:
    error = await refused(world.system, statement)
    assert error.sqlstate == "55000"
    assert "without the gate of SKU" in str(error)


async def test_a_write_under_the_gate_passes_and_only_for_that_sku(world: World) -> None:
    async with world.system.transaction():
        await world.gate(1)
        await world.system.execute("update order_line set version = 2 where sku_id = 1")
        error = await refused(world.system, "update order_line set version = 2")
        assert error.sqlstate == "55000"
        assert "SKU 2" in str(error)
    versions = await world.system.fetch("select id, version from order_line order by id")
    assert [tuple(row) for row in versions] == [(1001, 2), (1002, 1)]


async def test_a_gate_of_an_earlier_transaction_does_not_count(world: World) -> None:
    async with world.system.transaction():
        await world.gate(1)
    error = await refused(world.system, "update stock_level set on_hand = 11")
    assert error.sqlstate == "55000"


async def test_a_gate_taken_in_a_rolled_back_savepoint_does_not_count(world: World) -> None:
    async with world.system.transaction():
        savepoint = world.system.transaction()
        await savepoint.start()
        await world.gate(1)
        await savepoint.rollback()
        error = await refused(world.system, "update stock_level set on_hand = 11")
    assert error.sqlstate == "55000"


async def test_moving_a_row_to_another_sku_needs_both_gates(world: World) -> None:
    for gates in ((1,), (2,)):
        async with world.system.transaction():
            await world.gate(*gates)
            error = await refused(world.system, "update stock_level set sku_id = 2 where sku_id = 1")
        assert error.sqlstate == "55000"


async def test_every_table_keyed_by_sku_and_id_is_guarded(world: World) -> None:
    rows = await world.system.fetch(
        """select c.relname, (select count(*) from pg_trigger t
            where t.tgrelid = c.oid and t.tgname like 'guard_gate_%') as guards
        from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
        join pg_attribute s on s.attrelid = c.oid and s.attname = 'sku_id' and s.attnum = i.indkey[0]
        join pg_attribute d on d.attrelid = c.oid and d.attname = 'id' and d.attnum = i.indkey[1]"""
    )
    guards = {row["relname"]: row["guards"] for row in rows}
    assert {table for table, count in guards.items() if count == 0} == UNGUARDED
    assert {table for table, count in guards.items() if count not in (0, 3)} == {"promise"}
    assert len(guards) >= 20


# --- the balances


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update order_line set open = open + 1 where id = 1001", "order_line_quantities"),
        ("update order_line set cancelled = -1, backordered = 7 where id = 1001", "order_line_quantities"),
        ("update order_line set ready = 5 where id = 1001", "order_line_not_over_ready"),
        ("update order_line set delivered = 1 where id = 1001", "order_line_not_over_delivered"),
        ("update order_line set status = 'LOST' where id = 1001", "order_line_status"),
        ("update stock_level set allocated = 11", "stock_level_not_over_allocated"),
        ("update stock_level set allocated = -1", "stock_level_allocated"),
        ("update stock_level set unsellable = -1", "stock_level_unsellable"),
        ("update stock_level set unsellable = 7", "stock_level_not_over_allocated"),
        ("update supply set received = -1", "supply_not_over_received"),
        ("update supply set received = 15", "supply_not_over_pegged"),
        ("update purchase_order_line set accepted = 1", "purchase_order_line_quantities"),
        ("update backorder set quantity = 0 where id = 6001", "backorder_closed_is_empty"),
        ("update backorder set closed_at = now() where id = 6001", "backorder_closed_is_empty"),
        (
            "insert into backorder (sku_id, order_line_id, quantity, cause, opened_at)"
            " values (1, 1001, 1, 'QUALITY', now())",
            "backorder_one_open",
        ),
        ("update peg set supply_id = null where id = 4002", "peg_source"),
        ("update peg set supply_id = 3001 where id = 4001", "peg_source"),
        ("update peg set order_line_id = null where id = 4001", "peg_owner"),
        ("update peg set quantity = 0 where id = 4001", "peg_quantity"),
        (
            "insert into peg (sku_id, location_id, order_line_id, need_date, quantity, kind)"
            " values (1, 1, 1002, now(), 1, 'OPEN')",
            "peg_sku_id_order_line_id_fkey",
        ),
        (
            "insert into promise (sku_id, order_line_id, sequence, quantity, cause_kind, slices, actor)"
            " values (1, 1001, 1, 10, 'PLACED', '[]', 'test')",
            "promise_sku_id_order_line_id_sequence_key",
        ),
        (
            "insert into reservation (sku_id, group_id, location_id, need_date, quantity, holder, expires_at,"
            " hold_until_latest) values (1, gen_random_uuid(), 1, now(), 1, 'x', now() + interval '1 day', now())",
            "reservation_not_over_cap",
        ),
        (
            "insert into stock_movement (sku_id, location_id, kind, cause_kind, actor, occurred_at, gate_version)"
            " values (1, 1, 'adjusted', 'count', 'test', now(), 1)",
            "stock_movement_moves_something",
        ),
    ],
)
async def test_a_broken_balance_is_refused(world: World, statement: str, constraint: str) -> None:
    async with world.system.transaction():
        await world.gate(1, 2)
        error = await refused(world.system, statement)
    assert error.constraint_name == constraint


# --- history


@pytest.mark.parametrize("table", ["stock_movement", "backorder_event", "promise", "audit_entry"])
async def test_history_is_neither_changed_nor_removed(world: World, table: str) -> None:
    for statement in (f"update {table} set created_at = now()", f"delete from {table}", f"truncate {table} cascade"):
        for connection in (world.system, world.login):  # no grant stops the second: the trigger does
            error = await refused(connection, statement)
            assert error.sqlstate == "42501", statement


@pytest.mark.parametrize("table", ["promise", "audit_entry"])
async def test_a_row_is_sealed_once_and_without_a_gate(world: World, table: str) -> None:
    await world.system.execute(f"update {table} set seal_number = 1")
    for seal in ("2", "null", "1"):
        error = await refused(world.system, f"update {table} set seal_number = {seal}")
        assert error.sqlstate == "42501"
        assert "append-only" in str(error)
    assert await world.system.fetchval(f"select distinct seal_number from {table}") == 1


async def test_sealing_may_not_hide_another_change(world: World) -> None:
    error = await refused(world.login, "update promise set seal_number = 1, quantity = 1")
    assert "only a missing seal_number" in str(error)


# --- rows of others


async def seen(connection: asyncpg.Connection, table: str) -> int:
    return await connection.fetchval(f"select count(*) from {table}")


async def test_a_customer_sees_its_own_rows_only(world: World) -> None:
    async with world.app.transaction():
        await world.app.execute("select set_config('app.customer', '11', true)")
        assert await world.app.fetchval("select array_agg(number) from sales_order") == ["O101"]
        counts = {
            table: await seen(world.app, table)
            for table in ("customer", "order_line", "promise", "backorder", "peg", "backorder_event", "purchase_order")
        }
        positions = await world.app.fetchval("select array_agg(position order by position) from event")
    assert counts == {
        "customer": 1,
        "order_line": 1,
        "promise": 1,
        "backorder": 1,
        "peg": 2,
        "backorder_event": 1,
        "purchase_order": 0,
    }
    assert positions == [1, 4]


async def test_what_a_session_of_an_owner_reads_behind_a_wall_has_one_rule_that_asks_for_the_owner(
    world: World,
) -> None:
    rules = await world.system.fetch(
        """select c.relname as name, c.relforcerowsecurity as is_forced, array(select pg_get_expr(p.polqual, p.polrelid)
                from pg_policy p where p.polrelid = c.oid and 'bm_app'::regrole = any(p.polroles)) as rules
        from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
            and has_table_privilege('bm_app', c.oid, 'select')"""
    )
    assert len(rules) > 30
    for one in rules:
        (rule,) = one["rules"]
        assert one["is_forced"], one["name"]
        assert "app.customer" in rule or "app.supplier" in rule or "EXISTS" in rule, one["name"]


async def test_partitions_of_events_cannot_be_read_around_the_wall(world: World) -> None:
    rows = await world.system.fetch(
        """select c.relname from pg_class c where c.relispartition
        and has_table_privilege('bm_app', c.oid, 'select, insert, update, delete')"""
    )
    assert rows == []


async def test_a_supplier_sees_its_own_rows_only(world: World) -> None:
    for supplier, expected in (("21", [1, 1, 1, 1]), ("22", [1, 0, 0, 0])):
        async with world.app.transaction():
            await world.app.execute("select set_config('app.supplier', $1, true)", supplier)
            tables = ("supplier", "purchase_order", "purchase_order_line", "supply")
            assert [await seen(world.app, table) for table in tables] == expected
            assert await seen(world.app, "sales_order") == 0


async def test_without_the_setting_nothing_is_seen(world: World) -> None:
    for table in ("customer", "sales_order", "order_line", "promise", "backorder", "peg", "supplier", "supply"):
        assert await seen(world.app, table) == 0, table


async def test_after_a_transaction_the_setting_is_empty_text_and_still_nothing_is_seen(world: World) -> None:
    async with world.app.transaction():
        await world.app.execute("select set_config('app.customer', '11', true)")
    assert await world.app.fetchval("select current_setting('app.customer', true)") == ""
    assert await seen(world.app, "sales_order") == 0


async def test_a_session_setting_would_leak_to_the_next_user(world: World) -> None:
    # why only set_config(..., true) is used: this is what a plain SET does on a pooled connection
    await world.app.execute("set app.customer = '11'")
    assert await seen(world.app, "sales_order") == 1
    async with world.app.transaction():
        await world.app.execute("select set_config('app.customer', '12', true)")
        assert await world.app.fetchval("select array_agg(number) from sales_order") == ["O102"]
    assert await seen(world.app, "sales_order") == 1


async def test_a_superuser_sees_everything_so_nobody_works_as_one(world: World) -> None:
    assert await seen(world.login, "sales_order") == 2
    roles = await world.system.fetch(
        "select rolname, rolsuper or rolbypassrls as bypasses, rolcanlogin from pg_roles where rolname like 'bm\\_%'"
        " order by 1"
    )
    assert [tuple(row) for row in roles] == [
        ("bm_app", False, False),
        ("bm_owner", False, False),
        ("bm_system", False, False),
    ]


async def test_the_owner_does_not_bypass(world: World) -> None:
    await world.login.execute("set role bm_owner")
    assert await seen(world.login, "sales_order") == 0
    unforced = await world.system.fetch("select relname from pg_class where relrowsecurity and not relforcerowsecurity")
    assert unforced == []


async def test_every_table_with_an_owner_column_has_its_wall(world: World) -> None:
    open_tables = await world.system.fetch(
        """select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.attname in ('customer_id', 'supplier_id') and not c.relrowsecurity"""
    )
    assert open_tables == []
    reachable = await world.system.fetch(
        """select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and not c.relrowsecurity and has_table_privilege('bm_app', c.oid, 'select') order by 1"""
    )
    assert [row["relname"] for row in reachable] == [
        "calendar",
        "calendar_exception",
        "channel",
        "delivery_zone",
        "kit_component",
        "lane",
        "location",
        "relay",
        "simulation_clock",
        "sku",
        "sku_gate",
        "sku_pack",
        "substitute",
    ]


async def test_the_scoped_role_writes_nothing(world: World) -> None:
    writable = await world.system.fetch(
        """select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and has_table_privilege('bm_app', oid, 'insert, update, delete, truncate')"""
    )
    assert writable == []
    error = await refused(world.app, "update sales_order set status = 'CANCELLED'")
    assert error.sqlstate == "42501"


async def test_a_view_shows_foreign_rows_unless_it_asks_as_its_caller(world: World) -> None:
    await world.login.execute("create view leaky as select * from sales_order")
    await world.login.execute("create view sound with (security_invoker) as select * from sales_order")
    await world.login.execute("grant select on leaky, sound to bm_app")
    assert [await seen(world.app, "leaky"), await seen(world.app, "sound")] == [2, 0]
    await world.login.execute("drop view leaky, sound")
    views = await world.system.fetch(
        """select relname from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace
        and not coalesce(reloptions::text like '%security_invoker=true%', false)"""
    )
    assert views == []


async def test_a_unique_error_names_a_hidden_row(world: World) -> None:
    # known and accepted: the scoped role cannot insert, so only the system role meets it, and errors are mapped
    error = await refused(
        world.system,
        "insert into sales_order (number, channel, currency, placed_at) values ('O102', 'web', 'EUR', now())",
    )
    assert error.constraint_name == "sales_order_number_key"


async def test_copy_into_a_walled_table_is_refused(world: World) -> None:
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="COPY FROM not supported with row-level security"):
        await world.system.copy_to_table("notice", source=io.BytesIO(b""), columns=["template"])


# --- partitions of the event log


async def test_event_partitions_are_made_ahead_and_dropped_whole(world: World) -> None:
    partitions = """select array_agg(inhrelid::regclass::text order by inhrelid)
        from pg_inherits where inhparent = 'event'::regclass"""
    assert await world.system.fetchval(partitions) == ["event_p0", "event_p1"]
    await world.system.execute("select ensure_event_partition(1000000)")
    await world.system.execute("select ensure_event_partition(1000000)")
    assert await world.system.fetchval(partitions) == ["event_p0", "event_p1", "event_p2"]
    insert = "insert into event (position, topic, kind, occurred_at) values ($1, 'order', 'PLACED', $2::timestamptz)"
    await world.system.execute("update relay set position = 999998")
    # the next position still belongs to the first partition
    assert await world.system.fetchval("select drop_event_partitions(now() + interval '1 day')") == 0
    await world.system.execute(insert, 1_000_000, await world.system.fetchval("select now()"))
    await world.system.execute("update relay set position = 1000000")
    assert await world.system.fetchval("select drop_event_partitions(now() - interval '30 days')") == 0
    assert await world.system.fetchval("select drop_event_partitions(now() + interval '1 day')") == 1
    assert await world.system.fetchval(partitions) == ["event_p1", "event_p2"]
    assert await seen(world.system, "event") == 1
    error = await refused(world.app, "select drop_event_partitions(now())")
    assert error.sqlstate == "42501"
