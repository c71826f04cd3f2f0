"""Orders on a real database choose their locations for all lines together; complete lines keep parts or leave them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest
from core.domain.states import ShipPolicy

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)

COMPLETE = ShipPolicy.COMPLETE


async def shelves(world, number: str) -> dict[int, dict[str, int]]:
    """Units of stock per line number and location."""
    found: dict[int, dict[str, int]] = {}
    for row in await world.rows(
        """select x.line_number, l.code, sum(p.quantity)::int as units from peg p join location l on l.id = p.location_id
        join order_line x on x.id = p.order_line_id join sales_order o on o.id = x.order_id
        where o.number = $1 and p.kind = 'HARD' group by 1, 2 order by 1, 2""",
        number,
    ):
        found.setdefault(row["line_number"], {})[row["code"]] = row["units"]
    return found


async def leave_parts(world) -> None:
    await world.database.system.execute("""insert into policy (code, value) values ('complete_lines', '"FREE"')""")


async def test_two_lines_ship_together_where_both_are_there(world):
    """A alone would serve line 1 sooner; B has both."""
    await world.stock(5, location="A")
    await world.stock(5, location="B")
    await world.stock(5, "S2", location="B")
    (order,) = await world.place(world.order(("S", 5), ("S2", 5)))
    assert await shelves(world, order.number) == {1: {"B": 5}, 2: {"B": 5}}


async def test_a_line_in_time_goes_before_a_common_shipment(world):
    await world.stock(5, location="A")
    await world.stock(5, location="B")
    await world.stock(5, "S2", location="B")
    soon = LineRequest("S", 5, requested_date=TODAY + timedelta(days=1))
    (order,) = await world.place(world.order(soon, ("S2", 5)))
    assert await shelves(world, order.number) == {1: {"A": 5}, 2: {"B": 5}}


async def test_lines_of_one_sku_share_the_shelf_and_take_the_rest_elsewhere(world):
    """13 and 2 from 10 + 15: 13 from B, 2 from B; then 11 more from A 10 and nothing twice."""
    await world.stock(10, location="A")
    await world.stock(15, location="B")
    (order,) = await world.place(world.order(("S", 13), ("S", 2)))
    assert await shelves(world, order.number) == {1: {"B": 13}, 2: {"B": 2}}
    (second,) = await world.place(world.order(("S", 8), ("S", 4), customer="C2"))
    assert await shelves(world, second.number) == {1: {"A": 8}, 2: {"A": 2}}
    assert await world.quantities(second.number, 2) == (0, 2, 2, 0, 0)


async def test_a_reserved_line_draws_the_others_to_its_location(world):
    from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation

    await world.stock(5, location="B")
    held = await world.do(lambda uow: create_reservation(uow, CreateReservation([ReservationItem("S", 5)])))
    await world.stock(5, "S2", location="A")
    await world.stock(5, "S2", location="B")
    (order,) = await world.place(world.order(("S", 5), ("S2", 5), reservation_id=str(held.group_id)))
    assert await shelves(world, order.number) == {1: {"B": 5}, 2: {"B": 5}}


async def test_by_default_a_complete_line_keeps_the_parts_it_can_get(world):
    await world.stock(6)
    (order,) = await world.place(world.order(LineRequest("S", 10, ship_policy=COMPLETE)))
    assert await world.quantities(order.number) == (0, 6, 4, 0, 0)


async def test_a_complete_line_may_leave_to_others_what_does_not_make_it_whole(world):
    """What others take now comes back by the day of its promise; what would not come back is not given away."""
    await leave_parts(world)
    await world.stock(6)
    await world.supply(9, TODAY + timedelta(days=5))
    (order,) = await world.place(world.order(LineRequest("S", 10, ship_policy=COMPLETE)))
    assert await world.quantities(order.number) == (0, 0, 10, 0, 0)
    assert await world.value("select max(need_date) from peg") == TODAY + timedelta(days=5)
    (small,) = await world.place(world.order(("S", 6), customer="C2"))
    assert await world.quantities(small.number) == (0, 5, 1, 0, 0)
    (whole,) = await world.place(world.order(LineRequest("S2", 1, ship_policy=COMPLETE)))
    assert await world.quantities(whole.number) == (0, 0, 1, 0, 0)
    await world.stock(3, "S3")
    (whole,) = await world.place(world.order(LineRequest("S3", 3, ship_policy=COMPLETE)))
    assert await world.quantities(whole.number) == (0, 3, 0, 0, 0)


async def test_what_a_complete_line_leaves_is_taken_by_the_next_line_of_the_order(world):
    await leave_parts(world)
    await world.stock(6)
    await world.supply(10, TODAY + timedelta(days=5))
    (order,) = await world.place(world.order(LineRequest("S", 10, ship_policy=COMPLETE), ("S", 6)))
    assert await shelves(world, order.number) == {2: {"A": 6}}


async def test_an_order_that_ships_complete_takes_only_lines_that_are_whole(world):
    await leave_parts(world)
    await world.stock(6)
    await world.stock(4, "S2")
    (order,) = await world.place(world.order(("S", 6), ("S2", 5), ship_complete=True))
    assert await shelves(world, order.number) == {1: {"A": 6}}


async def test_an_order_that_comes_off_hold_chooses_for_all_its_lines(world):
    from core.services.release_order_hold import release_order_hold

    await world.stock(5, location="A")
    await world.stock(5, location="B")
    await world.stock(5, "S2", location="B")
    (order,) = await world.place(world.order(("S", 5), ("S2", 5), payment_state="PENDING"))
    assert await shelves(world, order.number) == {}
    await world.do(lambda uow: release_order_hold(uow, order.number))
    assert await shelves(world, order.number) == {1: {"B": 5}, 2: {"B": 5}}
