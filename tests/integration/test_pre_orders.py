"""Pre-orders: promised from the release day, open and not backordered, served on that day by priority."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.repositories.gates import take_gates
from core.services.allocate_waiting import allocate_waiting
from core.services.answer_availability import AvailabilityQuestion, answer_availability
from core.services.reconcile_stock import recount
from core.services.serve_due_claims import find_due_claims, serve_due_claims
from core.services.set_release_day import SetReleaseDay, set_release_day
from tests.world import NOW, TODAY, World

pytestmark = pytest.mark.anyio

RELEASE = TODAY + timedelta(days=10)


async def _announce(world: World) -> None:
    sku_id = await world.sku()

    async def write(uow) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update sku set status = 'PREORDER', available_from = $2 where id = $1", sku_id, RELEASE)

    await world.do(write)


async def _answer(world: World, quantity: int = 1):
    (answer,) = await world.do(
        lambda uow: answer_availability(uow, AvailabilityQuestion(["S"], quantity, "web", None, ("KR", "04524")))
    )
    return answer


async def test_a_pre_order_waits_open_for_its_release_and_is_served_by_priority(world):
    await _announce(world)
    await world.stock(4)
    await world.supply(3, TODAY + timedelta(days=2))
    answer = await _answer(world, 5)
    assert (answer.state, answer.available_now) == ("PREORDER", 0)
    assert answer.proposal is not None
    assert {(s.ship_date, s.waits_for) for s in answer.proposal.slices} == {(RELEASE, "RELEASE_DATE")}
    (shop,) = await world.place(world.order(("S", 5)))
    (vip,) = await world.place(world.order(("S", 4), customer="V1"))
    assert await world.quantities(shop.number) == (5, 0, 0, 0, 0), "open, not backordered"
    assert await world.value("select status from order_line order by id limit 1") == "VALIDATED"
    assert await world.value("select count(*) from backorder where quantity > 0") == 1, "two units too few by then"
    assert await world.quantities(vip.number) == (2, 0, 2, 0, 0)
    assert (await world.line(shop.number))["promised_date"] == RELEASE + timedelta(days=1)

    sku_id = await world.sku()
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert (await world.quantities(shop.number))[1] == 0, "nothing is given out before the release"
    world.clock.at = NOW + timedelta(days=9)
    assert await world.do(find_due_claims) == []
    world.clock.at = NOW + timedelta(days=10)
    assert await world.do(find_due_claims) == [sku_id]
    assert await world.do(lambda uow: serve_due_claims(uow, [sku_id])) == 4
    assert (await world.quantities(vip.number))[1] == 4, "the better customer first"
    assert (await _answer(world)).state == "BACKORDERABLE"
    assert await world.do(lambda uow: serve_due_claims(uow, [sku_id])) == 0


async def _release(world: World, day: date | None) -> None:
    await world.do(lambda uow: set_release_day(uow, SetReleaseDay("S", day)))


async def _promised(world: World, *orders) -> list[date]:
    return [(await world.line(order.number))["promised_date"] for order in orders]


async def test_a_release_day_that_moves_takes_its_promises_along(world):
    """Later: who waits is told, with the reason; what was allocated stays. Earlier: by rank, as far as there is stock."""
    await world.stock(6)
    (before,) = await world.place(world.order(("S", 2)))
    await _release(world, RELEASE)
    shop, vip = await world.place(world.order(("S", 3), customer="C2"), world.order(("S", 3), customer="V1"))
    day = timedelta(days=1)
    late = TODAY + timedelta(days=14)
    assert await world.quantities(before.number) == (0, 2, 0, 0, 0)
    first, second = await _promised(world, shop, vip)
    assert first == RELEASE + day
    await _release(world, RELEASE + timedelta(days=3))
    assert await _promised(world, shop) == [RELEASE + timedelta(days=4)]
    assert await world.quantities(before.number) == (0, 2, 0, 0, 0)
    told = await world.rows("select facts ->> 'reason' as why from notice where template = 'PROMISE_MOVED' order by id")
    assert {row["why"] for row in told} == {"RELEASE_MOVED"}
    await _release(world, TODAY + timedelta(days=5))
    assert await _promised(world, shop) == [TODAY + timedelta(days=6)]
    assert second == late + day, "units too few by then come with the lead time"
    await _release(world, None)
    assert (await world.quantities(vip.number))[1] == 3, "on sale: by rank at once"
    assert (await world.quantities(shop.number))[1] == 1
    assert await world.do(recount) == []
