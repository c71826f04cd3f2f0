"""Numbers and codes of rows that evidence, the audit trail and alarms name by id."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.queries.evidence_names import _NAMES, names_of_rows
from core.queries.transfers import transfer_by_id
from core.repositories.transfers import skus_of_transfers

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


class Explained:
    """A connection that notes how what is asked is found."""

    def __init__(self, connection):
        self.connection, self.plans = connection, []

    async def fetch(self, query, *arguments):
        plan = await self.connection.fetch(f"explain {query}", *arguments)
        self.plans.append("\n".join(row[0] for row in plan))
        return await self.connection.fetch(query, *arguments)

    async def fetchrow(self, query, *arguments):
        return (await self.fetch(query, *arguments))[0]


async def test_a_transfer_is_found_by_its_id_alone_without_reading_the_others(world):
    sku_id, source, target = await world.sku("S"), await world.location("A"), await world.location("B")
    async with world.database.system.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("update sku_gate set changed_by = pg_current_xact_id() where sku_id = $1", sku_id)
            wanted = await connection.fetchval(
                """with t as (insert into transfer (sku_id, from_location_id, to_location_id, quantity)
                select $1, $2, $3, 1 from generate_series(1, 3000) returning id) select max(id) from t""",
                *(sku_id, source, target),
            )
            asked: Any = Explained(connection)
            uow: Any = SimpleNamespace(sql=asked)
            (named,) = await names_of_rows(asked, [("transfer", 0, wanted)])
            found = await transfer_by_id(asked, wanted)
            skus = await skus_of_transfers(uow, [wanted])
        finally:
            await transaction.rollback()
    assert found is not None
    assert (named["name"], found["quantity"], skus) == ("1 S A > B", 1, {wanted: sku_id})
    assert ["transfer_id_idx" in plan for plan in asked.plans] == [True] * 3, asked.plans
