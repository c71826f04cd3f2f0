"""The supplier portal: what it does equals what documents do; a supplier sees and changes its own only."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from api.context import Context
from api.loaders import Loaders
from api.operations import schema
from core.domain.access import Principal, Role
from core.edi.documents import (
    AcknowledgedLine,
    Acknowledgement,
    Effect,
    LineStatus,
    Pack,
    ShipNotice,
    ShippedLine,
    ShippedOrder,
)
from core.edi.supplier_side import write_855, write_856
from core.edi.x12_writer import Envelope
from core.errors import QuantityExceeded
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.ingest_edi_document import ingest_edi_file
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_edi_file import store_edi_file
from core.services.record_packs import NoticePack, PackedLine, record_packs
from core.services.run_supplier_deadlines import run_supplier_deadlines
from core.services.send_purchase_order import send_purchase_order
from core.services.withdraw_ship_notice import withdraw_ship_notice
from core.settings import Settings

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
HOUR = timedelta(hours=1)
SSCC, OTHER_SSCC = "106141412345678908", "106141412345678922"


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


class Portal:
    """Runs documents as a caller of a role."""

    def __init__(self, world) -> None:
        self.world = world
        self.keys = 0

    def caller(self, role: Role, supplier_id: int | None = None) -> Context:
        settings = Settings(env="test")
        principal = Principal(f"{role}-{supplier_id}", role, supplier_id=supplier_id)
        return Context(self.world.database, settings, principal, self.world.clock, make_loaders=Loaders)

    async def supplier(self, code: str = "SUP") -> Context:
        return self.caller(Role.SUPPLIER, await self.world.value("select id from supplier where code = $1", code))

    async def ask(self, context: Context, document: str, **variables: Any) -> dict[str, Any]:
        result = await schema.execute(document, variable_values=variables, context_value=context)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def change(self, context: Context, name: str, input: dict[str, Any], want: str) -> Any:
        self.keys += 1
        document = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!, $key: String!) {{
            {name}(input: $input, idempotencyKey: $key) {{ {want} userErrors {{ code message path }} }} }}"""
        return (await self.ask(context, document, input=input, key=f"k{self.keys}"))[name]


@pytest.fixture
def portal(world) -> Portal:
    return Portal(world)


