"""Notices are read once by their owner; a supplier's lateness counts once enough receipts show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.domain.access import Principal, Role
from core.errors import IllegalTransition, NotFound
from core.repositories.supplying import load_lateness
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
