"""Planners make and change calendars, lanes and cut-offs through the API; shops ask for goods that live long enough."""

from __future__ import annotations

import pytest

from core.domain.access import Role
from tests.graphql_api.schema_under_test import Shop, open_shop

pytestmark = pytest.mark.anyio

ASK = """query { availability(skus: ["MUG-BLUE"], channel: "web", shipTo: { country: "KR", postalCode: "04524" }) {
    promise { deliveryDate { expected } } } }"""
LIFE = """query ($days: Int) { availability(skus: ["TEA-SENCHA"], channel: "web", minLifeDays: $days,
    shipTo: { country: "KR", postalCode: "04524" }) { availableNow } }"""


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_calendars_lanes_and_cut_offs(shop: Shop):
    planner = shop.context(Role.PLANNER)
    (answer,) = (await shop.ask(planner, ASK))["availability"]
    before = answer["promise"]["deliveryDate"]["expected"]
    days = [{"day": "2027-01-02", "isWorking": True}, {"day": "2027-01-04"}]
    wanted = {
        "code": "KR-6",
        "name": "Six days",
        "workingDays": [1, 2, 3, 4, 5, 6],
        "country": "kr",
        "exceptions": days,
    }
    want = "calendar { code name workingDays country exceptions { day isWorking } }"
    calendar = {**wanted, "country": "KR", "exceptions": [days[0], {**days[1], "isWorking": False}]}
    done = await shop.change(planner, "calendarSet", wanted, want)
    assert done == {"calendar": calendar, "userErrors": []}
    done = await shop.change(planner, "calendarSet", {"code": "KR-6", "name": "Saturdays"}, want)
    assert done["calendar"] == {**calendar, "name": "Saturdays"}, "what is not named stays"
    listed = (await shop.ask(shop.context(Role.WAREHOUSE), "{ calendars { code name } }"))["calendars"]
    assert {"code": "KR-6", "name": "Saturdays"} in listed
    lanes = """query { lanes(fromLocation: "DC-ICN", toLocation: "ZONE-KR") { toLocation { code } transitDays calendar cost
        carbonGPerKg } }"""
    assert (await shop.ask(shop.context(Role.WAREHOUSE), lanes))["lanes"] == [
        {"toLocation": {"code": "ZONE-KR"}, "transitDays": 1, "calendar": "CARRIER-KR", "cost": 250, "carbonGPerKg": 60}
    ]
    for origin, cost in (("DC-ICN", 250), ("STORE-SEOUL", 600)):
        slow = {"fromLocation": origin, "toLocation": "ZONE-KR", "transitDays": 30, "calendar": "KR-6"}
        done = await shop.change(planner, "laneSet", slow, "lane { transitDays calendar cost fromLocation { code } }")
        lane = {"transitDays": 30, "calendar": "KR-6", "cost": cost, "fromLocation": {"code": origin}}
        assert done["lane"] == lane, "what is not named stays"
    (answer,) = (await shop.ask(planner, ASK))["availability"]
    assert answer["promise"]["deliveryDate"]["expected"] > before
    change = {"location": "DC-ICN", "cutoffTime": "07:30", "calendar": "KR-6"}
    done = await shop.change(planner, "locationChange", change, "location { code cutoffTime calendar }")
    assert done["location"] == {"code": "DC-ICN", "cutoffTime": "07:30", "calendar": "KR-6"}
    done = await shop.change(planner, "locationChange", {**change, "calendar": "NOPE"}, "location { code }")
    assert done["location"] is None
    assert done["userErrors"][0]["path"] == ["input", "calendar"]
    asked = await shop.database.system.fetchval("select count(*) from outbox where job = 'rejudge_routes'")
    assert asked == 3, "a calendar that nothing rests on asks for nothing"


async def test_a_shop_asks_for_goods_that_live_long_enough(shop: Shop):
    storefront = shop.context(Role.STOREFRONT)
    free = [(await shop.ask(storefront, LIFE, days=n))["availability"][0]["availableNow"] for n in (None, 36_500)]
    assert free[0] > free[1] == 0
    line = {"sku": "TEA-SENCHA", "quantity": 1, "minLifeDays": 36_500}
    placed = await shop.change(
        storefront,
        "orderPlace",
        {"channel": "web", "shipTo": {"country": "KR", "postalCode": "04524"}, "lines": [line]},
        "order { lines { minLifeDays allocated backordered } }",
    )
    assert placed["order"]["lines"] == [{"minLifeDays": 36_500, "allocated": 0, "backordered": 1}]
    items = [{"sku": "TEA-SENCHA", "quantity": 1, "minLifeDays": 36_500}]
    held = await shop.change(storefront, "reservationCreate", {"channel": "web", "items": items}, "reservation { id }")
    assert held["reservation"] is None
    (error,) = await shop.errors(storefront, LIFE, days=-1)
    assert error[0] == "InvalidInput"
