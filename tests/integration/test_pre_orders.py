"""Pre-orders: promised from the release day, open and not backordered, served on that day by priority."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.repositories.gates import take_gates
from core.services.allocate_waiting import allocate_waiting
from core.services.answer_availability import AvailabilityQuestion, answer_availability
from core.services.serve_due_claims import find_due_claims, serve_due_claims
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