async def bought(world, sku: str) -> str:
    """A line of 10 of this SKU waits on a sent order of 10; returns the order's number."""
    await world.database.system.execute(
        "insert into policy (code, value) values ('purchase_approval_limit', '1000000000') on conflict do nothing"
    )
    await world.place(world.order((sku, 10)))
    sku_id = await world.sku(sku)
    (po,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.do(lambda uow: send_purchase_order(uow, po))
    return await world.value("select number from purchase_order where id = $1", po)


COMPARED = {
    "purchase_order": "status, version, sent_at, acknowledged_at",
    "purchase_order_line": "ordered, unanswered, accepted, supplier_backordered, held, in_transit, received, rejected,"
    " cancelled, promised_date",
    "purchase_line_history": "at, unanswered, accepted, supplier_backordered, in_transit, rejected, promised_date",
    "supply": "quantity, received, cancelled, pegged, paper_date, usable_date, date_basis, date_revision",
    "peg": "kind, quantity, need_date, cause",
    "promise": "sequence, quantity, complete, cause_kind",
    "backorder": "quantity, state, cause, expected_date, version",
    "backorder_event": "sequence, from_state, to_state, quantity",
    "ship_notice_line": "line_number, quantity",
    "order_line": "open, allocated, backordered, shipped, cancelled, status, version",
}


async def rows_of(world, sku: str, number: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that stands for one SKU, without ids."""
    sku_id = await world.sku(sku)
    found = {}
    for table, columns in COMPARED.items():
        where = "number = $2 and $1 > 0" if table == "purchase_order" else "sku_id = $1 and $2 <> ''"
        rows = await world.rows(f"select {columns} from {table} where {where} order by {columns}", sku_id, number)
        found[table] = [tuple(row.values()) for row in rows]
    notices = await world.rows(
        """select shipped_on, expected_date, carrier, tracking_number from ship_notice n where exists (
            select from ship_notice_line l where l.ship_notice_id = n.id and l.sku_id = $1)""",
        sku_id,
    )
    found["ship_notice"] = [tuple(row.values()) for row in notices]
    events = await world.rows(
        "select kind, payload - '{backorderId,orderId,orderNumber,skuId,sku}'::text[] as payload from outbox"
        " where sku_id = $1 and topic = 'backorder' order by id",
        sku_id,
    )
    found["events"] = [row["kind"] + " " + str(sorted(row["payload"].items())) for row in events]
    return found


async def test_the_portal_does_what_documents_do(world, portal):
    await world.database.system.execute(
        """insert into partner (code, supplier_id, qualifier, interchange_id, our_qualifier, our_interchange_id)
            select 'sup', id, 'ZZ', 'SUPPLIER1', 'ZZ', 'US' from supplier where code = 'SUP';
        insert into partner_guide (partner_id, version, guide, state) select id, 1, '{}', 'active' from partner"""
    )
    by_portal, by_document = await bought(world, "S"), await bought(world, "S2")
    supplier = await portal.supplier()
    world.clock.at += HOUR
    answered = await portal.change(
        supplier,
        "purchaseOrderAcknowledge",
        {
            "number": by_portal,
            "sequence": "20261103",
            "lines": [
                {
                    "lineNumber": 1,
                    "accepted": [{"quantity": 6, "date": day(12).isoformat()}],
                    "backordered": [{"quantity": 4, "date": day(30).isoformat()}],
                }
            ],
        },
        "purchaseOrder { status asksOfSupplier { kind quantity } }",
    )
    assert answered["purchaseOrder"] == {
        "status": "ACKNOWLEDGED",
        "asksOfSupplier": [{"kind": "SHIP", "quantity": 6}],
    }
    noticed = await portal.change(
        supplier,
        "shipNoticeSubmit",
        {
            "number": "A-P",
            "sequence": "20261104",
            "shippedOn": day(9).isoformat(),
            "expectedDate": day(11).isoformat(),
            "carrier": "KX",
            "trackingNumber": "T1",
            "lines": [{"purchaseOrderNumber": by_portal, "lineNumber": 1, "sku": "S", "quantity": 6}],
            "packs": [{"sscc": f"00{SSCC}", "contents": [{"sku": "S", "quantity": 6, "lot": "L7"}]}],
        },
        "shipNotice { packs { sscc kind contents { sku quantity lot } } }",
    )
    assert noticed["userErrors"] == []
    assert noticed["shipNotice"]["packs"] == [
        {"sscc": SSCC, "kind": "CARTON", "contents": [{"sku": "S", "quantity": 6, "lot": "L7"}]}
    ]
    statuses = (
        LineStatus("IA", 6, day(12), "067", Effect.ACCEPT),
        LineStatus("IB", 4, day(30), "067", Effect.BACKORDER),
    )
    line = AcknowledgedLine("1", "1", "S2", "V-S2", "", 10, "EA", statuses)
    at = datetime(2026, 11, 3, 9, 0)
    envelope = [Envelope("ZZ", "SUPPLIER1", "ZZ", "US", "SUPPLIER1", "US", n, n, 1, at) for n in (1, 2)]
    shipped = ShippedOrder(
        by_document, (ShippedLine("1", "S2", "V-S2", 6, "EA", packs=(Pack(OTHER_SSCC, OTHER_SSCC, "GM", "P"),)),)
    )
    files = [
        write_855(Acknowledgement(by_document, "AC", day(1), "", (line,)), envelope[0]),
        write_856(ShipNotice("A-D", "00", day(9), day(11), "KX", "T1", (shipped,)), envelope[1]),
    ]
    for name, data in zip(("f1", "f2"), files, strict=True):
        raw_id = await world.do(lambda uow, n=name, d=data: store_edi_file(uow, "sup", "folder", n, d))
        assert (await ingest_edi_file(world.do, raw_id)).get("quarantined", 0) == 0
    first, second = await rows_of(world, "S", by_portal), await rows_of(world, "S2", by_document)
    for table, rows in first.items():
        assert rows == second[table], table


async def test_a_wrong_pack_refuses_the_whole_notice(world, portal):
    number, supplier = await bought(world, "S"), await portal.supplier()
    notice = {
        "number": "A-1",
        "shippedOn": day(9).isoformat(),
        "lines": [{"purchaseOrderNumber": number, "lineNumber": 1, "sku": "S", "quantity": 6}],
    }
    for packs, code in (
        ([{"sscc": SSCC[:-1] + "9"}], "INVALID_INPUT"),
        ([{"sscc": SSCC}, {"sscc": SSCC}], "INVALID_INPUT"),
        ([{"sscc": SSCC, "contents": [{"sku": "S", "quantity": 7}]}], "QUANTITY_EXCEEDED"),
    ):
        refused = await portal.change(supplier, "shipNoticeSubmit", {**notice, "packs": packs}, "shipNotice { number }")
        assert [e["code"] for e in refused["userErrors"]] == [code]
    assert await world.value("select count(*) from ship_notice") == 0
    done = await portal.change(
        supplier, "shipNoticeSubmit", {**notice, "packs": [{"sscc": SSCC}]}, "shipNotice { number }"
    )
    assert done["userErrors"] == []
    again = {**notice, "number": "A-2", "packs": [{"sscc": SSCC}]}
    again["lines"] = [{**notice["lines"][0], "quantity": 4}]
    refused = await portal.change(supplier, "shipNoticeSubmit", again, "shipNotice { number }")
    assert [e["code"] for e in refused["userErrors"]] == ["INVALID_INPUT"]


async def test_a_refusal_of_the_portal_names_the_line_and_the_field(world, portal):
    number, supplier = await bought(world, "S"), await portal.supplier()
    part = [{"quantity": 9, "date": day(9).isoformat()}]
    whole = {"lineNumber": 1, "accepted": [{**part[0], "quantity": 10}]}
    row = {"purchaseOrderNumber": number, "lineNumber": 1, "sku": "S", "quantity": 11}
    notice = {"number": "A-1", "shippedOn": day(9).isoformat()}
    told = []
    for name, input in (
        ("purchaseOrderAcknowledge", {"number": number, "lines": [{"lineNumber": 1, "accepted": part}]}),
        ("purchaseOrderAcknowledge", {"number": number, "lines": [whole, {**whole, "lineNumber": 7}]}),
        ("purchaseOrderAcknowledge", {"number": number, "lines": [whole, whole]}),
        ("purchaseOrderReschedule", {"number": number, "lines": [{"lineNumber": 1, "schedules": part}]}),
        ("shipNoticeSubmit", {**notice, "lines": [row]}),
        ("shipNoticeSubmit", {**notice, "lines": [{**row, "quantity": 5}, {**row, "lineNumber": 2}]}),
        ("shipNoticeSubmit", {**notice, "lines": [{**row, "purchaseOrderNumber": "PO-0"}]}),
    ):
        (error,) = (await portal.change(supplier, name, input, "__typename"))["userErrors"]
        told.append((error["message"], ".".join(error["path"])))
    line = f"Line 1 of order '{number}'"
    assert told == [
        ("Line 1: The answer speaks of 9 units, but 10 are not shipped.", "input.lines.0"),
        (f"Purchase order '{number}' has no line 7.", "input.lines.1.lineNumber"),
        ("Line 1 is named twice.", "input.lines.1.lineNumber"),
        ("Line 1: the parts sum to 9, but 10 units are open.", "input.lines.0"),
        (f"{line}: 11 wanted, but only 10 of the purchase order line are not shipped.", "input.lines.0.quantity"),
        (f"Line 2 of order '{number}' matches 0 lines of ours.", "input.lines.1"),
        ("There is no purchase order 'PO-0' that you may see.", "input.lines.0.purchaseOrderNumber"),
    ]


async def test_packs_hold_what_is_on_the_notice_and_go_with_it(world, portal):
    number = await bought(world, "S")
    supplier_id = await world.value("select id from supplier where code = 'SUP'")
    sent = ShipNoticeInput(supplier_id, "A-1", TODAY, None, "", "", [(number, 1, "S", 6)], "1")
    await world.do(lambda uow: apply_ship_notice(uow, sent))

    async def pack(sscc: str, quantity: int) -> None:
        packs = [NoticePack(sscc, lines=[PackedLine("S", quantity)])]
        await world.do(lambda uow: record_packs(uow, supplier_id, "A-1", packs, {"S": 6}))

    await pack(SSCC, 4)
    await pack(SSCC, 4)
    with pytest.raises(QuantityExceeded):
        await pack(OTHER_SSCC, 3)
    await pack(OTHER_SSCC, 2)
    await world.do(lambda uow: withdraw_ship_notice(uow, supplier_id, "A-1", "2"))
    assert await world.value("select count(*) from ship_notice_pack") == 0


async def test_a_day_that_has_passed_is_a_slip_of_the_hand(world, portal):
    number = await bought(world, "S")
    supplier, before = await portal.supplier(), await rows_of(world, "S", number)
    line = {"lineNumber": 1, "accepted": [{"quantity": 10, "date": day(-2).isoformat()}]}
    answers = [
        await portal.change(supplier, "purchaseOrderAcknowledge", {"number": number, "lines": [line]}, "__typename"),
        await portal.change(
            supplier,
            "purchaseOrderReschedule",
            {"number": number, "lines": [{"lineNumber": 1, "schedules": line["accepted"]}]},
            "__typename",
        ),
    ]
    assert [[e["code"] for e in answer["userErrors"]] for answer in answers] == [["DATE_IN_PAST"]] * 2
    assert await rows_of(world, "S", number) == before
    line["accepted"][0]["date"] = day(-1).isoformat()  # still today somewhere
    told = await portal.change(supplier, "purchaseOrderAcknowledge", {"number": number, "lines": [line]}, "__typename")
    assert told["userErrors"] == []


THREAD = """query ($n: String!) { purchaseOrder(number: $n) { messages { body isFromSupplier } deadlines { kind state chaseNote
    ordersWaiting } } supplierRequests(first: 5) { nodes { number state sku { code } purchaseOrder { number } } }
    supplierDeadlines(first: 5, filter: {state: [BREACHED]}) { nodes { purchaseOrder { number } chasedBy } } }"""


async def test_each_side_sees_its_threads_requests_and_deadlines_and_no_stranger_does(world, portal):
    number = await bought(world, "S")
    supplier, stranger = await portal.supplier(), await portal.supplier("SUP2")
    planner = portal.caller(Role.PLANNER)
    for caller, body in ((planner, "Sooner?"), (supplier, " We try. ")):
        posted = await portal.change(
            caller, "purchaseOrderMessagePost", {"number": number, "body": body}, "purchaseOrder { number }"
        )
        assert posted["userErrors"] == []
    wanted = {
        "supplier": "SUP",
        "kind": "EXPEDITE",
        "sku": "S",
        "quantity": 5,
        "needDate": day(3).isoformat(),
        "purchaseOrder": number,
    }
    made = await portal.change(planner, "supplierRequestCreate", wanted, "request { number state }")
    request = made["request"]["number"]
    for caller, name, input in (
        (stranger, "purchaseOrderMessagePost", {"number": number, "body": "hello"}),
        (stranger, "supplierRequestAnswer", {"number": request, "quantity": 5, "date": day(3).isoformat()}),
        (stranger, "purchaseOrderReschedule", {"number": number, "lines": []}),
        (supplier, "supplierStockReport", {"supplier": "SUP2", "lines": []}),
    ):
        want = {"supplierRequestAnswer": "request { number }", "supplierStockReport": "supplier { code }"}.get(
            name, "purchaseOrder { number }"
        )
        refused = await portal.change(caller, name, input, want)
        assert [e["code"] for e in refused["userErrors"]] == ["NOT_FOUND"], name
    answered = await portal.change(
        supplier,
        "supplierRequestAnswer",
        {"number": request, "quantity": 3, "date": day(4).isoformat()},
        "request { state answerQuantity }",
    )
    assert answered["request"] == {"state": "ANSWERED", "answerQuantity": 3}
    world.clock.at += 49 * HOUR
    await world.do(run_supplier_deadlines)
    await portal.change(
        planner,
        "supplierDeadlineChase",
        {"number": number, "kind": "ACKNOWLEDGEMENT", "note": "called"},
        "purchaseOrder { number }",
    )
    messages = [{"body": "Sooner?", "isFromSupplier": False}, {"body": "We try.", "isFromSupplier": True}]
    for caller, note in ((planner, "called"), (supplier, "")):
        seen = await portal.ask(caller, THREAD, n=number)
        assert seen["purchaseOrder"] == {
            "messages": messages,
            "deadlines": [{"kind": "ACKNOWLEDGEMENT", "state": "BREACHED", "chaseNote": note, "ordersWaiting": 1}],
        }
        assert seen["supplierRequests"]["nodes"] == [
            {"number": request, "state": "ANSWERED", "sku": {"code": "S"}, "purchaseOrder": {"number": number}}
        ]
        assert [n["purchaseOrder"]["number"] for n in seen["supplierDeadlines"]["nodes"]] == [number]
    seen = await portal.ask(stranger, THREAD, n=number)
    assert seen == {"purchaseOrder": None, "supplierRequests": {"nodes": []}, "supplierDeadlines": {"nodes": []}}
    risk = await portal.ask(
        planner, "{ backorders(first: 5) { nodes { supplyRisks { kind state quantity confidence cases } } } }"
    )
    assert risk["backorders"]["nodes"][0]["supplyRisks"] == [
        {"kind": "ACKNOWLEDGEMENT", "state": "BREACHED", "quantity": 10, "confidence": 0.5, "cases": 0}
    ]


async def test_the_wall_in_the_database_hides_foreign_rows_of_every_table(world, portal):
    number, supplier = await bought(world, "S"), await portal.supplier()
    await portal.change(
        supplier, "purchaseOrderMessagePost", {"number": number, "body": "x"}, "purchaseOrder { number }"
    )
    await portal.change(supplier, "supplierStockReport", {"lines": [{"sku": "S", "available": 9}]}, "supplier { code }")
    notice = {
        "number": "A-1",
        "shippedOn": day(9).isoformat(),
        "lines": [{"purchaseOrderNumber": number, "lineNumber": 1, "sku": "S", "quantity": 6}],
        "packs": [{"sscc": SSCC}],
    }
    await portal.change(supplier, "shipNoticeSubmit", notice, "shipNotice { number }")
    planner = portal.caller(Role.PLANNER)
    asked = {"supplier": "SUP", "kind": "STOCK", "sku": "S", "quantity": 5, "needDate": day(3).isoformat()}
    await portal.change(planner, "supplierRequestCreate", asked, "request { number }")
    terms = {"supplier": "SUP", "sku": "S", "priceBreaks": [{"fromQuantity": 50, "priceMinor": 600}], "expediteDays": 3}
    assert (await portal.change(planner, "supplierTermsSet", terms, "supplier { code }"))["userErrors"] == []
    await world.do(run_supplier_deadlines)
    tables = (
        "purchase_line_history",
        "ship_notice_pack",
        "supplier_stock_report",
        "purchase_order_message",
        "supplier_request",
        "supplier_deadline",
        "supplier_price_break",
    )
    for code, expected in (("SUP", 1), ("SUP2", 0)):
        async with (await portal.supplier(code)).read() as sql:
            counts = {table: await sql.fetchval(f"select count(*) from {table}") for table in tables}
        assert counts == dict.fromkeys(tables, expected)


RECORD = """{ viewer { supplier { code scorecard(windowDays: 60, asOf: "2026-12-10") { onTime { value count } quality { count }
    leadTimeDays { p50 count } leadTimeDistribution { days receipts } unacknowledgedLines statedDates { biasDays } }
    scorecardsBySku(asOf: "2026-12-10") { sku { code } onTime { count } }
    offers { sku { code } leadTimeP80 observedCount priceBreaks { fromQuantity price { amountMinor } } }
    stockHints { sku { code } available capacityPerWeek }
    expectedPurchases(weeks: 2) { sku { code } proposed expected { weekOf quantity } } } } }"""


async def test_a_supplier_reads_its_own_record_offers_hints_and_what_we_expect_to_buy(world, portal):
    number, supplier = await bought(world, "S"), await portal.supplier()
    await world.database.system.execute("update sku set reorder_point = 3, reorder_quantity = 20 where code = 'S3'")
    hint = {"lines": [{"sku": "S", "available": 9, "capacityPerWeek": 70}]}
    assert (await portal.change(supplier, "supplierStockReport", hint, "supplier { code }"))["userErrors"] == []
    stale = {**hint, "asOf": "2026-10-01T00:00:00+00:00", "lines": [{"sku": "S", "available": 1}]}
    assert (await portal.change(supplier, "supplierStockReport", stale, "supplier { code }"))["userErrors"] == []
    said = {"number": number, "lines": [{"lineNumber": 1, "accepted": [{"quantity": 10, "date": day(14).isoformat()}]}]}
    assert (await portal.change(supplier, "purchaseOrderAcknowledge", said, "purchaseOrder { id }"))["userErrors"] == []
    world.clock.at += timedelta(days=9)
    warehouse = portal.caller(Role.WAREHOUSE)
    arrived = {"reference": number, "location": "A", "lines": [{"sku": "S", "quantity": 10, "damaged": 1}]}
    assert (await portal.change(warehouse, "goodsReceive", arrived, "receipt { number }"))["userErrors"] == []
    seen = (await portal.ask(supplier, RECORD))["viewer"]["supplier"]
    assert seen["scorecard"] == {
        "onTime": {"value": 1.0, "count": 1},
        "quality": {"count": 10},
        "leadTimeDays": {"p50": 9.0, "count": 1},
        "leadTimeDistribution": [{"days": 9, "receipts": 1}],
        "unacknowledgedLines": 0,
        "statedDates": {"biasDays": -5.0},
    }
    assert seen["scorecardsBySku"] == [{"sku": {"code": "S"}, "onTime": {"count": 1}}]
    assert [o["leadTimeP80"] for o in seen["offers"]] == [14, 14, 14]
    assert seen["stockHints"] == [{"sku": {"code": "S"}, "available": 9, "capacityPerWeek": 70}]
    assert [e for e in seen["expectedPurchases"] if e["sku"]["code"] == "S3"] == [
        {"sku": {"code": "S3"}, "proposed": 0, "expected": [{"weekOf": "2026-11-11", "quantity": 20}]}
    ]
    other = await portal.ask(await portal.supplier("SUP2"), '{ supplier(code: "SUP") { code } }')
    assert other == {"supplier": None}


CHOICE = """{ sourcingOptions(sku: "S", quantity: 20, needDate: "2026-11-06") { reason total { amountMinor } saves { amountMinor }
    plan { supplier { code } quantity isExpedited unitPrice { amountMinor } fee { amountMinor } }
    options { supplier { code } isExpedited isChosen mostUnits prices { fromQuantity } alone { total { amountMinor } } } }
    singleSources(first: 5) { nodes { sku { code } supplier { code } approvedSources } }
    inboundPriority(location: "A", days: 20) { purchaseOrder { number } unitsWaiting ordersWaiting } }"""


async def test_a_planner_compares_sources_buys_in_one_call_and_sees_what_to_unload_first(world, portal):
    numbers = [await bought(world, "S2"), await bought(world, "S")]
    await world.place(world.order(("S", 3)))
    planner = portal.caller(Role.PLANNER)
    await world.database.system.execute(
        """insert into supplier_sku (supplier_id, sku_id, price, currency, lead_time_days, lead_time_p80)
        select p.id, k.id, 650, 'KRW', 15, 20 from supplier p, sku k where p.code = 'SUP2' and k.code = 'S'"""
    )
    terms = {"supplier": "SUP2", "sku": "S", "expediteDays": 3, "expediteFeeMinor": 1000, "expediteUnitFeeMinor": 50}
    assert (await portal.change(planner, "supplierTermsSet", terms, "supplier { code }"))["userErrors"] == []
    seen = await portal.ask(planner, CHOICE)
    choice = seen["sourcingOptions"]
    assert choice["reason"] == "LESS_LATE"
    assert choice["plan"] == [
        {
            "supplier": {"code": "SUP2"},
            "quantity": 20,
            "isExpedited": True,
            "unitPrice": {"amountMinor": 700},
            "fee": {"amountMinor": 1000},
        }
    ]
    assert [(o["supplier"]["code"], o["isExpedited"], o["isChosen"]) for o in choice["options"]] == [
        ("SUP", False, False),
        ("SUP2", False, False),
        ("SUP2", True, True),
    ]
    cheapest = min(o["alone"]["total"]["amountMinor"] for o in choice["options"] if not o["isChosen"])
    assert choice["saves"]["amountMinor"] == pytest.approx(cheapest - choice["total"]["amountMinor"], abs=1)
    assert [n["sku"]["code"] for n in seen["singleSources"]["nodes"]] == ["S2", "S3"]
    assert [n["purchaseOrder"]["number"] for n in seen["inboundPriority"]] == numbers
    wanted = {"sku": "S", "location": "A", "quantity": 20, "needDate": "2026-11-06"}
    done = await portal.change(
        planner, "emergencyPurchase", wanted, "purchaseOrders { status supplier { code } } choice { reason }"
    )
    assert done == {
        "purchaseOrders": [{"status": "APPROVED", "supplier": {"code": "SUP2"}}],
        "choice": {"reason": "LESS_LATE"},
        "userErrors": [],
    }
