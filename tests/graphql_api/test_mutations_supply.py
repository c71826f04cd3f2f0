"""Purchasing, receiving, stock and partner documents through the schema."""

import asyncio

import pytest

from api.pagination import encode_id
from core.database import Database
from core.domain.access import Role
from core.settings import Settings
from migrations.demo_data import seed
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

STOCK = "stock { onHand unsellable allocated version sku { code } location { code } }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_stock_is_adjusted_counted_and_moved(shop: Shop):
    warehouse = shop.context(Role.WAREHOUSE)
    place = {"sku": "TEAPOT-1L", "location": "DC-ICN"}
    adjusted = await shop.change(warehouse, "stockAdjust", {**place, "delta": 4, "reason": "found"}, STOCK)
    assert adjusted["userErrors"] == []
    assert (adjusted["stock"]["onHand"], adjusted["stock"]["sku"]) == (9, {"code": "TEAPOT-1L"})
    counted = await shop.change(warehouse, "stockCount", {**place, "counted": 7}, STOCK)
    assert counted["stock"]["onHand"] == 7
    early = {"counted": 5, "countedAt": "2026-01-01T00:00:00Z"}  # before anything came
    assert (await shop.change(warehouse, "stockCount", {**place, **early}, STOCK))["stock"]["onHand"] == 14
    again = await shop.change(warehouse, "stockCount", {**place, "counted": 7}, STOCK)
    assert again["stock"]["onHand"] == 7
    assert int(counted["stock"]["version"]) > int(adjusted["stock"]["version"])
    moved = await shop.change(
        warehouse,
        "stockTransfer",
        {"sku": "MUG-BLUE", "fromLocation": "RES-BUSAN", "toLocation": "DC-ICN", "quantity": 30},
        "transfer { id quantity state fromLocation { code } toLocation { code } }",
    )
    assert moved["userErrors"] == []
    assert (moved["transfer"]["quantity"], moved["transfer"]["state"]) == (30, "PLANNED")
    found = await shop.ask(warehouse, "query ($id: ID!) { node(id: $id) { id } }", id=moved["transfer"]["id"])
    assert found == {"node": {"id": moved["transfer"]["id"]}}
    transfer = moved["transfer"]["id"]
    arrives = {
        "reference": transfer,
        "kind": "TRANSFER",
        "location": "DC-ICN",
        "lines": [{"sku": "MUG-BLUE", "quantity": 30}],
    }
    early = await shop.change(warehouse, "goodsReceive", arrives, "receipt { number }")
    assert [e["code"] for e in early["userErrors"]] == ["ILLEGAL_TRANSITION"]
    sent = await shop.change(warehouse, "stockTransferShip", {"id": transfer}, "transfer { id state shipped }")
    assert sent == {"transfer": {"id": transfer, "state": "IN_TRANSIT", "shipped": 30}, "userErrors": []}
    again = await shop.change(warehouse, "stockTransferShip", {"id": transfer}, "transfer { id }")
    assert [e["code"] for e in again["userErrors"]] == ["ILLEGAL_TRANSITION"]
    arrived = await shop.change(warehouse, "goodsReceive", arrives, "receipt { lines { quantity } }")
    assert arrived == {"receipt": {"lines": [{"quantity": 30}]}, "userErrors": []}
    too_much = await shop.change(
        warehouse,
        "stockTransfer",
        {"sku": "MUG-BLUE", "fromLocation": "RES-BUSAN", "toLocation": "DC-ICN", "quantity": 500},
        "transfer { id }",
    )
    assert [(e["__typename"]) for e in too_much["userErrors"]] == ["InsufficientStock"]


