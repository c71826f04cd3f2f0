"""Reservations and the auditor's alarms through the schema, for callers of every role."""

import json
from datetime import timedelta

import pytest

from core.domain.access import Role
from core.services.reconcile_stock import reconcile_stock
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

HELD = """reservation { id kind state isLive holder channel expiresAt canExtendUntil customer { code } order { number }
    items { quantity used needDate sku { code } location { code } } }"""
ONE = "query($id: ID!) { reservation(id: $id) { id state isLive canExtendUntil order { number } items { quantity used } } }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def reserve(shop: Shop, role: Role, sku: str, quantity: int, **more):
    given = {"items": [{"sku": sku, "quantity": quantity}], **more}
    return await shop.change(shop.context(role), "reservationCreate", given, HELD)


async def test_a_reservation_is_read_by_its_id_until_it_is_over(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    made = (await reserve(shop, Role.STOREFRONT, "MUG-BLUE", 3, channel="web", customer="MINSEO"))["reservation"]
    assert (made["kind"], made["state"], made["isLive"], made["channel"]) == ("CART", "HELD", True, "web")
    assert (made["customer"], made["order"]) == ({"code": "MINSEO"}, None)
    (item,) = made["items"]
    assert (item["quantity"], item["used"], item["needDate"], item["sku"]["code"]) == (3, 0, "2026-11-18", "MUG-BLUE")
    read = (await shop.ask(storefront, ONE, id=made["id"]))["reservation"]
    assert (read["state"], read["canExtendUntil"]) == ("HELD", made["canExtendUntil"])
    shop.clock.at += timedelta(seconds=600)
    read = (await shop.ask(storefront, ONE, id=made["id"]))["reservation"]
    assert (read["state"], read["isLive"], read["canExtendUntil"]) == ("EXPIRED", False, None)
    late = await shop.change(storefront, "reservationExtend", {"id": made["id"]}, "reservation { id }")
    assert late["reservation"] is None
    assert [(e["__typename"], e["code"]) for e in late["userErrors"]] == [("ReservationExpired", "RESERVATION_EXPIRED")]
    for unknown in ("x", "11111111-1111-1111-1111-111111111111"):
        assert (await shop.ask(storefront, ONE, id=unknown))["reservation"] is None


async def test_what_an_order_used_stands_on_the_reservation(shop: Shop):
    made = (await reserve(shop, Role.STOREFRONT, "MUG-BLUE", 3))["reservation"]
    placed = await shop.place("MINSEO", ("MUG-BLUE", 2), reservationId=made["id"])
    read = (await shop.ask(shop.context(Role.STOREFRONT), ONE, id=made["id"]))["reservation"]
    assert (read["state"], read["items"]) == ("COMMITTED", [{"quantity": 3, "used": 2}])
    assert read["order"]["number"] == placed["order"]["number"]


async def test_a_customer_may_not_use_another_customers_reservation(shop: Shop):
    made = (await reserve(shop, Role.STOREFRONT, "MUG-BLUE", 3, customer="MINSEO"))["reservation"]
    baker = await shop.customer("BAKER")
    answer = await shop.change(
        baker,
        "orderPlace",
        {
            "channel": "web",
            "shipTo": {"country": "GB", "postalCode": "M1 2AB"},
            "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
            "reservationId": made["id"],
        },
        "order { number }",
    )
    assert answer["order"]["number"]
    assert [error["code"] for error in answer["userErrors"]] == ["RESERVATION_EXPIRED"]
    read = (await shop.ask(shop.context(Role.STOREFRONT), ONE, id=made["id"]))["reservation"]
    assert (read["state"], read["items"]) == ("HELD", [{"quantity": 3, "used": 0}])
    assert await shop.errors(baker, ONE, id=made["id"]) == [("FORBIDDEN", ["reservation"])]


async def test_pools_are_the_planners_and_hidden_from_shops(shop: Shop):
    refused = await reserve(shop, Role.STOREFRONT, "MUG-BLUE", 3, kind="PROMOTION")
    assert refused["reservation"] is None
    assert [error["code"] for error in refused["userErrors"]] == ["FORBIDDEN"]
    pool = (await reserve(shop, Role.PLANNER, "MUG-BLUE", 3, kind="PROMOTION"))["reservation"]
    assert (await shop.ask(shop.context(Role.STOREFRONT), ONE, id=pool["id"]))["reservation"] is None
    assert (await shop.ask(shop.context(Role.AUDITOR), ONE, id=pool["id"]))["reservation"]["isLive"] is True


async def test_staff_list_reservations_newest_first(shop: Shop):
    made = []
    for sku, more in (("MUG-BLUE", {}), ("TEAPOT-1L", {"customer": "MINSEO"}), ("MUG-BLUE", {"kind": "QUOTE"})):
        shop.clock.at += timedelta(seconds=1)
        made.append((await reserve(shop, Role.STOREFRONT, sku, 1, **more))["reservation"]["id"])
    planner = shop.context(Role.PLANNER)
    document = """query($filter: ReservationFilter, $first: Int, $after: String) {
        reservations(filter: $filter, first: $first, after: $after) {
            nodes { id items { sku { code } } } pageInfo { hasNextPage endCursor } } }"""

    async def listed(**given):
        found = (await shop.ask(planner, document, **{"first": 10, **given}))["reservations"]
        return [node["id"] for node in found["nodes"]], found["pageInfo"]

    assert (await listed())[0] == made[::-1]
    page, info = await listed(first=2)
    assert (page, info["hasNextPage"]) == (made[:0:-1], True)
    assert (await listed(first=2, after=info["endCursor"]))[0] == made[:1]
    assert (await listed(filter={"sku": "MUG-BLUE"}))[0] == [made[2], made[0]]
    assert (await listed(filter={"customer": "MINSEO"}))[0] == [made[1]]
    assert (await listed(filter={"kind": "QUOTE"}))[0] == [made[2]]
    shop.clock.at += timedelta(seconds=700)
    assert (await listed(filter={"isLive": True}))[0] == [made[2]]
    assert (await listed(filter={"isLive": False}))[0] == [made[1], made[0]]


async def test_availability_counts_a_hold_to_its_last_instant_and_no_longer(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    ask = '{ availability(skus: ["TEAPOT-1L"]) { availableNow locations { reserved location { code } } } }'

    async def seen():
        (found,) = (await shop.ask(storefront, ask))["availability"]
        return found["availableNow"], sum(place["reserved"] for place in found["locations"])

    free, _ = await seen()
    await reserve(shop, Role.STOREFRONT, "TEAPOT-1L", 2)
    assert await seen() == (free - 2, 2)
    shop.clock.at += timedelta(seconds=600) - timedelta(microseconds=1)
    assert await seen() == (free - 2, 2)
    shop.clock.at += timedelta(microseconds=1)
    assert await seen() == (free, 0)


async def test_alarms_are_for_planners_and_auditors(shop: Shop):
    execute = shop.database.system.execute
    sku = await shop.id_of("sku", "MUG-BLUE")
    await execute(
        "insert into ledger_alarm (check_name, rows, count, found_at, cleared_at) values ('old', '[]', 0, now(), now())"
    )
    await run_unit_of_work(shop.database, reconcile_stock)
    document = (
        "{ ledgerAlarms(first: 5, filter: { isOpen: true }) { nodes { check count rows clearedAt } } all: ledgerAlarms(first: 5) { nodes"
        " { check } } }"
    )
    found = await shop.ask(shop.context(Role.AUDITOR), document)
    assert found == {"ledgerAlarms": {"nodes": []}, "all": {"nodes": [{"check": "old"}]}}
    await execute(
        "insert into ledger_alarm (check_name, rows, count, found_at) values ('counters_equal_movements', $1, 1, now())",
        [{"sku_id": sku, "location_id": await shop.id_of("location", "DC-ICN"), "transfer_id": 99_999, "on_hand": 1}],
    )
    found = await shop.ask(shop.context(Role.PLANNER), document)
    (alarm,) = found["ledgerAlarms"]["nodes"]
    assert (alarm["check"], alarm["count"], alarm["clearedAt"]) == ("counters_equal_movements", 1, None)
    (row,) = (json.loads(row) for row in alarm["rows"])
    assert (row["sku_id"], row["sku"], row["location"], "transfer" in row) == (sku, "MUG-BLUE", "DC-ICN", False)
    assert (await shop.errors(shop.context(Role.WAREHOUSE), document))[0] == ("FORBIDDEN", ["ledgerAlarms"])
