"""An upgrade takes rows that a newer rule forbids, and repairs them where nothing is lost by it."""

import asyncpg
import pytest

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
