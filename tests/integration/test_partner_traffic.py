"""What a partner's traffic tells beside its documents: gaps, silence, other envelopes, receipts that do not come, groups that fall."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from core.domain.edi_states import EdiDelivery, QuarantineState
from core.edi.documents import SetResult
from core.edi.interchanges import Fault, Level, Severity, Verdict
from core.edi.reader import read
from core.edi.write_997 import write_997
from core.errors import IllegalTransition, InvalidInput
from core.services.change_guide import add_guide
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.erase_edi_files import erase_edi_file, erase_old_edi_files
from core.services.ingest_edi_document import ingest_edi_file
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_edi_file import store_edi_file
from core.services.replay_edi_document import replay_edi_document
from core.services.run_supplier_deadlines import run_supplier_deadlines
from core.services.send_purchase_order import send_order_anew, send_purchase_order
from core.services.settle_quarantine import SettleQuarantine, settle_quarantine
from core.services.watch_partners import watch_partners
from tests.integration.test_ingest_edi_document import PARTNER, answer, answers, day, documents, envelope, sent, take

pytestmark = pytest.mark.anyio

ALERTS = "select kind, facts, cleared_by from partner_alert order by id"


async def look(world) -> dict[str, int]:
    await world.database.system.execute("update edi_document set created_at = created_at - interval '1 hour'")
    return await world.do(watch_partners)


async def test_a_gap_in_control_numbers_is_an_alert_until_the_missing_ones_come(world):
    number = await sent(world)
    for control in (1, 4):
        await take(world, answer(number, control, ("IA", 10, day(12))), f"f{control}")
    assert await look(world) == {"CONTROL_GAP": 1}
    assert await look(world) == {}
    assert (await world.rows(ALERTS))[0]["facts"] == {"missing": [2, 3]}
    await take(world, answer(number, 3, ("IA", 10, day(12))), "f3")
    await look(world)
    assert (await world.rows(ALERTS))[0] == {"kind": "CONTROL_GAP", "facts": {"missing": [2]}, "cleared_by": None}
    await take(world, answer(number, 2, ("IA", 10, day(12))), "f2")
    await look(world)
    assert [row["cleared_by"] for row in await world.rows(ALERTS)] == ["itself"]
    assert await world.value("select count(*) from outbox where topic = 'alarm' and kind = 'CONTROL_GAP'") == 1


async def test_what_came_before_the_watch_and_test_interchanges_make_no_gap(world):
    number = await sent(world)
    for control in (1, 4):
        await take(world, answer(number, control, ("IA", 10, day(12))), f"f{control}")
    await world.database.system.execute("delete from partner_watch")
    await take(world, answer(number, 5, ("IA", 10, day(12))), "f5")
    assert await look(world) == {}
    assert await world.value("select last_control from partner_watch") == 5
    for control, usage in ((6, "T"), (7, "P")):
        await take(world, answer(number, control, ("IA", 10, day(12)), usage=usage), f"f{control}")
        assert await look(world) == {}
    assert await world.value("select last_control from partner_watch") == 7


async def test_the_watch_goes_on_from_where_it_stood_also_for_partners_who_sent_nothing(world):
    number = await sent(world)
    await world.database.system.execute(
        "insert into partner_watch (partner_id, seen_at) select id, now() from partner where code = 'other'"
    )
    await take(world, answer(number, 1, ("IA", 10, day(12))))
    await look(world)
    marks = await world.rows("select distinct last_document_id as at from partner_watch")
    assert marks == [{"at": await world.value("select max(id) from edi_document")}]


async def test_silence_and_another_envelope_are_alerts(world):
    number = await sent(world)
    await world.database.system.execute("""update partner_guide set guide = '{"silence_hours": 48}'""")
    await take(world, answer(number, 1, ("IA", 10, day(12))), "f1")
    await take(world, answer(number, 1, ("IA", 10, day(12)), usage="T").replace(b"*", b"^"), "test")
    assert (await look(world), await world.rows(ALERTS)) == ({}, [])
    world.clock.at += timedelta(hours=49)
    assert await look(world) == {"SILENT": 1}
    assert await look(world) == {}
    other = answer(number, 2, ("IA", 10, day(12))).replace(b"*", b"|")
    assert await take(world, other, "f2") == {"applied": 1}
    await look(world)
    assert [(row["kind"], row["cleared_by"]) for row in await world.rows(ALERTS)] == [
        ("SILENT", "itself"),
        ("ENVELOPE_CHANGED", None),
    ]
    assert (await world.rows(ALERTS))[1]["facts"] == {"X12 element": {"before": "*", "now": "|"}}
    for control, mark in ((3, b"*"), (4, b"|")):
        await take(world, answer(number, control, ("IA", 10, day(12))).replace(b"*", mark), f"f{control}")
    assert len(await world.rows(ALERTS)) == 2, "the alert about this mark is open"


async def test_a_receipt_that_does_not_come_is_late_and_a_refused_order_has_no_day_until_it_is_sent_anew(world):
    number = await sent(world)
    believed = await world.value("select usable_date from supply")
    state = "select state from supplier_deadline where kind = 'FUNCTIONAL_ACKNOWLEDGEMENT'"
    assert await world.do(run_supplier_deadlines) == {}
    assert await world.value(state) == "OPEN"
    world.clock.at += timedelta(hours=25)
    assert (await world.do(run_supplier_deadlines))["BREACHED"] == 1
    ours = read(bytes(await world.value("select bytes from edi_outbound"))).interchanges[0]
    fault = Fault(Level.SET, Severity.ERROR, "1", "not supported")
    refusal = write_997(ours.groups[0], [SetResult("850", "0001", Verdict.REJECTED, (fault,))], envelope(1))
    version = await world.value("select version from purchase_order")
    assert await take(world, refusal) == {"applied": 1}
    assert await world.value("select version from purchase_order") == version + 1, "its lines have lost their days"
    told = await world.rows("select payload from outbox where topic = 'purchase_order' and kind = 'SENT' order by id")
    assert told[-1]["payload"]["version"] == version + 1
    assert await world.value(state) == "ESCALATED", "at once"
    supply = (await world.rows("select usable_date, paper_date, date_basis from supply"))[0]
    assert (supply["usable_date"], supply["paper_date"]) == (believed + timedelta(days=1), None)
    await world.do(lambda uow: send_order_anew(uow, number))
    assert await world.value(state) == "OPEN"
    assert await world.value("select count(*) from outbox where job = 'restart_lead_time'") == 1
    due = "select due_at from supplier_deadline where kind = 'ACKNOWLEDGEMENT'"
    assert await world.value(due) == world.clock.at + timedelta(hours=48), "it could not answer what it could not read"
    await take(world, answer(number, 2, ("IA", 10, day(12))), "f2")
    await world.do(run_supplier_deadlines)
    assert await world.value(state) == "MET", "an answer proves that it was read"


@pytest.mark.parametrize("rule", ["set", "group"])
async def test_a_group_stands_or_falls_as_one_where_the_guide_says_so(world, rule: str):
    number = await sent(world)
    await world.database.system.execute("update partner_guide set guide = $1", {"all_or_none": rule})
    good = answer(number, 1, ("IA", 10, day(12))).decode()
    head, body, tail = (
        good.split("ST*", 1)[0],
        "ST*" + good.split("ST*", 1)[1].split("GE*", 1)[0],
        "GE*2*1~\nIEA*1*000000001~\n",
    )
    bad = body.replace("*0001", "*0002").replace(number, "NOBODY")
    found = await take(world, f"{head}{body}{bad}{tail}".encode())
    rows = await documents(world)
    if rule == "set":
        assert found == {"applied": 1, "quarantined": 1}
        return
    assert found == {"quarantined": 2}
    assert [row["quarantine_reason"].partition(":")[0] for row in rows] == ["together", "not_found"]
    assert {row["delivery"] for row in rows} == {EdiDelivery.QUARANTINED}
    assert await world.value("select unanswered from purchase_order_line") == 10
    assert len(await answers(world)) == 1
    good_id, bad_id = [row["id"] for row in rows]
    raw_id = await world.do(lambda uow: replay_edi_document(uow, good_id))
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1, "quarantined": 1}, "the other still cannot be applied"
    await world.database.system.execute("update purchase_order set number = 'NOBODY'")
    raw_id = await world.do(lambda uow: replay_edi_document(uow, bad_id))
    assert [row["delivery"] for row in await documents(world)] == [EdiDelivery.QUARANTINED, EdiDelivery.RECEIVED]
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1, "quarantined": 1}, "now the first one cannot"
    drop = SettleQuarantine(good_id, QuarantineState.IGNORED, note="not ours")
    await world.do(lambda uow: settle_quarantine(uow, drop))
    await world.do(lambda uow: replay_edi_document(uow, bad_id))
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1, "applied": 1}


async def test_what_stands_or_falls_as_one_is_replayed_as_one(world):
    number = await sent(world)
    await world.database.system.execute("update partner_guide set guide = $1", {"all_or_none": "group"})
    one, two = answer(number, 1, ("IA", 10, day(12))).decode(), answer(number, 1, ("XX", 10, day(14))).decode()
    head = one.split("ST*", 1)[0]
    sets = [("ST*" + text.split("ST*", 1)[1].split("GE*", 1)[0]) for text in (one, two)]
    body = sets[0] + sets[1].replace("*0001", "*0002")
    assert await take(world, f"{head}{body}GE*2*1~\nIEA*1*000000001~\n".encode()) == {"quarantined": 2}
    guide = {"all_or_none": "group", "code_map": {"XX": "IA"}}
    version = await world.do(lambda uow: add_guide(uow, "sup", guide))
    second = (await documents(world))[1]["id"]
    raw_id = await world.do(lambda uow: replay_edi_document(uow, second, version))
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1, "applied": 2}
    assert {row["guide_version"] for row in await documents(world)} == {version}
    assert await world.value("select usable_date from supply") == day(14)


async def test_sets_that_stand_as_one_lock_no_order_before_all_gates(world):
    await world.database.system.execute(PARTNER)
    await world.database.system.execute("update partner_guide set guide = $1", {"all_or_none": "group"})
    wanted = [CreatePurchaseOrder("SUP", "A", [(sku, 10, 500)]) for sku in ("S", "S2")]
    first, second = [(await world.do(lambda uow, w=w: create_purchase_order(uow, w))).number for w in wanted]
    head, one = answer(first, 1, ("IA", 10, day(12))).decode().split("ST*", 1)
    one = "ST*" + one.split("GE*", 1)[0]
    two = one.replace("*0001", "*0002").replace(first, second).replace("BP*S*VP*V-S", "BP*S2")
    sku_id = await world.sku("S2")
    async with world.database.system.acquire() as other, world.database.system.acquire() as third:
        trial = other.transaction()
        await trial.start()
        holder = await other.fetchval("select pg_backend_pid() from sku_gate where sku_id = $1 for update", sku_id)
        work = asyncio.create_task(take(world, f"{head}{one}{two}GE*2*1~\nIEA*1*000000001~\n".encode()))
        waits = "select exists (select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)))"
        while not work.done() and not await third.fetchval(waits, holder):
            await asyncio.sleep(0.01)
        await third.execute("select 1 from purchase_order where number = $1 for update nowait", first)
        await trial.rollback()
    assert await work == {"applied": 2}


async def test_a_settled_file_is_erased_and_still_known(world):
    number = await sent(world)
    data = answer(number, 1, ("IA", 10, day(12)))
    await take(world, data, "f1")
    await take(world, answer("NOBODY", 2, ("IA", 10, day(12))), "f2")
    first, second = [row["id"] for row in await documents(world)]
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: erase_edi_file(uow, second, "asked for"))
    await world.do(lambda uow: erase_edi_file(uow, first, "asked for"))
    assert await world.value("select length(bytes) from edi_raw order by id limit 1") == 0
    assert await take(world, data, "f3") == {}, "it is known, and has no effect"
    assert await world.value("select accepted from purchase_order_line") == 10
    world.clock.at += timedelta(days=31)
    await world.database.system.execute("insert into policy (code, value) values ('edi_retention_days', '30')")
    await world.database.system.execute("update edi_document set delivery = 'ignored' where id = $1", second)
    assert await world.do(erase_old_edi_files) == 1
    assert await world.do(erase_old_edi_files) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.database.system.execute("update edi_raw set sha256 = 'x'")


async def test_a_file_of_many_sets_gives_way_and_goes_on_where_it_stood(world):
    number = await sent(world)
    good = answer(number, 1, ("IA", 10, day(12))).decode()
    head, rest = good.split("ST*", 1)
    body = "ST*" + rest.split("GE*", 1)[0]
    sets = "".join(body.replace("*0001", f"*000{n}") for n in (1, 2, 3))
    content = f"{head}{sets}GE*3*1~\nIEA*1*000000001~\n".encode()
    raw_id = await world.do(lambda uow: store_edi_file(uow, "sup", "folder", "many", content))
    turns = iter([True, False])
    assert await ingest_edi_file(world.do, raw_id, lambda: next(turns)) == {"applied": 1, "left": 2}
    assert await answers(world) == []
    assert await ingest_edi_file(world.do, raw_id) == {"done": 1, "applied": 2}
    assert len(await answers(world)) == 1


async def test_an_order_from_before_its_supplier_was_a_partner_goes_out_when_asked(world):
    await world.database.system.execute(PARTNER)
    await world.database.system.execute("update partner set is_active = false")
    await world.place(world.order(("S", 10), customer="C2"))
    sku_id = await world.sku()
    (order,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    assert await world.do(lambda uow: send_purchase_order(uow, order)) is None
    number = await world.value("select number from purchase_order")
    state = "select status from purchase_order where number = $1"
    assert (await world.value(state, number), await world.value("select count(*) from edi_outbound")) == ("SENT", 0)
    with pytest.raises(InvalidInput, match=f"supplier of purchase order '{number}' has no trading partner"):
        await world.do(lambda uow: send_order_anew(uow, number))
    await world.database.system.execute("update partner set is_active = true")
    await world.do(lambda uow: send_order_anew(uow, number))
    assert [row["kind"] for row in await world.rows("select kind from edi_outbound")] == ["850"]
    with pytest.raises(IllegalTransition, match="cannot become sent under new numbers"):
        await world.do(lambda uow: send_order_anew(uow, number))
    assert await world.value("select count(*) from edi_outbound") == 1
