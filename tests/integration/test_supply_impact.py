"""Who hangs on a supply, and whose day moves: the question changes nothing, and its answer is what then happens."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.placing import LineRequest
from core.errors import InvalidInput, NotFound
from core.services.judge_supply_impact import AffectedLine, SupplyImpactQuestion, judge_supply_impact
from core.services.reschedule_supply import SupplyChange, reschedule_supply
from tests.world import TODAY, World

pytestmark = pytest.mark.anyio


async def purchase(world: World, quantity: int, usable: date, number: str = "PO-1", dock: date | None = None) -> int:
    """A supply of a purchase order line."""
    supply_id = await world.supply(quantity, usable)
    sku_id = await world.sku()

    async def write(uow: Any) -> None:
        from core.repositories.gates import take_gates

        await take_gates(uow, [sku_id])
        order_id = await uow.sql.fetchval(
            """insert into purchase_order (supplier_id, number, status, location_id, currency)
            select p.id, $1, 'SENT', l.id, 'KRW' from supplier p, location l where p.code = 'SUP' and l.code = 'A'
            returning id""",
            number,
        )
        line_id = await uow.sql.fetchval(
            """insert into purchase_order_line (sku_id, purchase_order_id, line_number, supplier_id, ordered, accepted, price)
            select $1, $2, 1, p.id, $3, $3, 700 from supplier p where p.code = 'SUP' returning id""",
            sku_id,
            order_id,
            quantity,
        )
        await uow.sql.execute(
            """update supply set kind = 'purchase', purchase_order_line_id = $3, paper_date = coalesce($4, paper_date)
            where sku_id = $1 and id = $2""",
            sku_id,
            supply_id,
            line_id,
            dock,
        )

    await world.do(write)
    return supply_id


async def ask(world: World, **question: Any) -> list[AffectedLine]:
    return await world.do(lambda uow: judge_supply_impact(uow, SupplyImpactQuestion(**question)))


async def state(world: World) -> list[Any]:
    tables = ("order_line", "peg", "supply", "backorder", "promise", "outbox")
    return [
        await world.value(f"select md5(array_agg(t::text order by t::text)::text) from {table} t") for table in tables
    ]


async def test_a_delay_names_exactly_the_lines_it_would_hit_and_changes_nothing(world: World) -> None:
    await world.stock(3)
    await purchase(world, 10, TODAY + timedelta(days=5))
    soon = TODAY + timedelta(days=7)
    late = TODAY + timedelta(days=30)
    results = await world.place(
        world.order(("S", 3)),
        world.order(LineRequest("S", 4, requested_date=soon)),
        world.order(LineRequest("S", 5, requested_date=late)),
    )
    before = await state(world)
    everyone = await ask(world, purchase_order="PO-1")
    assert [(a.order_id, a.quantity, a.days_later) for a in everyone] == [
        (results[1].order_id, 4, 0),
        (results[2].order_id, 5, 0),
    ]
    hit = await ask(world, purchase_order="PO-1", line_number=1, days_later=6)
    assert [(a.order_id, a.days_later, a.backordered, a.would_be_backordered) for a in hit] == [
        (results[1].order_id, 5, 0, 4),
        (results[2].order_id, 0, 0, 0),
    ]
    assert await state(world) == before


async def test_what_was_foreseen_is_what_happens(world: World) -> None:
    supply_id = await purchase(world, 10, TODAY + timedelta(days=5))
    orders = [world.order(LineRequest("S", n, requested_date=TODAY + timedelta(days=5 + 3 * n))) for n in (1, 2, 3)]
    results = await world.place(*orders)
    foreseen = await ask(world, purchase_order="PO-1", days_later=8)
    sku_id, day = await world.sku(), TODAY + timedelta(days=13)
    change = SupplyChange(sku_id, supply_id, day, "CONFIRMED_ORDER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    happened = {r.order_id: await world.line(r.number) for r in results}
    assert {a.order_id: (a.would_be_promised, a.would_be_backordered) for a in foreseen} == {
        order_id: (line["promised_date"], line["backordered"]) for order_id, line in happened.items()
    }
    moved = await world.rows(
        "select order_id from outbox where topic = 'order' and kind = 'PROMISE_MOVED' order by order_id"
    )
    assert [row["order_id"] for row in moved] == sorted(a.order_id for a in foreseen if a.days_later)


async def test_a_delay_is_of_the_day_at_the_dock_from_which_receiving_takes_its_working_days(world: World) -> None:
    sql = world.database.system
    await sql.execute(
        """with c as (insert into calendar (code, name, working_days) values ('WEEK', 'week', '{1,2,3,4,5}') returning id)
        update location set calendar_id = c.id from c where location.code = 'A'"""
    )
    await sql.execute("insert into policy (code, value) values ('receiving_days', $1)", 2)
    await purchase(world, 10, date(2026, 11, 13), dock=date(2026, 11, 11))
    await world.place(world.order(("S", 5)))
    (hit,) = await ask(world, purchase_order="PO-1", days_later=2)
    # at the dock on Friday, two working days: usable and shipped on Tuesday, a day on the road
    assert (hit.promised, hit.would_be_promised) == (date(2026, 11, 14), date(2026, 11, 18))


async def test_a_loss_leaves_its_lines_without_a_source(world: World) -> None:
    await purchase(world, 5, TODAY + timedelta(days=5))
    await world.place(world.order(LineRequest("S", 5, requested_date=TODAY + timedelta(days=9))))
    before = await state(world)
    assert [(a.backordered, a.would_be_backordered) for a in await ask(world, purchase_order="PO-1", lost=True)] == [
        (0, 5)
    ]
    assert await state(world) == before


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "Name a purchase order or a ship notice, one of them."),
        ({"purchase_order": "PO-1", "ship_notice": "N"}, "Name a purchase order or a ship notice, one of them."),
        ({"ship_notice": "N", "line_number": 1}, "A line number belongs to a purchase order."),
        ({"purchase_order": "PO-1", "days_later": 366}, "A supply can be asked about up to 365 days later, not 366."),
        (
            {"purchase_order": "PO-1", "days_later": 2, "lost": True},
            "What is lost does not come later: ask one or the other.",
        ),
    ],
)
async def test_a_question_without_sense_is_refused(world: World, question: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await ask(world, **question)
    assert caught.value.message == message


async def test_nothing_to_come_is_said(world: World) -> None:
    with pytest.raises(NotFound):
        await ask(world, purchase_order="PO-9")
