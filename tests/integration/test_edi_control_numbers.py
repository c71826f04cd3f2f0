"""Control numbers come from locked rows while no gate is held: documents are rendered beside any work on the same SKUs."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from core.repositories.edi import next_controls
from core.services.cancel_purchase_order import cancel_purchase_order
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.send_purchase_change import send_purchase_change
from core.services.send_purchase_order import send_purchase_order
from core.services.send_warehouse_release import send_warehouse_release
from tests.integration.test_send_warehouse_release import WAREHOUSE

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def all_gates_held(world):
    async with world.database.system.acquire() as sql, sql.transaction():
        await sql.execute("select sku_id from sku_gate order by sku_id for no key update")
        yield


async def test_documents_are_numbered_while_others_hold_the_gates(world):
    await world.database.system.execute(WAREHOUSE)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    (shipment,) = await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    await world.place(world.order(("S", 10), customer="C2"))
    sku_id = await world.sku()
    (po,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    async with all_gates_held(world):
        assert await world.do(lambda uow: send_purchase_order(uow, po)) is not None
        assert await world.do(lambda uow: send_warehouse_release(uow, shipment)) is not None
    gone = await world.do(lambda uow: cancel_purchase_order(uow, "PO" + f"{po:08d}"))
    async with all_gates_held(world):
        assert await world.do(lambda uow: send_purchase_change(uow, po, gone.version, [1])) is not None
    sent = await world.rows("select kind, interchange_control from edi_outbound order by id")
    assert [(row["kind"], row["interchange_control"]) for row in sent] == [
        ("850", "000000001"),
        ("940", "000000002"),
        ("860", "000000003"),
    ]


async def test_numbers_drawn_at_once_differ_and_wrap_at_nine_digits(world):
    await world.database.system.execute(WAREHOUSE)
    partner = await world.value("select id from partner")
    levels = ("interchange", "group", "set")
    drawn = await asyncio.gather(*[world.do(lambda uow: next_controls(uow, partner, levels)) for _ in range(6)])
    assert sorted(drawn) == [[n, n, n] for n in range(1, 7)]
    await world.database.system.execute("update edi_counter set next = 999999999")
    assert await world.do(lambda uow: next_controls(uow, partner, levels)) == [999_999_999] * 3
    assert await world.do(lambda uow: next_controls(uow, partner, levels)) == [1, 1, 1]
