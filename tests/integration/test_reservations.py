"""Reservations: all or nothing, expiry decided at read time, an own hold never in its own way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.errors import (
    DateInPast,
    IllegalTransition,
    InsufficientStock,
    InvalidInput,
    NotFound,
    ReservationExpired,
    SkuNotSellable,
    UnknownSku,
)
from core.services import create_reservation as reserving
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_sku import ChangeSku, change_sku
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.expire_reservations import expire_reservations
from core.services.extend_reservation import extend_reservation
from core.services.release_reservation import release_reservation

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


def _reserve(*items, **more):
    wanted = CreateReservation([ReservationItem(*item) for item in items], **more)
    return lambda uow: create_reservation(uow, wanted)


async def test_walk_7(world):
    """A hold of 3 becomes an order of 3: its own hold is not in its way, nobody else may have the units before."""
    await world.stock(3)
    held = await world.do(_reserve(("S", 3)))
    assert held.expires_at == world.clock.at + timedelta(seconds=600)
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 3, "allocated": 0}]
    (other,) = await world.place(world.order(("S", 1), customer="C2"))
    assert await world.quantities(other.number) == (0, 0, 1, 0, 0)
    await world.do(lambda uow: cancel_order(uow, CancelOrder(other.number)))
    (mine,) = await world.place(world.order(("S", 3), reservation_id=held.group_id))
    assert mine.reservation_expired is False
    assert await world.quantities(mine.number) == (0, 3, 0, 0, 0)
    assert await world.rows("select state from reservation") == [{"state": "committed"}]
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 3, "allocated": 3}]
    assert await world.rows("select kind, quantity from peg") == [{"kind": "HARD", "quantity": 3}]
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: release_reservation(uow, held.group_id))


async def test_expiry_is_decided_at_read_time(world):
    """Nobody sweeps: at the instant of expiry the units belong to the next one, one microsecond before they do not."""
    await world.stock(3)
    held = await world.do(_reserve(("S", 3)))
    world.clock.at = held.expires_at - timedelta(microseconds=1)
    with pytest.raises(InsufficientStock) as refused:
        await world.do(_reserve(("S", 1)))
    assert (refused.value.facts["wanted"], refused.value.facts["available"]) == (1, 0)
    world.clock.at = held.expires_at
    assert await world.value("select state from reservation") == "held"
    await world.do(_reserve(("S", 3)))
    (late,) = await world.place(world.order(("S", 3), reservation_id=held.group_id))
    assert late.reservation_expired is True
    assert await world.quantities(late.number) == (0, 0, 3, 0, 0)
    with pytest.raises(ReservationExpired):
        await world.do(lambda uow: extend_reservation(uow, held.group_id))
    with pytest.raises(ReservationExpired):
        await world.do(lambda uow: release_reservation(uow, held.group_id))


async def test_all_or_nothing(world):
    await world.stock(3)
    await world.stock(1, sku="S2")
    gates = "select sku_id, version from sku_gate order by sku_id"
    before = await world.rows(gates)
    with pytest.raises(InsufficientStock) as refused:
        await world.do(_reserve(("S", 2), ("S2", 2)))
    assert (refused.value.path, refused.value.facts["available"]) == (("input", "items", "1"), 1)
    with pytest.raises(InsufficientStock):
        await world.do(_reserve(("S", 2), ("S", 2)))
    assert await world.value("select count(*) from reservation") == 0
    assert await world.rows(gates) == before


async def test_a_hold_claims_its_day(world):
    """5 arrive on d5: they can be held for d5, not for d4; stock of today is then still free."""
    due = TODAY + timedelta(days=5)
    await world.stock(2)
    await world.supply(5, due)
    with pytest.raises(InsufficientStock):
        await world.do(_reserve(("S", 5, "A", due - timedelta(days=1))))
    await world.do(_reserve(("S", 5, "A", due), kind="preorder"))
    (now,) = await world.place(world.order(("S", 2)))
    assert await world.quantities(now.number) == (0, 2, 0, 0, 0)
    (later,) = await world.place(world.order(("S", 1), customer="C2"))
    assert await world.quantities(later.number) == (0, 0, 1, 0, 0)
    assert await world.value("select count(*) from peg where kind = 'OPEN'") == 1


async def test_the_hold_is_split_only_when_no_place_has_all(world):
    await world.stock(3, location="A")
    await world.stock(4, location="B")
    await world.stock(50, location="R")
    await world.do(_reserve(("S", 4)))
    await world.do(_reserve(("S", 3)))
    rows = await world.rows(
        "select l.code, r.quantity from reservation r join location l on l.id = r.location_id order by r.id"
    )
    assert [tuple(r.values()) for r in rows] == [("B", 4), ("A", 3)], "the reserve warehouse does not ship to customers"
    with pytest.raises(InsufficientStock):
        await world.do(_reserve(("S", 1)))


async def test_extend_stops_at_the_cap(world):
    await world.stock(3)
    held = await world.do(_reserve(("S", 3), ttl_seconds=60))
    start = world.clock.at
    world.clock.at += timedelta(seconds=59)
    longer = await world.do(lambda uow: extend_reservation(uow, held.group_id, 120))
    assert longer.expires_at == world.clock.at + timedelta(seconds=120)
    same = await world.do(lambda uow: extend_reservation(uow, held.group_id, 5))
    assert same.expires_at == longer.expires_at, "an extension never shortens"
    capped = await world.do(lambda uow: extend_reservation(uow, held.group_id, 999_999))
    assert capped.expires_at == world.clock.at + timedelta(seconds=3_600) - timedelta(seconds=59)
    assert capped.expires_at == start + timedelta(seconds=3_600)


async def test_policy_of_the_kind(world):
    await world.database.system.execute(
        "insert into policy (code, value) values ('reservation_ttl', $1)",
        {"seconds": 30, "maximumSeconds": 40, "quote": {"seconds": 500, "maximumSeconds": 900}},
    )
    await world.stock(3)
    cart = await world.do(_reserve(("S", 1)))
    quote = await world.do(_reserve(("S", 1), kind="quote"))
    long = await world.do(_reserve(("S", 1), ttl_seconds=4_000))
    assert [(r.expires_at - world.clock.at).seconds for r in (cart, quote, long)] == [30, 500, 40]


async def test_released_and_expired_units_are_offered_to_who_waits(world):
    await world.stock(3)
    one = await world.do(_reserve(("S", 2)))
    two = await world.do(_reserve(("S", 1), ttl_seconds=10))
    await world.place(world.order(("S", 3), customer="C2"))
    job = "select count(*) from outbox where job = 'allocate_waiting_demand'"
    await world.do(lambda uow: release_reservation(uow, one.group_id))
    assert await world.value(job) == 1
    assert await world.do(expire_reservations) == 0
    world.clock.at = two.expires_at
    assert await world.do(expire_reservations) == 1
    assert await world.do(expire_reservations) == 0
    assert await world.value(job) == 2
    assert [r["state"] for r in await world.rows("select state from reservation order by id")] == [
        "released",
        "expired",
    ]
    with pytest.raises(ReservationExpired):
        await world.do(lambda uow: release_reservation(uow, one.group_id))


async def test_refusals(world):
    await world.stock(3)
    await world.database.system.execute("update sku set status = 'BLOCKED' where code = 'S3'")
    cases = [
        ([], InvalidInput),
        ([("S", 0)], InvalidInput),
        ([("NOPE", 1)], UnknownSku),
        ([("S3", 1)], SkuNotSellable),
        ([("S", 1, "NOWHERE")], NotFound),
        ([("S", 1, "KR")], NotFound),
        ([("S", 1, None, TODAY - timedelta(days=1))], DateInPast),
    ]
    for items, error in cases:
        with pytest.raises(error):
            await world.do(_reserve(*items))
    with pytest.raises(InvalidInput):
        await world.do(_reserve(("S", 1), ttl_seconds=0))
    for unknown in ("nonsense", "11111111-1111-1111-1111-111111111111"):
        with pytest.raises(NotFound):
            await world.do(lambda uow, group=unknown: release_reservation(uow, group))
    assert await world.value("select count(*) from reservation") == 0


async def test_the_holder_is_served_from_its_hold_whatever_else_is_promised(world):
    """Backorders of others push the far balance below zero, and they stand before it in the same batch."""
    await world.stock(5)
    held = await world.do(_reserve(("S", 5)))
    await world.place(world.order(("S", 9), customer="C2"))
    before, mine = await world.place(
        world.order(("S", 4), customer=None), world.order(("S", 3), ("S", 4), reservation_id=held.group_id)
    )
    assert await world.quantities(mine.number, 1) == (0, 3, 0, 0, 0)
    assert await world.quantities(mine.number, 2) == (0, 2, 2, 0, 0)
    assert await world.quantities(before.number) == (0, 0, 4, 0, 0)
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 5, "allocated": 5}]


async def test_a_dated_hold_becomes_a_claim_on_its_supply(world):
    due = TODAY + timedelta(days=5)
    await world.supply(5, due)
    held = await world.do(_reserve(("S", 5, "A", due), kind="preorder"))
    await world.place(world.order(("S", 9), customer="C2"))
    (mine,) = await world.place(world.order(("S", 5), reservation_id=held.group_id))
    assert await world.quantities(mine.number) == (0, 0, 5, 0, 0)
    pegs = await world.rows("select kind, need_date, quantity from peg where kind = 'FIRM'")
    assert pegs == [{"kind": "FIRM", "need_date": due, "quantity": 5}]


async def test_a_sku_that_is_blocked_while_its_gate_is_waited_for_is_not_held(world, monkeypatch):
    await world.stock(5)
    take = reserving.take_gates

    async def blocked_just_before(uow, sku_ids):
        await world.do(lambda other: change_sku(other, ChangeSku("S", "BLOCKED")))
        return await take(uow, sku_ids)

    monkeypatch.setattr(reserving, "take_gates", blocked_just_before)
    with pytest.raises(SkuNotSellable):
        await world.do(_reserve(("S", 2)))
    assert await world.value("select count(*) from reservation") == 0