async def test_a_purchase_order_from_creation_to_receipt(shop: Shop):
    planner = shop.context(Role.PLANNER)
    want = (
        "purchaseOrder { number status version lines { lineNumber ordered confirmed inTransit received unanswered } }"
    )
    created = await shop.change(
        planner,
        "purchaseOrderCreate",
        {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]},
        want,
    )
    assert created["userErrors"] == []
    number = created["purchaseOrder"]["number"]
    if created["purchaseOrder"]["status"] == "AWAITING_APPROVAL":
        approved = await shop.change(planner, "purchaseOrderApprove", {"number": number}, want)
        assert approved["userErrors"] == []
    await shop.database.system.execute(
        "update purchase_order set status = 'SENT', sent_at = now() where number = $1", number
    )
    answer = {
        "number": number,
        "lines": [{"lineNumber": 1, "accepted": [{"quantity": 10, "date": "2026-12-10"}]}],
    }
    stranger = await shop.change(await shop.supplier("CLAYHOUSE"), "purchaseOrderAcknowledge", answer, want)
    assert [e["code"] for e in stranger["userErrors"]] == ["NOT_FOUND"]
    supplier = await shop.supplier("BRIGHTWORKS")
    answered = await shop.change(supplier, "purchaseOrderAcknowledge", answer, want)
    assert answered["userErrors"] == []
    assert answered["purchaseOrder"]["status"] == "ACKNOWLEDGED"
    assert answered["purchaseOrder"]["lines"][0]["confirmed"] == 10
    noticed = await shop.change(
        supplier,
        "shipNoticeSubmit",
        {
            "number": "ASN-1",
            "shippedOn": "2026-11-18",
            "expectedDate": "2026-12-08",
            "carrier": "KX",
            "trackingNumber": "T1",
            "lines": [{"purchaseOrderNumber": number, "lineNumber": 1, "sku": "KETTLE-17", "quantity": 10}],
        },
        "shipNotice { number expectedDate trackingNumber }",
    )
    assert noticed == {
        "shipNotice": {"number": "ASN-1", "expectedDate": "2026-12-08", "trackingNumber": "T1"},
        "userErrors": [],
    }
    received = await shop.change(
        shop.context(Role.WAREHOUSE),
        "goodsReceive",
        {"reference": number, "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]},
        "receipt { number lines { quantity damaged overDelivered sku { code } } }",
    )
    assert received["userErrors"] == []
    assert received["receipt"]["lines"] == [
        {"quantity": 10, "damaged": 0, "overDelivered": 0, "sku": {"code": "KETTLE-17"}}
    ]


async def test_a_supplier_hands_in_files_of_its_own_partner_only(shop: Shop):
    supplier = await shop.supplier("BRIGHTWORKS")
    want = "document { id } documents { id }"
    stored = await shop.change(supplier, "ediDocumentSubmit", {"partner": "brightworks", "content": "ISA*00*"}, want)
    assert stored == {"document": None, "documents": [], "userErrors": []}
    assert await shop.database.system.fetchval("select count(*) from edi_raw") == 1
    other = await shop.change(supplier, "ediDocumentSubmit", {"partner": "clayhouse", "content": "ISA*01*"}, want)
    assert [e["code"] for e in other["userErrors"]] == ["NOT_FOUND"]
    assert await shop.database.system.fetchval("select count(*) from edi_raw") == 1


async def test_a_document_in_quarantine_is_replayed_and_another_is_not(shop: Shop):
    planner, sql = shop.context(Role.PLANNER), shop.database.system
    raw = await sql.fetchval(
        "insert into edi_raw (sha256, bytes, received_at) values ('\\x01', '\\x02', now()) returning id"
    )
    partner = await sql.fetchrow("select id, supplier_id from partner where code = 'brightworks'")
    group = await sql.fetchval(
        """insert into edi_group (raw_id, position, partner_id, group_control, functional_id, sets)
        values ($1, 0, $2, '1', 'PR', 1) returning id""",
        raw,
        partner["id"],
    )
    await sql.execute(
        """insert into edi_document (raw_id, group_id, position, partner_id, supplier_id, standard, kind, identity,
            delivery, validation, acknowledgement, quarantine_state, faults)
        values ($1, $2, 0, $3, $4, 'X12', '855', 'i', 'quarantined', 'valid', 'pending', 'new', $5)""",
        raw,
        group,
        partner["id"],
        partner["supplier_id"],
        [{"segment": "ACK", "segmentNumber": 7, "element": "01", "code": "sum", "message": "9 of 10"}],
    )
    listed = await shop.ask(
        await shop.supplier("BRIGHTWORKS"),
        """{ ediDocuments(first: 5, filter: { quarantineState: [NEW] }) { nodes { id kind delivery partner
            faults { segment position element code reason } } } }""",
    )
    (document,) = listed["ediDocuments"]["nodes"]
    assert (document["kind"], document["delivery"], document["partner"]) == ("855", "QUARANTINED", "brightworks")
    assert document["faults"] == [
        {"segment": "ACK", "position": 7, "element": "01", "code": "sum", "reason": "9 of 10"}
    ]
    hidden = await shop.ask(await shop.supplier("CLAYHOUSE"), "{ ediDocuments(first: 5) { nodes { id } } }")
    assert hidden == {"ediDocuments": {"nodes": []}}
    want = "document { delivery quarantineState }"
    again = await shop.change(planner, "ediDocumentReplay", {"id": document["id"]}, want)
    assert again == {"document": {"delivery": "RECEIVED", "quarantineState": "REPLAYED"}, "userErrors": []}
    assert await sql.fetchval("select job_key from outbox where job = 'ingest_edi_document'") == f"raw:{raw}"
    twice = await shop.change(planner, "ediDocumentReplay", {"id": document["id"]}, want)
    assert [e["__typename"] for e in twice["userErrors"]] == ["IllegalTransition"]


async def test_a_customer_reads_its_notices_and_marks_them(shop: Shop):
    order = (await shop.place("MINSEO", ("MUG-BLUE", 1)))["order"]
    await shop.database.system.execute(
        """insert into notice (customer_id, order_id, template, language, subject, text, state, dedupe_key)
        select customer_id, id, 'order_placed', 'ko', '주문', '감사합니다', 'sent', 'd-1' from sales_order where number = $1""",
        order["number"],
    )
    document = '{ notices(first: 5, filter: { language: "ko" }) { nodes { id subject text state order { number } } } }'
    (notice,) = (await shop.ask(await shop.customer("MINSEO"), document))["notices"]["nodes"]
    assert (notice["subject"], notice["state"], notice["order"]) == ("주문", "SENT", {"number": order["number"]})
    baker = await shop.customer("BAKER")
    assert (await shop.ask(baker, document))["notices"]["nodes"] == []
    refused = await shop.change(baker, "noticeMarkRead", {"id": notice["id"]}, "notice { state }")
    assert [e["code"] for e in refused["userErrors"]] == ["NOT_FOUND"]
    read = await shop.change(await shop.customer("MINSEO"), "noticeMarkRead", {"id": notice["id"]}, "notice { state }")
    assert read == {"notice": {"state": "READ"}, "userErrors": []}


async def test_a_ship_notice_needs_one_connection_only(database_url):
    await seed(database_url, NOW)
    settings = Settings(env="test", database_url=database_url, pool_size=1)
    async with Database(settings) as database, asyncio.timeout(30):
        shop = Shop(database, settings)
        notice = {
            "supplier": "BRIGHTWORKS",
            "number": "ASN-1",
            "shippedOn": "2026-11-18",
            "lines": [{"purchaseOrderNumber": "PO-X", "lineNumber": 1, "sku": "KETTLE-17", "quantity": 1}],
        }
        refused = await shop.change(shop.context(Role.PLANNER), "shipNoticeSubmit", notice, "shipNotice { number }")
        assert [e["code"] for e in refused["userErrors"]] == ["NOT_FOUND"]
        stranger = await shop.change(
            shop.context(Role.PLANNER), "shipNoticeSubmit", notice | {"supplier": "NOBODY"}, "shipNotice { number }"
        )
        assert [e["path"] for e in stranger["userErrors"]] == [["input", "supplier"]]


async def test_what_does_not_exist_is_named_by_its_field(shop: Shop):
    planner = shop.context(Role.PLANNER)
    lane = {"fromLocation": "DC-ICN", "toLocation": "RES-BUSAN"}
    move = {**lane, "sku": "MUG-BLUE", "quantity": 1}
    goods = {"reference": "NONE", "location": "DC-ICN", "lines": [{"sku": "MUG-BLUE", "quantity": 1}]}
    for name, given, field, selection in (
        ("laneSet", {**lane, "fromLocation": "NONE", "transitDays": 1}, "fromLocation", "lane { transitDays }"),
        ("laneSet", {**lane, "toLocation": "NONE", "transitDays": 1}, "toLocation", "lane { transitDays }"),
        ("stockTransfer", {**move, "toLocation": "NONE"}, "toLocation", "transfer { id }"),
        ("stockTransfer", {**move, "sku": "NONE"}, "sku", "transfer { id }"),
        ("quotaSet", {"sku": "NONE", "period": "WEEK", "fromDay": "2026-11-18"}, "sku", "sku { code }"),
        ("noticeMarkRead", {"id": encode_id("Notice", 999_999)}, "id", "notice { id }"),
        ("goodsReceive", goods, "reference", "receipt { number }"),
        ("goodsReceive", {**goods, "kind": "SHIP_NOTICE"}, "reference", "receipt { number }"),
        ("goodsReceive", {**goods, "kind": "TRANSFER", "reference": "999999"}, "reference", "receipt { number }"),
        ("goodsReceive", {**goods, "location": "NONE"}, "location", "receipt { number }"),
    ):
        role = shop.context(Role.WAREHOUSE) if name in ("goodsReceive", "stockTransfer") else planner
        (error,) = (await shop.change(role, name, given, selection))["userErrors"]
        assert (name, error["path"]) == (name, ["input", field])
        assert error["code"] == ("UNKNOWN_SKU" if field == "sku" else "NOT_FOUND")
