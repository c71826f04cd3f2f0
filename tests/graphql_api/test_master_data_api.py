"""Planners make customers, channels, locations, zones and substitutes through the API, and shops make their customers."""

from __future__ import annotations

import pytest

from core.domain.access import Role
from core.queries.master_data import find_faults
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

PERSON = "person { name email phone country postalCode line1 city }"
NEW_CUSTOMER = {
    "code": "SHOP-77",
    "language": "ko",
    "name": "Han Seo-yeon",
    "email": "seoyeon@example.org",
    "address": {"country": "kr", "postalCode": "04524", "line1": "Seongsu 3"},
}


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_a_new_shop_customer_orders_by_its_address_and_is_erased(shop: Shop):
    front, planner, admin = (shop.context(role) for role in (Role.STOREFRONT, Role.PLANNER, Role.ADMIN))
    made = await shop.change(front, "customerSet", NEW_CUSTOMER, f"customer {{ code tier language {PERSON} }}")
    customer = {"code": "SHOP-77", "tier": "STANDARD", "language": "ko"}
    assert made == {"customer": {**customer, "person": None}, "userErrors": []}, "a shop knows what it has told us"
    order = {
        "channel": "web",
        "customer": {"email": "SEOYEON@example.org"},
        "shipTo": {"country": "KR", "postalCode": "04524"},
    }
    line = {"lines": [{"sku": "MUG-BLUE", "quantity": 1}]}
    placed = await shop.change(front, "orderPlace", {**order, **line}, "order { number }")
    assert placed["userErrors"] == []
    again = await shop.change(front, "customerSet", {**NEW_CUSTOMER, "language": "en"}, "customer { code }")
    assert [(error["code"], error["path"]) for error in again["userErrors"]] == [("INVALID_INPUT", ["input", "code"])]
    graded = await shop.change(
        planner, "customerSet", {"code": "SHOP-77", "tier": "GOLD"}, "customer { code tier language }"
    )
    assert graded["customer"] == {**customer, "tier": "GOLD"}
    ask = f"""query ($filter: CustomerFilter) {{ customers(first: 5, filter: $filter) {{
        nodes {{ code tier {PERSON} }} pageInfo {{ hasNextPage }} }} }}"""
    found = await shop.ask(planner, ask, filter={"email": "Seoyeon@Example.org"})
    address = {"country": "KR", "postalCode": "04524", "line1": "Seongsu 3", "city": None}
    person = {"name": "Han Seo-yeon", "email": "seoyeon@example.org", "phone": None, **address}
    assert found["customers"]["nodes"] == [{"code": "SHOP-77", "tier": "GOLD", "person": person}]
    assert (await shop.ask(shop.context(Role.AUDITOR), ask, filter={"codes": ["SHOP-77"]}))["customers"]["nodes"][0][
        "person"
    ] is None
    golden = await shop.ask(planner, ask, filter={"tiers": ["GOLD"]})
    assert [one["code"] for one in golden["customers"]["nodes"]] == ["MINSEO", "SHOP-77"]
    kept = await shop.change(admin, "customerErase", {"code": "SHOP-77"}, "customer { code }")
    assert kept["customer"] is None
    assert placed["order"]["number"] in kept["userErrors"][0]["message"]
    await shop.change(planner, "orderCancel", {"number": placed["order"]["number"]}, "order { number }")
    gone = await shop.change(admin, "customerErase", {"code": "SHOP-77"}, f"customer {{ code {PERSON} }}")
    assert gone == {"customer": {"code": "SHOP-77", "person": None}, "userErrors": []}
    own = await shop.ask(await shop.customer("MINSEO"), f"{{ viewer {{ customer {{ code {PERSON} }} }} }}")
    assert own["viewer"]["customer"]["person"]["email"] == "minseo.kim@example.com"


PLACE = "location { code name kind timezone cutoffTime calendar isActive }"
SHIP_TO = {"country": "NO", "postalCode": "0150"}
ASK = """query ($shipTo: ShipToInput) { availability(skus: ["MUG-BLUE"], channel: "nordic", shipTo: $shipTo) {
    availableNow promise { deliveryDate { expected } } } }"""


