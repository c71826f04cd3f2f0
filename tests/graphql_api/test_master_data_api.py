"""Planners make customers, channels, locations, zones and substitutes through the API, and shops make their customers."""

from __future__ import annotations

import pytest

from core.domain.access import Role
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
