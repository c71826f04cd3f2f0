"""Documents that were set aside: tried without effect, taken on, mended, replayed under a chosen guide, dropped; all audited."""

from __future__ import annotations

import pytest

from core.domain.edi_states import QuarantineState
from core.edi.guide import PartialBackorder, PartnerGuide
from core.edi.learn_guide import learn
from core.errors import IllegalTransition, InvalidInput
from core.repositories.edi_guides import Sample
from core.services.change_guide import activate_guide, add_guide, add_partner
from core.services.ingest_edi_document import ingest_edi_file
from core.services.preview_edi_document import preview_edi_document
from core.services.reconcile_stock import recount
from core.services.replay_edi_document import replay_edi_document
from core.services.settle_quarantine import SettleQuarantine, settle_quarantine
from tests.integration.test_ingest_edi_document import answer, day, documents, sent, take
from tests.unit.test_edi_try_sample import FOLDER, MEANT

pytestmark = pytest.mark.anyio


WROTE = ("supply", "promise", "outbox", "audit_entry", "purchase_order_line", "sku_gate")


async def written(world) -> list[list[dict]]:
    return [await world.rows(f"select * from {table} order by 1, 2") for table in WROTE]


async def test_a_document_is_tried_taken_on_and_replayed_under_a_chosen_guide(world):
    number = await sent(world)
    assert await take(world, answer(number, 1, ("XX", 10, day(40)))) == {"quarantined": 1}
    (document,) = await documents(world)
    assert (document["guide_version"], "XX" in document["quarantine_reason"]) == (1, True)
    unknown = next(fault for fault in document["faults"] if fault["code"] == "line_status")
    assert (unknown["segmentNumber"], unknown["segment"], unknown["element"], unknown["value"]) == (4, "ACK", 1, "XX")
    version = await world.do(lambda uow: add_guide(uow, "sup", {"code_map": {"XX": "IA"}}))
    before = await written(world)
    same = await world.do(lambda uow: preview_edi_document(uow, document["id"]))
    assert (same.outcome, same.order_lines) == ("quarantined", [])
    tried = await world.do(lambda uow: preview_edi_document(uow, document["id"], version))
    assert (tried.outcome, tried.reason, tried.guide_version) == ("applied", None, version)
    (bought,), (hit,) = tried.purchase_lines, tried.order_lines
    assert [(x["unanswered"], x["accepted"], x["promised_date"]) for x in (bought["before"], bought["after"])] == [
        (10, 0, None),
        (0, 10, day(40).isoformat()),
    ]
    assert (hit["before"]["customer"], hit["before"]["promised"] < hit["after"]["promised"]) == ("C2", True)
    assert hit["before"]["order_number"] == await world.value("select number from sales_order")
    assert await written(world) == before
    take_on = SettleQuarantine(document["id"], QuarantineState.ASSIGNED, person="kim")
    await world.do(lambda uow: settle_quarantine(uow, take_on))
    mended = SettleQuarantine(document["id"], QuarantineState.FIXED, note="code agreed")
    await world.do(lambda uow: settle_quarantine(uow, mended))
    (now,) = await documents(world)
    assert (now["quarantine_state"], now["assigned_to"], now["faults"]) == ("fixed", "kim", document["faults"])
    raw_id = await world.do(lambda uow: replay_edi_document(uow, document["id"], version))
    assert await ingest_edi_file(world.do, raw_id) == {"applied": 1}
    assert await world.value("select accepted from purchase_order_line") == 10
    operations = await world.rows("select operation from audit_entry where operation like 'ediDocument%' order by id")
    assert [row["operation"] for row in operations] == ["ediDocumentSettle", "ediDocumentSettle", "ediDocumentReplay"]
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: replay_edi_document(uow, document["id"]))
    assert await take(world, answer(number, 2, ("YY", 10, day(40))), "f2") == {"quarantined": 1}
    second = (await documents(world))[1]["id"]
    drop = SettleQuarantine(second, QuarantineState.IGNORED, note="sent by mistake")
    await world.do(lambda uow: settle_quarantine(uow, drop))
    assert (await documents(world))[1]["delivery"] == "ignored"
    assert await world.do(recount) == []


async def test_a_partner_is_entered_from_samples_and_a_guide_holds_only_when_they_all_fit(world):
    names = ("accept_and_backorder", "partial_with_backordered")
    contents = [(name, (FOLDER / f"partial_backorder.{name}.edi").read_bytes()) for name in names]
    proposal = learn(contents[:1])
    await world.do(lambda uow: add_partner(uow, "new", proposal["partner"], "SUP"))
    with pytest.raises(InvalidInput, match="no sample"):
        await world.do(lambda uow: activate_guide(uow, "new", 1))
    first = Sample(names[0], contents[0][1], MEANT)
    version = await world.do(lambda uow: add_guide(uow, "new", proposal["guide"], [first]))
    await world.do(lambda uow: activate_guide(uow, "new", version))
    second = Sample(names[1], contents[1][1], MEANT)
    wrong = await world.do(lambda uow: add_guide(uow, "new", proposal["guide"], [second]))
    with pytest.raises(InvalidInput, match="partial_with_backordered"):
        await world.do(lambda uow: activate_guide(uow, "new", wrong))
    guide = PartnerGuide(partial_backorder_encoding=PartialBackorder.PARTIAL_WITH_BACKORDERED)
    right = await world.do(lambda uow: add_guide(uow, "new", guide.to_json()))
    await world.do(lambda uow: activate_guide(uow, "new", right))
    states = "select g.version, g.state from partner_guide g join partner p on p.id = g.partner_id order by 1"
    assert [tuple(row.values()) for row in await world.rows(states)] == [(1, "retired"), (2, "draft"), (3, "active")]
