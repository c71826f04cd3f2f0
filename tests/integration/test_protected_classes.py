"""Protected stock per demand class: who may touch it at placement, on receipt and on release; SQL and book agree."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.queries.availability import read_curves, timeline_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.services.allocate_waiting import allocate_waiting
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.release_order_hold import release_order_hold
from tests.world import NOW, TODAY, World

pytestmark = pytest.mark.anyio


async def _protect(world: World, quantity: int, demand_class: str = "", place: str = "A", since: date = TODAY) -> None:
    sku_id, location_id = await world.sku(), await world.location(place)

    async def write(uow) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            """insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity)
            values ($1, $2, $3, $4, $5)""",
            sku_id,
            location_id,
            demand_class,
            since,
            quantity,
        )

    await world.do(write)


async def _clinic(world: World) -> None:
    await world.database.system.execute(
        "insert into channel (code, name, protected_class) values ('clinic', 'Clinics', 'urgent'), ('vip', 'VIP', 'vip')"
    )


def _by(world: World, channel: str, quantity: int, **more):
    return replace(world.order(("S", quantity), **more), channel=channel)


async def test_an_exempt_class_takes_what_the_default_may_not_in_one_batch(world):
    await _clinic(world)
    await world.stock(6)
    await _protect(world, 4)
    await _protect(world, 0, "urgent")
    shop, clinic, vip = await world.place(
        _by(world, "web", 5), _by(world, "clinic", 3, customer="C2"), _by(world, "vip", 1, customer="V1")
    )
    assert await world.quantities(shop.number) == (0, 2, 3, 0, 0)
    assert await world.quantities(clinic.number) == (0, 3, 0, 0, 0)
    assert await world.quantities(vip.number) == (0, 0, 1, 0, 0), "a class without steps of its own keeps the default's"
    (level,) = await world.rows("select on_hand, allocated from stock_level")
    assert level == {"on_hand": 6, "allocated": 5}


async def test_a_class_with_more_protection_gets_less(world):
    await _clinic(world)
    await world.stock(6)
    await _protect(world, 1)
    await _protect(world, 5, "vip")
    (vip,) = await world.place(_by(world, "vip", 4))
    (shop,) = await world.place(_by(world, "web", 4, customer="C2"))
    assert await world.quantities(vip.number) == (0, 1, 3, 0, 0)
    assert await world.quantities(shop.number) == (0, 4, 0, 0, 0)


async def _receive(world: World, supply_quantity: int) -> None:
    await world.stock(supply_quantity)
    await world.do(lambda uow: _serve(uow))


async def _serve(uow) -> None:
    await allocate_waiting(uow, [await uow.sql.fetchval("select id from sku where code = 'S'")])


async def test_what_arrives_goes_to_the_class_that_may_have_it(world):
    """Free units arrive: the default's line is older, but they only fill the protection that the exempt class may use."""
    await _clinic(world)
    await _protect(world, 4)
    await _protect(world, 0, "urgent")
    (shop,) = await world.place(_by(world, "web", 3))
    (clinic,) = await world.place(_by(world, "clinic", 3, customer="C2"))
    assert await world.quantities(shop.number) == (0, 0, 3, 0, 0)
    await _receive(world, 5)
    assert await world.quantities(shop.number) == (0, 1, 2, 0, 0), "five less the four protected"
    assert await world.quantities(clinic.number) == (0, 3, 0, 0, 0)
    assert await world.value("select available from (select on_hand - allocated as available from stock_level) s") == 1


async def test_what_a_cancelled_order_frees_goes_to_the_class_that_may_have_it(world):
    await _clinic(world)
    await world.stock(3)
    (first,) = await world.place(_by(world, "clinic", 3))
    await _protect(world, 3)
    await _protect(world, 0, "urgent")
    (shop,) = await world.place(_by(world, "web", 2, customer="C2"))
    (clinic,) = await world.place(_by(world, "clinic", 2, customer="V1"))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first.number)))
    assert await world.quantities(shop.number) == (0, 0, 2, 0, 0)
    assert await world.quantities(clinic.number) == (0, 2, 0, 0, 0)


async def test_orders_of_two_classes_released_from_hold_get_what_their_class_may(world):
    await _clinic(world)
    held = await world.place(
        _by(world, "web", 2, payment_state="PENDING"), _by(world, "clinic", 2, customer="C2", payment_state="PENDING")
    )
    await world.stock(5)
    await _protect(world, 2)
    await _protect(world, 0, "urgent")
    for order in held:
        await world.do(lambda uow, number=order.number: release_order_hold(uow, number))
    assert await world.quantities(held[0].number) == (0, 1, 1, 0, 0), "the clinic keeps its place, the protection stays"
    assert await world.quantities(held[1].number) == (0, 2, 0, 0, 0)


async def test_the_statement_and_the_book_read_the_same_curve_for_every_class(world):
    chance = random.Random(41)
    await _clinic(world)
    for place in ("A", "B", "R"):
        await world.stock(chance.randint(5, 20), location=place)
        for _ in range(4):
            await world.supply(chance.randint(1, 9), TODAY + timedelta(days=chance.randint(-4, 30)), location=place)
    for demand_class, place in (("", "A"), ("", "B"), ("urgent", "A"), ("vip", "B"), ("vip", "R")):
        for day in chance.sample(range(-9, 30), 3):
            await _protect(world, chance.randint(0, 6), demand_class, place, TODAY + timedelta(days=day))
    await world.place(_by(world, "vip", 6), _by(world, "web", 9, customer="C2"), _by(world, "clinic", 4, customer="V1"))
    sku_id = await world.sku()
    places = [await world.location(code) for code in ("A", "B", "R")]

    async def compare(uow) -> set[str]:
        network = await load_network(uow)
        curves = {c: await read_curves(uow.sql, [sku_id], places, NOW, c) for c in ("", "urgent", "vip", "unknown")}
        book = (await load_books(uow, await take_gates(uow, [sku_id]), network))[sku_id]
        seen = set()
        for demand_class, rows in curves.items():
            for row in rows:
                curve = timeline_of(row)
                assert curve.steps() == book.timeline(row["location_id"], demand_class).steps()
                assert row["safety_stock"] == book.protected_at(row["location_id"], demand_class, TODAY)
                seen.add(str(curve.steps()))
        return seen

    assert len(await world.do(compare)) > 4
