"""An order goes to another address: lines keep what can go there, the rest is covered anew, and the day is true again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.placing import LineRequest, ShipTo
from core.errors import IllegalTransition, InvalidInput, VersionConflict
from core.services.change_ship_to import ChangeShipTo, change_ship_to
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.plan_shipments import plan_shipments
from core.services.reconcile_stock import recount
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio

JAPAN = """
insert into location (code, name, kind, time_zone, calendar_id) select 'JP', 'JP', 'destination', 'Asia/Tokyo', id from calendar;
insert into lane (from_location_id, to_location_id, transit_days, calendar_id)
    select f.id, t.id, 5, c.id from calendar c, location f, location t where f.code = 'B' and t.code = 'JP';
insert into delivery_zone (country, postal_prefix, location_id) select 'JP', '', id from location where code = 'JP';
"""


@pytest.fixture(autouse=True)
async def _japan(world: World) -> None:
    await world.database.system.execute(JAPAN)


def _send(world: World, number: str | None, country: str = "JP", **more):
    request = ChangeShipTo(number or "", ShipTo(country, "100-0001", "N", "1-1", "Tokyo"), **more)
    return world.do(lambda uow: change_ship_to(uow, request))


async def test_stock_that_cannot_go_there_is_given_back_and_the_line_is_covered_where_it_can(world: World):
    await world.stock(5)
    await world.stock(3, location="B")
    (placed,) = await world.place(world.order(("S", 5)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id or 0]))
    assert (await world.line(placed.number))["ready"] == 5
    await _send(world, placed.number)
    assert await world.quantities(placed.number) == (0, 3, 2, 0, 0)
    given = await world.rows("select allocated from stock_level order by location_id")
    assert given == [{"allocated": 2}, {"allocated": 3}], "the other two come over by transfer"
    line = await world.line(placed.number)
    assert (line["ready"], line["promised_date"] > TODAY + timedelta(days=5)) == (0, True)
    assert await world.value("select ship_to ->> 'city' from sales_order") == "Tokyo"
    moved = (await world.rows("select payload from outbox where kind = 'PROMISE_MOVED'"))[-1]["payload"]
    assert (moved["previousPromised"], moved["reason"]) == ((TODAY + timedelta(days=1)).isoformat(), "LINE_CHANGED")
    assert await world.value("select count(*) from shipment where status = 'PLANNED'") == 0
    assert await world.do(recount) == []


async def test_what_can_go_there_stays_and_only_its_day_moves(world: World):
    await world.supply(4, TODAY + timedelta(days=3), location="B")
    wanted = TODAY + timedelta(days=6)
    (placed,) = await world.place(world.order(LineRequest("S", 4, wanted)))
    before = await world.rows("select id, need_date from peg")
    assert await world.quantities(placed.number) == (4, 0, 0, 0, 0)
    await _send(world, placed.number)
    assert [row["id"] for row in await world.rows("select id from peg")] == [row["id"] for row in before]
    assert await world.quantities(placed.number) == (0, 0, 4, 0, 0), "five days on the way are too long"
    assert (await world.line(placed.number))["promised_date"] == before[0]["need_date"] + timedelta(days=5)
    assert await world.do(recount) == []


async def test_another_street_of_the_same_zone_moves_nothing_but_the_planned_shipment(world: World):
    await world.stock(5)
    (placed,) = await world.place(world.order(("S", 5)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id or 0]))
    await _send(world, placed.number, "KR")
    assert await world.value("select count(*) from promise") == 1
    assert (await world.line(placed.number))["ready"] == 0
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id or 0]))
    assert (await world.line(placed.number))["ready"] == 5
    number = await world.value("select number from shipment where status = 'PLANNED'")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number)]))
    with pytest.raises(IllegalTransition):
        await _send(world, placed.number)
    assert await world.do(recount) == []


async def test_an_order_without_a_way_goes_on_when_its_address_is_put_right(world: World):
    await world.stock(5)
    (placed,) = await world.place(world.order(("S", 5), ship_to=ShipTo("FR", "75001")))
    assert await world.value("select reason from order_hold where released_at is null") == "ADDRESS"
    with pytest.raises(InvalidInput):
        await _send(world, placed.number, "FR")
    with pytest.raises(InvalidInput):
        await _send(world, placed.number, "Korea")
    with pytest.raises(VersionConflict):
        await _send(world, placed.number, "KR", expected_version=7)
    await _send(world, placed.number, "KR")
    assert await world.value("select count(*) from order_hold where released_at is null") == 0
    assert await world.quantities(placed.number) == (0, 5, 0, 0, 0)
    assert (await world.line(placed.number))["promised_date"] == TODAY + timedelta(days=1)
    assert await world.do(recount) == []
