"""From a purchase order to its 850, and from a supplier's file to the business and the 997, on a real database."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from core.domain.edi_states import QuarantineState
from core.edi.decode_850 import decode_850
from core.edi.decode_997 import decode_997
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    CarrierEvent,
    CarrierStatus,
    Effect,
    LineStatus,
    SetResult,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.interchanges import Verdict
from core.edi.reader import read
from core.edi.supplier_side import write_214, write_855, write_856
from core.edi.write_997 import write_997
from core.edi.x12_writer import Envelope, write_interchange
from core.errors import NotFound
from core.services.ingest_edi_document import apply_set, ingest_edi_file
from core.services.plan_edi_file import plan_interchanges
from core.services.preview_edi_document import preview_edi_document
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_edi_file import store_edi_file
from core.services.reconcile_stock import recount
from core.services.replay_edi_document import replay_edi_document
from core.services.send_notices import send_notices
from core.services.send_purchase_order import send_purchase_order
from core.services.settle_quarantine import SettleQuarantine, settle_quarantine

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
PARTNER = """
insert into partner (code, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id)
    select 'sup', id, 'ZZ', 'SUPPLIER1', 'ZZ', 'US' from supplier where code = 'SUP';
insert into partner_guide (partner_id, version, guide, state) select id, 1, '{}', 'active' from partner;
insert into partner (code, qualifier, interchange_id, our_qualifier, our_interchange_id)
    values ('other', 'ZZ', 'OTHER', 'ZZ', 'US');
