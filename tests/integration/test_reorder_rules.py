"""Reorder rules that stock targets apply lose nothing that a planner sets at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from core.repositories.reorder_rules import apply_rules, give_back
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_what_a_planner_sets_meanwhile_stays_the_planners_own(world: World) -> None:
    sku_id = await world.sku("S")
    async with world.database.system.acquire() as planner:
        async with planner.transaction():
            await planner.execute("update sku set reorder_point = 33, reorder_quantity = 5 where id = $1", sku_id)
            applied = asyncio.ensure_future(world.do(lambda uow: apply_rules(uow, {sku_id: (70, 80)})))
            await asyncio.sleep(0.2)  # it reads, or waits for the lock
        assert await applied == 1
    assert await world.rows("select own_point, own_quantity, applied_point from reorder_rule") == [
        {"own_point": 33, "own_quantity": 5, "applied_point": 70}
    ]
    assert await world.do(give_back) == 1
    assert await world.value("select reorder_point from sku where id = $1", sku_id) == 33
    assert await world.value("select count(*) from reorder_rule") == 0
