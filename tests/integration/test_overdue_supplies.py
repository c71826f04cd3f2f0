"""A supply whose day passes without a message slides every night, moves promises beyond the hysteresis, and is found once."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from core.domain.overdue import LateRecord, overdue_days, remaining_days
from core.services.check_overdue_supplies import check_overdue_supplies, find_overdue
from tests.world import NOW, TODAY, World

pytestmark = pytest.mark.anyio


async def _check(world: World) -> list[int]:
    skus = await world.do(find_overdue)
    return await world.do(lambda uow: check_overdue_supplies(uow, skus)) if skus else []


async def _promised(world: World) -> list:
    return [r["promised_date"] for r in await world.rows("select promised_date from order_line order by id")]


async def test_a_night_without_a_message_moves_peg_promise_and_backorder(world):
    due = TODAY + timedelta(days=3)
    await world.supply(5, due)
    (order,) = await world.place(world.order(("S", 5)))
    assert await _promised(world) == [due + timedelta(days=1)]
    world.clock.at = NOW + timedelta(days=3)
    assert await world.do(find_overdue) == [], "it may still come today"
    world.clock.at = NOW + timedelta(days=4)
    assert len(await _check(world)) == 1
    assert await _promised(world) == [due + timedelta(days=3)], "tomorrow, and a day on the road"
    (peg,) = await world.rows("select kind, need_date from peg")
    assert peg == {"kind": "FIRM", "need_date": due + timedelta(days=2)}
    (moved,) = await world.rows("select cause_kind, evidence from promise where sequence = 2")
    assert moved["cause_kind"] == "SUPPLY_DELAYED"
    assert (moved["evidence"]["overdue"], moved["evidence"]["binding"]["kind"]) == (True, "SUPPLY")
    assert await world.value("select count(*) from notice where template = 'PROMISE_MOVED'") == 1
    assert await world.value("select state from backorder") == "DELAYED"
    assert await world.quantities(order.number) == (0, 0, 5, 0, 0)

    version = await world.value("select version from sku_gate where sku_id = $1", await world.sku())
    assert await world.do(find_overdue) == [], "once a day"
    assert await world.do(lambda uow: check_overdue_supplies(uow, [1])) == [], "a second run finds nothing to do"
    assert await world.value("select count(*) from promise") == 2
    assert await world.value("select version from sku_gate where sku_id = $1", await world.sku()) == version + 1


async def test_the_hysteresis_keeps_small_steps_from_the_customer(world):
    due = TODAY + timedelta(days=3)
    await world.supply(5, due)
    await world.place(world.order(("S", 5)))
    told = []
    for day in range(4, 12):
        world.clock.at = NOW + timedelta(days=day)
        await _check(world)
        told.append((await _promised(world))[0] - TODAY)
    days = [gap.days for gap in told]
    assert days == sorted(days)
    assert [later - sooner for sooner, later in pairwise(days) if later != sooner] != []
    assert all(later - sooner != 1 for sooner, later in pairwise(days)), "never by a single day"
    assert await world.value("select overdue_days from supply") == 4, "eight days overdue: half as long again"


async def test_other_supply_and_stock_come_to_the_rescue(world):
    due = TODAY + timedelta(days=3)
    await world.supply(5, due)
    (order,) = await world.place(world.order(("S", 5)))
    await world.stock(2)
    await world.supply(3, due)
    world.clock.at = NOW + timedelta(days=3)
    await world.supply(3, due + timedelta(days=1))
    world.clock.at = NOW + timedelta(days=4)
    await _check(world)
    assert (await world.quantities(order.number))[1] == 2
    assert await world.value("select count(*) from promise where sequence = 2") == 1


async def test_midnight_is_that_of_the_location(world):
    await world.supply(5, TODAY)
    world.clock.at = NOW.replace(hour=14, minute=59)
    assert await world.do(find_overdue) == []
    world.clock.at = NOW.replace(hour=15, minute=1)  # 00:01 in Seoul
    assert await world.do(find_overdue) == [await world.sku()]


def test_the_conditional_delay_is_that_of_those_who_were_later_still():
    record = LateRecord(late_days=[0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 9, 20])
    assert remaining_days(record, 2) == 9 - 2, "of 3, 4, 5, 6, 9, 20 five sixths came by 9"
    assert remaining_days(LateRecord([3, 4, 5, 6, 9] * 4), 2) == 6 - 2
    assert remaining_days(record, 5) is None, "too few were later"
    assert remaining_days(LateRecord([3, 4, 5, 6, 9], [12] * 9), 2) is None, "nine are missing for longer: left open"
    assert overdue_days(record, 2, 1) == 7
    assert [overdue_days(LateRecord(), n, n) for n in (1, 2, 3, 9, 200)] == [1, 1, 2, 5, 30]


async def test_a_lead_time_that_has_passed_without_any_source_is_renewed_and_told(world):
    (order,) = await world.place(world.order(("S", 5)))
    (first,) = await _promised(world)
    assert first == TODAY + timedelta(days=15), "the lead time, and a day on the road"
    world.clock.at = NOW + timedelta(days=14)
    assert await world.do(find_overdue) == [], "it may still come today"
    world.clock.at = NOW + timedelta(days=20)
    await _check(world)
    assert await _promised(world) == [TODAY + timedelta(days=35)]
    (moved,) = await world.rows("select cause_kind, evidence from promise where sequence = 2")
    assert (moved["cause_kind"], moved["evidence"]["lapsed"]) == ("SUPPLY_DELAYED", True)
    assert await world.value("select expected_date from backorder") == TODAY + timedelta(days=35)
    assert await world.value("select count(*) from notice where template = 'PROMISE_MOVED'") == 1
    assert await world.quantities(order.number) == (0, 0, 5, 0, 0)
    assert await world.do(find_overdue) == []
