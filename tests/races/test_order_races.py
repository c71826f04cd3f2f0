"""Many at once on few units: nothing is sold twice, nobody meets a constraint, and every sum holds afterwards."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import pytest

from core.domain.records import Line
from core.domain.states import PromiseReason
from core.errors import DomainError, IllegalTransition, InsufficientStock
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.release_order_hold import release_order_hold
from core.services.release_reservation import release_reservation

pytestmark = pytest.mark.anyio


async def _all(*work):
    """Results and refusals in order; anything that is no refusal (a constraint, a broken sum) fails the test."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DomainError):
            raise result
    return results


SUMS = {
    "line": """select l.id from order_line l left join lateral (select
            coalesce(sum(quantity) filter (where kind = 'HARD'), 0) as hard,
            coalesce(sum(quantity) filter (where kind <> 'HARD'), 0) as soft from peg p where p.order_line_id = l.id) p on true
        where l.allocated <> p.hard or l.open + l.backordered <> p.soft""",
    "backorder": """select l.id from order_line l left join backorder b on b.order_line_id = l.id and b.closed_at is null
        where l.backordered <> coalesce(b.quantity, 0)""",
    "stock": """select s.sku_id from stock_level s
        left join (select sku_id, location_id, sum(on_hand_delta) as h, sum(allocated_delta) as a, sum(unsellable_delta) as u
            from stock_movement group by 1, 2) m using (sku_id, location_id)
        left join (select sku_id, location_id, sum(quantity) as q from peg where kind = 'HARD' group by 1, 2) p
            using (sku_id, location_id)
        where s.on_hand <> coalesce(m.h, 0) or s.allocated <> coalesce(m.a, 0) or s.unsellable <> coalesce(m.u, 0)
            or s.allocated <> coalesce(p.q, 0)""",
    "supply": """select s.id from supply s left join (select supply_id, sum(quantity) as q from peg group by 1) p
        on p.supply_id = s.id where s.pegged <> coalesce(p.q, 0)""",
    "shipped": """select l.id from order_line l left join (select x.order_line_id, sum(x.quantity) filter (
            where s.status in ('SHIPPED', 'DELIVERED')) as gone, sum(x.quantity) filter (where s.status = 'PLANNED') as ready
            from shipment_line x join shipment s on s.id = x.shipment_id group by 1) x on x.order_line_id = l.id
        where l.shipped <> coalesce(x.gone, 0) or l.ready <> coalesce(x.ready, 0)""",
    "promise": """select order_line_id from promise group by order_line_id having max(sequence) <> count(*)""",
}


async def _recount(world):
    for name, sql in SUMS.items():
        assert await world.rows(sql) == [], name


def _reserve(quantity=1):
    return lambda uow: create_reservation(uow, CreateReservation([ReservationItem("S", quantity)]))


async def test_two_orders_and_two_carts_on_the_last_unit(world):
    for attempt in range(8):
        await world.stock(1)
        work = [
            world.place(world.order(("S", 1), customer=None)),
            world.do(_reserve()),
            world.place(world.order(("S", 1), customer=None)),
            world.do(_reserve()),
        ]
        random.Random(attempt).shuffle(work)
        results = await _all(*work)
        refused = [r for r in results if isinstance(r, InsufficientStock)]
        held = await world.rows("select group_id::text as id from reservation where state = 'held'")
        allocated = await world.value("select sum(allocated) from order_line")
        assert allocated + len(held) == 1, "exactly one of four has it"
        assert len(refused) == 2 - len(held)
        for row in held:
            await world.do(lambda uow, group=row["id"]: release_reservation(uow, group))
        for row in await world.rows("select number from sales_order where status <> 'CANCELLED'"):
            await world.do(lambda uow, number=row["number"]: cancel_order(uow, CancelOrder(number)))
        await world.do(_scrap)
        await _recount(world)


