"""Walk 8 of the data model on a real database: a transfer from planning to receipt and loss."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.errors import IllegalTransition, InsufficientStock, InvalidInput, QuantityExceeded
from core.services.receive_transfers import lose_transfers, receive_transfers
from core.services.reconcile_stock import recount
from core.services.ship_transfers import ship_transfers
from core.services.transfer_stock import TransferStock, transfer_stock

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def levels(world) -> dict[str, tuple[int, int]]:
    rows = await world.rows(
        "select l.code, s.on_hand, s.allocated from stock_level s join location l on l.id = s.location_id"
    )
    return {r["code"]: (r["on_hand"], r["allocated"]) for r in rows}


async def waiting_at_a(world) -> tuple[str, int]:
    """A line of 5 waits at A; 8 lie in the reserve R, which cannot ship to customers, and are transferred later."""
    (order,) = await world.place(world.order(("S", 5)))
    await world.stock(8, location="R")
    moved = await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "R", "A", 5)))
    return order.number, moved.transfer_id


async def test_walk_8_reserved_shipped_received_and_one_lost(world):
    number, transfer = await waiting_at_a(world)
    assert await levels(world) == {"R": (8, 5)}
    pegs = await world.rows("select kind, quantity, transfer_id is not null as own from peg order by kind")
    assert [tuple(p.values()) for p in pegs] == [("FIRM", 5, False), ("HARD", 5, True)]
    supply = (await world.rows("select kind, quantity, pegged, usable_date from supply"))[0]
    assert supply == {"kind": "transfer", "quantity": 5, "pegged": 5, "usable_date": TODAY + timedelta(days=2)}
    assert await world.value("select state from backorder") == "PEGGED"
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: receive_transfers(uow, [(transfer, 5)]))
    await world.do(lambda uow: ship_transfers(uow, [transfer]))
    assert await levels(world) == {"R": (3, 0)}
    await world.do(lambda uow: receive_transfers(uow, [(transfer, 4)]))
    assert await levels(world) == {"R": (3, 0), "A": (4, 4)}
    assert await world.quantities(number) == (0, 4, 1, 0, 0)
    await world.do(lambda uow: lose_transfers(uow, [(transfer, 1)]))
    row = (await world.rows("select shipped, received, lost, state from transfer"))[0]
    assert row == {"shipped": 5, "received": 4, "lost": 1, "state": "received"}
    assert await world.value("select cancelled from supply") == 1
    assert await world.value("select kind from peg where kind <> 'HARD'") == "OPEN"
    assert await world.value("select state from backorder") == "AWAITING_SUPPLY"
    assert await world.do(recount) == []


async def test_a_transfer_takes_only_what_nobody_needs(world):
    await world.stock(4, location="A")
    await world.place(world.order(("S", 3)))
    with pytest.raises(InsufficientStock) as refused:
        await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "A", "B", 2)))
    assert refused.value.facts["available"] == 1
    with pytest.raises(InvalidInput):
        await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "B", "A", 1)))
    assert await world.value("select count(*) from transfer") == 0


async def test_no_more_arrives_than_left(world):
    _, transfer = await waiting_at_a(world)
    await world.do(lambda uow: ship_transfers(uow, [transfer]))
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: receive_transfers(uow, [(transfer, 6)]))
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: ship_transfers(uow, [transfer]))
    assert await levels(world) == {"R": (3, 0)}
