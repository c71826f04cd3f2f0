"""Lots that are recalled or expire: nobody is sold a unit of them, and who had some is covered anew or told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.picking import Pick
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.block_lot import ChangeLot, block_lot, release_lot
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.expire_lots import expire_lots, find_expired
from core.services.plan_shipments import plan_shipments
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.reconcile_stock import recount
from core.services.return_goods import ReturnGoods, return_goods
from core.services.ship_transfers import ship_transfers
from core.services.tell_shipment import tell_shipped
from core.services.transfer_stock import TransferStock, transfer_stock
from tests.world import World

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
SOON, LATER = TODAY + timedelta(days=10), TODAY + timedelta(days=60)


async def track(world: World, **flags: Any) -> None:
    columns = {"tracks_lots": True, "tracks_expiry": True, **flags}
    said = ", ".join(f"{name} = {str(value).lower()}" for name, value in columns.items())
    await world.database.system.execute(f"update sku set {said} where code = 'S'")


async def receive(
    world: World, quantity: int, lot: str | None, expires: date | None, at: str = "A", **more: Any
) -> None:
    wanted = CreatePurchaseOrder(supplier="SUP", location=at, lines=[("S", quantity, None)], requested_date=None)
    await world.do(lambda uow: create_purchase_order(uow, wanted))
    await world.send_purchases()
    number = await world.value("select number from purchase_order order by id desc limit 1")
    line = ReceiptLine("S", quantity, lot=lot, expires_on=expires, **more)
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(number, "PURCHASE_ORDER", at, [line])))


async def lots(world: World) -> dict[str, tuple[str, int, int, int]]:
    """(state, on hand, unsellable, allocated) by location and code."""
    rows = await world.rows(
        """select l.code as place, t.code, t.state, t.on_hand, t.unsellable, t.allocated from lot t
        join location l on l.id = t.location_id where t.on_hand > 0 order by 1, t.id"""
    )
    return {f"{r['place']}/{r['code']}": (r["state"], r["on_hand"], r["unsellable"], r["allocated"]) for r in rows}


def said(lot: str = "L1") -> ChangeLot:
    return ChangeLot("S", lot, "glass in the jar")


async def test_a_recalled_lot_is_taken_back_from_its_lines(world: World) -> None:
    await track(world)
    await receive(world, 6, "L1", SOON)
    await receive(world, 4, "L2", LATER)
    first = (await world.place(world.order(("S", 4))))[0].number
    second = (await world.place(world.order(("S", 4), customer="C2")))[0].number
    order_id = await world.value("select id from sales_order where number = $1", first)
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    change = await world.do(lambda uow: block_lot(uow, said()))
    assert (change.units, len(change.line_ids)) == (6, 2)
    assert await lots(world) == {"A/L1": ("quarantined", 6, 6, 0), "A/L2": ("sellable", 4, 0, 4)}
    assert (await world.quantities(first))[1:3] == (2, 2)
    assert (await world.quantities(second))[1:3] == (2, 2)
    short = await world.rows("select cause, quantity, evidence from backorder order by id")
    assert [(b["cause"], b["quantity"]) for b in short] == [("QUALITY", 2), ("QUALITY", 2)]
    assert short[0]["evidence"]["lots"][0]["lot"] == "L1"
    assert await world.do(recount) == []
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: block_lot(uow, said()))


async def test_a_released_lot_is_sold_again_but_not_its_damaged_units(world: World) -> None:
    await track(world)
    await receive(world, 6, "L1", SOON, damaged=1)
    await world.do(lambda uow: block_lot(uow, said()))
    assert (await world.place(world.order(("S", 2))))[0].backorder_ids
    change = await world.do(lambda uow: release_lot(uow, said()))
    assert change.units == 5
    assert await lots(world) == {"A/L1": ("sellable", 6, 1, 0)}
    jobs = await world.rows("select job from outbox where job = 'allocate_waiting_demand'")
    assert jobs
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: release_lot(uow, said()))
    assert await world.do(recount) == []


async def test_what_arrives_of_a_recalled_lot_is_quarantined(world: World) -> None:
    await track(world)
    await receive(world, 2, "L1", SOON)
    await world.do(lambda uow: block_lot(uow, said()))
    await receive(world, 3, "L1", None, at="B")
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "A", 1, "found", lot="L1")))
    assert await lots(world) == {"A/L1": ("quarantined", 3, 3, 0), "B/L1": ("sellable", 3, 3, 0)}
    assert await world.do(recount) == []


async def test_a_planned_transfer_takes_another_lot(world: World) -> None:
    await track(world)
    await receive(world, 3, "L1", SOON, at="R")
    await receive(world, 2, "L2", LATER, at="R")
    moved = await world.do(lambda uow: transfer_stock(uow, TransferStock("S", "R", "A", 3)))
    await world.do(lambda uow: block_lot(uow, said()))
    assert await lots(world) == {"R/L1": ("quarantined", 3, 2, 1), "R/L2": ("sellable", 2, 0, 2)}
    await world.do(lambda uow: ship_transfers(uow, [moved.transfer_id]))
    line = ReceiptLine("S", 3)
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(str(moved.transfer_id), "TRANSFER", "A", [line])))
    assert await lots(world) == {
        "A/L1": ("sellable", 1, 1, 0),
        "A/L2": ("sellable", 2, 0, 0),
        "R/L1": ("quarantined", 2, 2, 0),
    }
    assert await world.do(recount) == []


async def test_nobody_recalls_what_nobody_has_seen(world: World) -> None:
    await track(world)
    with pytest.raises(NotFound):
        await world.do(lambda uow: block_lot(uow, said("L9")))
    with pytest.raises(InvalidInput):
        await world.do(lambda uow: block_lot(uow, ChangeLot("S", "L9", " ")))


async def test_an_expired_lot_becomes_unsellable_and_its_lines_are_covered_anew(world: World) -> None:
    await track(world)
    await receive(world, 3, "OLD", SOON)
    await receive(world, 2, "NEW", LATER)
    number = (await world.place(world.order(("S", 3))))[0].number
    assert await world.do(find_expired) == []
    world.clock.at += timedelta(days=10, hours=14)  # the last day is still on in Seoul: 2 o'clock of day 11 comes later
    assert await world.do(find_expired) == [await world.sku()]
    sku_id = await world.sku()
    assert await world.do(lambda uow: expire_lots(uow, sku_id)) == 3
    assert await lots(world) == {"A/OLD": ("expired", 3, 3, 0), "A/NEW": ("sellable", 2, 0, 2)}
    assert (await world.quantities(number))[1:3] == (2, 1)
    assert await world.value("select cause from backorder") == "QUALITY"
    assert await world.value("select count(*) from stock_movement where cause_kind = 'expiry'") >= 1
    assert await world.do(lambda uow: expire_lots(uow, sku_id)) == 0
    assert await world.do(find_expired) == []
    assert await world.do(recount) == []


async def test_what_comes_back_expired_is_not_sold(world: World) -> None:
    await track(world)
    await receive(world, 3, "OLD", SOON)
    number = (await world.place(world.order(("S", 2))))[0].number or ""
    order_id = await world.value("select id from sales_order where number = $1", number)
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    shipment = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(shipment)]))
    world.clock.at += timedelta(days=30)
    await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 1, "A")))
    assert (await lots(world))["A/OLD"][1:] == (2, 1, 0)
    assert await world.do(recount) == []


async def test_serial_numbers_in_out_and_back(world: World) -> None:
    await track(world, tracks_serials=True)
    with pytest.raises(InvalidInput, match="3 are needed, 2 were given"):
        await receive(world, 3, "L1", SOON, serials=["1", "2"])
    with pytest.raises(InvalidInput, match="stands twice"):
        await receive(world, 3, "L1", SOON, serials=["1", "2", "2"])
    await receive(world, 3, "L1", SOON, serials=["1", "2", "3"], damaged=1)
    with pytest.raises(InvalidInput, match="known already"):
        await receive(world, 1, "L1", SOON, serials=["2"])
    number = (await world.place(world.order(("S", 2))))[0].number or ""
    order_id = await world.value("select id from sales_order where number = $1", number)
    await world.do(lambda uow: plan_shipments(uow, [order_id]))
    shipment = await world.value("select number from shipment")

    async def ship(*serials: str) -> None:
        picks = [Pick(1, 2, "L1", serials)]
        await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(shipment, picks=picks)]))

    for wrong, why in ((("1",), "name one per unit"), (("1", "9"), "no unit"), (("1", "3"), "is quarantined")):
        with pytest.raises(InvalidInput, match=why):
            await ship(*wrong)
    await ship("1", "2")
    for said in ([], [Pick(1, 2)], [Pick(1, 2, "L1", ["2", "1"])], [Pick(1, 2, serials=["2"])]):
        await world.do(lambda uow, said=said: tell_shipped(uow, ConfirmShipment(shipment, picks=said)))
    for said in ([Pick(1, 2, "L2")], [Pick(1, 1, "L1", ["1"])], [Pick(1, 2, "L1", ["1", "3"])]):
        with pytest.raises(InvalidInput, match="has left already"):
            await world.do(lambda uow, said=said: tell_shipped(uow, ConfirmShipment(shipment, picks=said)))
    units = await world.rows("select code, state, order_line_id is not null as sold from serial_unit order by code")
    assert [tuple(u.values()) for u in units] == [
        ("1", "shipped", True),
        ("2", "shipped", True),
        ("3", "quarantined", False),
    ]
    with pytest.raises(InvalidInput, match="is quarantined"):
        await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 1, "B", serials=["3"])))
    await world.do(lambda uow: return_goods(uow, ReturnGoods(number, 1, 1, "B", serials=["2"])))
    steps = await world.rows(
        """select m.kind from serial_movement m join serial_unit u on u.sku_id = m.sku_id and u.id = m.serial_unit_id
        where u.code = '2' order by m.id"""
    )
    assert [s["kind"] for s in steps] == ["received", "shipped", "returned"]
    await world.do(lambda uow: adjust_stock(uow, AdjustStock("S", "B", -1, "lost", lot="L1", serials=["2"])))
    assert await world.value("select state from serial_unit where code = '2'") == "scrapped"
    assert await world.do(recount) == []