async def _scrap(uow):
    """Take the unit away again, so that each attempt starts with one."""
    sku_id = await uow.sql.fetchval("select id from sku where code = 'S'")
    version = (await take_gates(uow, [sku_id]))[sku_id]
    place = await uow.sql.fetchval("select id from location where code = 'A'")
    await uow.sql.execute(
        "update stock_level set on_hand = on_hand - 1 where sku_id = $1 and location_id = $2", sku_id, place
    )
    await uow.sql.execute(
        """insert into stock_movement (sku_id, location_id, kind, on_hand_delta, cause_kind, actor, occurred_at, gate_version)
        values ($1, $2, 'adjusted', -1, 'test', 'test', $3, $4)""",
        sku_id,
        place,
        uow.now,
        version,
    )


async def test_a_held_unit_goes_to_its_holder_whoever_comes_at_the_same_time(world):
    await world.stock(5)
    held = await world.do(_reserve(5))
    others = [world.place(world.order(("S", 2), customer=None)) for _ in range(6)]
    mine = world.place(world.order(("S", 5), customer="V1", reservation_id=held.group_id))
    results = await _all(*others[:3], mine, *others[3:])
    number = results[3][0].number
    assert await world.quantities(number) == (0, 5, 0, 0, 0)
    assert await world.value("select sum(allocated) from order_line") == 5
    await _recount(world)


async def test_one_reservation_is_used_up_once(world):
    await world.stock(5)
    held = await world.do(_reserve(5))
    results = await _all(
        *(world.place(world.order(("S", 5), customer=None, reservation_id=held.group_id)) for _ in range(5))
    )
    assert sorted(r[0].reservation_expired for r in results) == [False, True, True, True, True]
    assert await world.value("select sum(allocated) from order_line") == 5
    await _recount(world)


async def _receive(uow):
    """A receipt of all that is open on the only supply, as a receiving service books it."""
    sku_id = await uow.sql.fetchval("select id from sku where code = 'S'")
    books = await load_books(uow, await take_gates(uow, [sku_id]), await load_network(uow), lines="waiting")
    book = books[sku_id]
    lines: list[Line] = []
    for supply in list(book.supplies):
        lines += book.receive(supply, supply.open, 0, "goods_receipt", 1)
    for line in {id(x): x for x in lines}.values():
        book.settle(line, PromiseReason.ALLOCATED)
    await save_books(uow, books.values())


async def test_cancel_while_a_receipt_runs(world):
    """Whoever comes first: 4 units arrive, the cancelled order has none of them, and who waits has all it wants."""
    for attempt in range(6):
        await world.database.system.execute("update customer set tier = tier")
        await world.supply(4, world.clock.at.date())
        first = (await world.place(world.order(("S", 4), customer=None)))[0].number
        second = (await world.place(world.order(("S", 3), customer=None)))[0].number
        work = [world.do(_receive), world.do(lambda uow, n=first: cancel_order(uow, CancelOrder(n)))]
        await _all(*(work if attempt % 2 else reversed(work)))
        assert await world.quantities(first) == (0, 0, 0, 0, 4)
        assert await world.quantities(second) == (0, 3, 0, 0, 0)
        await world.do(lambda uow, n=second: cancel_order(uow, CancelOrder(n)))
        await world.place(world.order(("S", 4), customer=None))
        await _recount(world)


async def test_a_shipment_is_confirmed_once_and_cancelled_or_shipped_never_both(world):
    await world.stock(40)
    for attempt in range(6):
        number = (await world.place(world.order(("S", 3), ("S", 2), customer=None)))[0].number
        order_id = await world.value("select max(id) from sales_order")
        (shipment,) = await world.do(lambda uow, o=order_id: plan_shipments(uow, [o]))
        code = await world.value("select number from shipment where id = $1", shipment)

        def ship(code=code):
            return world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(code, "CJ", "T")]))

        def cancel(number=number):
            return world.do(lambda uow: cancel_order(uow, CancelOrder(number)))

        results = await _all(*((cancel(), ship(), ship()) if attempt % 2 else (ship(), cancel(), ship())))
        refused = [r for r in results if isinstance(r, IllegalTransition)]
        status = await world.value("select status from shipment where id = $1", shipment)
        assert (status, len(refused)) in (("SHIPPED", 1), ("CANCELLED", 2))
        shipped = await world.value("select sum(shipped) from order_line where order_id = $1", order_id)
        assert shipped == (5 if status == "SHIPPED" else 0)
        await _recount(world)