insert into policy (code, value) values ('purchase_approval_limit', '{"KRW": 1000000}');
update supplier_sku set moq = 10;
"""


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def envelope(control: int, sender: str = "SUPPLIER1", usage: str = "P") -> Envelope:
    at = datetime(2026, 11, 3, 9, 0)
    return Envelope("ZZ", sender, "ZZ", "US", sender, "US", control, control, 1, at, usage)


async def sent(world) -> str:
    """A line of 10 waits on an order of 10 that was sent; returns its number."""
    await world.database.system.execute(PARTNER)
    await world.place(world.order(("S", 10), customer="C2"))
    sku_id = await world.sku()
    (po,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    assert await world.do(lambda uow: send_purchase_order(uow, po)) is not None
    return await world.value("select number from purchase_order")


def answer(
    number: str, control: int, *statuses: tuple[str, int, date | None], usage: str = "P", key: str = "1"
) -> bytes:
    line = AcknowledgedLine(
        key,
        key,
        "S",
        "V-S",
        "",
        10,
        "EA",
        tuple(LineStatus(code, quantity, on, "067" if on else "", Effect.ACCEPT) for code, quantity, on in statuses),
    )
    return write_855(Acknowledgement(number, "AC", day(1), "", (line,)), envelope(control, usage=usage))


async def take(world, data: bytes, name: str = "f1", partner: str = "sup") -> dict[str, int]:
    raw_id = await world.do(lambda uow: store_edi_file(uow, partner, "folder", name, data))
    return await ingest_edi_file(world.do, raw_id)


async def documents(world) -> list[dict]:
    return await world.rows("select * from edi_document order by id")


async def answers(world) -> list[str]:
    rows = await world.rows("select bytes from edi_outbound where kind = '997' order by id")
    return [bytes(row["bytes"]).decode() for row in rows]


async def test_an_order_is_sent_once_as_an_850_with_numbers_and_due_times(world):
    number = await sent(world)
    row = (await world.rows("select * from edi_outbound"))[0]
    assert (row["kind"], row["state"], row["interchange_control"]) == ("850", "pending", "000000001")
    assert row["file_name"] == f"850-{number}-000000001.edi"
    assert set(row["due"]) == {"functionalAcknowledgement", "acknowledgement"}
    order = decode_850(read(bytes(row["bytes"])).interchanges[0].groups[0].sets[0]).document
    assert order is not None
    assert (order.number, order.lines[0].quantity, order.lines[0].buyer_sku) == (number, 10, "S")
    assert (await world.rows("select status, sent_at is not null as at from purchase_order")) == [
        {"status": "SENT", "at": True}
    ]
    po = await world.value("select id from purchase_order")
    assert await world.do(lambda uow: send_purchase_order(uow, po)) is None
    assert await world.value("select count(*) from edi_outbound") == 1


async def test_two_acks_on_one_line_split_it_and_the_group_is_answered_once(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 6, day(12)), ("IB", 4, day(30)))
    assert await take(world, data) == {"applied": 1}
    line = (await world.rows("select accepted, supplier_backordered from purchase_order_line"))[0]
    assert line == {"accepted": 6, "supplier_backordered": 4}
    (document,) = await documents(world)
    assert (document["kind"], document["delivery"], document["validation"]) == ("855", "applied", "valid")
    assert (document["acknowledgement"], document["business_key"]) == ("accepted", number)
    (content,) = await answers(world)
    receipt = decode_997(read(content.encode()).interchanges[0].groups[0].sets[0]).document
    assert receipt is not None
    assert (receipt.functional_id, receipt.group_control, receipt.verdict) == ("PR", "1", "A")
    assert await world.do(recount) == []


async def test_the_same_bytes_have_one_effect_and_are_answered_again_with_the_same_bytes(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    await take(world, data)
    before = await world.rows("select * from supply"), await world.rows("select * from promise")
    assert await take(world, data, "f1") == {"done": 1}
    assert len(await answers(world)) == 1
    assert await take(world, data, "f2") == {"done": 1}
    first, second = await answers(world)
    assert first == second
    assert await world.value("select count(*) from edi_raw") == 1
    assert await world.value("select count(*) from edi_delivery") == 2
    assert (await world.rows("select * from supply"), await world.rows("select * from promise")) == before


async def test_the_same_set_in_another_file_is_a_repeat(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    await take(world, data)
    version = await world.value("select version from sku_gate where sku_id = (select id from sku where code = 'S')")
    assert await take(world, data + b"\r\n\r\n", "f2") == {"repeated": 1}
    assert [d["delivery"] for d in await documents(world)] == ["applied", "repeated"]
    assert len(await answers(world)) == 2
    assert version == await world.value(
        "select version from sku_gate where sku_id = (select id from sku where code = 'S')"
    )


async def test_a_control_number_with_other_content_is_quarantined(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    assert await take(world, answer(number, 1, ("IA", 10, day(20))), "f2") == {"quarantined": 1}
    aside = (await documents(world))[1]
    assert aside["quarantine_reason"].startswith("control_number_reused: The same control numbers")
    assert [fault["code"] for fault in aside["faults"]] == ["control_number_reused"]
    assert aside["faults"][0]["message"].startswith("The same control numbers")
    assert await world.value("select usable_date from supply") == day(12)
    assert len(await answers(world)) == 2


async def test_sets_of_two_groups_may_have_one_number(world):
    number = await sent(world)
    one, two = (answer(number, control, ("IA", 10, day(10 + control))) for control in (1, 2))
    both = one[: one.index(b"IEA*")] + two[two.index(b"GS*") : two.index(b"IEA*")] + one[one.index(b"IEA*") :]
    assert await take(world, both.replace(b"IEA*1*", b"IEA*2*")) == {"applied": 2}
    assert len(await answers(world)) == 2


async def test_a_control_number_stays_taken_while_what_had_it_first_is_set_aside(world):
    number = await sent(world)
    unclear, other = answer(number, 1, ("XX", 10, day(12))), answer(number, 1, ("IA", 10, day(20)))
    for name, data in (("f1", unclear), ("f2", unclear + b"\n"), ("f3", other)):
        assert await take(world, data, name) == {"quarantined": 1}
    first, again, second = await documents(world)
    assert [fault["code"] for fault in second["faults"]] == ["control_number_reused"]
    reasons = [row["quarantine_reason"].partition(":")[0] for row in (first, again, second)]
    assert reasons == ["mismatch", "mismatch", "control_number_reused"]
    assert await world.value("select unanswered from purchase_order_line") == 10
    tried = await world.do(lambda uow: preview_edi_document(uow, second["id"]))
    assert (tried.outcome, tried.reason) == ("quarantined", second["quarantine_reason"].partition(": ")[2])
    for dropped in (first, again):
        drop = SettleQuarantine(dropped["id"], QuarantineState.IGNORED, note="corrected since")
        await world.do(lambda uow, drop=drop: settle_quarantine(uow, drop))
    await world.do(lambda uow: replay_edi_document(uow, second["id"]))
    assert await ingest_edi_file(world.do, second["raw_id"]) == {"applied": 1}
    assert await world.value("select usable_date from supply") == day(20)


async def test_what_we_rejected_may_come_corrected_under_its_number_and_is_not_taken_on_then(world):
    number = await sent(world)
    broken = answer(number, 1, ("IA", 10, day(12))).replace(b"ACK*IA*10*EA*067", b"ACK*IA*TEN*EA*067")
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "http", "f1", broken))
    assert await ingest_edi_file(world.do, raw_id) == {"quarantined": 1}
    assert await take(world, answer(number, 1, ("IA", 10, day(20))), "f2") == {"applied": 1}
    first = (await documents(world))[0]["id"]
    await world.do(lambda uow: replay_edi_document(uow, first))
    assert await ingest_edi_file(world.do, raw_id) == {"quarantined": 1}
    assert (await documents(world))[0]["quarantine_reason"].startswith("syntax")
    assert await world.value("select usable_date from supply") == day(20)


async def test_a_number_is_taken_by_its_partner_alone_and_for_its_window_only(world):
    number = await sent(world)
    strange, first, later = (answer(number, 1, ("IA", 10, day(n))) for n in (30, 12, 20))
    assert await take(world, strange, "f0", "other") == {"done": 1}
    assert await take(world, first, "f1") == {"applied": 1}
    world.clock.at += timedelta(days=29)
    assert await take(world, later, "f2") == {"quarantined": 1}
    world.clock.at += timedelta(days=2)
    assert await take(world, later + b"\n", "f3") == {"applied": 1}
    assert await world.value("select usable_date from supply") == day(20)


async def test_what_we_will_reject_holds_no_number_while_it_waits(world):
    number = await sent(world)
    broken = answer(number, 1, ("IA", 10, day(12))).replace(b"EA*067*2026", b"EA*067*2O26")
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "http", "f1", broken))
    await world.do(lambda uow: plan_interchanges(uow, raw_id))
    assert await take(world, answer(number, 1, ("IA", 10, day(20))), "f2") == {"applied": 1}


async def test_an_older_answer_is_kept_as_stale(world):
    number = await sent(world)
    await take(world, answer(number, 5, ("IA", 10, day(12))))
    assert await take(world, answer(number, 4, ("IA", 10, day(20))), "f2") == {"stale": 1}
    assert await world.value("select usable_date from supply") == day(12)


async def test_what_does_not_add_up_is_quarantined_with_its_place_and_still_read(world):
    number = await sent(world)
    assert await take(world, answer(number, 1, ("IA", 6, day(12)), ("IB", 3, day(30)))) == {"quarantined": 1}
    (document,) = await documents(world)
    assert (document["validation"], document["quarantine_state"]) == ("valid", "new")
    fault = document["faults"][0]
    assert (fault["segment"], fault["segmentNumber"]) == ("PO1", 3)
    assert "9; 10 are open" in fault["message"]
    (content,) = await answers(world)
    assert "AK5*A" in content
    assert await world.value("select unanswered from purchase_order_line") == 10


async def test_a_faulty_set_is_rejected_by_segment_and_element(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12))).replace(b"ACK*IA*10*EA*067", b"ACK*IA*TEN*EA*067")
    assert await take(world, data) == {"quarantined": 1}
    (document,) = await documents(world)
    assert document["validation"] == "invalid"
    fault = next(f for f in document["faults"] if f["level"] == "element")
    assert (fault["segment"], fault["element"], fault["value"]) == ("ACK", 2, "TEN")
    (content,) = await answers(world)
    assert "AK5*R" in content
    assert "AK4*2" in content


async def test_what_a_set_says_and_nobody_can_use_is_rejected_too(world):
    data = answer(await sent(world), 1, ("IA", 10, day(12))).replace(b"PO1*1*10*EA", b"PO1*1*10.5*EA")
    assert await take(world, data) == {"quarantined": 1}
    (document,) = await documents(world)
    assert (document["validation"], document["acknowledgement"]) == ("invalid", "rejected")
    assert document["quarantine_reason"].startswith("content: ")
    assert "AK5*R" in (await answers(world))[0]


async def test_unknown_documents_orders_senders_and_folders_are_quarantined(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    assert await take(world, data.replace(b"ST*855", b"ST*850").replace(b"GS*PR", b"GS*PO"), "a") == {"quarantined": 1}
    assert await take(world, answer("PO-UNKNOWN", 2, ("IA", 10, day(12))), "b") == {"quarantined": 1}
    assert await take(world, data.replace(b"SUPPLIER1", b"STRANGER1"), "c") == {"done": 1}
    assert await take(world, answer(number, 3, ("IA", 10, day(12))), "d", "other") == {"done": 1}
    await take(world, b"hello, this is no EDI", "e")
    reasons = [str(d["quarantine_reason"]).partition(":")[0] for d in await documents(world)]
    assert reasons == ["unknown_kind", "not_found", "unknown_partner", "wrong_folder", "unreadable"]
    contents = await answers(world)
    assert ["AK5*R*1" in contents[0], "AK5*A" in contents[1], len(contents)] == [True, True, 2]
    assert await world.value("select unanswered from purchase_order_line") == 10
    with pytest.raises(NotFound):
        await take(world, b"x", "f", "nobody")


async def test_a_file_that_comes_again_tries_again_what_was_set_aside(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    await world.database.system.execute("update purchase_order set number = 'PO-LATER'")
    assert await take(world, data, "a") == {"quarantined": 1}
    assert await take(world, data, "b") == {"quarantined": 1}
    await world.database.system.execute("update purchase_order set number = $1", number)
    assert await take(world, data, "b") == {"done": 1}  # the same arrival
    assert await take(world, data, "c") == {"applied": 1}
    assert await take(world, data, "d") == {"done": 1}
    (document,) = await documents(world)
    assert (document["delivery"], document["quarantine_state"]) == ("applied", "replayed")
    assert await world.value("select accepted from purchase_order_line") == 10
    assert len(set(await answers(world))) == 1
    assert await world.value("select count(*) from audit_entry where operation = 'ediDocumentReplay'") == 2


async def test_only_what_is_sound_and_its_senders_own_is_tried_again(world):
    number = await sent(world)
    sound, broken = answer(number, 1, ("IA", 10, day(12))), answer(number, 2, ("IA", 10, day(12)))
    broken = broken.replace(b"ACK*IA*10*EA*067", b"ACK*IA*TEN*EA*067")
    for name in ("a", "b"):
        assert await take(world, broken, name) == {"quarantined" if name == "a" else "done": 1}
        assert await take(world, sound, f"o{name}", "other") == {"done": 1}
    assert await take(world, sound, "own") == {"applied": 1}
    dropped = answer(number, 3, ("XX", 10, day(12)))
    await take(world, dropped, "c")
    drop = SettleQuarantine((await documents(world))[-1]["id"], QuarantineState.IGNORED, note="a mistake")
    await world.do(lambda uow: settle_quarantine(uow, drop))
    assert await take(world, dropped, "d") == {"done": 1}


@pytest.mark.parametrize("beside", [b"ISA*00*          *00*          *261120*1030*U*00401*000000009*0*P*>~", b"cut"])
async def test_an_interchange_that_is_lost_beside_a_sound_one_is_set_aside(world, beside: bytes):
    data = answer(await sent(world), 1, ("IA", 10, day(12)))
    lost = data.partition(b"GS*")[0] if beside == b"cut" else beside
    assert await take(world, data + b"\n" + lost) == {"applied": 1}
    lost_row, sound = sorted(await documents(world), key=lambda row: row["position"])
    assert (sound["position"], sound["delivery"]) == (0, "applied")
    assert (lost_row["delivery"], lost_row["quarantine_state"]) == ("quarantined", "new")
    assert lost_row["quarantine_reason"] == f"unreadable: {lost_row['faults'][0]['message']}"
    await take(world, data + b"\n" + lost, "again")
    assert len(await documents(world)) == 2


async def test_a_test_document_touches_nothing(world):
    number = await sent(world)
    assert await take(world, answer(number, 1, ("IA", 10, day(12)), usage="T")) == {"ignored": 1}
    assert await world.value("select unanswered from purchase_order_line") == 10
    assert len(await answers(world)) == 1


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_ERRORS])
async def test_a_997_notes_the_delivery_and_is_never_answered(world, verdict: Verdict):
    await sent(world)
    ours = read(bytes(await world.value("select bytes from edi_outbound"))).interchanges[0].groups[0]
    result = SetResult("850", ours.sets[0].control, verdict)
    assert await take(world, write_997(ours, [result], envelope(1))) == {"applied": 1}
    assert await world.value("select state from edi_outbound") == "acknowledged"
    assert await answers(world) == []
    assert await world.value("select status from purchase_order") == "SENT"


async def test_work_that_was_cut_off_goes_on_where_it_stood(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", data))
    await world.do(lambda uow: plan_interchanges(uow, raw_id))
    assert await ingest_edi_file(world.do, raw_id) == {"applied": 1}
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1}
    # A worker that was believed dead comes late with the same set.
    assert await world.do(lambda uow: apply_set(uow, raw_id, 0, 0)) == "done"
    assert [row["delivery"] for row in await documents(world)] == ["applied"]
    assert len(await answers(world)) == 1


async def test_from_the_ship_notice_to_a_delay_the_customer_reads(world):
    number = await sent(world)
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    notice = ShipNotice(
        "SN1",
        "00",
        day(2),
        day(10),
        "CARR",
        "TRACK1",
        (ShippedOrder(number, (ShippedLine("1", "S", "V-S", 10, "EA"),)),),
    )
    assert await take(world, write_856(notice, envelope(2)), "f2") == {"applied": 1}
    assert await world.value("select usable_date from supply") == day(10)
    assert await world.value("select count(*) from promise") == 1
    event = CarrierEvent("SD", "AF", datetime(2026, 11, 10, 8, 0, tzinfo=UTC), None)
    status = CarrierStatus("TRACK1", "TRACK1", (number,), (event,), carrier="CARR", estimated_date=day(20))
    assert await take(world, write_214(status, envelope(3)), "f3") == {"applied": 1}
    assert await world.value("select usable_date from supply") == day(20)
    assert await world.value("select cause_kind from promise order by id desc limit 1") == "SUPPLY_DELAYED"
    assert await world.do(lambda uow: send_notices(uow, 100)) == 2
    texts = await world.rows("select template, state, language, subject, text from notice order by id")
    assert [(t["template"], t["state"], t["language"]) for t in texts] == [
        ("BACKORDER_OPENED", "sent", "ko"),
        ("PROMISE_MOVED", "sent", "ko"),
    ]
    assert all(t["subject"] and t["text"] for t in texts)
    assert await world.do(lambda uow: send_notices(uow, 100)) == 0
    assert await world.do(recount) == []


async def test_a_control_number_is_reused_wherever_in_the_group_its_set_stands(world):
    number = await sent(world)
    first = answer(number, 1, ("IA", 10, day(12)))
    await take(world, first)
    other = answer("PO-UNKNOWN", 1, ("IA", 10, day(12))).replace(b"*0001~", b"*0009~")
    start, end = other.index(b"ST*855"), other.index(b"GE*")
    changed = answer(number, 1, ("IA", 10, day(20)))
    at = changed.index(b"ST*855")
    shifted = (changed[:at] + other[start:end] + changed[at:]).replace(b"GE*1*", b"GE*2*")
    assert await take(world, shifted, "f2") == {"quarantined": 2}
    assert (await documents(world))[2]["quarantine_reason"].startswith("control_number_reused")
    assert await world.value("select usable_date from supply") == day(12)


@pytest.mark.parametrize(("usage", "reason"), [("I", "usage"), ("t", "syntax: ISA15 is 't'"), (" ", "usage")])
async def test_a_file_that_does_not_say_it_is_live_touches_nothing(world, usage, reason):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12))).replace(b"*P*", f"*{usage}*".encode(), 1)
    assert await take(world, data) == {"quarantined": 1}
    (document,) = await documents(world)
    assert document["quarantine_reason"].startswith(reason)
    assert await world.value("select unanswered from purchase_order_line") == 10


async def test_a_control_number_that_comes_twice_at_once_has_one_effect(world):
    number = await sent(world)
    raws = [
        await world.do(lambda uow, d=data, n=n: store_edi_file(uow, "sup", "folder", n, d))
        for n, data in (
            ("a", answer(number, 1, ("IA", 10, day(12)))),
            ("b", answer(number, 1, ("IA", 10, day(20)))),
        )
    ]
    for raw_id in raws:
        await world.do(lambda uow, r=raw_id: plan_interchanges(uow, r))
    applied = asyncio.Event()

    async def slowly(uow):
        outcome = await apply_set(uow, raws[0], 0, 0)
        applied.set()
        await asyncio.sleep(0.5)
        return outcome

    async def behind():
        await applied.wait()
        return await ingest_edi_file(world.do, raws[1])

    assert await asyncio.gather(world.do(slowly), behind()) == ["applied", {"quarantined": 1}]
    assert await world.value("select usable_date from supply") == day(12)


async def test_two_workers_on_one_file_enter_its_documents_once(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "f1", data))
    planned = asyncio.Event()

    async def slowly(uow):
        await plan_interchanges(uow, raw_id)
        planned.set()
        await asyncio.sleep(0.5)

    async def behind():
        await planned.wait()
        return await ingest_edi_file(world.do, raw_id)

    _, outcome = await asyncio.gather(world.do(slowly), behind())
    assert outcome == {"applied": 1}
    assert len(await documents(world)) == 1
    assert len(await answers(world)) == 1


async def test_a_set_the_database_cannot_hold_is_set_aside_alone(world):
    number = await sent(world)
    await world.database.system.execute("update partner_guide set guide = $1", {"unit_map": {"CA": 1000}})
    report = [("BIA", "00", "DD", "R1", day(0)), ("LIN", "1", "BP", "S"), ("QTY", "33", 999_999_999, "CA")]
    both = write_interchange("846", "IB", [report], envelope(1)) + answer(number, 2, ("IA", 10, day(12)))
    assert await take(world, both) == {"quarantined": 1, "applied": 1}
    (stock, _) = await documents(world)
    assert stock["quarantine_reason"].startswith("content: A value cannot be stored")
    assert len(await answers(world)) == 2


async def test_a_value_with_a_nul_spoils_no_other_set(world):
    number = await sent(world)
    good = answer(number, 1, ("IA", 10, day(12)))
    bad = answer("PO-X", 1, ("IA", 10, day(12))).replace(b"*0001~", b"*0009~").replace(b"PO-X", b"PO\0X")
    at = good.index(b"ST*855")
    both = (good[:at] + bad[bad.index(b"ST*855") : bad.index(b"GE*")] + good[at:]).replace(b"GE*1*", b"GE*2*")
    assert await take(world, both) == {"quarantined": 1, "applied": 1}
    assert len(await answers(world)) == 1


async def test_an_order_that_nobody_approved_is_answered_by_nobody(world):
    await world.database.system.execute(PARTNER)
    await world.database.system.execute("update policy set value = '{\"KRW\": 0}'")
    await world.place(world.order(("S", 10), customer="C2"))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    order = (await world.rows("select number, status from purchase_order"))[0]
    assert order["status"] == "AWAITING_APPROVAL"
    assert await take(world, answer(order["number"], 1, ("IR", 10, None)), "a") == {"quarantined": 1}
    lines = (ShippedOrder(order["number"], (ShippedLine("1", "S", "V-S", 10, "EA"),)),)
    notice = ShipNotice("SN1", "00", day(2), day(10), "CARR", "TRACK1", lines)
    assert await take(world, write_856(notice, envelope(2)), "b") == {"quarantined": 1}
    reasons = [str(d["quarantine_reason"]).partition(":")[0] for d in await documents(world)]
    assert reasons == ["not_found", "not_found"]
    assert await world.value("select status from purchase_order") == "AWAITING_APPROVAL"
    assert await world.value("select unanswered from purchase_order_line") == 10


async def test_a_strangers_document_is_owned_and_answered_once_its_sender_is_known(world):
    number = await sent(world)
    await world.database.system.execute("update partner set interchange_id = 'ELSEWHERE' where code = 'sup'")
    data = answer(number, 1, ("IA", 10, day(12)))
    assert await take(world, data) == {"done": 1}
    assert await take(world, data, "again") == {"done": 1}
    assert await answers(world) == []
    await world.database.system.execute("update partner set interchange_id = 'SUPPLIER1' where code = 'sup'")
    (document,) = await documents(world)
    raw_id = await world.do(lambda uow: replay_edi_document(uow, document["id"]))
    assert await ingest_edi_file(world.do, raw_id) == {"applied": 1}
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1}
    (document,) = await documents(world)
    owner = await world.rows("select id as partner_id, supplier_id from partner where code = 'sup'")
    assert [{name: document[name] for name in ("partner_id", "supplier_id")}] == owner
    assert document["acknowledgement"] == "accepted"
    assert len(set(await answers(world))) == 1
