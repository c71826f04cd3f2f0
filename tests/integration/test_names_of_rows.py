"""Numbers and codes of rows that evidence, the audit trail and alarms name by id."""

import pytest

from core.queries.evidence_names import _NAMES, names_of_rows

pytestmark = pytest.mark.anyio


async def test_every_kind_is_looked_up_and_what_is_gone_is_left_out(world):
    sql = world.database.system
    sku_id, code = tuple(await sql.fetchrow("select id, code from sku order by id limit 1"))
    location_id, place = tuple(await sql.fetchrow("select id, code from location order by id limit 1"))
    async with sql.acquire() as connection:
        gone = await names_of_rows(connection, [(kind, 0, 999_999) for kind in _NAMES] + [("nothing", 0, 1)])
        found = await names_of_rows(
            connection, [("sku", 0, sku_id), ("location", 0, location_id), ("supply", sku_id, -1)]
        )
    assert list(gone) == []
    assert {(row["kind"], row["sku_id"], row["id"]): row["name"] for row in found} == {
        ("sku", 0, sku_id): code,
        ("location", 0, location_id): place,
    }