async def test_a_new_country_is_served_through_a_new_channel_and_location(shop: Shop):
    """What a planner does to sell in Norway from a new centre: location, zone, lane, channel; then it is on sale."""
    planner, warehouse = shop.context(Role.PLANNER), shop.context(Role.WAREHOUSE)
    assert await find_faults(shop.database.system) == [], "the company of the demo fits together"  # type: ignore[arg-type]
    centre = {"code": "DC-OSL", "name": "Oslo", "kind": "DC", "timeZone": "Europe/Oslo", "cutoffTime": "16:00"}
    made = await shop.change(planner, "locationSet", centre, PLACE)
    told = {"code": "DC-OSL", "name": "Oslo", "kind": "DC", "timezone": "Europe/Oslo", "cutoffTime": "16:00"}
    assert made == {"location": {**told, "calendar": None, "isActive": True}, "userErrors": []}
    await shop.change(
        planner, "locationSet", {"code": "ZONE-NO", "kind": "DESTINATION", "timeZone": "Europe/Oslo"}, PLACE
    )
    zone = {"country": "no", "location": "ZONE-NO"}
    mapped = await shop.change(
        planner, "deliveryZoneSet", zone, "deliveryZone { country postalPrefix location { code } }"
    )
    assert mapped["deliveryZone"] == {"country": "NO", "postalPrefix": "", "location": {"code": "ZONE-NO"}}
    lane = {"fromLocation": "DC-OSL", "toLocation": "ZONE-NO", "transitDays": 1}
    assert (await shop.change(planner, "laneSet", lane, "lane { transitDays }"))["userErrors"] == []
    channel = {"code": "nordic", "locations": ["DC-OSL"], "maxShown": 5}
    opened = await shop.change(
        planner, "channelSet", channel, "channel { code name maxShown locations { code } protectedClass }"
    )
    shown = {"code": "nordic", "name": "nordic", "maxShown": 5, "locations": [{"code": "DC-OSL"}], "protectedClass": ""}
    assert opened == {"channel": shown, "userErrors": []}
    count = {"sku": "MUG-BLUE", "location": "DC-OSL", "counted": 9, "reason": "opening"}
    assert (await shop.change(warehouse, "stockCount", count, "__typename"))["userErrors"] == []
    (answer,) = (await shop.ask(planner, ASK, shipTo=SHIP_TO))["availability"]
    assert answer == {"availableNow": 5, "promise": {"deliveryDate": {"expected": "2026-11-19"}}}
    off = await shop.change(planner, "locationSet", {"code": "DC-OSL", "isActive": False}, PLACE)
    assert (off["location"], off["userErrors"][0]["path"]) == (None, ["input", "isActive"])
    lists = """{ channels { code locations { code } }
        locations(first: 9, filter: { kind: [DC, STORE], isActive: true }) { nodes { code isActive } }
        deliveryZones(first: 9, filter: { country: "kr" }) { nodes { postalPrefix location { code } } } }"""
    found = await shop.ask(warehouse, lists)
    assert [one["code"] for one in found["channels"]] == ["marketplace", "nordic", "store", "web"]
    assert [one["code"] for one in found["locations"]["nodes"]] == ["DC-ICN", "DC-LTN", "DC-OSL", "STORE-SEOUL"]
    jeju = {"postalPrefix": "63", "location": {"code": "ZONE-KR-JEJU"}}
    assert found["deliveryZones"]["nodes"] == [{"postalPrefix": "", "location": {"code": "ZONE-KR"}}, jeju]
    gone = await shop.change(planner, "deliveryZoneRemove", {"country": "NO"}, "deliveryZone { country }", key="once")
    assert gone == {"deliveryZone": None, "userErrors": []}
    assert gone == await shop.change(
        planner, "deliveryZoneRemove", {"country": "NO"}, "deliveryZone { country }", key="once"
    )
    (answer,) = (await shop.ask(planner, ASK, shipTo=SHIP_TO))["availability"]
    assert answer == {"availableNow": 0, "promise": None}
    faults = await find_faults(shop.database.system)  # type: ignore[arg-type]
    assert [(fault.check, fault.objects) for fault in faults] == [
        ("location_without_calendar", ["DC-OSL", "ZONE-NO"]),
        ("destination_without_zone", ["ZONE-NO"]),
        ("channel_without_way", ["nordic"]),
    ]


async def test_substitutes_suppliers_and_reorder_rules_are_read_where_they_are_needed(shop: Shop):
    planner, customer = shop.context(Role.PLANNER), await shop.customer("MINSEO")
    want = "sku { code substitutes { sku { code } ratio rank needsConsent } }"
    given = {"sku": "MUG-BLUE", "substitute": "BOWL-RAMEN", "ratio": 2, "rank": 2}
    done = await shop.change(planner, "substituteSet", given, want)
    white = {"sku": {"code": "MUG-WHITE"}, "ratio": 1, "rank": 1, "needsConsent": False}
    bowl = {"sku": {"code": "BOWL-RAMEN"}, "ratio": 2, "rank": 2, "needsConsent": True}
    assert done == {"sku": {"code": "MUG-BLUE", "substitutes": [white, bowl]}, "userErrors": []}
    off = await shop.change(planner, "substituteRemove", {"sku": "MUG-BLUE", "substitute": "MUG-WHITE"}, want)
    assert off["sku"]["substitutes"] == [bowl]
    refused = await shop.change(planner, "substituteSet", {**given, "substitute": "RADIO-70"}, want)
    assert [(error["code"], error["path"]) for error in refused["userErrors"]] == [
        ("SKU_NOT_SELLABLE", ["input", "substitute"])
    ]
    ask = '{ sku(code: "LAMP-DESK") { reorderPoint reorderQuantity } }'
    assert (await shop.ask(planner, ask))["sku"] == {"reorderPoint": 12, "reorderQuantity": 24}
    assert (await shop.ask(customer, ask))["sku"] == {"reorderPoint": None, "reorderQuantity": None}
    listed = '{ suppliers(first: 5, filter: { sku: "LAMP-DESK" }) { nodes { code location { code } } } }'
    found = (await shop.ask(planner, listed))["suppliers"]["nodes"]
    assert found == [{"code": "BRIGHTWORKS", "location": {"code": "SUP-SHENZHEN"}}]
