"""Planners take SKUs into the catalogue and change them; what cannot be is refused and nothing is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.access import Role
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

TODAY = NOW.date()

WANT = "sku { code status name lowStockAt tracksLots minLifeDays availableFrom }"
NAMES = [{"language": "en", "text": "Matcha"}, {"language": "ko", "text": "말차"}]


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_a_sku_is_created_sold_and_changed(shop: Shop):
    planner = shop.context(Role.PLANNER)
    fields = {"names": NAMES, "lowStockAt": 3, "tracksLots": True, "tracksExpiry": True, "minLifeDays": 20}
    wanted = {"code": "MATCHA-50", "currency": "USD", "fields": fields}
    made = await shop.change(planner, "skuCreate", wanted, WANT)
    assert made == {
        "sku": {
            "code": "MATCHA-50",
            "status": "ACTIVE",
            "name": "Matcha",
            "lowStockAt": 3,
            "tracksLots": True,
            "minLifeDays": 20,
            "availableFrom": None,
        },
        "userErrors": [],
    }
    placed = await shop.place("MINSEO", ("MATCHA-50", 2))
    assert placed["userErrors"] == []
    release = (TODAY + timedelta(days=30)).isoformat()
    names = [{"language": "ko", "text": "가루 녹차"}]
    changed = await shop.change(
        planner, "skuChange", {"sku": "MATCHA-50", "availableFrom": release, "fields": {"names": names}}, WANT
    )
    assert (changed["sku"]["status"], changed["sku"]["availableFrom"]) == ("PREORDER", release)
    assert changed["sku"]["name"] == "Matcha", "a language that is not named keeps its name"
    on_sale = await shop.change(planner, "skuChange", {"sku": "MATCHA-50", "status": "ACTIVE"}, WANT)
    assert (on_sale["sku"]["status"], on_sale["sku"]["availableFrom"]) == ("ACTIVE", None)
    blocked = await shop.change(planner, "skuChange", {"sku": "MATCHA-50", "status": "DISCONTINUED"}, WANT)
    assert blocked["sku"]["status"] == "DISCONTINUED"
    entries = await shop.database.system.fetch(
        "select operation from audit_entry where object = 'sku:' || (select id from sku where code = 'MATCHA-50') order by id"
    )
    assert [row["operation"] for row in entries] == [
        "skuCreate",
        *("skuChange", "skuReleaseSet"),
        *("skuChange", "skuReleaseSet"),
        "skuChange",
    ]


async def test_what_cannot_be_of_a_sku_is_refused(shop: Shop):
    planner = shop.context(Role.PLANNER)
    named = {"names": NAMES}
    for operation, given, path in (
        ("skuCreate", {"code": "MUG-BLUE", "currency": "USD", "fields": named}, "code"),
        ("skuCreate", {"code": "a b", "currency": "USD", "fields": named}, "code"),
        ("skuCreate", {"code": "X", "currency": "usd", "fields": named}, "currency"),
        ("skuCreate", {"code": "X", "currency": "USD", "fields": {}}, "names"),
        ("skuCreate", {"code": "X", "currency": "USD", "fields": {**named, "tracksExpiry": True}}, "tracksExpiry"),
        ("skuChange", {"sku": "MUG-BLUE", "fields": {"unitPrice": -1}}, "unitPrice"),
        ("skuChange", {"sku": "MUG-BLUE", "fields": {"tracksLots": True}}, "tracksLots"),
        ("skuChange", {"sku": "TEA-SET", "fields": {"tracksSerials": True}}, "sku"),
        ("skuChange", {"sku": "MUG-BLUE", "status": "PREORDER"}, "availableFrom"),
        ("skuChange", {"sku": "TEA-SET", "availableFrom": TODAY.isoformat()}, "sku"),
    ):
        (error,) = (await shop.change(planner, operation, given, WANT))["userErrors"]
        assert (error["code"], error["path"]) == ("INVALID_INPUT", ["input", path]), given
