"""Notices are read once by their owner; a supplier's lateness counts once enough receipts show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.domain.access import Principal, Role
from core.domain.overdue import LateRecord
from core.errors import IllegalTransition, NotFound
from core.repositories.overdue import late_records
from core.repositories.supplying import RECENT_RECEIPTS, load_lateness
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.mark_notice_read import mark_notice_read
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.send_notices import send_notices

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def test_only_its_customer_marks_a_sent_notice_as_read_and_only_once(world):
    await world.place(world.order(("S", 1), customer="C1"))
    notice = await world.value("select id from notice")
    owner = await world.value("select customer_id from notice")
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: mark_notice_read(uow, notice))
    await world.do(lambda uow: send_notices(uow, 10))
    stranger = replace(world, principal=Principal("x", Role.CUSTOMER, customer_id=owner + 1))
    with pytest.raises(NotFound):
        await stranger.do(lambda uow: mark_notice_read(uow, notice))
    mine = replace(world, principal=Principal("c", Role.CUSTOMER, customer_id=owner))
    first = await mine.do(lambda uow: mark_notice_read(uow, notice))
    world.clock.at += timedelta(hours=1)
    assert await mine.do(lambda uow: mark_notice_read(uow, notice)) == first
    assert await world.value("select state from notice") == "read"


async def test_lateness_is_the_p80_of_receipts_and_silent_below_twenty(world):
    wanted = CreatePurchaseOrder("SUP", "A", [("S", 1, None)] * 20)
    change = await world.do(lambda uow: create_purchase_order(uow, wanted))
    supplier = await world.value("select id from supplier where code = 'SUP'")
    due = TODAY + timedelta(days=14)
    start = world.clock.at
    for n in range(20):
        if n == 19:
            assert await world.do(lambda uow: load_lateness(uow, [supplier])) == {}
        world.clock.at = start + timedelta(days=14 + n)
        said = ReceiveGoods(change.number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 1, line_number=n + 1)])
        await world.do(lambda uow, said=said: receive_goods(uow, said))
    assert await world.value("select max(paper_date) from supply") == due
    # ceil(21 * 0.8) = the 17th smallest of 0..19 days
    assert await world.do(lambda uow: load_lateness(uow, [supplier])) == {(supplier, "LEAD_TIME"): 16}


async def test_a_rare_suppliers_receipts_count_however_many_others_send_and_by_order_or_ship_notice(world):
    """Twenty units late by ten days under a ship notice, then more newer receipts of another supplier than are read."""
    wanted = CreatePurchaseOrder("SUP", "A", [("S", 1, None)] * 20)
    number = (await world.do(lambda uow: create_purchase_order(uow, wanted))).number
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    supplier = await world.value("select id from supplier where code = 'SUP'")
    said = ShipNoticeInput(
        supplier, "SN1", TODAY, TODAY + timedelta(days=3), "CARR", "T1", [(number, n + 1, None, 1) for n in range(20)]
    )
    await world.do(lambda uow: apply_ship_notice(uow, said))
    world.clock.at += timedelta(days=13)
    came = ReceiveGoods("SN1", "SHIP_NOTICE", "A", [ReceiptLine("S", 1, line_number=n + 1) for n in range(20)])
    await world.do(lambda uow: receive_goods(uow, came))
    await world.database.system.execute(
        """with o as (insert into purchase_order (number, supplier_id, location_id, status, currency)
            select 'OTHER', p.id, l.id, 'SENT', 'KRW' from supplier p, location l where p.code = 'SUP2' and l.code = 'A' returning *)
        insert into goods_receipt (number, location_id, purchase_order_id, actor, received_at)
        select 'R' || n, o.location_id, o.id, 'x', now() from o, generate_series(1, $1::int) n""",
        RECENT_RECEIPTS + 1,
    )
    assert await world.do(lambda uow: load_lateness(uow, [supplier])) == {(supplier, "SHIP_NOTICE"): 10}
    assert await world.do(lambda uow: late_records(uow, [supplier])) == {supplier: LateRecord([10] * 20, [])}
