"""Proposals to move stock on a real database: made, brought up to date, expired, accepted once."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from core.errors import DomainError, IllegalTransition, InvalidInput
from core.services.propose_rebalancing import propose_rebalancing, start_rebalancing
from core.services.transfer_stock import TransferStock, transfer_stock
from core.settings import Settings
from workers.job import JobContext
from workers.jobs import propose_rebalancing as propose_rebalancing_job

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def look(world) -> int:
    sku_ids = await world.do(start_rebalancing)
    return await world.do(lambda uow: propose_rebalancing(uow, sku_ids))


async def short_at_a(world) -> None:
    """A has sold 28 units in four weeks and has 2 left; the reserve R has 50 and sells nothing."""
    await world.stock(30, location="A")
    await world.stock(50, location="R")
    for days in (1, 8, 15, 22):
        at = world.clock.at - timedelta(days=days)
        await world.place(world.order(("S", 7), customer=None, placed_at=at))


async def proposals(world) -> list[dict]:
    return await world.rows(
        """select p.id, k.code as sku, f.code as origin, t.code as target, p.quantity, p.state, p.arrives_on, p.reason
        from rebalancing_proposal p join sku k on k.id = p.sku_id join location f on f.id = p.from_location_id
        join location t on t.id = p.to_location_id order by p.id"""
    )


async def test_excess_of_the_reserve_is_proposed_for_who_runs_out(world):
    await short_at_a(world)
    assert await look(world) == 1
    (found,) = await proposals(world)
    assert (found["sku"], found["origin"], found["target"], found["quantity"]) == ("S", "R", "A", 12)
    assert found["arrives_on"] == TODAY + timedelta(days=2)
    assert found["reason"]["kind"] == "AT_RISK"
    assert (found["reason"]["coverBefore"], found["reason"]["coverAfter"]) == (2.0, 14.0)
    assert await look(world) == 0
    assert len(await proposals(world)) == 1


async def test_supply_under_way_to_the_reserve_is_proposed_ahead_and_taken_when_it_is_there(world):
    """A has 2 left and sells one a day; what comes to A itself comes too late, the reserve gets 60 tomorrow."""
    await world.stock(30, location="A")
    for days in (1, 8, 15, 22):
        await world.place(world.order(("S", 7), customer=None, placed_at=world.clock.at - timedelta(days=days)))
    await world.supply(60, TODAY + timedelta(days=1), location="R")
    await world.supply(90, TODAY + timedelta(days=9), location="A")
    assert await look(world) == 1
    (found,) = await proposals(world)
    assert (found["origin"], found["target"], found["quantity"]) == ("R", "A", 7), "9 days of demand less what is there"
    assert (found["arrives_on"], found["reason"]["shipsOn"]) == (TODAY + timedelta(days=3), "2026-11-03")
    accept = TransferStock("S", "R", "A", 7, found["id"])
    with pytest.raises(DomainError):
        await world.do(lambda uow: transfer_stock(uow, accept))
    await world.stock(60, location="R")
    await world.do(lambda uow: transfer_stock(uow, accept))
    assert [p["state"] for p in await proposals(world)] == ["ACCEPTED"]


async def test_only_what_may_be_short_somewhere_is_looked_at(world):
    """Looking at one SKU costs its whole book: a place with cover for twice the week it may need to be short is left."""
    short, waits = [row["id"] for row in await world.rows("select id from sku where code in ('S', 'S2') order by code")]
    await world.stock(28, location="A")
    for days in (1, 8, 15, 22):
        await world.place(world.order(("S", 3), customer=None, placed_at=world.clock.at - timedelta(days=days)))
    assert await world.do(start_rebalancing) == [], "12 sold in four weeks, 16 left: ten weeks"
    await world.place(world.order(("S", 11), customer=None))
    assert await world.do(start_rebalancing) == [short], "23 sold and 5 left"
    await world.stock(40, location="R", sku="S2")
    await world.place(world.order(("S2", 50), customer=None, ship_complete=True))
    assert await world.do(start_rebalancing) == sorted([short, waits])


async def test_a_proposal_that_no_longer_holds_is_withdrawn_and_an_old_one_expires(world):
    await short_at_a(world)
    await look(world)
    await world.stock(100, location="A")
    assert await look(world) == 0
    assert [p["state"] for p in await proposals(world)] == ["WITHDRAWN"]
    await world.stock(60, location="B", sku="S2")
    await world.stock(8, location="R", sku="S2")
    world.clock.at += timedelta(days=4)
    await world.do(start_rebalancing)
    assert [p["state"] for p in await proposals(world)] == ["WITHDRAWN"]


async def test_an_expired_proposal_cannot_be_accepted(world):
    await short_at_a(world)
    await look(world)
    (found,) = await proposals(world)
    world.clock.at += timedelta(days=4)
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "R", "A", 12, found["id"])))
    await world.do(start_rebalancing)
    assert [p["state"] for p in await proposals(world)] == ["EXPIRED"]
    assert await look(world) == 1  # it is still true


async def test_accepting_makes_the_transfer_once(world):
    await short_at_a(world)
    await look(world)
    (found,) = await proposals(world)
    with pytest.raises(InvalidInput):
        await world.do(lambda uow: transfer_stock(uow, TransferStock("S2", "R", "A", 12, found["id"])))
    wanted = TransferStock("S", "R", "A", 12, found["id"])
    outcomes = await asyncio.gather(
        *(world.do(lambda uow: transfer_stock(uow, wanted)) for _ in range(3)), return_exceptions=True
    )
    done = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(done) == 1
    assert all(isinstance(outcome, DomainError) for outcome in outcomes if isinstance(outcome, BaseException))
    assert await world.value("select count(*) from transfer") == 1
    (row,) = await world.rows("select state, transfer_id from rebalancing_proposal")
    assert row == {"state": "ACCEPTED", "transfer_id": done[0].transfer_id}
    assert await look(world) == 0  # what is on its way counts


async def test_planners_can_switch_proposals_off(world):
    await short_at_a(world)
    await world.database.system.execute(
        """insert into policy (code, value) values ('rebalancing', '{"isOn": false}')"""
    )
    assert await look(world) == 0


async def test_two_looks_at_once_propose_once(world):
    await short_at_a(world)
    await asyncio.gather(*(look(world) for _ in range(4)))
    assert [p["state"] for p in await proposals(world)] == ["OPEN"]


async def test_the_daily_job_looks_at_all_stock_in_chunks(world, monkeypatch):
    await short_at_a(world)
    await world.stock(5, sku="S2")
    await world.place(world.order(("S2", 4), customer=None))
    monkeypatch.setattr(propose_rebalancing_job, "CHUNK", 1)
    context = JobContext(world.database, Settings(env="test"), world.clock)
    assert await propose_rebalancing_job.propose_rebalancing(context, {}) == {"skus": 2, "proposals": 1}
    assert await propose_rebalancing_job.propose_rebalancing(context, {}) == {"skus": 2, "proposals": 0}
