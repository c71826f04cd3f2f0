"""Planners bound promises by quotas, protected stock and release days; staff sees which event limits a promise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.access import Role
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

TODAY = NOW.date()
FREE = """query ($sku: String!) { availability(skus: [$sku], channel: "web") { availableNow state
    promise { binding { kind date quantity events { kind date quantity orderNumber lineNumber supply { kind } } } } } }"""
ORDER = """query ($number: String!) { order(number: $number) { lines { promise { binding { kind date quantity
    events { kind quantity orderNumber } } } } } }"""


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def _free(shop: Shop, sku: str) -> dict:
    (answer,) = (await shop.ask(shop.context(Role.PLANNER), FREE, sku=sku))["availability"]
    return answer


async def test_a_planner_sets_and_ends_a_quota(shop: Shop):
    planner = shop.context(Role.PLANNER)
    before = (await _free(shop, "MUG-BLUE"))["availableNow"]
    assert before > 4
    wanted = {"sku": "MUG-BLUE", "period": "WEEK", "quantity": 4, "fromDay": TODAY.isoformat(), "channel": "web"}
    done = await shop.change(planner, "quotaSet", wanted, "sku { code }")
    assert done == {"sku": {"code": "MUG-BLUE"}, "userErrors": []}
    assert (await _free(shop, "MUG-BLUE"))["availableNow"] == 4
    placed = await shop.place("MINSEO", ("MUG-BLUE", 5))
    (line,) = placed["order"]["lines"]
    assert (line["allocated"], line["promise"]["binding"]["kind"]) == (4, "QUOTA")
    assert (await _free(shop, "MUG-BLUE"))["availableNow"] == 0
    await shop.change(planner, "quotaSet", {**wanted, "quantity": 7}, "sku { code }")
    assert (await _free(shop, "MUG-BLUE"))["availableNow"] == 3
    await shop.change(planner, "quotaSet", {**wanted, "quantity": None}, "sku { code }")
    assert (await _free(shop, "MUG-BLUE"))["availableNow"] == before - 5
    assert await shop.database.system.fetchval("select count(*) from quota") == 1
    seen = await shop.ask(
        shop.context(Role.AUDITOR),
        """{ quotas(sku: "MUG-BLUE") { sku channel customer tier period quantity untilDay } }""",
    )
    ended = {"sku": "MUG-BLUE", "channel": "web", "customer": None, "tier": None, "period": "WEEK", "quantity": 7}
    assert seen["quotas"] == [{**ended, "untilDay": (TODAY - timedelta(days=2)).isoformat()}]
    assert (await shop.ask(planner, '{ quotas(sku: "MUG-WHITE") { sku } }'))["quotas"] == []
    for wrong, code in (
        ({"quantity": -1}, "InvalidInput"),
        ({"period": "WINDOW"}, "InvalidInput"),
        ({"channel": "nope"}, "NotFoundError"),
        ({"customer": "nope"}, "NotFoundError"),
        ({"sku": "nope"}, "UnknownSkuError"),
    ):
        done = await shop.change(planner, "quotaSet", {**wanted, **wrong}, "sku { code }")
        assert done["sku"] is None, wrong
        assert len(done["userErrors"]) == 1, code


async def test_protected_stock_and_release_day(shop: Shop):
    planner = shop.context(Role.PLANNER)
    seen = await shop.ask(planner, "{ protectedStock { sku location demandClass quantity } }")
    assert seen["protectedStock"] == [
        {"sku": "MUG-BLUE", "location": "DC-ICN", "demandClass": "", "quantity": 10},
        {"sku": "TOASTER-2S", "location": "DC-LTN", "demandClass": "", "quantity": 2},
    ]
    await shop.change(
        planner,
        "protectedStockSet",
        {"sku": "MUG-BLUE", "location": "DC-ICN", "steps": [{"fromDay": TODAY.isoformat(), "quantity": 100_000}]},
        "sku { code }",
    )
    protected = (await _free(shop, "MUG-BLUE"))["availableNow"]
    await shop.change(
        planner, "protectedStockSet", {"sku": "MUG-BLUE", "location": "DC-ICN", "steps": []}, "sku { code }"
    )
    assert (await _free(shop, "MUG-BLUE"))["availableNow"] > protected
    for demand_class, units, refused in (("zzz", 3, 1), ("store", 3, 0), ("store", 0, 0)):
        steps = [{"fromDay": TODAY.isoformat(), "quantity": units}] if units else []
        wanted = {"sku": "MUG-BLUE", "location": "DC-ICN", "demandClass": demand_class, "steps": steps}
        done = await shop.change(planner, "protectedStockSet", wanted, "sku { code }")
        assert len(done["userErrors"]) == refused
        if refused:
            assert done["userErrors"][0]["path"] == ["input", "demandClass"]
            assert done["userErrors"][0]["message"] == (
                "No channel is of the class 'zzz'; known: store, or empty for all others."
            )
    release = (TODAY + timedelta(days=30)).isoformat()
    await shop.change(planner, "skuReleaseSet", {"sku": "MUG-BLUE", "availableFrom": release}, "sku { code }")
    answer = await _free(shop, "MUG-BLUE")
    assert (answer["state"], answer["availableNow"]) == ("PREORDER", 0)
    assert answer["promise"]["binding"]["kind"] == "RELEASE_DATE"
    await shop.change(planner, "skuReleaseSet", {"sku": "MUG-BLUE"}, "sku { code }")
    assert (await _free(shop, "MUG-BLUE"))["state"] == "IN_STOCK"


async def test_customers_learn_the_kind_and_the_day_and_staff_the_events(shop: Shop):
    place = await shop.id_of("location", "DC-ICN")
    sku_id = await shop.id_of("sku", "KETTLE-17")
    first = (await shop.place("MINSEO", ("KETTLE-17", 30)))["order"]
    async with shop.database.system.acquire() as sql, sql.transaction():
        await sql.execute(
            "update sku_gate set version = version + 1, changed_by = pg_current_xact_id() where sku_id = $1", sku_id
        )
        await sql.execute(
            """insert into supply (sku_id, location_id, kind, quantity, usable_date, date_basis)
            values ($1, $2, 'production', 50, $3, 'CONFIRMED_ORDER')""",
            sku_id,
            place,
            TODAY + timedelta(days=5),
        )
    (other,) = [
        row["code"]
        for row in await shop.database.system.fetch("select code from customer where code <> 'MINSEO' limit 1")
    ]
    second = (await shop.place(other, ("KETTLE-17", 4)))["order"]
    staff = await shop.ask(shop.context(Role.PLANNER), ORDER, number=second["number"])
    (line,) = staff["order"]["lines"]
    binding = line["promise"]["binding"]
    assert binding["kind"] in ("SUPPLY", "LATER_PROMISE", "LEAD_TIME")
    assert binding["events"]
    assert binding["quantity"] is not None
    numbers = {event["orderNumber"] for event in binding["events"]} - {None}
    assert numbers <= {first["number"]}
    mine = await shop.ask(await shop.customer(other), ORDER, number=second["number"])
    (line,) = mine["order"]["lines"]
    assert line["promise"]["binding"] == {**binding, "quantity": None, "events": []}