async def test_planning_twice_at_once_plans_once(world):
    await world.stock(40)
    placed = await world.place(*(world.order(("S", 2), ("S", 1), customer=None) for _ in range(8)))
    ids = [result.order_id for result in placed]
    await _all(
        *(world.do(lambda uow, part=part: plan_shipments(uow, part)) for part in (ids, ids[::-1], ids[:4], ids[4:]))
    )
    assert await world.value("select count(*) from shipment") == 8
    assert await world.value("select sum(quantity) from shipment_line") == 24
    await _recount(world)


async def test_a_swarm_of_verbs_keeps_every_sum(world):
    """Twelve workers place, cancel, hold, release, change, reserve, plan and ship on two SKUs for a while."""
    await world.stock(60)
    await world.stock(25, location="B")
    await world.stock(40, sku="S2")
    refusals: list[str] = []

    async def worker(seed):
        dice = random.Random(seed)
        number, order_id = "", 0
        for _ in range(14):
            verb = dice.choice(
                ("place", "place", "cancel", "part", "hold", "release", "change", "reserve", "plan", "ship")
            )
            try:
                if verb == "place" or not number:
                    lines = [(dice.choice(("S", "S2")), dice.randint(1, 6)) for _ in range(dice.randint(1, 3))]
                    (placed,) = await world.place(world.order(*lines, customer=None))
                    number, order_id = placed.number, placed.order_id
                elif verb == "cancel":
                    await world.do(lambda uow, n=number: cancel_order(uow, CancelOrder(n)))
                elif verb == "part":
                    await world.do(lambda uow, n=number: cancel_order(uow, CancelOrder(n, 1, 1)))
                elif verb == "hold":
                    await world.do(lambda uow, n=number: hold_order(uow, HoldOrder(n, "MANUAL")))
                elif verb == "release":
                    await world.do(lambda uow, n=number: release_order_hold(uow, n))
                elif verb == "change":
                    wanted = dice.randint(1, 8)
                    await world.do(lambda uow, n=number, q=wanted: change_order_line(uow, ChangeOrderLine(n, 1, q)))
                elif verb == "reserve":
                    held = await world.do(_reserve(dice.randint(1, 3)))
                    await world.do(lambda uow, group=held.group_id: release_reservation(uow, group))
                elif verb == "plan":
                    await world.do(lambda uow, o=order_id: plan_shipments(uow, [o]))
                else:
                    await world.do(lambda uow, o=order_id: plan_shipments(uow, [o]))
                    code = await world.value(
                        "select number from shipment where order_id = $1 and status = 'PLANNED' limit 1", order_id
                    )
                    if code:
                        await world.do(lambda uow, c=code: confirm_shipments(uow, [ConfirmShipment(c)]))
            except DomainError as refusal:
                refusals.append(f"{verb} {refusal.code}")
            except asyncpg.PostgresError as error:
                pytest.fail(f"{verb}: {type(error).__name__}: {error}")

    await asyncio.gather(*(worker(seed) for seed in range(12)))
    await _recount(world)
    assert await world.value("select sum(shipped) from order_line") > 0
    assert {refusal.split()[1] for refusal in refusals} <= {
        "ILLEGAL_TRANSITION",
        "QUANTITY_EXCEEDED",
        "INSUFFICIENT_STOCK",
    }
    assert {r.split()[0] for r in refusals if r.endswith("EXCEEDED")} <= {"part", "change"}
