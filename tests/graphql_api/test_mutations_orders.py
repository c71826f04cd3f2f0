"""Mutations through the schema: idempotent, typed refusals that change nothing, own objects only, read after the commit."""

import asyncio

import pytest

from api.schema.errors import MAX_USER_ERRORS
from core.domain.access import Role
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

NEW = {
    "channel": "web",
    "externalNumber": "W-1",
    "customer": {"code": "MINSEO"},
    "shipTo": {"country": "KR", "postalCode": "04524", "name": "A", "line1": "B", "city": "C"},
    "lines": [{"sku": "MUG-BLUE", "quantity": 2}],
}
PLACED = "order { number version lines { lineNumber allocated } }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def count(shop: Shop, table: str) -> int:
    return await shop.database.system.fetchval(f"select count(*) from {table}")


async def test_a_repeat_is_answered_under_its_own_selection_and_not_done_again(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    first = await shop.change(storefront, "orderPlace", NEW, PLACED, key="k")
    again = await shop.change(storefront, "orderPlace", NEW, "order { number channel status }", key="k")
    assert first["userErrors"] == again["userErrors"] == []
    assert again["order"] == {"number": first["order"]["number"], "channel": "web", "status": "ALLOCATED"}
    assert await count(shop, "sales_order") == 1


async def test_parallel_repeats_place_one_order(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    answers = await asyncio.gather(*(shop.change(storefront, "orderPlace", NEW, PLACED, key="k") for _ in range(4)))
    placed = {answer["order"]["number"] for answer in answers if answer["order"]}
    assert len(placed) == 1
    assert {e["code"] for answer in answers for e in answer["userErrors"]} <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert await count(shop, "sales_order") == 1


async def test_refusals_are_typed_and_change_nothing(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    await shop.change(storefront, "orderPlace", NEW, PLACED, key="k")
    before = await count(shop, "outbox"), await count(shop, "idempotency")

    async def refused(input, key):
        answer = await shop.change(storefront, "orderPlace", input, PLACED, key=key)
        assert answer["order"] is None
        return [(e["__typename"], e["code"], e["path"]) for e in answer["userErrors"]]

    more = {**NEW, "lines": [{"sku": "MUG-BLUE", "quantity": 3}]}
    assert await refused(more, "k") == [("IdempotencyMismatch", "IDEMPOTENCY_MISMATCH", ["idempotencyKey"])]
    assert await refused(NEW, "other") == [("DuplicateOrder", "DUPLICATE_ORDER", ["input", "externalNumber"])]
    bad = {
        **NEW,
        "externalNumber": "W-2",
        "lines": [{"sku": "NOPE", "quantity": 1}, {"sku": "MUG-BLUE", "quantity": 0}],
    }
    assert sorted(await refused(bad, "bad")) == [
        ("InvalidInput", "INVALID_INPUT", ["input", "lines", "1", "quantity"]),
        ("UnknownSku", "UNKNOWN_SKU", ["input", "lines", "0", "sku"]),
    ]
    assert await refused({**NEW, "channel": "nope", "externalNumber": "W-3"}, "c") == [
        ("InvalidInput", "INVALID_INPUT", ["input", "channel"])
    ]
    assert (await count(shop, "outbox"), await count(shop, "idempotency")) == before
    assert await count(shop, "sales_order") == 1


async def test_a_duplicate_names_the_existing_order(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    placed = await shop.change(storefront, "orderPlace", NEW, PLACED)
    document = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input, idempotencyKey: "x") {
        userErrors { ... on DuplicateOrder { orderNumber channel externalNumber order { number } } } } }"""
    answer = await shop.ask(storefront, document, input=NEW)
    number = placed["order"]["number"]
    assert answer["orderPlace"]["userErrors"] == [
        {"orderNumber": number, "channel": "web", "externalNumber": "W-1", "order": {"number": number}}
    ]


async def test_a_customer_orders_for_itself_and_cancels_only_its_own(shop: Shop):
    customer = await shop.customer("MINSEO")
    mine = await shop.change(customer, "orderPlace", {**NEW, "customer": None}, "order { number customer { code } }")
    assert mine["order"]["customer"] == {"code": "MINSEO"}
    for named in ({"code": "BAKER"}, {"code": "NOPE"}):
        other = await shop.change(customer, "orderPlace", {**NEW, "customer": named}, PLACED)
        assert (other["order"], [e["code"] for e in other["userErrors"]]) == (None, ["NOT_FOUND"])
    baker = (await shop.place("BAKER", ("MUG-BLUE", 1), country="GB"))["order"]
    refused = await shop.change(customer, "orderCancel", {"number": baker["number"]}, "order { number }")
    assert (refused["order"], [e["code"] for e in refused["userErrors"]]) == (None, ["NOT_FOUND"])
    done = await shop.change(
        customer, "orderCancel", {"number": mine["order"]["number"], "reason": "mistake"}, "order { status }"
    )
    assert done == {"order": {"status": "CANCELLED"}, "userErrors": []}
    planner = shop.context(Role.PLANNER)
    seen = await shop.ask(planner, "query ($n: String!) { order(number: $n) { status } }", n=baker["number"])
    assert seen == {"order": {"status": "ALLOCATED"}}


async def test_hold_release_and_a_version_conflict(shop: Shop):
    planner = shop.context(Role.PLANNER)
    order = (await shop.place("MINSEO", ("MUG-BLUE", 1)))["order"]
    held = await shop.change(
        planner,
        "orderHold",
        {"number": order["number"], "reason": "FRAUD"},
        "order { onHold version holds { reason onDeadline } }",
    )
    assert held["userErrors"] == []
    assert held["order"]["onHold"] is True
    assert held["order"]["holds"] == [{"reason": "FRAUD", "onDeadline": "RELEASE"}]
    conflict = await shop.change(
        planner, "orderCancel", {"number": order["number"], "expectedVersion": order["version"]}, "order { number }"
    )
    assert [(e["__typename"], e["code"]) for e in conflict["userErrors"]] == [("VersionConflict", "VERSION_CONFLICT")]
    free = await shop.change(planner, "orderHoldRelease", {"number": order["number"]}, "order { onHold status }")
    assert free == {"order": {"onHold": False, "status": "ALLOCATED"}, "userErrors": []}


async def test_a_line_takes_another_quantity(shop: Shop):
    order = (await shop.place("MINSEO", ("MUG-BLUE", 1)))["order"]
    changed = await shop.change(
        shop.context(Role.PLANNER),
        "orderLineChange",
        {"number": order["number"], "lineNumber": 1, "quantity": 3},
        "order { version lines { ordered allocated promise { complete } } }",
    )
    assert changed["userErrors"] == []
    (line,) = changed["order"]["lines"]
    assert (line["ordered"], line["allocated"]) == (3, 3)
    assert changed["order"]["version"] > order["version"]


async def test_backorder_rank_and_cancel(shop: Shop):
    placed = await shop.place("MINSEO", ("KETTLE-17", 17))
    id = placed["backorders"][0]["id"]
    planner = shop.context(Role.PLANNER)
    ranked = await shop.change(
        planner,
        "backorderReprioritize",
        {"id": id, "score": 9_000_000, "reason": "VIP guest"},
        "backorder { priority { score isManual reason } }",
    )
    assert ranked["userErrors"] == []
    assert ranked["backorder"]["priority"]["score"] == 9_000_000
    refused = await shop.change(await shop.customer("BAKER"), "backorderCancel", {"id": id}, "backorder { id }")
    assert [e["code"] for e in refused["userErrors"]] == ["NOT_FOUND"]
    gone = await shop.change(
        await shop.customer("MINSEO"),
        "backorderCancel",
        {"id": id},
        "backorder { state quantity orderLine { allocated backordered cancelled } }",
    )
    assert gone["userErrors"] == []
    assert (gone["backorder"]["state"], gone["backorder"]["quantity"]) == ("CANCELLED", 0)
    assert gone["backorder"]["orderLine"]["backordered"] == 0


async def test_a_reservation_is_held_extended_and_used_by_its_order(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    want = "reservation { id isLive expiresAt items { quantity sku { code } } }"
    held = await shop.change(
        storefront, "reservationCreate", {"items": [{"sku": "TEAPOT-1L", "quantity": 5, "location": "DC-ICN"}]}, want
    )
    assert held["userErrors"] == []
    assert held["reservation"]["isLive"] is True
    assert held["reservation"]["items"] == [{"quantity": 5, "sku": {"code": "TEAPOT-1L"}}]
    id = held["reservation"]["id"]
    longer = await shop.change(storefront, "reservationExtend", {"id": id, "ttlSeconds": 1200}, want)
    assert longer["userErrors"] == []
    rival = await shop.change(storefront, "reservationCreate", {"items": [{"sku": "TEAPOT-1L", "quantity": 10}]}, want)
    assert [(e["__typename"]) for e in rival["userErrors"]] == ["InsufficientStock"]
    mine = (await shop.place("MINSEO", ("TEAPOT-1L", 5), reservationId=id))["order"]
    assert mine["lines"][0]["allocated"] == 5
    late = await shop.change(storefront, "reservationRelease", {"id": id}, want)
    assert [e["__typename"] for e in late["userErrors"]] == ["IllegalTransition"]


async def test_messages_speak_the_callers_language(shop: Shop):
    korean = shop.context(Role.PLANNER, language="ko")
    answer = await shop.change(korean, "orderCancel", {"number": "SO404"}, "order { number }")
    assert answer["userErrors"][0]["message"] == "볼 수 있는 order SO404이(가) 없습니다."


async def test_a_number_taken_by_another_customer_says_nothing_of_its_order(shop: Shop):
    order = (await shop.place("MINSEO", ("MUG-BLUE", 1), externalNumber="WEB-77"))["order"]
    wanted = {
        "channel": "web",
        "externalNumber": "WEB-77",
        "shipTo": {"country": "KR", "postalCode": "04524", "name": "A", "line1": "B", "city": "C"},
        "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
    }
    want = "order { number }"
    mine = await shop.change(await shop.customer("MINSEO"), "orderPlace", wanted, want)
    assert [e["code"] for e in mine["userErrors"]] == ["DUPLICATE_ORDER"]
    other = await shop.change(await shop.customer("BAKER"), "orderPlace", wanted, want)
    assert [(e["code"], e["path"]) for e in other["userErrors"]] == [("INVALID_INPUT", ["input", "externalNumber"])]
    assert order["number"] not in str(other)


async def test_an_answer_tells_the_first_refusals_only(shop: Shop):
    lines = [{"sku": f"NO-{number}", "quantity": 1} for number in range(MAX_USER_ERRORS + 50)]
    refused = await shop.change(shop.context(Role.STOREFRONT), "orderPlace", {**NEW, "lines": lines}, "order { id }")
    assert refused["order"] is None
    assert len(refused["userErrors"]) == MAX_USER_ERRORS


async def test_who_orders_is_said_or_left_out_and_never_somebody_else(shop: Shop):
    storefront, customer = shop.context(Role.STOREFRONT), await shop.customer("MINSEO")
    sql = shop.database.system
    emails = dict(
        await sql.fetch("select c.code, p.email from customer c join customer_person p on p.customer_id = c.id")
    )
    nobody = await shop.change(storefront, "orderPlace", {**NEW, "customer": {}}, PLACED)
    (error,) = nobody["userErrors"]
    assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", "customer"])
    other = await shop.change(customer, "orderPlace", {**NEW, "customer": {"email": emails["BAKER"]}}, PLACED)
    assert [(e["code"], e["path"]) for e in other["userErrors"]] == [("NOT_FOUND", ["input", "customer", "email"])]
    assert await count(shop, "sales_order") == 0
    own = await shop.change(customer, "orderPlace", {**NEW, "customer": {"email": emails["MINSEO"]}}, PLACED)
    assert own["userErrors"] == []
