"""Purchases beside proposals to move stock, with the real daily look: the answer is awaited once and harms no promise."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.propose_rebalancing import propose_rebalancing, start_rebalancing
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.transfer_stock import TransferStock, transfer_stock

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
FAR = TODAY + timedelta(days=60)


async def waits(world, requested: date | None = FAR, units: int = 4) -> None:
    """Units that wait at A without a source; nothing is moved by itself."""
    await world.database.system.execute(
        """insert into policy (code, value) values ('redistribution', '{"isOn": false}')"""
    )
    await world.place(world.order(LineRequest("S", units, requested)))


async def look(world) -> None:
    sku_ids = await world.do(start_rebalancing)
    await world.do(lambda uow: propose_rebalancing(uow, sku_ids))


async def bought(world) -> int:
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    return await world.value("select coalesce(sum(ordered), 0) from purchase_order_line")


async def purchases_asked(world) -> int:
    return await world.value("select count(*) from outbox where job = 'raise_purchase_request'")


async def states(world) -> list[tuple[str, int]]:
    return [(r["state"], r["quantity"]) for r in await world.rows("select * from rebalancing_proposal order by id")]


async def test_the_daily_look_does_not_prolong_a_proposal_and_what_nobody_moves_is_bought(world):
    """Asked for in two months: three days for the answer cost nothing. The move that is then proposed anew is not awaited."""
    await waits(world)
    await world.stock(50, location="R")
    for _ in range(3):
        await look(world)
        assert await bought(world) == 0
        world.clock.at += timedelta(days=1)
    assert await purchases_asked(world) == 0
    await look(world)
    assert [state for state, _ in await states(world)] == ["EXPIRED", "OPEN"]
    assert await purchases_asked(world) == 1
    assert await bought(world) == 4


async def test_goods_under_way_to_the_giver_hold_no_purchase_up(world):
    await waits(world)
    await world.supply(50, TODAY + timedelta(days=9), location="R")
    await look(world)
    (proposal,) = await world.rows("select * from rebalancing_proposal where state = 'OPEN'")
    assert proposal["reason"]["shipsOn"] == "2026-11-11"
    assert await bought(world) == 4


async def test_what_must_be_bought_today_to_come_as_promised_awaits_no_answer(world):
    await waits(world, requested=None)
    await world.stock(50, location="R")
    await look(world)
    assert [state for state, _ in await states(world)] == ["OPEN"]
    assert await bought(world) == 4
    assert await world.value("select need_date from peg where kind = 'FIRM'") == TODAY + timedelta(days=14)


@pytest.mark.parametrize("left", [0, 3])
async def test_a_proposal_that_is_withdrawn_or_brings_less_asks_for_the_purchase(world, left):
    await waits(world)
    await world.stock(50, location="R")
    await look(world)
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "R", left - 50, "lost")))
    before = await purchases_asked(world)
    await look(world)
    assert await states(world) == ([("OPEN", 3)] if left else [("WITHDRAWN", 6)])
    assert await purchases_asked(world) == before + 1
    assert await bought(world) == 4 - left


async def test_a_proposal_that_is_taken_in_part_asks_for_the_purchase_of_the_rest(world):
    await waits(world)
    await world.stock(50, location="R")
    await look(world)
    proposal_id = await world.value("select id from rebalancing_proposal")
    await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "R", "A", 1, proposal_id)))
    assert await purchases_asked(world) == 1
    assert await bought(world) == 3
