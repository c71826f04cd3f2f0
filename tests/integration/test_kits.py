"""Kits: exploded into component lines, taken under all gates, kept together until they leave or are cancelled."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.placing import LineRequest
from core.domain.states import ShipPolicy
from core.errors import InsufficientStock, InvalidInput
from core.repositories.gates import take_gates
from core.services.allocate_waiting import allocate_waiting
from core.services.answer_availability import AvailabilityQuestion, SkuAvailability
from core.services.answer_kits import answer_with_kits
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_kit import ChangeKit, change_kit
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.change_selling_rules import SetProtectedStock, SetQuota, set_protected_stock, set_quota
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.count_stock import CountStock, count_stock
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.reconcile_stock import recount
from core.services.run_hold_deadlines import run_hold_deadlines
from core.services.set_release_day import SetReleaseDay, set_release_day
from core.unit_of_work import UnitOfWork
from tests.world import World

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def make_kit(world: World, code: str = "K", **parts: int) -> None:
    """A kit SKU of `parts` (component code = units per kit)."""
    await world.database.system.execute(
        "insert into sku (code, name, currency) values ($1, jsonb_build_object('en', $1::text), 'KRW')", code
    )
    kit_id = await world.sku(code)
    ids = {part: await world.sku(part) for part in parts}

    async def write(uow: UnitOfWork) -> None:
        await take_gates(uow, [kit_id, *ids.values()])
        await uow.sql.execute(
            """insert into kit_component (kit_sku_id, component_sku_id, quantity)
            select $1, u.id, u.units from unnest($2::bigint[], $3::int[]) as u(id, units)""",
            kit_id,
            list(ids.values()),
            list(parts.values()),
        )

    await world.do(write)


async def test_a_kit_line_becomes_lines_of_its_components(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(10, "S")
    await world.stock(3, "S2")
    await world.stock(5, "S3")
    placed = await world.place(world.order(("S3", 1), ("K", 3)))
    assert placed[0].outcome == "placed"
    lines = await world.rows(
        """select l.line_number, k.code, l.ordered, l.allocated, kit.code as kit, l.kit_line_number, l.kit_quantity,
            l.kit_ships_together
        from order_line l join sku k on k.id = l.sku_id left join sku kit on kit.id = l.kit_sku_id order by 1"""
    )
    assert [tuple(line.values()) for line in lines] == [
        (1, "S3", 1, 1, None, None, None, True),
        (2, "S", 6, 6, "K", 2, 2, True),
        (3, "S2", 3, 3, "K", 2, 1, True),
    ]


async def test_a_kit_whose_component_runs_short_opens_the_backorder_on_the_component(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(10, "S")
    await world.stock(3, "S2")
    placed = await world.place(world.order(("K", 5)))
    short = await world.rows("select k.code, b.quantity from backorder b join sku k on k.id = b.sku_id")
    assert [tuple(row.values()) for row in short] == [("S2", 2)]
    assert [sku_id for sku_id, _ in placed[0].backorder_ids] == [await world.sku("S2")]


async def test_a_kit_may_not_cancel_its_rest_part_by_part(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    line = LineRequest("K", 1, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST)
    placed = await world.place(world.order(line))
    assert placed[0].outcome == "refused"
    assert placed[0].errors[0].path == ("input", "lines", "0", "shipPolicy")
    assert "whole kits" in str(placed[0].errors[0])


async def test_the_same_kit_again_is_a_likely_double(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.place(world.order(("K", 1)))
    again = await world.place(world.order(("K", 1)))
    assert (await world.rows("select reason from order_hold"))[0]["reason"] == "DUPLICATE"
    assert again[0].outcome == "placed"


async def test_a_kit_is_no_component_of_a_kit(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    with pytest.raises(Exception, match="a kit cannot be a component of a kit"):
        await make_kit(world, "K2", K=1)


async def test_a_kit_changes_only_under_the_gates_of_kit_and_component(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    kit_id = await world.sku("K")

    async def half(uow: UnitOfWork) -> None:
        await take_gates(uow, [kit_id])
        await uow.sql.execute("update kit_component set quantity = 3 where kit_sku_id = $1", kit_id)

    with pytest.raises(Exception, match="without the gate of SKU"):
        await world.do(half)


async def kit_order(world: World, kits: int = 3, *, second: int = 3) -> str:
    """An order of kits of 2 S (plenty) and 1 S2 (`second` units); returns its number."""
    await make_kit(world, S=2, S2=1)
    await world.stock(20, "S")
    if second:
        await world.stock(second, "S2")
    return (await world.place(world.order(("K", kits))))[0].number or ""


async def plan(world: World, number: str) -> list[int]:
    order_id = await world.value("select id from sales_order where number = $1", number)
    return await world.do(lambda uow: plan_shipments(uow, [order_id]))


async def test_nothing_of_a_kit_leaves_before_all_of_it_is_there(world: World) -> None:
    number = await kit_order(world, 3, second=2)
    assert await plan(world, number) == []
    await world.stock(1, "S2")
    sku_id = await world.sku("S2")
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert len(await plan(world, number)) == 1
    rows = await world.rows("select sum(quantity) as units from shipment_line group by sku_id order by 1")
    assert [row["units"] for row in rows] == [3, 6]
    assert await world.do(recount) == []


async def test_a_policy_lets_the_parts_of_a_kit_leave_one_by_one(world: World) -> None:
    await world.database.system.execute("""insert into policy (code, value) values ('kit_release', '"PARTIAL"')""")
    number = await kit_order(world, 3, second=0)
    assert len(await plan(world, number)) == 1


async def test_a_planned_kit_is_withdrawn_when_a_part_of_it_is_lost(world: World) -> None:
    number = await kit_order(world)
    await plan(world, number)
    await world.do(lambda uow: count_stock(uow, CountStock("S2", "A", 2)))
    await plan(world, number)
    assert await world.value("select count(*) from shipment where status = 'PLANNED'") == 0
    assert await world.value("select sum(ready) from order_line") == 0
    assert await world.do(recount) == []


async def test_whole_kits_are_cancelled_by_any_of_their_lines(world: World) -> None:
    number = await kit_order(world)
    await plan(world, number)
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 2, 1)))
    assert [await world.quantities(number, n) for n in (1, 2)] == [(0, 4, 0, 0, 2), (0, 2, 0, 0, 1)]
    with pytest.raises(InvalidInput, match="multiple of 2"):
        await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 1, 1)))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(number, 1)))
    assert await world.value("select status from sales_order") == "CANCELLED"
    assert await world.do(recount) == []


async def test_cancelling_the_short_component_cancels_its_kits(world: World) -> None:
    number = await kit_order(world, 5, second=3)
    backorder = (await world.rows("select sku_id, id from backorder"))[0]
    await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(backorder["sku_id"], backorder["id"])))
    assert [await world.quantities(number, n) for n in (1, 2)] == [(0, 6, 0, 0, 4), (0, 3, 0, 0, 2)]
    assert await world.do(recount) == []


@pytest.mark.parametrize("others", [0, 1])
async def test_a_kit_that_left_in_part_stays_held_and_calls_a_person(world: World, others: int) -> None:
    """No whole kit of it can be cancelled; the orders whose deadline passes in the same turn are served all the same."""
    await make_kit(world, S=2, S2=1)
    await world.stock(2, "S", "A")
    await world.stock(1, "S2", "B")
    number = (await world.place(world.order(("K", 1))))[0].number or ""
    await plan(world, number)
    part = await world.value(
        "select s.number from shipment s join location l on l.id = s.location_id where l.code = 'A'"
    )
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(part)]))
    actions = ["RELEASE", *["CANCEL"] * others]
    placed = [(await world.place(world.order(("S3", 1))))[0].number or "" for _ in actions]
    deadline = world.clock.at + timedelta(hours=1)
    for held, action in zip([number, *placed], ["CANCEL", *actions], strict=True):
        await world.do(lambda uow, n=held, a=action: hold_order(uow, HoldOrder(n, "MANUAL", deadline, a)))
    world.clock.at = deadline
    assert await world.do(run_hold_deadlines) == len(actions) + 1
    assert [await world.quantities(number, n) for n in (1, 2)] == [(0, 0, 0, 2, 0), (0, 1, 0, 0, 0)]
    (hold,) = await world.rows("select release_deadline from order_hold where released_at is null")
    assert hold == {"release_deadline": None}
    alarms = await world.rows("select kind, payload ->> 'orderNumber' as number from outbox where topic = 'alarm'")
    assert alarms == [{"kind": "HOLD_ESCALATED", "number": number}]
    assert [(await world.quantities(n))[4] for n in placed] == [0, *[1] * others]
    assert await world.value("select count(*) from audit_entry where operation = 'holdDeadline'") == others
    assert await world.do(run_hold_deadlines) == 0
    assert await world.do(recount) == []


async def test_a_component_line_is_not_changed_alone(world: World) -> None:
    number = await kit_order(world)
    with pytest.raises(InvalidInput, match="part of a kit"):
        await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(number, 1, quantity=8)))


async def ask(world: World, quantity: int = 1, **more: Any) -> SkuAvailability:
    question = AvailabilityQuestion(["K"], quantity, **more)
    (answer,) = await world.do(lambda uow: answer_with_kits(uow, question))
    assert isinstance(answer, SkuAvailability)
    return answer


async def test_as_many_kits_as_the_scarcest_component_allows(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(5, "S", "A")
    await world.stock(2, "S", "B")
    await world.stock(2, "S2", "A")
    await world.stock(4, "S2", "B")
    answer = await ask(world, 3, ship_to=("KR", "04524"))
    assert answer.available_now == 3  # 7 // 2 and 6 // 1, from both locations together
    codes = {await world.location(code): code for code in ("A", "B")}
    assert {codes[x.location_id]: x.available_now for x in answer.locations if x.location_id in codes} == {
        "A": 2,
        "B": 1,
    }
    assert sum(s["quantity"] for s in answer.slices) == 3
    await world.place(world.order(("K", 3)))
    assert (await ask(world)).available_now == 0
    assert await world.value("select sum(backordered) from order_line") == 0


async def test_a_kit_is_promised_when_its_last_component_is_there(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(10, "S")
    await world.stock(1, "S2")
    await world.supply(2, TODAY + timedelta(days=6), "S2")
    answer = await ask(world, 3, ship_to=("KR", "04524"))
    assert answer.available_now == 1
    told = [(s["quantity"], s["deliveryDate"]) for s in answer.slices]
    assert told == [(1, "2026-11-03"), (2, "2026-11-09")]
    assert answer.atp(30) == [(TODAY, 1), (TODAY + timedelta(days=6), 3)]
    assert answer.state == "LOW_STOCK"
    before = answer.version
    await world.stock(1, "S2")
    assert (await ask(world)).version > before


async def test_a_kit_is_reserved_as_its_components_and_ordered_from_them(world: World) -> None:
    await make_kit(world, S=2, S2=1)
    await world.stock(4, "S")
    await world.stock(2, "S2")
    asked = CreateReservation([ReservationItem("K", 2)])
    held = await world.do(lambda uow: create_reservation(uow, asked))
    assert (await ask(world)).available_now == 0
    with pytest.raises(InsufficientStock):
        await world.do(lambda uow: create_reservation(uow, asked))
    placed = await world.place(world.order(("K", 2), reservation_id=held.group_id))
    assert [(await world.quantities(placed[0].number, n))[1] for n in (1, 2)] == [4, 2]
    assert await world.do(recount) == []


async def test_what_cannot_bind_a_kit_is_refused(world: World) -> None:
    """A quota, a release day or protected stock of a kit would bind nothing, and is not taken silently."""
    await make_kit(world, "KIT", S=2, S2=1)
    day = TODAY + timedelta(days=3)
    for work in (
        lambda uow: set_quota(uow, SetQuota("KIT", "WEEK", 5, TODAY)),
        lambda uow: set_protected_stock(uow, SetProtectedStock("KIT", "A", [(TODAY, 1)])),
        lambda uow: set_release_day(uow, SetReleaseDay("KIT", day)),
    ):
        with pytest.raises(InvalidInput, match="sold as its components"):
            await world.do(work)
    await world.do(lambda uow: set_release_day(uow, SetReleaseDay("S3", day)))
    with pytest.raises(InvalidInput, match="no release day of its own"):
        await world.do(lambda uow: change_kit(uow, ChangeKit("S3", {"S": 1})))
