"""Orders, backorders, purchasing and the audit trail as each role sees them, on rows that real orders left."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from api.context import Context
from api.error_handlers import format_errors
from api.operations import schema
from core.domain.access import Role
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

RECEIPTS = "{ scheduledReceipts(first: 100) { nodes { quantity sku { code } } } }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_an_order_shows_promise_pegs_and_backorder(shop: Shop):
    placed = await shop.place("MINSEO", ("KETTLE-17", 17))
    assert placed["userErrors"] == []
    (line,) = placed["order"]["lines"]
    assert (line["ordered"], line["open"], line["allocated"], line["backordered"]) == (17, 0, 8, 9)
    assert line["promise"]["quantity"] == 17
    assert line["promise"]["complete"] is True
    assert line["promise"]["binding"]["kind"] == "LEAD_TIME"
    kinds = [(s["quantity"], s["location"]["code"], s["source"]["kind"]) for s in line["promise"]["slices"]]
    assert kinds == [(8, "DC-ICN", "ON_HAND"), (3, "DC-ICN", "TRANSFER"), (6, "DC-ICN", "LEAD_TIME")]
    assert line["promise"]["slices"][0]["shipDate"] == {
        "promised": "2026-11-18",
        "basis": "ON_HAND",
        "timezone": "Asia/Seoul",
    }
    assert line["promise"]["slices"][0]["deliveryDate"] == {"promised": "2026-11-19"}
    assert line["promise"]["deliveryDate"]["timezone"] == "Asia/Seoul"
    assert [(p["quantity"], p["firmness"], p["supply"]["kind"]) for p in line["pegs"]] == [
        (8, "HARD", "ON_HAND"),
        (3, "FIRM", "TRANSFER"),
        (6, "OPEN", "LEAD_TIME"),
    ]
    assert line["backorder"]["quantity"] == 9
    assert placed["backorders"] == [{"id": line["backorder"]["id"], "quantity": 9, "state": line["backorder"]["state"]}]
    assert [record["reason"] for record in line["promiseHistory"]] == ["PLACED"]


async def test_a_customer_sees_only_its_own_orders(shop: Shop):
    mine = (await shop.place("MINSEO", ("MUG-BLUE", 1)))["order"]
    other = (await shop.place("BAKER", ("MUG-BLUE", 2), country="GB"))["order"]
    customer = await shop.customer("MINSEO")
    document = """query ($number: String!, $id: ID!) { orders(first: 10) { nodes { number customer { code } } }
        order(number: $number) { number } node(id: $id) { id } }"""
    assert await shop.ask(customer, document, number=mine["number"], id=mine["id"]) == {
        "orders": {"nodes": [{"number": mine["number"], "customer": {"code": "MINSEO"}}]},
        "order": {"number": mine["number"]},
        "node": {"id": mine["id"]},
    }
    seen = await shop.ask(customer, document, number=other["number"], id=other["id"])
    assert (seen["order"], seen["node"]) == (None, None)
    line = other["lines"][0]["id"]
    assert await shop.ask(customer, "query ($id: ID!) { node(id: $id) { id } }", id=line) == {"node": None}
    planner = shop.context(Role.PLANNER)
    everybody = await shop.ask(planner, "{ orders(first: 10, orderBy: PLACED_AT_ASC) { nodes { number } } }")
    assert [n["number"] for n in everybody["orders"]["nodes"]] == [mine["number"], other["number"]]


async def test_the_first_wall_holds_without_the_second(shop: Shop):
    """The query itself is scoped, not only row-level security."""
    from core.queries.orders import SORTS, order_by_number, orders_page
    from core.queries.page import Page

    other = (await shop.place("BAKER", ("MUG-BLUE", 2), country="GB"))["order"]
    caller = (await shop.customer("MINSEO")).principal
    async with shop.database.system.acquire() as sql:
        assert await order_by_number(sql, caller, other["number"]) is None
        rows, more = await orders_page(sql, caller, {}, SORTS["PLACED_AT_DESC"], Page(10))
    assert (rows, more) == ([], False)


async def test_a_customer_sees_no_supplier_behind_its_line(shop: Shop):
    await shop.place("MINSEO", ("LAMP-DESK", 20))
    await shop.place("MINSEO", ("LAMP-DESK", 5))
    document = """{ orders(last: 1, orderBy: PLACED_AT_ASC) { nodes { lines {
        pegs { firmness supply { kind purchaseOrderLine { lineNumber } } expected { expected } } } } } }"""
    seen = {}
    for name, context in (("customer", await shop.customer("MINSEO")), ("planner", shop.context(Role.PLANNER))):
        answer = await shop.ask(context, document)
        seen[name] = [p for p in answer["orders"]["nodes"][0]["lines"][0]["pegs"] if p["firmness"] == "FIRM"]
    assert [peg["supply"] for peg in seen["customer"]] == [{"kind": "PURCHASE_ORDER", "purchaseOrderLine": None}]
    assert [peg["supply"] for peg in seen["planner"]] == [
        {"kind": "PURCHASE_ORDER", "purchaseOrderLine": {"lineNumber": 1}}
    ]
    assert seen["customer"][0]["expected"] == seen["planner"][0]["expected"]


async def test_pages_walk_the_whole_list_both_ways_without_gap_or_repeat(shop: Shop):
    numbers = [(await shop.place("MINSEO", ("MUG-BLUE", 1 + n)))["order"]["number"] for n in range(5)]
    planner = shop.context(Role.PLANNER)
    document = """query ($first: Int, $after: String, $last: Int, $before: String) {
        orders(first: $first, after: $after, last: $last, before: $before, orderBy: PLACED_AT_ASC) {
            nodes { number } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    forward, after, flags = [], None, []
    while True:
        page = (await shop.ask(planner, document, first=2, after=after))["orders"]
        forward += [node["number"] for node in page["nodes"]]
        flags.append((page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]))
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forward == numbers
    assert flags == [(False, True), (True, True), (True, False)]
    backward, before = [], None
    while True:
        page = (await shop.ask(planner, document, last=2, before=before))["orders"]
        backward = [node["number"] for node in page["nodes"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == numbers


FILTERS = [
    ({"status": ["ALLOCATED"]}, [0]),
    ({"hasBackorder": True}, [1]),
    ({"hasBackorder": False}, [0, 2]),
    ({"onHold": True}, [2]),
    ({"customer": "BAKER"}, [0]),
    ({"sku": "KETTLE-17"}, [1]),
    ({"externalNumber": "EXT-1"}, [1]),
    ({"channel": "store"}, []),
    ({"placedFrom": "2026-11-18T00:00:00Z", "placedBefore": "2026-11-19T00:00:00Z"}, [0, 1, 2]),
    ({"placedBefore": "2026-11-18T00:00:00Z"}, []),
]


async def test_order_filters(shop: Shop):
    orders = [
        await shop.place("BAKER", ("MUG-BLUE", 1), country="GB"),
        await shop.place("MINSEO", ("KETTLE-17", 17), externalNumber="EXT-1"),
        await shop.place("MINSEO", ("MUG-BLUE", 1), paymentState="PENDING"),
    ]
    numbers = [payload["order"]["number"] for payload in orders]
    document = "query ($f: OrderFilter) { orders(first: 10, filter: $f, orderBy: NUMBER_ASC) { nodes { number } } }"
    for given, expected in FILTERS:
        answer = await shop.ask(shop.context(Role.PLANNER), document, f=given)
        found = [node["number"] for node in answer["orders"]["nodes"]]
        assert (given, found) == (given, [numbers[index] for index in expected])


async def test_backorders_with_line_order_and_priority(shop: Shop):
    placed = await shop.place("MINSEO", ("KETTLE-17", 17))
    answer = await shop.ask(
        await shop.customer("MINSEO"),
        """{ backorders(first: 5, filter: { sku: "KETTLE-17", isOpen: true }, orderBy: EXPECTED_ASC) { nodes { id quantity
            state cause orderLine { order { number } } sku { code name } expected { promised expected timezone basis }
            pegs { firmness } priority { score isManual } options { id } version } } }""",
    )
    (found,) = answer["backorders"]["nodes"]
    assert found["id"] == placed["backorders"][0]["id"]
    assert found["quantity"] == 9
    assert found["orderLine"]["order"]["number"] == placed["order"]["number"]
    assert found["sku"] == {"code": "KETTLE-17", "name": "Electric kettle, 1.7 l"}
    assert sorted(peg["firmness"] for peg in found["pegs"]) == ["FIRM", "OPEN"]
    assert found["expected"]["timezone"] == "Asia/Seoul"
    assert found["options"] == []
    other = await shop.ask(await shop.customer("BAKER"), "{ backorders(first: 5) { nodes { id } } }")
    assert other == {"backorders": {"nodes": []}}


async def test_a_supplier_sees_its_own_purchase_orders_and_who_waits(shop: Shop):
    await shop.place("MINSEO", ("LAMP-DESK", 20))
    await shop.place("MINSEO", ("LAMP-DESK", 5))
    document = """{ purchaseOrders(first: 10) { nodes { number status supplier { code } location { code } documents { kind }
        lines { lineNumber sku { code } ordered confirmed backordered unanswered ordersWaiting price { amountMinor currency }
            schedules { quantity pegged usableDate } } asksOfSupplier { kind lineNumber quantity } } }
        scheduledReceipts(first: 10) { nodes { sku { code } quantity kind purchaseOrderLine { lineNumber } } }
        supplier(code: "CLAYHOUSE") { code } }"""
    seen = await shop.ask(await shop.supplier("BRIGHTWORKS"), document)
    (order,) = seen["purchaseOrders"]["nodes"]
    assert (order["number"], order["supplier"]["code"]) == ("PO-H-0871", "BRIGHTWORKS")
    lamp = next(line for line in order["lines"] if line["sku"]["code"] == "LAMP-DESK")
    assert (lamp["ordered"], lamp["ordersWaiting"]) == (24, 1)
    assert sum(part["quantity"] for part in lamp["schedules"]) == 24
    assert {node["sku"]["code"] for node in seen["scheduledReceipts"]["nodes"]} == {"LAMP-DESK", "TOASTER-2S"}
    assert seen["supplier"] is None
    other = await shop.ask(
        await shop.supplier("BRIGHTWORKS"), 'query { purchaseOrder(number: "PO-H-0872") { number } }'
    )
    assert other == {"purchaseOrder": None}
    all_ = await shop.ask(shop.context(Role.WAREHOUSE), "{ purchaseOrders(first: 10) { nodes { number } } }")
    assert [node["number"] for node in all_["purchaseOrders"]["nodes"]] == ["PO-H-0872", "PO-H-0871"]


async def test_the_catalogue_speaks_the_callers_language(shop: Shop):
    document = '{ sku(code: "MUG-BLUE") { name status lowStockAt } skus(first: 2, filter: { codeStartsWith: "MUG" }) { nodes { code } } }'
    korean = await shop.ask(shop.context(Role.STOREFRONT, language="ko"), document)
    assert korean["sku"]["name"] == "머그잔 파랑 350ml"
    assert [node["code"] for node in korean["skus"]["nodes"]] == ["MUG-BLUE", "MUG-WHITE"]
    assert await shop.ask(shop.context(Role.STOREFRONT), '{ sku(code: "NONE") { name } }') == {"sku": None}


async def test_the_audit_trail_is_for_auditors(shop: Shop):
    placed = await shop.place("MINSEO", ("MUG-BLUE", 1))
    auditor = shop.context(Role.AUDITOR)
    answer = await shop.ask(
        auditor,
        '{ auditEntries(first: 5, filter: { operation: "orderPlace" }) { nodes { id at actor object subject after } } }',
    )
    (entry,) = answer["auditEntries"]["nodes"]
    assert placed["order"]["number"] in entry["after"]
    assert entry["subject"] == f"order {placed['order']['number']}"
    about = "query ($id: ID!) { auditEntries(first: 5, filter: { objectId: $id }) { nodes { operation objectId } } }"
    order = await shop.ask(auditor, "query ($n: String!) { order(number: $n) { id } }", n=placed["order"]["number"])
    found = await shop.ask(auditor, about, id=order["order"]["id"])
    assert found["auditEntries"]["nodes"] == [{"operation": "orderPlace", "objectId": order["order"]["id"]}]
    moved = {"number": placed["order"]["number"], "shipTo": {"country": "GB", "postalCode": "SW1A 1AA"}}
    assert (await shop.change(shop.context(Role.PLANNER), "orderShipToChange", moved, "order { id }"))[
        "userErrors"
    ] == []
    where = '{ auditEntries(first: 5, filter: { operation: "orderShipToChange" }) { nodes { before after } } }'
    (change,) = (await shop.ask(auditor, where))["auditEntries"]["nodes"]
    for told in (json.loads(change["before"]), json.loads(change["after"])):
        code = await shop.database.system.fetchval("select code from location where id = $1", told["destination"])
        assert told == {"destination": told["destination"], "destinationCode": code}
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert await shop.ask(auditor, node, id=entry["id"]) == {"node": {"id": entry["id"]}}
    assert await shop.ask(shop.context(Role.PLANNER), node, id=entry["id"]) == {"node": None}


async def test_the_viewer(shop: Shop):
    document = "{ viewer { id role language customer { code } supplier { code } } }"
    customer = await shop.ask(await shop.customer("BAKER"), document)
    assert (customer["viewer"]["role"], customer["viewer"]["customer"]) == ("CUSTOMER", {"code": "BAKER"})
    supplier = await shop.ask(await shop.supplier("CLAYHOUSE"), document)
    assert (supplier["viewer"]["role"], supplier["viewer"]["supplier"]) == ("SUPPLIER", {"code": "CLAYHOUSE"})


async def test_the_timeline_pages_by_stream_cursors(shop: Shop):
    placed = (await shop.place("MINSEO", ("MUG-BLUE", 1)))["order"]
    async with shop.database.system.acquire() as sql:
        order_id, customer_id = await sql.fetchrow(
            "select id, customer_id from sales_order where number = $1", placed["number"]
        )
        for position, kind in enumerate(("PLACED", "VALIDATED", "ALLOCATED"), start=1):
            await sql.execute(
                """insert into event (position, topic, kind, order_id, customer_id, payload, occurred_at)
                values ($1, 'order', $2, $3, $4, $5, $6)""",
                position,
                kind,
                order_id,
                customer_id,
                {"orderId": order_id, "orderNumber": placed["number"], "status": "VALIDATED", "version": position},
                datetime(2026, 11, 18, tzinfo=UTC),
            )
    document = """query ($number: String!, $after: String) { order(number: $number) { timeline(first: 2, after: $after) {
        nodes { kind version orderNumber order { number } } pageInfo { hasNextPage endCursor } } } }"""
    first = (await shop.ask(await shop.customer("MINSEO"), document, number=placed["number"]))["order"]["timeline"]
    assert [(node["kind"], node["version"]) for node in first["nodes"]] == [("PLACED", 1), ("VALIDATED", 2)]
    assert first["nodes"][0]["order"] == {"number": placed["number"]}
    rest = await shop.ask(
        await shop.customer("MINSEO"), document, number=placed["number"], after=first["pageInfo"]["endCursor"]
    )
    assert [node["kind"] for node in rest["order"]["timeline"]["nodes"]] == ["ALLOCATED"]
    assert rest["order"]["timeline"]["pageInfo"]["hasNextPage"] is False


async def test_bad_pages_cursors_and_ids_are_bad_user_input(shop: Shop):
    for document in (
        "{ orders { nodes { id } } }",
        "{ orders(first: 101) { nodes { id } } }",
        '{ orders(first: 1, after: "nonsense") { nodes { id } } }',
        '{ node(id: "nonsense") { id } }',
    ):
        assert [code for code, _ in await shop.errors(shop.context(Role.PLANNER), document)] == ["BAD_USER_INPUT"]


async def test_fields_of_one_answer_share_their_queries(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    for n in range(6):
        await shop.place("MINSEO", ("MUG-BLUE", 1 + n), ("MUG-WHITE", 1))
    context, sessions = shop.context(Role.PLANNER), 0
    read = Context.read

    def counting(self: Context) -> Any:
        nonlocal sessions
        sessions += 1
        return read(self)

    monkeypatch.setattr(Context, "read", counting)
    await shop.ask(
        context,
        """{ orders(first: 10) { nodes { number customer { code } lines { lineNumber sku { code } promise { quantity }
            promiseHistory { promised } pegs { quantity supply { location { code } } } backorder { id } } } } }""",
    )
    assert sessions <= 8


async def test_a_supplier_sees_nothing_of_an_order_before_it_is_sent(shop: Shop):
    planner, supplier = shop.context(Role.PLANNER), await shop.supplier("BRIGHTWORKS")
    wanted = {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]}
    before = await shop.ask(supplier, RECEIPTS)
    created = await shop.change(planner, "purchaseOrderCreate", wanted, "purchaseOrder { id lines { id } }")
    order, line = created["purchaseOrder"]["id"], created["purchaseOrder"]["lines"][0]["id"]
    for id in (order, line):
        found = await shop.ask(supplier, "query ($id: ID!) { node(id: $id) { id } }", id=id)
        assert found == {"node": None}
        assert await shop.ask(planner, "query ($id: ID!) { node(id: $id) { id } }", id=id) == {"node": {"id": id}}
    assert await shop.ask(supplier, RECEIPTS) == before
    await shop.database.system.execute("update purchase_order set status = 'SENT', sent_at = now()")
    found = await shop.ask(supplier, "query ($id: ID!) { node(id: $id) { id } }", id=line)
    assert found == {"node": {"id": line}}


async def test_the_proof_of_a_cause_names_others_rows_to_planners_only(shop: Shop):
    order = (await shop.place("MINSEO", ("KETTLE-17", 500)))["order"]
    document = "query ($n: String!) { order(number: $n) { lines { backorder { evidence { name value } } } } }"

    async def names(context) -> set[str]:
        found = await shop.ask(context, document, n=order["number"])
        return {fact["name"] for fact in found["order"]["lines"][0]["backorder"]["evidence"]}

    seen = await names(shop.context(Role.PLANNER))
    assert seen > {"shortage", "explained"}
    assert await names(await shop.customer("MINSEO")) == {"shortage", "explained"}


async def test_the_proof_of_a_cause_speaks_of_numbers_and_codes(shop: Shop):
    planner = shop.context(Role.PLANNER)
    await shop.change(
        shop.context(Role.WAREHOUSE),
        "stockAdjust",
        {"sku": "KETTLE-17", "location": "DC-ICN", "delta": -1, "reason": "broken"},
        "stock { onHand }",
    )
    number = (await shop.place("MINSEO", ("KETTLE-17", 500)))["order"]["number"]
    document = "query ($n: String!) { order(number: $n) { lines { backorder { cause evidence { name value } } } } }"

    async def told() -> dict[str, str]:
        found = await shop.ask(planner, document, n=number)
        return {fact["name"]: fact["value"] for fact in found["order"]["lines"][0]["backorder"]["evidence"]}

    (movement,) = json.loads((await told())["stockMovements"])
    assert (movement["location"], movement["delta"], "locationId" in movement) == ("DC-ICN", -1, False)
    assert re.fullmatch(r"adjusted -1 at DC-ICN \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ by \S+", movement["stockMovement"])
    sql = shop.database.system
    sku_id = await sql.fetchval("select id from sku where code = 'KETTLE-17'")
    wanted = {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 24}]}
    created = await shop.change(planner, "purchaseOrderCreate", wanted, "purchaseOrder { number }")
    bought = created["purchaseOrder"]["number"]
    supplies = await sql.fetch("select id from supply where sku_id = $1 order by id", sku_id)
    line_id = await sql.fetchval("select max(id) from purchase_order_line")
    evidence = {
        "orderLines": [await sql.fetchval("select max(id) from order_line")],
        "supplies": [row["id"] for row in supplies],
        "purchaseOrderLines": [{"id": line_id}],
        "skuId": sku_id,
        "unreceived": [{"shipNoticeId": 10**9, "carrierEventId": None}],
    }
    async with sql.acquire() as connection, connection.transaction():
        await connection.execute("update sku_gate set version = version + 1, changed_by = pg_current_xact_id()")
        await connection.execute(
            "update backorder set evidence = $1 where id = (select max(id) from backorder)", evidence
        )
    facts = await told()
    assert json.loads(facts["orderLines"]) == [f"{number}/1"]
    assert facts["sku"] == "KETTLE-17"
    due = r"\d{4}-\d\d-\d\d"
    assert re.fullmatch(
        rf"RES-BUSAN > DC-ICN due {due}, {bought}/1 due {due}", ", ".join(json.loads(facts["supplies"]))
    )
    assert json.loads(facts["purchaseOrderLines"]) == [{"purchaseOrderLine": f"{bought}/1"}]
    assert json.loads(facts["unreceived"]) == [{"shipNotice": None, "carrierEvent": None}]


async def test_what_no_text_column_can_hold_is_bad_user_input(shop: Shop):
    planner = shop.context(Role.PLANNER)
    result = await schema.execute(
        "query ($n: String!) { order(number: $n) { id } }", variable_values={"n": "a\x00b"}, context_value=planner
    )
    (error,) = format_errors(result.errors, "r")
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
