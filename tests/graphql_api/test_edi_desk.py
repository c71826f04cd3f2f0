"""The EDI desk through the schema: a document is tried and settled, a supplier's change decided, a document sent again."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest

from core.domain.access import Role
from core.domain.supplier_changes import ChangeSource
from core.edi.documents import AcknowledgedLine, Acknowledgement, Effect, LineStatus
from core.edi.supplier_side import write_855
from core.edi.x12_writer import Envelope
from core.services.apply_acknowledgement import AcknowledgeLine
from core.services.ingest_edi_document import ingest_edi_file
from core.services.propose_supplier_change import ProposeSupplierChange, propose_supplier_change
from core.services.receive_edi_file import store_edi_file
from core.services.send_purchase_order import send_purchase_order
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio


async def test_a_planner_decides_what_a_supplier_sees(database_url):
    async with open_shop(database_url) as shop:
        await _decide(shop)


async def _decide(shop: Shop) -> None:
    sql, planner, supplier = shop.database.system, shop.context(Role.PLANNER), await shop.supplier("BRIGHTWORKS")

    async def run(use_case):
        return await run_unit_of_work(shop.database, use_case, clock=shop.clock)

    wanted = {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]}
    made = await shop.change(planner, "purchaseOrderCreate", wanted, "purchaseOrder { id number }")
    number = made["purchaseOrder"]["number"]
    po = await sql.fetchval("update purchase_order set status = 'APPROVED' where number = $1 returning id", number)
    await run(lambda uow: send_purchase_order(uow, po))
    partner = await sql.fetchrow("select * from partner where code = 'brightworks'")
    status = LineStatus("XX", 10, date(2027, 1, 20), "067", Effect.ACCEPT)
    line = AcknowledgedLine("1", "1", "KETTLE-17", "", "", 10, "EA", (status,))
    ends = [partner[x] for x in ("qualifier", "interchange_id", "our_qualifier", "our_interchange_id")]
    envelope = Envelope(*ends, "SUP", "US", 1, 1, 1, datetime(2026, 11, 20, 9, 0))
    data = write_855(Acknowledgement(number, "AC", date(2026, 11, 20), "", (line,)), envelope)
    raw_id = await run(lambda uow: store_edi_file(uow, "brightworks", "folder", "f", data))
    assert await ingest_edi_file(run, raw_id) == {"quarantined": 1}
    await sql.execute(
        """insert into partner_guide (partner_id, version, guide, state) values ($1, 90, '{"code_map": {"XX": "IA"}}', 'draft')""",
        partner["id"],
    )
    listed = await shop.ask(
        planner,
        "{ ediDocuments(first: 1) { nodes { id quarantineReason faults { code segment position element value isError } } } }",
    )
    document = listed["ediDocuments"]["nodes"][0]
    place = {"segment": "ACK", "position": 4, "element": "1", "value": "XX", "isError": False}
    assert document["faults"][1:] == [{"code": "line_status", **place}]
    assert document["quarantineReason"].startswith("mismatch")
    want = """preview { outcome reason guideVersion orderLines { number } faults { code }
        purchaseOrderLines { number lineNumber sku before after } }"""
    tried = await shop.change(planner, "ediDocumentPreview", {"id": document["id"], "guideVersion": 90}, want)
    assert tried["userErrors"] == []
    assert (tried["preview"]["outcome"], tried["preview"]["guideVersion"]) == ("APPLIED", 90)
    (bought,) = tried["preview"]["purchaseOrderLines"]
    assert (bought["number"], bought["lineNumber"], bought["sku"]) == (number, 1, "KETTLE-17")
    assert [json.loads(bought[x])["accepted"] for x in ("before", "after")] == [0, 10]
    settled = {"id": document["id"], "decision": "ASSIGNED", "person": "kim"}
    after = await shop.change(planner, "ediDocumentSettle", settled, "document { quarantineState assignedTo }")
    assert after["document"] == {"quarantineState": "ASSIGNED", "assignedTo": "kim"}
    await sql.execute(
        "insert into purchase_approval (purchase_order_id, approver, in_place_of, total, created_at)"
        " values ($1, 'dan', 'ann', 7, now())",
        po,
    )
    query = (
        "query ($n: String!) { purchaseOrder(number: $n) { total { amountMinor } approvals { approver inPlaceOf } } }"
    )
    seen = {"total": {"amountMinor": 14_000}, "approvals": [{"approver": "dan", "inPlaceOf": "ann"}]}
    assert (await shop.ask(planner, query, n=number))["purchaseOrder"] == seen
    assert (await shop.ask(supplier, query, n=number))["purchaseOrder"] == {**seen, "approvals": []}
    erased = {"id": document["id"], "reason": "a person asked for it"}
    admin = shop.context(Role.ADMIN)
    early = await shop.change(admin, "ediFileErase", erased, "document { id }")
    assert [e["code"] for e in early["userErrors"]] == ["ILLEGAL_TRANSITION"]
    dropped = {"id": document["id"], "decision": "IGNORED", "note": "a test"}
    told = await shop.change(planner, "ediDocumentSettle", dropped, "document { reason quarantineReason }")
    assert told["document"] == {"reason": "It was dropped: a test", "quarantineReason": document["quarantineReason"]}
    gone = await shop.change(admin, "ediFileErase", erased, "document { id }")
    assert (gone["userErrors"], gone["document"]) == ([], {"id": document["id"]})
    assert bytes(await sql.fetchval("select bytes from edi_raw where id = $1", raw_id)) == b""
    assert await sql.fetchval("select count(*) from audit_entry where operation = 'ediFileErase'") == 1
    asked = ProposeSupplierChange(number, None, [AcknowledgeLine(1, [(10, date(2027, 1, 30))])], ChangeSource.PORTAL)
    await run(lambda uow: propose_supplier_change(uow, asked))
    query = "{ supplierChanges(first: 5) { nodes { id state source lines { accepted { quantity date } } purchaseOrder { number } } } }"
    (change,) = (await shop.ask(supplier, query))["supplierChanges"]["nodes"]
    assert (change["state"], change["source"], change["purchaseOrder"]) == ("PROPOSED", "PORTAL", {"number": number})
    assert change["lines"] == [{"accepted": [{"quantity": 10, "date": "2027-01-30"}]}]
    assert (await shop.ask(await shop.supplier("CLAYHOUSE"), query))["supplierChanges"]["nodes"] == []
    decision = {"id": change["id"], "accept": True, "reason": "fine"}
    decided = await shop.change(planner, "supplierChangeDecide", decision, "change { state decidedBy }")
    assert decided["change"]["state"] == "ACCEPTED"
    again = await shop.change(planner, "supplierChangeDecide", decision, "change { state }")
    assert [e["code"] for e in again["userErrors"]] == ["ILLEGAL_TRANSITION"]
    name = await sql.fetchval("update edi_outbound set state = 'written' where kind = '850' returning file_name")
    resent = await shop.change(planner, "ediDocumentResend", {"fileName": name}, "fileName")
    assert resent == {"fileName": name, "userErrors": []}
    anew = await shop.change(planner, "purchaseOrderSendAnew", {"number": number}, "purchaseOrder { number }")
    assert [e["code"] for e in anew["userErrors"]] == ["ILLEGAL_TRANSITION"]
