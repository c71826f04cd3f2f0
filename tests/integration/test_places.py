"""Locations, channels and delivery zones come and change; what was promised holds, what is new follows at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.placing import ShipTo
from core.errors import DomainError, InvalidInput, NotFound
from core.repositories.network import STAMP
from core.services.allocate_waiting import allocate_waiting
from core.services.answer_availability import AvailabilityQuestion, answer_availability
from core.services.change_routes import SetLane, set_lane
from core.services.change_selling_rules import SetProtectedStock, set_protected_stock
from core.services.create_supplier import CreateSupplier, create_supplier
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.recount_ledgers import recount
from core.services.set_channel import SetChannel, set_channel
from core.services.set_delivery_zone import remove_delivery_zone, set_delivery_zone, zone_of
from core.services.set_location import SetLocation, set_location
from core.unit_of_work import unit_of_work
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


async def location(world: World, code: str, **given: Any) -> int:
    return await world.do(lambda uow: set_location(uow, SetLocation(code, **given)))


async def channel(world: World, code: str, **given: Any) -> str:
    return await world.do(lambda uow: set_channel(uow, SetChannel(code, **given)))


async def zone(world: World, country: str, prefix: str, place: str) -> None:
    await world.do(lambda uow: set_delivery_zone(uow, zone_of(country, prefix), place))


async def shown(
    world: World, postal_code: str = "04524", quantity: int = 1, web: str = "web"
) -> tuple[int, date | None]:
    question = AvailabilityQuestion(["S"], quantity, web, ship_to=("KR", postal_code))
    (answer,) = await world.do(lambda uow: answer_availability(uow, question))
    found = answer.proposal  # type: ignore[union-attr]
    return answer.shown, None if found is None else found.slices[-1].delivery_date  # type: ignore[union-attr]


async def asked(world: World) -> list[list[int]]:
    """Locations that judging was asked for; asking begins anew."""
    rows = await world.rows("select payload from outbox where job = 'rejudge_routes' order by id")
    await world.database.system.execute("delete from outbox where job = 'rejudge_routes'")
    return [row["payload"]["locationIds"] for row in rows]


async def test_a_new_location_sells_from_its_first_lane_on(world: World) -> None:
    await shown(world)
    id = await location(world, "NEW-DC", kind="dc", time_zone="Asia/Seoul", calendar="DAILY", cutoff_time="17:00")
    await world.stock(5, "S", "NEW-DC")
    assert (await shown(world))[0] == 0, "no lane leads from there"
    await world.do(lambda uow: set_lane(uow, SetLane("NEW-DC", "KR", 1)))
    assert await shown(world) == (5, day(1))
    (placed,) = await world.place(world.order(("S", 2)))
    assert await world.quantities(placed.number) == (0, 2, 0, 0, 0)
    assert await asked(world) == [[id]], "of the lane; a new place asks for nothing"
    assert await location(world, "NEW-DC", name="New place") == id
    assert await asked(world) == [], "a name moves no day"
    await location(world, "NEW-DC", cutoff_time="", calendar="")
    assert await asked(world) == [[id]]
    await location(world, "SUP-1", kind="supplier", time_zone="UTC")
    await world.do(lambda uow: create_supplier(uow, CreateSupplier("SUP-NEW", "New", location="SUP-1")))
    (row,) = await world.rows(
        "select name, kind, cutoff_time, calendar_id, is_active from location where code = 'NEW-DC'"
    )
    assert row == {"name": "New place", "kind": "dc", "cutoff_time": None, "calendar_id": None, "is_active": True}


async def test_a_location_that_is_switched_off_runs_dry(world: World) -> None:
    """What it has is sold to nobody new; who waits there is bought for, served and kept; switched on it sells again."""
    await world.stock(4)
    (first,) = await world.place(world.order(("S", 6)))
    assert await world.quantities(first.number) == (0, 4, 2, 0, 0)
    await world.stock(3)
    promised = await world.line(first.number)
    id = await location(world, "A", is_active=False)
    assert (await asked(world))[-1] == sorted([id, await world.location("R")]), "its own lines, and what comes to it"
    assert (await shown(world))[0] == 0
    (second,) = await world.place(world.order(("S", 1), customer="C2"))
    assert await world.quantities(second.number) == (0, 0, 1, 0, 0)
    assert (await world.line(second.number))["location_id"] == await world.location("B")
    assert (await world.line(first.number))["promised_date"] == promised["promised_date"]
    await world.do(lambda uow: raise_purchase_requests(uow, [promised["sku_id"]]))
    assert await world.quantities(first.number) == (0, 6, 0, 0, 0), "what is there is given to who waits there"
    assert await world.do(recount) == []
    await location(world, "A", is_active=True)
    assert (await shown(world))[0] > 0


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"code": "a b"}, "code", "1 to 64 letters"),
        ({"code": "NEW"}, "kind", "it needs kind"),
        ({"code": "NEW", "kind": "dc"}, "timeZone", "it needs timeZone"),
        ({"code": "NEW", "kind": "dc", "time_zone": "Mars/Base"}, "timeZone", "'Mars/Base' is no time zone"),
        ({"code": "NEW", "kind": "dc", "time_zone": "UTC", "cutoff_time": "25:00"}, "cutoffTime", "15:30"),
        ({"code": "A", "name": " "}, "name", "1 to 200"),
        ({"code": "A", "kind": "destination"}, "kind", "make another location"),
        ({"code": "KR", "is_active": False}, "isActive", "only a place that holds stock"),
        ({"code": "B", "is_active": False}, "isActive", "Nothing else serves the channel shop"),
    ],
)
async def test_a_location_that_cannot_be_is_refused_and_changes_nothing(
    world: World, given: dict[str, Any], path: str, words: str
) -> None:
    await channel(world, "shop", locations=["B"])
    before = await world.rows("select * from location order by id")
    with pytest.raises(InvalidInput) as refused:
        await location(world, **given)
    assert refused.value.path == ("input", path)
    assert words in refused.value.message
    assert await world.rows("select * from location order by id") == before
    assert await world.value("select count(*) from audit_entry") == 1


async def test_of_the_last_two_locations_switched_off_at_once_one_stays(world: World) -> None:
    await location(world, "R", is_active=False)

    async def one(code: str) -> str:
        try:
            await location(world, code, is_active=False)
        except DomainError as error:
            return error.message
        return "done"

    async with unit_of_work(world.database, world.clock) as first:
        await set_location(first, SetLocation("A", is_active=False))
        second = asyncio.create_task(one("B"))
        await asyncio.sleep(0.3)  # it would be done by now if it did not wait for the first
    assert await second == "'B' is the last location that holds stock."
    assert await world.value("select count(*) from location where is_active and kind <> 'destination'") == 1
    made = await asyncio.gather(*(location(world, "TWICE", kind="dc", time_zone="UTC") for _ in range(2)))
    assert made[0] == made[1]


async def test_a_channel_sells_from_its_locations_and_shows_what_it_may(world: World) -> None:
    await world.stock(5)
    await world.stock(7, "S", "B")
    await shown(world)
    a, b = await world.location("A"), await world.location("B")
    assert await channel(world, "shop", name="Shop", locations=["B"], max_shown=3, default_language="ko") == "shop"
    assert await shown(world, web="shop") == (3, day(2))
    assert await asked(world) == [], "nobody has asked a new channel"
    stamp = await world.value(STAMP)
    await channel(world, "shop", locations=["A"], shows_all=True)
    assert await world.value(STAMP) != stamp, "kept answers end"
    assert await shown(world, web="shop") == (5, day(1))
    assert await asked(world) == [[a, b]]
    await channel(world, "shop", locations=[])
    assert (await shown(world, web="shop"))[0] == 12
    assert await asked(world) == [sorted([b, await world.location("R")])]
    assert (
        await world.rows("select name, default_language, location_ids, max_shown from channel where code = 'shop'")
    ) == [{"name": "Shop", "default_language": "ko", "location_ids": None, "max_shown": None}]
    (placed,) = await world.place(replace(world.order(("S", 2)), channel="shop"))
    await channel(world, "shop", locations=["B"])
    assert await world.quantities(placed.number) == (0, 2, 0, 0, 0), "what was promised stays where it is"


async def test_another_class_opens_its_protected_stock_to_who_waits(world: World) -> None:
    await world.stock(4)
    await channel(world, "vip", protected_class="vip")
    for demand_class, units in (("", 4), ("vip", 0)):
        kept = SetProtectedStock("S", "A", [(TODAY, units)], demand_class)
        await world.do(lambda uow, kept=kept: set_protected_stock(uow, kept))
    (placed,) = await world.place(world.order(("S", 3)))
    assert await world.quantities(placed.number) == (0, 0, 3, 0, 0)
    await world.database.system.execute("delete from outbox")
    await channel(world, "web", protected_class="vip")
    (offered,) = await world.rows("select payload from outbox where job = 'allocate_waiting_demand'")
    await world.do(lambda uow: allocate_waiting(uow, offered["payload"]["skuIds"]))
    assert await world.quantities(placed.number) == (0, 3, 0, 0, 0)
    assert len(await asked(world)) == 1, "who watches is told"


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"code": ""}, "code", "1 to 64 letters"),
        ({"code": "shop", "locations": ["KR"]}, "locations", "'KR' holds no stock"),
        ({"code": "shop", "locations": ["R"]}, "locations", "locationSet switches one on"),
        ({"code": "shop", "max_shown": -1}, "maxShown", "showsAll lifts the bound"),
        ({"code": "shop", "max_shown": 1, "shows_all": True}, "showsAll", "either"),
        ({"code": "shop", "default_language": "kor"}, "defaultLanguage", "two small letters"),
        ({"code": "shop", "protected_class": "a b"}, "protectedClass", "64 letters"),
        ({"code": "shop", "locations": ["NOPE"]}, "locations", "There is no location 'NOPE'"),
    ],
)
async def test_a_channel_that_cannot_be_is_refused_and_changes_nothing(
    world: World, given: dict[str, Any], path: str, words: str
) -> None:
    await location(world, "R", is_active=False)
    with pytest.raises((InvalidInput, NotFound)) as refused:
        await channel(world, **given)
    assert refused.value.path == ("input", path)
    assert words in refused.value.message
    assert await world.value("select count(*) from channel") == 1


async def test_the_longest_prefix_wins_and_falls_back(world: World) -> None:
    await world.stock(2)
    await location(world, "JEJU", kind="destination", time_zone="Asia/Seoul")
    await world.do(lambda uow: set_lane(uow, SetLane("A", "JEJU", 4)))
    assert await shown(world, "63100") == (2, day(1))
    await zone(world, "kr", "63", "JEJU")
    assert await shown(world, "63100") == (2, day(4))
    (placed,) = await world.place(world.order(("S", 1), ship_to=ShipTo("KR", "63100")))
    await zone(world, "KR", "63", "KR")
    assert await shown(world, "63100") == (1, day(1)), "a prefix is set anew"
    assert (await world.line(placed.number))["promised_date"] == day(4), "what was promised stays"
    await world.do(lambda uow: remove_delivery_zone(uow, zone_of("KR", "63")))
    for wrong, path in ((("KOR", ""), "country"), (("KR", "6%"), "postalPrefix")):
        with pytest.raises(InvalidInput) as refused:
            zone_of(*wrong)
        assert refused.value.path == ("input", path)
    with pytest.raises(NotFound):
        await world.do(lambda uow: remove_delivery_zone(uow, zone_of("KR", "63")))
    with pytest.raises(InvalidInput) as other:
        await zone(world, "KR", "1", "A")
    assert "kind DESTINATION" in other.value.message
    assert await world.value("select count(*) from delivery_zone") == 1
    operations = await world.rows("select operation from audit_entry where operation like 'deliveryZone%' order by id")
    assert [row["operation"] for row in operations] == ["deliveryZoneSet", "deliveryZoneSet", "deliveryZoneRemove"]
