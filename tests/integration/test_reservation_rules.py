"""Whose a reservation is, how long it lasts, and what an order leaves of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.access import Principal, Role
from core.errors import Forbidden, IllegalTransition, InsufficientStock, InvalidInput, NotFound, ReservationExpired
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.extend_reservation import extend_reservation
from core.services.release_reservation import release_reservation

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
SHOP = Principal("shop", Role.STOREFRONT)
PLANNER = Principal("planner", Role.PLANNER)
ROWS = "select state, quantity, used, order_id from reservation order by id"


async def reserve(world, *items, **more):
    wanted = CreateReservation([ReservationItem(*item) for item in items], **more)
    return await world.do(lambda uow: create_reservation(uow, wanted))


async def states(world):
    return [(row["state"], row["quantity"], row["used"]) for row in await world.rows(ROWS)]


async def freed(world):
    """SKU codes of the availability events, and the inputs of the allocation jobs, since the last call."""
    rows = await world.rows("select topic, kind, payload, job from outbox order by id")
    await world.database.system.execute("delete from outbox")
    skus = sorted({row["payload"]["sku"] for row in rows if row["topic"] == "availability"})
    jobs = [row["payload"]["skuIds"] for row in rows if row["job"] == "allocate_waiting_demand"]
    return skus, jobs


async def test_what_an_order_leaves_of_a_hold_is_free_at_once(world):
    """Also of a SKU that the order does not name; who waits for the units is served."""
    await world.stock(5)
    await world.stock(4, sku="S2")
    held = await reserve(world, ("S", 5), ("S2", 4))
    await world.place(world.order(("S", 2), ("S2", 1), customer="C2"))
    await freed(world)
    (mine,) = await world.place(world.order(("S", 3), reservation_id=held.group_id))
    assert await world.quantities(mine.number) == (0, 3, 0, 0, 0)
    assert await states(world) == [("committed", 5, 3), ("committed", 4, 0)]
    assert [row["order_id"] for row in await world.rows(ROWS)] == [mine.order_id] * 2
    s, s2 = await world.sku("S"), await world.sku("S2")
    assert await freed(world) == (["S", "S2"], [[s, s2]])
    await reserve(world, ("S2", 3))
    with pytest.raises(InsufficientStock):
        await reserve(world, ("S", 1))


async def test_a_bound_reservation_serves_its_customer_only(world):
    """To anybody else it is as one that does not exist: nothing is taken, nothing is told."""
    await world.stock(3)
    held = await reserve(world, ("S", 3), customer="C1")
    other, nobody = await world.place(
        world.order(("S", 1), customer="C2", reservation_id=held.group_id),
        world.order(("S", 1), customer=None, reservation_id=held.group_id),
    )
    for order in (other, nobody):
        assert order.reservation_expired is True
        assert await world.quantities(order.number) == (0, 0, 1, 0, 0)
    assert await states(world) == [("held", 3, 0)]
    (mine,) = await world.place(world.order(("S", 3), customer="C1", reservation_id=held.group_id))
    assert mine.reservation_expired is False
    assert await world.quantities(mine.number) == (0, 3, 0, 0, 0)
    with pytest.raises(NotFound):
        await reserve(world, ("S", 1), customer="NOBODY")


async def test_a_customer_may_use_the_id_its_shop_gave_it_but_no_pool(world):
    await world.stock(9)
    buyer = Principal("c1", Role.CUSTOMER, customer_id=await world.value("select id from customer where code = 'C1'"))
    world.principal = SHOP
    cart = await reserve(world, ("S", 3))
    for kind in ("internal", "promotion"):
        with pytest.raises(Forbidden):
            await reserve(world, ("S", 3), kind=kind)
    world.principal = PLANNER
    internal = await reserve(world, ("S", 3), kind="internal")
    promotion = await reserve(world, ("S", 3), kind="promotion")
    world.principal = SHOP
    for pool in (internal, promotion):
        with pytest.raises(NotFound):
            await world.do(lambda uow, group=pool.group_id: release_reservation(uow, group))
        with pytest.raises(NotFound):
            await world.do(lambda uow, group=pool.group_id: extend_reservation(uow, group))
    world.principal = buyer
    for held, wants, gets in ((internal, 1, 0), (promotion, 2, 0), (cart, 3, 3)):
        (order,) = await world.place(world.order(("S", wants), reservation_id=held.group_id))
        assert (await world.quantities(order.number))[1] == gets
    assert await states(world) == [("committed", 3, 3), ("held", 3, 0), ("held", 3, 0)]
    world.principal = SHOP
    drawn, refused = await world.place(
        world.order(("S", 1), customer="C2", reservation_id=promotion.group_id),
        world.order(("S", 1), customer="V1", reservation_id=internal.group_id),
    )
    assert (drawn.reservation_expired, refused.reservation_expired) == (False, True)


async def test_orders_draw_on_a_pool_until_it_is_empty(world):
    """Also several of one batch; what is left stays held against everybody else."""
    await world.stock(10)
    world.principal = PLANNER
    pool = await reserve(world, ("S", 8), kind="promotion")
    world.principal = SHOP
    one, other, two = await world.place(
        world.order(("S", 3), customer=None, reservation_id=pool.group_id),
        world.order(("S", 4), customer="C2"),
        world.order(("S", 2), customer="C1", reservation_id=pool.group_id),
    )
    got = [await world.quantities(order.number) for order in (one, other, two)]
    assert got == [(0, 3, 0, 0, 0), (0, 2, 2, 0, 0), (0, 2, 0, 0, 0)]
    assert await states(world) == [("held", 3, 5)]
    (last,) = await world.place(world.order(("S", 5), customer="V1", reservation_id=pool.group_id))
    assert await world.quantities(last.number) == (0, 3, 2, 0, 0)
    assert await states(world) == [("committed", 3, 8)]


async def test_a_pool_lives_on_when_one_of_its_skus_is_used_up(world):
    await world.stock(2)
    await world.stock(2, sku="S2")
    pool = await reserve(world, ("S", 2), ("S2", 2), kind="promotion", ttl_seconds=60)
    await world.place(world.order(("S", 2), reservation_id=pool.group_id))
    assert await states(world) == [("committed", 2, 2), ("held", 2, 0)]
    longer = await world.do(lambda uow: extend_reservation(uow, pool.group_id, 600))
    assert longer.expires_at == world.clock.at + timedelta(seconds=600)
    await world.do(lambda uow: release_reservation(uow, pool.group_id))
    assert await states(world) == [("committed", 2, 2), ("released", 2, 0)]


async def test_a_pool_that_ends_frees_what_is_left(world):
    await world.stock(4)
    pool = await reserve(world, ("S", 4), kind="internal", ttl_seconds=60)
    await world.place(world.order(("S", 1), reservation_id=pool.group_id))
    world.clock.at = pool.expires_at
    await reserve(world, ("S", 3))
    assert await states(world) == [("expired", 3, 1), ("held", 3, 0)]


async def test_a_changed_cart_is_not_blocked_by_its_own_units(world):
    await world.stock(3)
    await world.stock(2, sku="S2")
    first = await reserve(world, ("S", 3))
    with pytest.raises(InsufficientStock):
        await reserve(world, ("S", 2), ("S2", 2))
    with pytest.raises(InsufficientStock):
        await reserve(world, ("S", 3), ("S2", 3), replaces=first.group_id)
    assert await states(world) == [("held", 3, 0)], "nothing was given up for what could not be had"
    start = world.clock.at
    world.clock.at += timedelta(seconds=500)
    second = await reserve(world, ("S", 2), ("S2", 2), replaces=first.group_id, ttl_seconds=999_999)
    assert await states(world) == [("released", 3, 0), ("held", 2, 0), ("held", 2, 0)]
    assert second.expires_at == start + timedelta(seconds=3_600), "the cap of the cart stays that of its first hold"
    await reserve(world, ("S", 1))
    await world.place(world.order(("S", 2), reservation_id=second.group_id))
    with pytest.raises(IllegalTransition):
        await reserve(world, ("S2", 1), replaces=second.group_id)
    with pytest.raises(NotFound):
        await reserve(world, ("S2", 1), replaces="11111111-1111-1111-1111-111111111111")


async def test_holds_that_replace_one_another_by_turns_do_not_outlive_their_kind(world):
    """A cart made a quote and a cart again has been held since the first cart."""
    await world.stock(3)
    held, start = await reserve(world, ("S", 3)), world.clock.at
    for minutes, kind in ((9, "quote"), (50, "cart"), (55, "quote")):
        world.clock.at = start + timedelta(minutes=minutes)
        held = await reserve(world, ("S", 3), kind=kind, replaces=held.group_id, ttl_seconds=99_999_999)
        most = timedelta(hours=1) if kind == "cart" else timedelta(days=30)
        assert held.expires_at == start + most
    world.clock.at = start + timedelta(minutes=70)
    with pytest.raises(InvalidInput, match="longer than a reservation of kind CART"):
        await reserve(world, ("S", 3), kind="cart", replaces=held.group_id)


async def test_the_channel_has_times_of_its_own(world):
    execute = world.database.system.execute
    await execute("insert into channel (code, name) values ('store', 'Store')")
    await execute(
        "insert into policy (code, value) values ('reservation_ttl', $1)",
        {
            "seconds": 30,
            "maximumSeconds": 60,
            "quote": {"seconds": 500, "maximumSeconds": 900},
            "channels": {"store": {"seconds": 40, "quote": {"seconds": 700}}},
        },
    )
    await world.stock(9)
    made = [
        await reserve(world, ("S", 1), channel=channel, kind=kind)
        for channel in (None, "web", "store")
        for kind in ("cart", "quote")
    ]
    assert [(held.expires_at - world.clock.at).seconds for held in made] == [30, 500, 30, 500, 40, 700]
    world.clock.at += timedelta(seconds=25)
    longer = await world.do(lambda uow: extend_reservation(uow, made[4].group_id))
    assert longer.expires_at == made[4].expires_at + timedelta(seconds=20), "40 s at the store, but 60 s in all"
    with pytest.raises(NotFound):
        await reserve(world, ("S", 1), channel="NOWHERE")


async def test_a_channel_holds_only_where_it_sells_and_behind_its_protection(world):
    execute = world.database.system.execute
    await execute(
        "insert into channel (code, name, location_ids, protected_class) values ('store', 'Store', $1, 'vip')",
        [await world.location("B")],
    )
    await world.stock(5)
    await world.stock(5, location="B")
    with pytest.raises(InsufficientStock) as refused:
        await reserve(world, ("S", 6), channel="store")
    assert refused.value.facts["available"] == 5
    await reserve(world, ("S", 5), channel="store")
    assert await world.value("select l.code from reservation r join location l on l.id = r.location_id") == "B"


async def test_expired_is_over_whoever_asks(world):
    """The sweeper never runs: no order, hold, extension or release of anybody counts the hold from its instant on."""
    await world.stock(6)
    held = [await reserve(world, ("S", 1), ttl_seconds=60) for _ in range(6)]
    world.clock.at += timedelta(seconds=60)
    for refused in (extend_reservation, release_reservation):
        with pytest.raises(ReservationExpired):
            await world.do(lambda uow, call=refused: call(uow, held[0].group_id))
    assert await world.value("select count(*) from reservation where state = 'held'") == 6
    (order,) = await world.place(world.order(("S", 6), reservation_id=held[1].group_id))
    assert await world.quantities(order.number) == (0, 6, 0, 0, 0)
    assert order.reservation_expired is True
    assert await world.value("select count(*) from reservation where state = 'expired'") == 6


async def test_the_hold_may_lie_elsewhere_and_for_another_day(world):
    """Held at B for the 7th; the order wants more, wants it now, and A is nearer: B's units are its own all the same."""
    due = TODAY + timedelta(days=5)
    await world.stock(2)
    await world.supply(4, due, location="B")
    held = await reserve(world, ("S", 4, "B", due), kind="preorder")
    (other,) = await world.place(world.order(("S", 3), customer="C2"))
    assert await world.quantities(other.number) == (0, 2, 1, 0, 0)
    (mine,) = await world.place(world.order(("S", 5), reservation_id=held.group_id))
    assert await world.quantities(mine.number) == (0, 0, 5, 0, 0)
    pegs = await world.rows(
        """select l.code, p.kind, p.quantity from peg p join location l on l.id = p.location_id
        where p.order_line_id = (select id from order_line where order_id = $1) order by p.kind""",
        mine.order_id,
    )
    assert [tuple(peg.values()) for peg in pegs] == [("B", "FIRM", 4), ("A", "OPEN", 1)]


async def test_two_lines_share_a_hold_of_two_days(world):
    due = TODAY + timedelta(days=5)
    await world.stock(3)
    await world.supply(4, due)
    held = await reserve(world, ("S", 3, "A"), ("S", 4, "A", due))
    (mine,) = await world.place(world.order(("S", 2), ("S", 4), reservation_id=held.group_id))
    assert await world.quantities(mine.number, 1) == (0, 2, 0, 0, 0)
    assert await world.quantities(mine.number, 2) == (0, 1, 3, 0, 0)
    assert await states(world) == [("committed", 3, 3), ("committed", 4, 3)]


async def test_only_what_is_there_can_be_held_and_expiry_restores_the_curve(world):
    await world.stock(3)
    world.clock.at += timedelta(seconds=1)
    gone = await reserve(world, ("S", 2), ttl_seconds=5)
    with pytest.raises(InsufficientStock) as refused:
        await reserve(world, ("S", 3))
    assert refused.value.facts["available"] == 1
    world.clock.at = gone.expires_at
    await reserve(world, ("S", 3))
