"""A ship notice that is taken back: when its goods are expected then, and which cannot be taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.edi.supplier_side import write_856
from core.errors import InvalidInput
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.withdraw_ship_notice import withdraw_ship_notice
from tests.integration.test_edi_both_ways import notice
from tests.integration.test_ingest_edi_document import answer, day, envelope, sent, take

pytestmark = pytest.mark.anyio


async def shipped(world, promised: int) -> tuple[str, int]:
    """A notice over all ten units of an order that was promised for that day; the order's number and the supplier's id."""
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(promised))))
    await take(world, write_856(notice(number, "00", 10), envelope(2)), "f2")
    return number, await world.value("select id from supplier where code = 'SUP'")


async def test_goods_that_did_not_leave_come_on_the_promised_day_unless_it_is_past(world):
    _, supplier = await shipped(world, 5)
    world.clock.at += timedelta(days=10)
    await world.do(lambda uow: withdraw_ship_notice(uow, supplier, "SN1", "9"))
    basis, due = (await world.rows("select date_basis, usable_date from supply"))[0].values()
    assert (basis, due > world.clock.at.date()) == ("LEAD_TIME", True)


async def test_a_notice_whose_goods_were_received_is_not_taken_back(world):
    number, supplier = await shipped(world, 12)
    part = ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 4)], receipt_number="R1")
    await world.do(lambda uow: receive_goods(uow, part))
    with pytest.raises(InvalidInput, match="were received"):
        await world.do(lambda uow: withdraw_ship_notice(uow, supplier, "SN1", "9"))
