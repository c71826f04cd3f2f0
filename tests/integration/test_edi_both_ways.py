"""EDIFACT and the documents beyond orders and answers, on a real database: effects, answers, proposals, refusals."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from core.domain.sku_fields import SkuFields
from core.domain.supplier_changes import ChangeSource, ChangeState
from core.edi.change_documents import ChangeAcknowledgement, ChangedLine
from core.edi.decode_860 import decode_860
from core.edi.decode_contrl import decode_contrl
from core.edi.decode_orders import decode_ordchg, decode_orders
from core.edi.decode_ta1 import decode_ta1
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    CarrierEvent,
    CarrierStatus,
    Effect,
    LineStatus,
    Pack,
    SetResult,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.edifact_writer import EdifactEnvelope, day_row, write_messages
from core.edi.interchanges import Fault, Level, Severity, Verdict
from core.edi.reader import read
from core.edi.stock_documents import InventoryReport, StockKind, StockLine, StockQuantity
from core.edi.supplier_changes import write_846, write_865
from core.edi.supplier_edifact import write_desadv, write_ordrsp
from core.edi.supplier_side import write_214, write_855, write_856
from core.edi.write_997 import write_997
from core.edi.write_contrl import write_contrl
from core.edi.write_ta1 import write_ta1
from core.edi.x12_writer import write_interchange
from core.errors import IllegalTransition, InvalidInput
from core.services.apply_acknowledgement import AcknowledgeLine, AnsweredPart
from core.services.cancel_purchase_order import cancel_purchase_order
from core.services.change_sku import ChangeSku, change_sku
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.decide_supplier_change import DecideSupplierChange, decide_supplier_change
from core.services.ingest_edi_document import ingest_edi_file
from core.services.plan_shipments import plan_shipments
from core.services.preview_supplier_change import preview_supplier_change
from core.services.propose_supplier_change import ProposeSupplierChange, propose_supplier_change
from core.services.reconcile_stock import recount
from core.services.report_supplier_stock import StockHint, report_supplier_stock
from core.services.resend_edi_document import resend_edi_document
from core.services.send_purchase_change import send_purchase_change
from core.services.send_purchase_order import send_order_anew
from tests.integration.test_ingest_edi_document import PARTNER, answer, day, documents, envelope, sent, take

pytestmark = pytest.mark.anyio

LINE = "select unanswered, accepted, supplier_backordered, held, in_transit, received, rejected, cancelled from purchase_order_line"


def edifact(control: int, usage: str = "P") -> EdifactEnvelope:
    return EdifactEnvelope("ZZ", "SUPPLIER1", "ZZ", "US", control, control, datetime(2026, 11, 3, 9, 0), usage)


def answered(*parts: tuple[Effect, int, date | None], proposal: bool = False) -> AcknowledgedLine:
    statuses = tuple(LineStatus("", n, on, "067" if on else "", effect) for effect, n, on in parts)
    return AcknowledgedLine("1", "1", "S", "V-S", "", 10, "EA", statuses, is_proposal=proposal)


def ordrsp(number: str, control: int, line: AcknowledgedLine) -> bytes:
    return write_ordrsp(Acknowledgement(number, "AC", day(1), "", (line,)), edifact(control))


def notice(number: str, purpose: str, quantity: int, name: str = "SN1", status: str = "") -> ShipNotice:
    line = ShippedLine("1", "S", "V-S", quantity, "EA", status=status)
    return ShipNotice(
        name, purpose, day(2), day(10), "CARR", "TRACK1", (ShippedOrder(number, (line,)),), noticed_on=day(1)
    )


async def line(world) -> dict[str, int]:
    return {name: n for name, n in (await world.rows(LINE))[0].items() if n}


async def outbound(world, kind: str) -> list[bytes]:
    return [
        bytes(r["bytes"]) for r in await world.rows("select bytes from edi_outbound where kind = $1 order by id", kind)
    ]


async def test_an_edifact_partner_gets_orders_and_is_answered_by_contrl(world):
    number = await sent_in_edifact(world)
    (order,) = await outbound(world, "ORDERS")
    read_back = decode_orders(read(order).interchanges[0].groups[0].sets[0]).document
    assert read_back is not None
    assert (read_back.number, read_back.lines[0].quantity) == (number, 10)
    data = ordrsp(number, 1, answered((Effect.ACCEPT, 6, day(12)), (Effect.BACKORDER, 4, day(30))))
    assert await take(world, data) == {"applied": 1}
    assert await line(world) == {"accepted": 6, "supplier_backordered": 4}
    (contrl,) = await outbound(world, "CONTRL")
    said = decode_contrl(read(contrl).interchanges[0].groups[0].sets[0]).document
    assert said is not None
    assert (said.control, said.verdict, [m.verdict for m in said.messages]) == ("1", "A", ["A"])
    assert await take(world, data, "again") == {"done": 1}
    assert await outbound(world, "CONTRL") == [contrl, contrl]
    assert await take(world, write_desadv(notice(number, "00", 6), edifact(2)), "f2") == {"applied": 1}
    assert await line(world) == {"in_transit": 6, "supplier_backordered": 4}
    iftsta = [("BGM", "77", "R1", "9"), ("RFF", ("CN", "TRACK1")), ("CNI", "1"), ("STS", "", "31")]
    iftsta += [("DTM", ("334", "202611100800", "203")), ("DTM", ("132", "20261122", "102"))]
    assert await take(world, write_messages("IFTSTA", [iftsta], edifact(3)), "f3") == {"applied": 1}
    assert await world.value("select usable_date from supply where ship_notice_line_id is not null") == day(20)
    # A CONTRL for our order is a matter of delivery, and is never answered.
    ours = read(order).interchanges[0]
    result = SetResult("ORDERS", ours.groups[0].sets[0].control, Verdict.ACCEPTED)
    assert await take(world, write_contrl(ours, [[result]], edifact(4)), "f4") == {"applied": 1}
    assert await world.value("select state from edi_outbound where kind = 'ORDERS'") == "acknowledged"
    assert len(await outbound(world, "CONTRL")) == 4
    assert await world.do(recount) == []


async def sent_in_edifact(world) -> str:
    await world.database.system.execute(
        PARTNER.replace("""1, '{}', 'active'""", """1, '{"standard": "EDIFACT"}', 'active'""")
    )
    return await sent_now(world)


async def sent_now(world) -> str:
    from core.services.raise_purchase_requests import raise_purchase_requests
    from core.services.send_purchase_order import send_purchase_order

    await world.place(world.order(("S", 10), customer="C2"))
    sku_id = await world.sku()
    (po,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.do(lambda uow: send_purchase_order(uow, po))
    return await world.value("select number from purchase_order")


async def test_what_a_supplier_asks_for_moves_nothing_until_a_planner_accepts(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    moved = answered((Effect.ACCEPT, 10, day(40)), proposal=True)
    assert await take(world, ordrsp(number, 2, moved), "f2") == {"applied": 1}
    change = (await world.rows("select * from supplier_change"))[0]
    assert (change["state"], change["source"]) == ("PROPOSED", "EDI")
    assert await world.value("select usable_date from supply") == day(12)
    newer = answered((Effect.ACCEPT, 10, day(35)), proposal=True)
    assert await take(world, ordrsp(number, 3, newer), "f3") == {"applied": 1}
    assert [r["state"] for r in await world.rows("select state from supplier_change order by id")] == [
        "SUPERSEDED",
        "PROPOSED",
    ]
    second = await world.value("select max(id) from supplier_change")
    done = await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(second, True, "agreed")))
    assert done.state is ChangeState.ACCEPTED
    assert await world.value("select usable_date from supply") == day(35)
    # The supplier waits for our order to say what was agreed.
    (asked,) = await world.rows("select payload from outbox where job = 'send_purchase_change'")
    told = asked["payload"]
    await world.do(
        lambda uow: send_purchase_change(uow, told["purchaseOrderId"], told["version"], [1], {1: told["agreed"]["1"]})
    )
    (content,) = await outbound(world, "860")
    agreed = decode_860(read(content).interchanges[0].groups[0].sets[0]).document
    assert agreed is not None
    assert (agreed.purpose, agreed.lines[0].change, agreed.lines[0].quantity, agreed.lines[0].requested_date) == (
        "04",
        "CT",
        10,
        day(35),
    )
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(second, False)))
    assert await take(world, ordrsp(number, 4, answered((Effect.ACCEPT, 10, day(50)), proposal=True)), "f4")
    third = await world.value("select max(id) from supplier_change")
    await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(third, False, "too late")))
    assert await world.value("select usable_date from supply") == day(35)
    # Within the policy's window nobody is asked.
    await world.database.system.execute(
        "insert into policy (code, value) values ('supplier_changes', '{\"maxDelayDays\": 5}')"
    )
    assert await take(world, ordrsp(number, 5, answered((Effect.ACCEPT, 10, day(38)), proposal=True)), "f5")
    last = (await world.rows("select state, decided_by from supplier_change order by id desc limit 1"))[0]
    assert last == {"state": "ACCEPTED", "decided_by": "policy"}
    assert await world.value("select usable_date from supply") == day(38)
    assert await world.do(recount) == []


def change(number: str, control: int, code: str, left: int | None, sequence: str = "", header: str = "AC", statuses=()):
    acknowledged = AcknowledgedLine("1", "1", "S", "V-S", "", None, "EA", statuses, (("067", day(20)),))
    asked = ChangedLine("1", code, "S", "V-S", left_to_receive=left)
    head = Acknowledgement(number, header, day(1), "", (acknowledged,), purpose="04")
    return write_865(ChangeAcknowledgement(head, (asked,), sequence, day(0)), envelope(control))


async def test_an_865_of_the_suppliers_own_is_a_proposal_and_one_to_ours_is_an_answer(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    assert await take(world, change(number, 2, "QD", 7), "f2") == {"applied": 1}
    assert await line(world) == {"accepted": 10}
    lines = await world.value("select lines from supplier_change")
    part = {"quantity": 7, "date": day(20).isoformat(), "isShipDate": False}
    assert lines == [{"lineNumber": 1, "accepted": [part], "backordered": [], "rejected": 3, "held": 0}]
    assert await take(world, change(number, 4, "CT", None, "77"), "f4") == {"quarantined": 1}
    assert (await documents(world))[-1]["quarantine_reason"].startswith("unknown_change")


async def test_more_units_and_another_price_are_proposals_that_a_planner_or_the_policy_accepts(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    await world.place(world.order(("S", 4), customer="C1"))
    asked = ChangedLine("1", "PQ", "S", "V-S", quantity=13, price=Decimal(900))
    line_now = AcknowledgedLine("1", "1", "S", "V-S", "", None, "EA", (), (("067", day(12)),))
    head = Acknowledgement(number, "AC", day(1), "", (line_now,), purpose="04")
    data = write_865(ChangeAcknowledgement(head, (asked,), "", day(0)), envelope(2))
    assert await take(world, data, "f2") == {"applied": 1}
    assert await line(world) == {"accepted": 10}
    (kept,) = await world.value("select lines from supplier_change")
    assert (kept["added"], kept["price"], sum(part["quantity"] for part in kept["accepted"])) == (3, 900, 13)
    change_id = await world.value("select id from supplier_change")
    ours = "select ordered, price from purchase_order_line"
    (now,) = await world.rows(ours)
    (tried,) = (await world.do(lambda uow: preview_supplier_change(uow, change_id))).purchase_lines
    assert [{name: tried[x][name] for name in now} for x in ("before", "after")] == [now, {"ordered": 13, "price": 900}]
    await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(change_id, True)))
    assert await line(world) == {"accepted": 13}
    assert await world.rows(ours) == [{"ordered": 13, "price": 900}]
    assert await world.value("select payload->'agreed' from outbox where job = 'send_purchase_change'") == {"1": "PQ"}
    # Who waited without a source has the units that came on top.
    assert await world.value("select sum(quantity) from peg where kind = 'OPEN'") == 1
    # An answer that names another price stands; the price is asked for, and taken where the policy lets it.
    await world.database.system.execute(
        "insert into policy (code, value) values ('supplier_changes', '{\"maxPricePercent\": 5}')"
    )
    for control, price, outcome in ((3, 1000, "PROPOSED"), (4, 940, "ACCEPTED")):
        dearer = answer(number, control, ("IA", 13, day(13))).replace(b"*10*EA**", b"*13*EA*%d*" % price)
        assert await take(world, dearer, f"f{control}") == {"applied": 1}
        assert await world.value("select state from supplier_change order by id desc limit 1") == outcome
    assert await world.rows(ours) == [{"ordered": 13, "price": 940}]
    assert await world.value("select max(usable_date) from supply") == day(13)
    assert await world.do(recount) == []


async def test_an_additional_line_adds_units_of_an_article_that_the_order_has(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    data = change(number, 2, "AI", 4).replace(b"POC*1*", b"POC*2*")
    assert await take(world, data, "f2") == {"applied": 1}
    (kept,) = await world.value("select lines from supplier_change")
    parts = [(part["quantity"], part["date"]) for part in kept["accepted"]]
    assert (kept["lineNumber"], kept["added"], parts) == (1, 4, [(10, None), (4, day(20).isoformat())])
    change_id = await world.value("select id from supplier_change")
    await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(change_id, True)))
    assert await line(world) == {"accepted": 14}
    days = "select usable_date, quantity from supply order by usable_date"
    days_now = [{"usable_date": day(12), "quantity": 10}, {"usable_date": day(20), "quantity": 4}]
    assert await world.rows(days) == days_now
    # Our order says so too, part by part; and the supplier's consent to that moves no day.
    told = await world.value("select payload from outbox where job = 'send_purchase_change'")
    order_id, version = told["purchaseOrderId"], told["version"]
    await world.do(lambda uow: send_purchase_change(uow, order_id, version, [1], {1: told["agreed"]["1"]}))
    (content,) = await outbound(world, "860")
    agreed = decode_860(read(content).interchanges[0].groups[0].sets[0]).document
    assert agreed is not None
    assert (agreed.lines[0].requested_date, agreed.lines[0].schedule) == (None, ((10, day(12)), (4, day(20))))

    async def consent(control: int, on: date | None, code: str = "067") -> dict[str, int]:
        status = LineStatus("IA", 14, on, code if on else "", Effect.ACCEPT)
        said = replace(answered(), statuses=(status,))
        told = ChangeAcknowledgement(
            Acknowledgement(number, "AC", day(1), "", (said,), purpose="06"),
            (ChangedLine("1", "QI", "S", "V-S", quantity=14, left_to_receive=14),),
            str(version),
            day(0),
        )
        return await take(world, write_865(told, envelope(control)), f"f{control}")

    for control, on in ((5, None), (7, day(12)), (8, day(20))):
        assert await consent(control, on) == {"applied": 1}
        assert await world.rows(days) == days_now, "one of the agreed days stands for all of them"
    strange = change(number, 3, "AI", 4).replace(b"POC*1*", b"POC*2*").replace(b"*BP*S*VP*V-S", b"*BP*S2*VP*V-9")
    assert await take(world, strange, "f3") == {"quarantined": 1}
    assert (await documents(world))[-1]["quarantine_reason"].startswith("additional_line")
    dearer = change(number, 6, "AI", 4).replace(b"POC*1*AI**4*EA*", b"POC*2*AI**4*EA*900")
    assert await take(world, dearer, "f6") == {"quarantined": 1}
    assert "one price" in (await documents(world))[-1]["quarantine_reason"]
    assert await consent(9, day(20), "068") == {"applied": 1}
    assert await world.rows(days) != days_now, "a day of shipping is none of arrival"
    assert await consent(10, day(25)) == {"applied": 1}
    assert {row["usable_date"] for row in await world.rows(days)} == {day(25)}, "another day is news"
    assert await world.do(recount) == []


async def test_units_ordered_on_top_that_come_first_leave_those_that_stand_where_they_are(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(60))))
    assert await take(world, change(number, 2, "AI", 4).replace(b"POC*1*", b"POC*2*"), "f2") == {"applied": 1}
    change_id = await world.value("select id from supplier_change")
    await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(change_id, True)))
    days = "select usable_date, paper_date, quantity from supply order by usable_date"
    assert [tuple(r.values()) for r in await world.rows(days)] == [(day(20), day(20), 4), (day(60), day(60), 10)]
    assert await world.do(recount) == []


async def test_prices_and_units_that_are_asked_for_are_ordered_in_time_each_for_itself(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    price = "select price from purchase_order_line"

    async def ask(sequence: str, *, price: int | None = None, on: date | None = None):
        said = AcknowledgeLine(1, [AnsweredPart(10, on)] if on else [], price=price)
        asked = ProposeSupplierChange(number, None, [said], ChangeSource.PORTAL, sequence)
        return await world.do(lambda uow: propose_supplier_change(uow, asked))

    both = await ask("20261104-20261104T0900-5", price=700, on=day(14))
    units = await ask("20261104-20261104T0900-6", on=day(15))
    dearer = await ask("20261104-20261104T0900-8", price=900)
    states = {row["id"]: row["state"] for row in await world.rows("select id, state from supplier_change")}
    assert states == {both.change_id: "SUPERSEDED", units.change_id: "PROPOSED", dearer.change_id: "PROPOSED"}
    assert (await ask("20261104-20261104T0900-7", price=800)).outcome == "stale", "it waits"
    mixed = await ask("20261104-20261104T0900-9", price=950, on=day(16))
    last = await ask("20261104-20261104T0901-1", price=990)
    await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(last.change_id, True)))
    assert (await ask("20261104-20261104T0901-0", price=800)).outcome == "stale", "a newer one was accepted"
    await world.do(lambda uow: decide_supplier_change(uow, DecideSupplierChange(mixed.change_id, True)))
    assert await world.value(price) == 990, "its price was older, its units were not"
    assert await world.value("select usable_date from supply") == day(16)


async def test_a_price_that_is_taken_with_an_answer_locks_the_order_only_after_all_gates(world):
    await world.database.system.execute(PARTNER)
    await world.database.system.execute(
        "insert into policy (code, value) values ('supplier_changes', '{\"maxPricePercent\": 1000}')"
    )
    order = CreatePurchaseOrder("SUP", "A", [("S", 10, 500), ("S2", 10, 500)])
    number = (await world.do(lambda uow: create_purchase_order(uow, order))).number
    status = (LineStatus("IA", 10, day(12), "067", Effect.ACCEPT),)
    lines = tuple(AcknowledgedLine(n, n, sku, "", "", 10, "EA", status) for n, sku in (("1", "S"), ("2", "S2")))
    dearer = write_855(Acknowledgement(number, "AC", day(1), "", lines), envelope(1)).replace(b"*EA**", b"*EA*600*", 1)
    sku_id = await world.sku("S2")
    async with world.database.system.acquire() as other, world.database.system.acquire() as third:
        trial = other.transaction()
        await trial.start()
        holder = await other.fetchval("select pg_backend_pid() from sku_gate where sku_id = $1 for update", sku_id)
        work = asyncio.create_task(take(world, dearer))
        waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
        while not work.done() and not await third.fetchval(waits, holder):
            await asyncio.sleep(0.01)
        await third.execute("select 1 from purchase_order where number = $1 for update nowait", number)
        await trial.rollback()
    assert await work == {"applied": 1}
    ours = "select price, accepted from purchase_order_line where price <> 0 order by id desc limit 2"
    assert await world.rows(ours) == [{"price": 500, "accepted": 10}, {"price": 600, "accepted": 10}]


async def test_a_cancelled_order_is_told_by_an_860_and_its_answer_closes_it(world):
    number = await sent(world)
    after = await world.do(lambda uow: cancel_purchase_order(uow, number))
    (asked,) = await world.rows("select payload from outbox where job = 'send_purchase_change'")
    assert asked["payload"] == {
        "purchaseOrderId": after.purchase_order_id,
        "version": after.version,
        "lineNumbers": [1],
    }
    send = lambda uow: send_purchase_change(uow, after.purchase_order_id, after.version, [1])  # noqa: E731
    assert await world.do(send) is not None
    assert await world.do(send) is None
    (content,) = await outbound(world, "860")
    told = decode_860(read(content).interchanges[0].groups[0].sets[0]).document
    assert told is not None
    assert (told.purpose, told.sequence_number, told.lines[0].change, told.lines[0].quantity) == (
        "01",
        str(after.version),
        "DI",
        0,
    )
    confirmed = (LineStatus("ID", 10, None, "", Effect.REJECT),)
    data = change(number, 1, "DI", None, str(after.version), statuses=confirmed)
    assert await take(world, data) == {"applied": 1}
    assert await world.value("select state from edi_outbound where kind = '860'") == "acknowledged"
    refused = change(number, 2, "DI", None, str(after.version), header="RJ")
    assert await take(world, refused, "f2") == {"quarantined": 1}
    assert (await documents(world))[-1]["quarantine_reason"].startswith("change_refused")


async def test_a_refused_order_is_sent_anew_under_new_numbers_and_an_unsure_one_again_as_it_is(world):
    number = await sent(world)
    (first,) = await outbound(world, "850")
    outbound_id = await world.value("select id from edi_outbound")
    await world.database.system.execute("update edi_outbound set state = 'written'")
    numbers = "select interchange_control, group_control, set_control from edi_outbound"
    drawn = await world.rows(numbers)
    name = await world.do(lambda uow: resend_edi_document(uow, outbound_id))
    assert await world.rows("select file_name, state, bytes from edi_outbound") == [
        {"file_name": name, "state": "pending", "bytes": first}
    ]
    assert await world.rows(numbers) == drawn
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: send_order_anew(uow, number))
    ours = read(first).interchanges[0]
    fault = Fault(Level.SET, Severity.ERROR, "1", "not supported")
    refusal = write_997(ours.groups[0], [SetResult("850", "0001", Verdict.REJECTED, (fault,))], envelope(1))
    assert await take(world, refusal) == {"applied": 1}
    assert (await world.rows("select state, error from edi_outbound"))[0] == {
        "state": "rejected",
        "error": "set not supported",
    }
    assert await world.value("select count(*) from outbox where topic = 'edi' and kind = 'SEND_FAILED'") == 1
    assert await world.value("select status from purchase_order") == "SENT"
    await world.do(lambda uow: send_order_anew(uow, number))
    second = (await outbound(world, "850"))[1]
    assert read(second).interchanges[0].control != ours.control
    # Its application refuses the second one, in words.
    row = [("BGN", "11", "824-1", "20261103"), ("OTI", "TR", "PO", number), ("TED", "024", "unknown article")]
    assert await take(world, write_interchange("824", "AG", [row], envelope(2)), "f2") == {"applied": 1}
    assert (
        await world.value("select error from edi_outbound where kind = '850' order by id desc limit 1")
        == "unknown article"
    )


async def test_ta1_is_written_when_asked_once_and_taken_when_it_comes(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12))).replace(b"*0*P*", b"*1*P*", 1)
    assert await take(world, data) == {"applied": 1}
    (content,) = await outbound(world, "TA1")
    (segment,) = read(content).interchanges[0].answers
    assert (decode_ta1(segment).control, decode_ta1(segment).verdict) == ("000000001", "A")
    assert await take(world, data, "f2") == {"done": 1}
    assert await outbound(world, "TA1") == [content, content]
    ours = read((await outbound(world, "850"))[0]).interchanges[0]
    for name, note in (("a", "000"), ("b", "018")):
        assert await take(world, write_ta1(ours, envelope(ord(name[0])), note), name) == {}
    assert [d["delivery"] for d in await documents(world) if d["kind"] == "TA1"] == ["applied", "applied"]
    assert await world.value("select state from edi_outbound where kind = '850'") == "rejected"
    assert len(await outbound(world, "TA1")) == 2


async def test_a_ship_notice_is_replaced_withdrawn_and_says_what_becomes_of_the_rest(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    assert await take(world, write_856(notice(number, "00", 6), envelope(2)), "a") == {"applied": 1}
    assert await take(world, write_856(notice(number, "05", 8), envelope(3)), "b") == {"applied": 1}
    assert await line(world) == {"in_transit": 8, "accepted": 2}
    assert await take(world, write_856(notice(number, "01", 8), envelope(4)), "c") == {"applied": 1}
    assert await line(world) == {"accepted": 10}
    assert await world.value("select cancelled_at is not null from ship_notice")
    assert await take(world, write_856(notice(number, "00", 7, "SN2", "BP"), envelope(5)), "d") == {"applied": 1}
    assert await line(world) == {"in_transit": 7, "supplier_backordered": 3}
    event = CarrierEvent("A3", "", datetime(2026, 11, 10, 8, 0), None)
    status = CarrierStatus("TRACK1", "TRACK1", (number,), (event,), carrier="CARR")
    assert await take(world, write_214(status, envelope(6)), "e") == {"applied": 1}
    assert await line(world) == {"accepted": 7, "supplier_backordered": 3}
    assert await world.value("select array_agg(distinct date_basis) from supply where quantity > cancelled") == [
        "LEAD_TIME"
    ]
    assert await world.do(recount) == []


async def test_what_comes_before_its_ship_notice_is_kept_for_it(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    assert await take(world, write_856(notice(number, "01", 6, "SN0"), envelope(4)), "a") == {"applied": 1}
    assert await take(world, write_856(notice(number, "00", 6, "SN0"), envelope(3)), "b") == {"stale": 1}
    assert await line(world) == {"accepted": 10}
    event = CarrierEvent("AG", "", datetime(2026, 11, 17, 8, 0), day(15))
    status = CarrierStatus("TRACK1", "TRACK1", (), (event,), carrier="CARR")
    assert await take(world, write_214(status, envelope(5)), "c") == {"quarantined": 1}
    assert await take(world, write_856(notice(number, "00", 6), envelope(6)), "d") == {"applied": 1}
    (waiting,) = await world.rows("select raw_id, delivery, quarantine_state from edi_document where kind = '214'")
    assert (waiting["delivery"], waiting["quarantine_state"]) == ("received", "replayed")
    assert await ingest_edi_file(world.do, waiting["raw_id"]) == {"applied": 1}
    assert await world.value("select usable_date from supply where ship_notice_line_id is not null") == day(15)
    assert await world.do(recount) == []


def stock(number: str, control: int, on: date, quantities: dict[str, int]) -> bytes:
    lines = tuple(
        StockLine(str(n), sku, "", "", (StockQuantity(StockKind.AVAILABLE, "33", quantity),))
        for n, (sku, quantity) in enumerate(quantities.items(), start=1)
    )
    return write_846(InventoryReport(number, on, lines), envelope(control))


async def test_a_stock_report_is_a_hint_full_or_delta_with_a_guard(world):
    number = await sent(world)
    world.clock.at += timedelta(days=9)
    newest = """select distinct on (k.code) k.code, r.available from supplier_stock_report r join sku k on k.id = r.sku_id
        order by k.code, r.as_of desc, r.id desc"""
    assert await take(world, stock("R1", 1, day(0), {"S": 5, "S2": 7, "??": 1}), "a") == {"applied": 1}
    assert await take(world, stock("R2", 2, day(1), {"S": 4}), "b") == {"applied": 1}
    assert [tuple(r.values()) for r in await world.rows(newest)] == [("S", 4), ("S2", 7)]
    await world.database.system.execute('update partner_guide set guide = \'{"stock_report": "full"}\'')
    assert await take(world, stock("R3", 3, day(2), {"S": 3}), "c") == {"applied": 1}
    assert [tuple(r.values()) for r in await world.rows(newest)] == [("S", 3), ("S2", 0), ("S3", 0)]
    assert await take(world, stock("R0", 4, day(1), {"S": 9}), "d") == {"stale": 1}
    assert await take(world, stock("R5", 5, day(365), {"S": 9}), "e") == {"quarantined": 1}, (
        "nothing after it would count"
    )
    assert await line(world) == {"unanswered": 10}
    assert (await documents(world))[0]["faults"][0]["code"] == "item"
    assert number


async def test_an_invoice_is_compared_per_unit_and_only_in_our_currency(world):
    number = await sent(world)
    price = await world.value("select price from purchase_order_line")
    rows = [("BIG", day(1), "I1", day(0), number), ("IT1", "1", 1, "EA", price * 12, "PD", "BP", "S"), ("TDS", 1)]
    assert await take(world, write_interchange("810", "IN", [rows], envelope(1))) == {"applied": 1}
    foreign = [
        ("BIG", day(1), "I2", day(0), number),
        ("CUR", "SE", "CHF"),
        ("IT1", "1", 1, "EA", 7, "", "BP", "S"),
        ("TDS", 1),
    ]
    assert await take(world, write_interchange("810", "IN", [foreign], envelope(2)), "f2") == {"applied": 1}
    kinds = [
        [x["kind"] for x in r["findings"]]
        for r in await world.rows("select findings from supplier_invoice order by id")
    ]
    assert kinds == [["NOT_SHIPPED"], ["CURRENCY", "NOT_SHIPPED"]]


async def test_an_invoice_of_what_was_not_shipped_is_an_alert_and_moves_nothing(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    await take(world, write_856(notice(number, "00", 6), envelope(2)), "f2")
    rows = [("BIG", day(3), "INV1", "", number), ("IT1", "1", 10, "EA", Decimal("900"), "", "BP", "S"), ("TDS", 900000)]
    assert await take(world, write_interchange("810", "IN", [rows], envelope(3)), "f3") == {"applied": 1}
    findings = await world.value("select findings from supplier_invoice")
    assert [(f["kind"], f["lineNumber"]) for f in findings] == [("NOT_SHIPPED", 1), ("PRICE", 1)]
    assert await line(world) == {"in_transit": 6, "accepted": 4}
    assert await world.value("select count(*) from outbox where kind = 'INVOICE_DOUBT'") == 1


async def test_a_change_of_an_edifact_order_is_an_ordchg(world):
    number = await sent_in_edifact(world)
    after = await world.do(lambda uow: cancel_purchase_order(uow, number))
    await world.do(lambda uow: send_purchase_change(uow, after.purchase_order_id, after.version, [1]))
    (content,) = await outbound(world, "ORDCHG")
    told = decode_ordchg(read(content).interchanges[0].groups[0].sets[0]).document
    assert told is not None
    assert (told.number, told.purpose, told.lines[0].change) == (number, "01", "DI")
    assert timedelta(0) == told.changed_on - day(0)


async def test_what_others_say_they_shipped_or_received_is_kept_beside_our_figures(world):
    number = await sent(world)
    recadv = [("BGM", "632", "R1", "9"), day_row("50", day(3)), ("RFF", ("ON", number)), ("CPS", "1")]
    recadv += [("LIN", "1", "", ("S", "IN")), ("QTY", ("48", 10)), ("RFF", ("ON", number, "1"))]
    assert await take(world, write_messages("RECADV", [recadv], edifact(1)), "a") == {"applied": 1}
    (told,) = (await documents(world))[0]["result"]["lines"]
    assert (told["received"], told["booked"]) == (10, 0)
    assert await line(world) == {"unanswered": 10}
    await world.stock(3, "S2")
    (placed,) = await world.place(world.order(("S2", 3)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    shipment = await world.value("select number from shipment")
    advice = [
        ("W06", "F", shipment, day(3), "SHIP7"),
        ("LX", 1),
        ("W12", "CC", 3, 2, 1, "EA", "", "BP", "S2"),
        ("W03", 2),
    ]
    assert await take(world, write_interchange("945", "SW", [advice], envelope(2)), "b") == {"applied": 1}
    assert (await documents(world))[1]["result"]["differences"] == [{"sku": "S2", "released": 3, "shipped": 2}]
    assert await world.value("select status from shipment") == "PLANNED"


async def test_packs_of_a_notice_are_kept_and_an_sscc_that_is_used_again_is_set_aside(world):
    number = await sent(world)
    sscc, pallet = "106141412345678908", "306141412345678902"

    def packed(name: str, control: int) -> bytes:
        packs = (Pack(pallet, f"00{pallet}", "GM", "T"), Pack(sscc, f"00{sscc}", "GM"))
        shipped = ShippedLine("1", "S", "V-S", 2, "EA", packs=packs)
        said = ShipNotice(name, "00", day(2), day(10), "CARR", "", (ShippedOrder(number, (shipped,)),))
        return write_856(said, envelope(control))

    assert await take(world, packed("SN1", 1), "a") == {"applied": 1}
    kept = await world.rows("select sscc, kind, contents from ship_notice_pack order by sscc")
    assert kept == [
        {"sscc": sscc, "kind": "CARTON", "contents": [{"sku": "S", "quantity": 2, "lot": None}]},
        {"sscc": pallet, "kind": "PALLET", "contents": []},
    ]
    assert await take(world, packed("SN2", 2), "b") == {"quarantined": 1}
    assert await line(world) == {"unanswered": 8, "in_transit": 2}


async def test_a_replacement_that_swaps_equal_quantities_moves_lines_and_packs(world):
    await world.database.system.execute(PARTNER)
    order = CreatePurchaseOrder("SUP", "A", [("S", 10, None), ("S2", 10, None)])
    number = (await world.do(lambda uow: create_purchase_order(uow, order))).number

    def said(control: int, purpose: str, packed: str, *lines: tuple[str, str, int]) -> bytes:
        packs = (Pack(packed, f"00{packed}", "GM"),)
        shipped = tuple(ShippedLine(n, sku, "", units, "EA", packs=packs) for n, sku, units in lines)
        notice = ShipNotice("SN1", purpose, day(2), day(9), "C", f"T{control}", (ShippedOrder(number, shipped),))
        return write_856(notice, envelope(control))

    gone = "select in_transit from purchase_order_line order by line_number"
    assert await take(world, said(1, "00", "106141412345678908", ("1", "S", 4), ("2", "S2", 6)), "a") == {"applied": 1}
    assert await take(world, said(2, "05", "106141412345678908", ("1", "S", 6), ("2", "S2", 4)), "b") == {"applied": 1}
    assert [row["in_transit"] for row in await world.rows(gone)] == [6, 4]
    assert await take(world, said(3, "05", "306141412345678902", ("1", "S", 6), ("2", "S2", 4)), "c") == {"applied": 1}
    assert [row["in_transit"] for row in await world.rows(gone)] == [6, 4]
    assert await world.rows("select sscc from ship_notice_pack") == [{"sscc": "306141412345678902"}]
    assert await world.value("select tracking_number from ship_notice") == "T3"
    assert await world.do(recount) == []


@pytest.mark.parametrize("way", ["846", "portal"])
async def test_a_stock_hint_makes_an_unknown_day_earlier_and_leaves_a_confirmed_one(world, way: str):
    number = await sent(world)
    believed = await world.value("select usable_date from supply")
    world.clock.at += timedelta(days=1)

    async def told(n: int, on: date) -> None:
        if way == "portal":
            hints = [StockHint("S", 0, next_date=on, next_quantity=10)]
            supplier = await world.value("select id from supplier where code = 'SUP'")
            await world.do(lambda uow: report_supplier_stock(uow, supplier, hints))
            return
        counted = (
            StockQuantity(StockKind.AVAILABLE, "33", 0),
            StockQuantity(StockKind.PROJECTED, "29", 10),
        )
        reported = InventoryReport(f"R{n}", day(0), (StockLine("1", "S", "", "", counted, available_on=on),))
        assert await take(world, write_846(reported, envelope(n)), f"r{n}") == {"applied": 1}

    await told(1, believed + timedelta(days=3))
    assert await world.value("select usable_date from supply") == believed, "never later"
    await told(2, day(5))
    supply = (await world.rows("select usable_date, date_basis from supply"))[0]
    assert (supply["usable_date"], supply["date_basis"]) == (day(5), "LEAD_TIME")
    assert await line(world) == {"unanswered": 10}, "it confirms nothing"
    assert await world.value("select count(*) from outbox where kind = 'STOCK_REPORTED'") == 2
    await take(world, answer(number, 9, ("IA", 10, day(12))), "f9")
    await told(3, day(4))
    assert await world.value("select usable_date from supply") == day(12)
    assert await world.do(recount) == []


async def test_lines_of_a_ship_notice_are_told_by_the_guide_as_those_of_an_answer(world):
    number = await sent(world)
    foreign = ShippedLine("907", "", "V-S", 6, "EA", status="IC")
    told = ShipNotice("SN9", "00", day(2), None, "CARR", "T9", (ShippedOrder(number, (foreign,)),), noticed_on=day(1))
    assert await take(world, write_856(replace(told, number="SN8"), envelope(1)), "f1") == {"applied": 1}
    clash = replace(foreign, po_line_number="1", buyer_sku="S2", vendor_code="")
    wrong = replace(told, orders=(ShippedOrder(number, (clash,)),))
    assert await take(world, write_856(wrong, envelope(2)), "f2") == {"quarantined": 1}
    await world.database.system.execute("update supplier_sku set vendor_code = 'V-NEW'")
    article = replace(clash, buyer_sku="", vendor_code="V-S")
    wrong = replace(told, orders=(ShippedOrder(number, (article,)),))
    assert await take(world, write_856(wrong, envelope(3)), "f3") == {"quarantined": 1}, "its line 1 is not ours"
    assert await line(world) == {"in_transit": 6, "rejected": 4}


async def test_a_partner_that_knows_articles_by_their_gtin_is_understood(world):
    gtin = "4006381333931"
    await world.do(lambda uow: change_sku(uow, ChangeSku("S", fields=SkuFields(gtin=gtin))))
    number = await sent(world)
    (order,) = await outbound(world, "850")
    assert f"*EN*{gtin}".encode() in order
    status = LineStatus("IA", 10, day(12), "067", Effect.ACCEPT)
    named = AcknowledgedLine("", "", "", "", f"0{gtin}", 10, "EA", (status,))
    told = Acknowledgement(number, "AC", day(1), "", (named,))
    assert await take(world, write_855(told, envelope(1)), "f1") == {"applied": 1}
    shipped = ShippedLine("", "", "", 6, "EA", gtin=gtin)
    left = ShipNotice("G1", "00", day(2), None, "CARR", "G1", (ShippedOrder(number, (shipped,)),), noticed_on=day(1))
    assert await take(world, write_856(left, envelope(2)), "f2") == {"applied": 1}
    assert await line(world) == {"accepted": 4, "in_transit": 6}
    with pytest.raises(InvalidInput, match="check digit"):
        await world.do(lambda uow: change_sku(uow, ChangeSku("S2", fields=SkuFields(gtin="4006381333930"))))
    with pytest.raises(InvalidInput, match="has this GTIN"):
        await world.do(lambda uow: change_sku(uow, ChangeSku("S2", fields=SkuFields(gtin=gtin))))
