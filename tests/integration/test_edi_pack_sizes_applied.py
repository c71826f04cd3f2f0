"""Sizes of packs that a supplier's lines state, beside articles that we count in packs ourselves."""

import pytest

from core.edi.x12_writer import write_interchange
from tests.integration.test_ingest_edi_document import day, documents, envelope, sent, take

pytestmark = pytest.mark.anyio


async def test_packs_in_which_we_count_ourselves_are_no_other_units(world):
    number = await sent(world)
    await world.database.system.execute("update sku set unit = 'CA' where code = 'S'")
    line = [("PO1", "1", 1, "CA", "", "", "BP", "S"), ("PO4", 10), ("ACK", "IA", 1, "CA", "067", day(9)), ("CTT", 1)]
    answer = [("BAK", "00", "AC", number, day(1)), *line]
    assert await take(world, write_interchange("855", "PR", [answer], envelope(3)), "a") == {"quarantined": 1}
    assert {fault["code"] for fault in (await documents(world))[0]["faults"]} == {"unit"}
    await world.database.system.execute("update sku set unit = 'EA' where code = 'S'")
    assert await take(world, write_interchange("855", "PR", [answer], envelope(4)), "b") == {"applied": 1}
    assert await world.value("select accepted from purchase_order_line") == 10
