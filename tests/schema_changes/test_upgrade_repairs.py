"""An upgrade takes rows that a newer rule forbids, and repairs them where nothing is lost by it."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from migrations.upgrade import upgrade

pytestmark = pytest.mark.anyio


async def test_rows_that_a_newer_rule_forbids_do_not_stop_the_upgrade(empty_database_url: str) -> None:
    """A flag for expiry without lots, and two open alarms of one check, as the first schema allowed them."""
    await upgrade(empty_database_url, "walls")
    sql = await asyncpg.connect(empty_database_url)
    await sql.execute("insert into sku (code, name, currency, tracks_expiry) values ('OLD', '{}', 'USD', true)")
    await sql.execute(
        "insert into ledger_alarm (check_name, rows, found_at) select v, '[]', now() from unnest(array['a', 'a', 'b']) v"
    )
    await upgrade(empty_database_url)
    assert await sql.fetchval("select tracks_expiry from sku where code = 'OLD'") is False
    alarms = await sql.fetch("select id, check_name, cleared_at is null as open from ledger_alarm order by id")
    assert [(row["check_name"], row["open"]) for row in alarms] == [("a", False), ("a", True), ("b", True)]
    await sql.close()


async def test_a_backorder_at_rest_in_cancel_pending_is_named_and_the_upgrade_goes_on_once_it_is_settled(
    empty_database_url: str,
) -> None:
    await upgrade(empty_database_url, "edi")
    sql = await asyncpg.connect(empty_database_url)
    await sql.execute("set session_replication_role = replica")
    await sql.execute(
        """insert into backorder (sku_id, order_line_id, quantity, state, cause, opened_at)
        values (1, 1, 1, 'CANCEL_PENDING', 'FORECAST_ERROR', now())"""
    )
    with pytest.raises(DBAPIError, match=r"1 backorders rest in CANCEL_PENDING \(ids 1\)"):
        await upgrade(empty_database_url)
    await sql.execute("update backorder set state = 'CANCELLED', quantity = 0, closed_at = now()")
    await upgrade(empty_database_url)
    assert await sql.fetchval("select count(*) from pg_constraint where not convalidated") == 0
    await sql.close()


async def test_offers_with_days_that_no_calendar_has_take_the_longest_lead_time_there_is(
    empty_database_url: str,
) -> None:
    await upgrade(empty_database_url, "sku_gtin")
    sql = await asyncpg.connect(empty_database_url)
    await sql.execute("insert into sku (id, code, name, currency) values (1, 'A', '{}', 'USD'), (2, 'B', '{}', 'USD')")
    await sql.execute("insert into supplier (id, code, name, time_zone) values (1, 'S', 'S', 'UTC')")
    await sql.execute(
        """insert into supplier_sku (supplier_id, sku_id, currency, moq, lead_time_days, lead_time_p80, expedite_days)
        values (1, 1, 'USD', 2147483647, 3000000, 2147483647, null), (1, 2, 'USD', 2, 5, 7, 3)"""
    )
    await upgrade(empty_database_url)
    figures = "moq, lead_time_days, lead_time_p80, agreed_lead_time_p80, expedite_days"
    rows = await sql.fetch(f"select {figures} from supplier_sku order by sku_id")
    assert [tuple(row) for row in rows] == [(1_000_000_000, 3650, 3650, None, None), (2, 5, 7, None, 3)]
    assert await sql.fetchval("select count(*) from pg_constraint where not convalidated") == 0
    await sql.close()


async def test_stored_gtins_take_their_shortest_form_and_the_older_of_two_skus_keeps_it(
    empty_database_url: str,
) -> None:
    await upgrade(empty_database_url, "sku_gtin")
    sql = await asyncpg.connect(empty_database_url)
    await sql.execute(
        """insert into sku (code, name, currency, gtin) select v[1], '{}', 'USD', v[2] from (values
        (array['A', '0036000291452']), (array['B', '036000291452']), (array['C', '04006381333931']),
        (array['D', '00000096385074']), (array['E', '00000000']), (array['F', null])) as x(v)"""
    )
    await upgrade(empty_database_url)
    found = {row["code"]: row["gtin"] for row in await sql.fetch("select code, gtin from sku")}
    kept = {"A": "036000291452", "C": "4006381333931", "D": "96385074"}
    assert found == {**dict.fromkeys("BEF"), **kept}
    assert await sql.fetchval("select count(*) from pg_constraint where not convalidated") == 0
    await sql.close()
