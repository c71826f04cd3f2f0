"""Kits and their components, and units of lots, asked for by many at once: no unit is sold twice."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta

import pytest

from core.errors import DomainError
from core.repositories.gates import take_gates
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.block_lot import ChangeLot, block_lot, release_lot
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.reconcile_stock import recount
from core.unit_of_work import UnitOfWork
from tests.world import World

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def _all(*work):
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DomainError):
            raise result
    return results


async def make_kit(world: World) -> None:
    """K = 2 S + 1 S2."""
    await world.database.system.execute("insert into sku (code, name, currency) values ('K', '{}', 'KRW')")
    ids = [await world.sku(code) for code in ("K", "S", "S2")]

    async def write(uow: UnitOfWork) -> None:
        await take_gates(uow, ids)
        await uow.sql.execute("insert into kit_component values ($1, $2, 2), ($1, $3, 1)", *ids)

    await world.do(write)


@pytest.mark.parametrize("seed", range(3))
async def test_a_kit_and_its_component_bought_at_once(world: World, seed: int) -> None:
    await make_kit(world)
    await world.stock(20, "S")
    await world.stock(50, "S2")
    wanted = [("K", 1)] * 14 + [("S", 1)] * 14
    random.Random(seed).shuffle(wanted)
    placed = await _all(*(world.place(world.order(line, customer=None)) for line in wanted))
    numbers = [result[0].number for result in placed]
    assert (
        await world.value("select sum(l.allocated) from order_line l join sku k on k.id = l.sku_id where k.code = 'S'")
        == 20
    )
    kits = await world.value(
        "select sum(allocated / kit_quantity) from order_line l join sku k on k.id = l.sku_id where k.code = 'S' and kit_sku_id is not null"
    )
    assert kits * 2 <= 20
    await _all(*(world.do(lambda uow, n=n: cancel_order(uow, CancelOrder(n or ""))) for n in numbers[::3]))
    assert await world.do(recount) == []


@pytest.mark.parametrize("seed", range(3))
async def test_units_of_lots_asked_for_while_lots_are_recalled(world: World, seed: int) -> None:
    await world.database.system.execute("update sku set tracks_lots = true, tracks_expiry = true where code = 'S'")
    for n in range(4):
        found = AdjustStock("S", "A", 5, "opening", lot=f"L{n}", expires_on=TODAY + timedelta(days=20 + n))
        await world.do(lambda uow, found=found: adjust_stock(uow, found))
    change = [ChangeLot("S", f"L{n}", "recall") for n in range(4)]
    work = [world.place(world.order(("S", 1 + n % 3), customer=None)) for n in range(16)]
    work += [world.do(lambda uow, c=c: block_lot(uow, c)) for c in change[:3]]
    work += [world.do(lambda uow, c=c: release_lot(uow, c)) for c in change[:2]]
    random.Random(seed).shuffle(work)
    await _all(*work)
    assert await world.value("select sum(allocated) from lot") == await world.value(
        "select sum(allocated) from order_line"
    )
    sold = await world.value(
        "select count(*) from peg p join lot t on t.sku_id = p.sku_id and t.id = p.lot_id where t.state <> 'sellable'"
    )
    assert sold == 0
    assert await world.do(recount) == []
