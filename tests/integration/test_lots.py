"""Lots on a real database: received by code and expiry, allocated first expired first, counted, moved, returned."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.picking import Pick
from core.domain.placing import LineRequest
from core.errors import InvalidInput, QuantityExceeded
from core.repositories.gates import take_gates
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.allocate_waiting import allocate_waiting
from core.services.answer_availability import AvailabilityQuestion, answer_availability
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.count_stock import CountStock, count_stock
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.inspect_goods import InspectGoods, inspect_goods
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.receive_transfers import lose_transfers, receive_transfers
from core.services.reconcile_stock import recount
from core.services.return_goods import ReturnGoods, return_goods
from core.services.ship_transfers import ship_transfers
from core.services.split_order_line import SplitOrderLine, split_order_line
from core.services.transfer_stock import TransferStock, transfer_stock
from core.unit_of_work import UnitOfWork
from tests.world import World

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
SOON, LATER = TODAY + timedelta(days=10), TODAY + timedelta(days=60)


async def track(world: World, *, expiry: bool = True, serials: bool = False, life: int = 0, sku: str = "S") -> None:
    await world.database.system.execute(
        "update sku set tracks_lots = true, tracks_expiry = $2, tracks_serials = $3, min_life_days = $4 where code = $1",
        sku,
        expiry,
        serials,
        life,
    )


async def buy(world: World, quantity: int, sku: str = "S", at: str = "A") -> str:
    """A sent purchase order; returns its number."""
    wanted = CreatePurchaseOrder(supplier="SUP", location=at, lines=[(sku, quantity, None)], requested_date=None)
    await world.do(lambda uow: create_purchase_order(uow, wanted))
    await world.send_purchases()
    return await world.value("select number from purchase_order order by id desc limit 1")


async def receive(
    world: World, quantity: int, lot: str | None, expires: date | None = None, *, at: str = "A", **more: Any
) -> None:
    number = await buy(world, quantity, at=at)
    line = ReceiptLine("S", quantity, lot=lot, expires_on=expires, **more)
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(number, "PURCHASE_ORDER", at, [line])))


async def lots(world: World) -> dict[str, tuple[int, int, int]]:
    """(on hand, unsellable, allocated) by location and code."""
    rows = await world.rows(
        """select l.code as place, t.code, t.on_hand, t.unsellable, t.allocated from lot t
        join location l on l.id = t.location_id where t.on_hand > 0 order by 1, t.expires_on, t.id"""
    )
    return {f"{r['place']}/{r['code']}": (r["on_hand"], r["unsellable"], r["allocated"]) for r in rows}


async def allocated_lots(world: World, number: str | None) -> list[tuple[str, int]]:
    rows = await world.rows(
        """select t.code, p.quantity from peg p join lot t on t.sku_id = p.sku_id and t.id = p.lot_id
        join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id join sales_order o on o.id = l.order_id
        where o.number = $1 and p.kind = 'HARD' order by t.expires_on, t.id""",
        number,
    )
    return [(r["code"], r["quantity"]) for r in rows]


async def shipment(world: World, number: str | None) -> str:
    order_id = await world.value("select id from sales_order where number = $1", number)
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    return await world.value("select number from shipment where order_id = $1 and status = 'PLANNED'", order_id)


async def test_a_receipt_names_lot_and_expiry(world: World) -> None:
    await track(world)
    await receive(world, 5, "L1", SOON)
    assert await lots(world) == {"A/L1": (5, 0, 0)}
    moves = await world.rows("select kind, lot_id is not null as of_lot from stock_movement")
    assert [tuple(m.values()) for m in moves] == [("received", True)]
    assert await world.do(recount) == []


@pytest.mark.parametrize(
    ("lot", "expires", "field", "says"),
    [
        (None, SOON, "lot", "tracks lots"),
        ("  ", SOON, "lot", "tracks lots"),
        ("L1", None, "expiresOn", "tracks expiry"),
    ],
)
async def test_a_receipt_without_what_the_sku_tracks_is_refused(
    world: World, lot: str | None, expires: date | None, field: str, says: str
) -> None:
    await track(world)
    with pytest.raises(InvalidInput, match=says) as refused:
        await receive(world, 5, lot, expires)
    assert refused.value.path == ("input", "lines", "0", field)
    assert await world.value("select count(*) from stock_movement") == 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"lot": "L1"}, "lot"),
        ({"expires": SOON, "lot": None}, "expiresOn"),
        ({"lot": None, "serials": ["1"]}, "serials"),
    ],
)
async def test_a_receipt_with_what_the_sku_does_not_track_is_refused(
    world: World, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput, match="does not track") as refused:
        await receive(world, 1, **more)
    assert refused.value.path[-1] == field


async def test_one_lot_has_one_expiry(world: World) -> None:
    await track(world)
    await receive(world, 5, "L1", SOON)
    with pytest.raises(InvalidInput, match="expires on"):
        await receive(world, 5, "L1", LATER, at="B")
    await receive(world, 2, "L1", SOON, at="B")
    await receive(world, 3, "L1", at="A")
    assert await lots(world) == {"A/L1": (8, 0, 0), "B/L1": (2, 0, 0)}


async def test_what_expires_first_is_allocated_first(world: World) -> None:
    await track(world)
    await receive(world, 4, "NEW", LATER)
    await receive(world, 4, "OLD", SOON)
    placed = await world.place(world.order(("S", 6)))
    assert await allocated_lots(world, placed[0].number) == [("OLD", 4), ("NEW", 2)]
    assert await lots(world) == {"A/OLD": (4, 0, 4), "A/NEW": (4, 0, 2)}
    assert await world.do(recount) == []


async def test_a_lot_too_old_at_delivery_is_not_promised(world: World) -> None:
    """Delivery from A takes a day: with 10 days of life wanted, what expires on day 10 is too old, on day 11 not."""
    await track(world, life=10)
    await receive(world, 4, "L10", SOON)
    placed = await world.place(world.order(("S", 3)))
    assert await allocated_lots(world, placed[0].number) == []
    assert (await world.quantities(placed[0].number)) == (0, 0, 3, 0, 0)
    await receive(world, 4, "L11", SOON + timedelta(days=1))
    assert await world.do(recount) == []


async def test_a_customer_or_a_channel_may_ask_for_more_or_less_life(world: World) -> None:
    await track(world, life=5)
    await receive(world, 4, "L1", SOON)
    sku_id = await world.sku()
    customer_id = await world.value("select id from customer where code = 'C2'")

    async def ask(uow: UnitOfWork) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            "insert into minimum_life (sku_id, customer_id, days) values ($1, $2, 30)", sku_id, customer_id
        )
        await uow.sql.execute("insert into minimum_life (sku_id, channel, days) values ($1, 'web', 9)", sku_id)

    await world.do(ask)
    strict = await world.place(world.order(("S", 1), customer="C2"))
    assert await allocated_lots(world, strict[0].number) == []
    usual = await world.place(world.order(("S", 1), customer="C1"))
    assert await allocated_lots(world, usual[0].number) == [("L1", 1)]


async def test_a_line_may_ask_for_more_life_and_not_for_less(world: World) -> None:
    """A takes a day to the customer: L10 has 9 days left at delivery, L40 has 39."""
    await track(world, life=5)
    await receive(world, 4, "L10", SOON)
    await receive(world, 4, "L40", SOON + timedelta(days=30))

    async def free(days: int | None) -> int:
        question = AvailabilityQuestion(["S"], 1, "web", ship_to=("KR", "04524"), min_life_days=days)
        (answer,) = await world.do(lambda uow: answer_availability(uow, question))
        return answer.available_now  # type: ignore[union-attr]

    assert [await free(days) for days in (None, 0, 9, 10, 39, 40)] == [8, 8, 8, 4, 4, 0]
    (fresh,) = await world.place(world.order(LineRequest("S", 2, min_life_days=10)))
    assert await allocated_lots(world, fresh.number) == [("L40", 2)]
    (short,) = await world.place(world.order(LineRequest("S", 2, min_life_days=40), customer="C2"))
    assert await world.quantities(short.number) == (0, 0, 2, 0, 0)
    (usual,) = await world.place(world.order(LineRequest("S", 1, min_life_days=0), customer="V1"))
    assert await allocated_lots(world, usual.number) == [("L10", 1)]
    await receive(world, 3, "L50", SOON + timedelta(days=40))
    sku_id = await world.sku()
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert await allocated_lots(world, short.number) == [("L50", 2)], "what comes free is given by the same rule"
    await world.do(lambda uow: split_order_line(uow, SplitOrderLine(fresh.number or "", 1, 1)))
    assert await world.value("select count(*) from order_line where min_life_days = 10") == 2
    with pytest.raises(InvalidInput):
        await free(-1)
    (refused,) = await world.place(world.order(LineRequest("S", 1, min_life_days=-1)))
    assert [error.path[-1] for error in refused.errors] == ["minLifeDays"]
    assert await world.do(recount) == []


async def test_units_that_are_too_old_for_who_waits_are_bought_anew(world: World) -> None:
    """As many as are missing: what still lives long enough is theirs, and what others may have is left to them."""
    await track(world)
    await receive(world, 4, "L10", SOON)
    await receive(world, 2, "L60", LATER)
    await world.database.system.execute("update purchase_order set status = 'RECEIVED'")
    (fresh,) = await world.place(world.order(LineRequest("S", 5, min_life_days=30)))
    assert await world.quantities(fresh.number) == (0, 2, 3, 0, 0)
    sku_id = await world.sku()
    (order_id,) = await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    assert await world.value("select ordered from purchase_order_line where purchase_order_id = $1", order_id) == 3
    assert await world.do(lambda uow: raise_purchase_requests(uow, [sku_id])) == []
    assert await world.do(recount) == []


async def test_planned_shipments_leave_in_the_lots_they_are_allocated(world: World) -> None:
    await track(world)
    await receive(world, 4, "OLD", SOON)
    await receive(world, 4, "NEW", LATER)
    placed = await world.place(world.order(("S", 6)))
    number = await shipment(world, placed[0].number)
    await world.do(lambda uow: cancel_order(uow, CancelOrder(placed[0].number or "", 1, 1)))
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number)]))
    left = await world.rows(
        """select t.code, x.quantity from shipment_line x join lot t on t.sku_id = x.sku_id and t.id = x.lot_id
        order by t.expires_on"""
    )
    assert sum(r["quantity"] for r in left) == 5
    held = dict.fromkeys(("OLD", "NEW"), 4)
    for row in left:
        held[row["code"]] -= row["quantity"]
    assert await lots(world) == {f"A/{code}": (units, 0, 0) for code, units in held.items() if units}
    assert await world.do(recount) == []


async def test_another_lot_may_be_picked_when_it_is_free(world: World) -> None:
    await track(world)
    await receive(world, 4, "OLD", SOON)
    await receive(world, 4, "NEW", LATER)
    placed = await world.place(world.order(("S", 3)))
    number = await shipment(world, placed[0].number)
    picks = [Pick(1, 2, "NEW"), Pick(1, 1, "OLD")]
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number, picks=picks)]))
    assert await lots(world) == {"A/OLD": (3, 0, 0), "A/NEW": (2, 0, 0)}
    assert await world.do(recount) == []


@pytest.mark.parametrize(
    ("picks", "error"),
    [
        ([Pick(1, 2, "NEW")], InvalidInput),
        ([Pick(1, 3, "NONE")], InvalidInput),
        ([Pick(2, 3, "NEW")], InvalidInput),
        ([Pick(1, 3, "NEW", ["1", "2", "3"])], InvalidInput),
        ([Pick(1, 3, "TINY")], QuantityExceeded),
    ],
)
async def test_picks_that_cannot_be_are_refused(world: World, picks: list[Pick], error: type[Exception]) -> None:
    await track(world)
    await receive(world, 4, "OLD", SOON)
    await receive(world, 4, "NEW", LATER)
    await receive(world, 2, "TINY", LATER)
    placed = await world.place(world.order(("S", 3)))
    number = await shipment(world, placed[0].number)
    with pytest.raises(error):
        await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number, picks=picks)]))
    assert await world.value("select status from shipment") == "PLANNED"


async def test_a_transfer_carries_its_lots(world: World) -> None:
    await track(world)
    await receive(world, 4, "OLD", SOON, at="R")
    await receive(world, 4, "NEW", LATER, at="R")
    moved = await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "R", "A", 6)))
    assert await lots(world) == {"R/OLD": (4, 0, 4), "R/NEW": (4, 0, 2)}
    await world.do(lambda uow: ship_transfers(uow, [moved.transfer_id]))
    assert await lots(world) == {"R/NEW": (2, 0, 0)}
    await world.do(lambda uow: receive_transfers(uow, [(moved.transfer_id, 5)]))
    assert await lots(world) == {"A/OLD": (4, 0, 0), "A/NEW": (1, 0, 0), "R/NEW": (2, 0, 0)}
    line = ReceiptLine("S", 1, lot="OLD")
    arrived = ReceiveGoods(str(moved.transfer_id), "TRANSFER", "A", [line])
    with pytest.raises(InvalidInput, match="under way"):
        await world.do(lambda uow: receive_goods(uow, arrived))
    arrived = ReceiveGoods(str(moved.transfer_id), "TRANSFER", "A", [ReceiptLine("S", 1, damaged=1, lot="NEW")])
    await world.do(lambda uow: receive_goods(uow, arrived))
    assert (await lots(world))["A/NEW"] == (2, 1, 0)
    assert await world.value("select expires_on from lot l where code = 'NEW' and on_hand = 2 limit 1") == LATER
    assert await world.do(recount) == []


async def test_units_lost_on_the_way_are_named(world: World) -> None:
    await track(world, expiry=False, serials=True)
    await receive(world, 3, "L", at="R", serials=("1", "2", "3"))
    moved = (await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "R", "A", 2)))).transfer_id
    await world.do(lambda uow: ship_transfers(uow, [moved]))
    for wrong in ((), ("1", "2"), ("9",)):
        with pytest.raises(InvalidInput, match="serial number"):
            await world.do(lambda uow, wrong=wrong: lose_transfers(uow, [(moved, 1)], {moved: wrong}))
    await world.do(lambda uow: lose_transfers(uow, [(moved, 1)], {moved: ("2",)}))
    states = await world.rows("select code, state, location_id is null as gone from serial_unit order by code")
    assert [(row["code"], row["state"], row["gone"]) for row in states] == [
        ("1", "in_stock", False),
        ("2", "scrapped", True),
        ("3", "in_stock", False),
    ]
    with pytest.raises(InvalidInput, match="scrapped"):
        await world.do(lambda uow: lose_transfers(uow, [(moved, 1)], {moved: ("2",)}))
    assert await world.do(recount) == []


async def test_a_lot_is_counted_adjusted_and_inspected_by_its_code(world: World) -> None:
    await track(world)
    await receive(world, 5, "L1", SOON, damaged=2)
    assert await lots(world) == {"A/L1": (5, 2, 0)}
    with pytest.raises(InvalidInput, match="tracks lots"):
        await world.do(lambda uow: count_stock(uow, CountStock("S", "A", 4)))
    await world.do(lambda uow: inspect_goods(uow, InspectGoods("A", "S", 1, 1, lot="L1")))
    assert await lots(world) == {"A/L1": (4, 0, 0)}
    placed = await world.place(world.order(("S", 3)))
    await world.do(lambda uow: count_stock(uow, CountStock("S", "A", 2, lot="L1")))
    assert await lots(world) == {"A/L1": (2, 0, 2)}
    assert (await world.quantities(placed[0].number))[1:3] == (2, 1)
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", 4, "found", lot="L2", expires_on=LATER)))
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", 1, "torn", unsellable=True, lot="L2")))
    assert (await lots(world))["A/L2"] == (4, 1, 0)
    with pytest.raises(InvalidInput, match="There is no lot"):
        await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", -1, "lost", lot="L3")))
    assert await world.do(recount) == []


async def test_what_comes_back_goes_to_its_lot(world: World) -> None:
    await track(world)
    await receive(world, 2, "OLD", SOON)
    await receive(world, 4, "NEW", LATER)
    placed = await world.place(world.order(("S", 3)))
    number = await shipment(world, placed[0].number)
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number)]))
    back = ReturnGoods(placed[0].number or "", 1, 1, "B")
    with pytest.raises(InvalidInput, match="2 of OLD, 1 of NEW"):
        await world.do(lambda uow: return_goods(uow, back))
    with pytest.raises(InvalidInput, match="Name the lot"):
        await world.do(lambda uow: return_goods(uow, ReturnGoods(placed[0].number or "", 1, 2, "B", lot="NEW")))
    await world.do(lambda uow: return_goods(uow, ReturnGoods(placed[0].number or "", 1, 2, "B", lot="OLD")))
    assert (await lots(world))["B/OLD"] == (2, 0, 0)
    await world.do(lambda uow: return_goods(uow, back))  # only NEW can still come back
    assert (await lots(world))["B/NEW"] == (1, 0, 0)
    assert await world.do(recount) == []


async def test_stock_is_moved_for_who_waits_only_in_lots_that_live_to_reach_the_customer(world: World) -> None:
    """R to A takes two days and to the customer one more: what expires tomorrow stays."""
    await track(world)
    sku_id = await world.sku()
    (short,) = await world.place(world.order(("S", 5)))
    await receive(world, 5, "OLD", TODAY + timedelta(days=1), at="R")
    await receive(world, 3, "NEW", LATER, at="R")
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    moved = await world.rows(
        "select t.code, p.quantity from peg p join lot t on t.sku_id = p.sku_id and t.id = p.lot_id where p.transfer_id is not null"
    )
    assert moved == [{"code": "NEW", "quantity": 3}]
    assert await world.quantities(short.number) == (0, 0, 5, 0, 0)
