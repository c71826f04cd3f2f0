"""What a supplier is told of an order that changed, and a change that it has overtaken itself."""

from __future__ import annotations

import pytest

from core.domain.supplier_changes import ChangeState
from core.edi.decode_860 import decode_860
from core.edi.reader import read
from core.edi.supplier_side import write_856
from core.services import cancel_purchase_order as cancelling
from core.services.cancel_purchase_order import cancel_purchase_order
from core.services.decide_supplier_change import DecideSupplierChange, decide_supplier_change
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.send_purchase_change import agreed_days, send_purchase_change
from core.services.send_purchase_order import send_purchase_order
from tests.integration.test_edi_both_ways import change, line, notice, outbound
from tests.integration.test_ingest_edi_document import PARTNER, answer, day, documents, envelope, sent, take

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("on_the_way", "told"), [(0, ("01", "DI", 0, 0)), (3, ("04", "QD", 3, 3))])
async def test_what_is_left_of_a_cancelled_order(world, on_the_way: int, told: tuple[str, str, int, int]):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 8, day(12)), ("IR", 2, None)))
    if on_the_way:
        await take(world, write_856(notice(number, "00", on_the_way), envelope(2)), "f2")
    after = await world.do(lambda uow: cancel_purchase_order(uow, number))
    await world.do(lambda uow: send_purchase_change(uow, after.purchase_order_id, after.version, [1]))
    (content,) = await outbound(world, "860")
    document = decode_860(read(content).interchanges[0].groups[0].sets[0]).document
    assert document is not None
    (told_line,) = document.lines
    assert (document.purpose, told_line.change, told_line.quantity, told_line.left_to_receive) == told


async def test_an_order_that_is_sent_while_it_is_cancelled_is_taken_back(world, monkeypatch):
    """Sending takes no gate: it may come between the reading of the order and the lock on its row."""
    await world.database.system.execute(PARTNER)
    await world.place(world.order(("S", 10)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    (order,) = await world.rows("select id, number, status from purchase_order")
    assert order["status"] == "APPROVED"
    write = cancelling.save_lines

    async def sent_just_before(*arguments):
        assert await world.do(lambda uow: send_purchase_order(uow, order["id"])) is not None
        await write(*arguments)

    monkeypatch.setattr(cancelling, "save_lines", sent_just_before)
    after = await world.do(lambda uow: cancel_purchase_order(uow, order["number"]))
    assert after.status == "CANCELLED"
    told = await world.rows("select payload from outbox where job = 'send_purchase_change'")
    assert [row["payload"] for row in told] == [
        {"purchaseOrderId": order["id"], "version": after.version, "lineNumbers": [1]}
    ]
    (audit,) = await world.rows("select before from audit_entry where operation = 'purchaseOrderCancel'")
    assert audit == {"before": {"status": "SENT"}}


async def test_an_answer_may_restate_the_whole_order_after_part_of_it_was_shipped(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    await take(world, write_856(notice(number, "00", 6), envelope(2)), "f2")
    assert await take(world, answer(number, 3, ("IA", 10, day(14))), "f3") == {"applied": 1}
    assert await line(world) == {"accepted": 4, "in_transit": 6}
    assert await world.value("select usable_date from supply where ship_notice_line_id is null") == day(14)


async def test_a_change_is_overtaken_by_a_newer_answer_of_the_supplier(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    await take(world, change(number, 2, "CT", None), "f2")
    await take(world, answer(number, 3, ("IA", 10, day(14))), "f3")
    asked = await world.value("select id from supplier_change where state = 'PROPOSED'")
    done = await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(asked, True)))
    assert done.state is ChangeState.SUPERSEDED
    assert await world.value("select usable_date from supply") == day(14)
    assert await world.value("select decided_by from supplier_change") is None


async def test_a_change_that_speaks_of_a_line_twice_is_set_aside(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    once = change(number, 2, "QD", 7)
    start, end = once.index(b"POC*"), once.index(b"CTT*")
    twice = once[:end] + once[start:end] + once[end:]
    assert await take(world, twice, "f2") == {"quarantined": 1}
    assert "more than once" in (await documents(world))[-1]["quarantine_reason"]
    assert await world.value("select count(*) from supplier_change") == 0


async def test_a_price_in_another_currency_is_noted_and_asks_for_nothing(world):
    number = await sent(world)
    said = answer(number, 1, ("IA", 10, day(12))).replace(b"*10*EA*", b"*10*EA*900", 1)
    foreign = said.replace(b"PO1*", b"CUR*SE*USD~PO1*", 1)
    assert await take(world, foreign) == {"applied": 1}
    assert await world.value("select count(*) from supplier_change") == 0
    assert "USD" in (await documents(world))[-1]["result"]["notes"][0]
    later = said.replace(b"*000000001*", b"*000000002*").replace(b"*000000001~", b"*000000002~")
    assert await take(world, later, "f2") == {"applied": 1}
    assert await world.value("select count(*) from supplier_change") == 1


def test_a_day_that_was_not_agreed_is_never_told():
    first, second, asked = day(5), day(9), day(2)
    assert agreed_days([(10, first)], asked) == (first, ())
    assert agreed_days([(4, first), (6, second)], asked) == (None, ((4, first), (6, second)))
    assert agreed_days([(4, first), (6, None)], asked) == (None, ())
    assert agreed_days([(10, None)], asked) == (asked, ())
