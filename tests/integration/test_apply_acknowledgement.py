"""A supplier's answer on a real database: split supplies, moved promises, rejected parts, stale and wrong answers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.errors import InvalidInput
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
D12, D14, D30 = (TODAY + timedelta(days=n) for n in (12, 14, 30))


async def bought(world) -> str:
    """L1 of 5 and L2 of 3 wait on a purchase order of 10; returns its number."""
    await world.database.system.execute("update supplier_sku set moq = 10")
    await world.place(world.order(("S", 5)), world.order(("S", 3), customer="C2"))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    return await world.value("select number from purchase_order")


async def answer(world, number: str, sequence: str = "20261103-1", **parts):
    request = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(1, **parts)], sequence)
    return await world.do(lambda uow: apply_acknowledgement(uow, request))


async def pegs(world):
    return [
        tuple(row.values())
        for row in await world.rows(
            "select l.ordered, p.quantity, p.need_date, s.usable_date from peg p"
            " join order_line l on l.id = p.order_line_id left join supply s on s.id = p.supply_id order by 1 desc, 3, 2"
        )
    ]


async def test_walk_2_part_accepted_part_backordered(world):
    number = await bought(world)
    change = await answer(world, number, accepted=[(6, D12)], backordered=[(4, D30)])
    assert (change.status, change.outcome) == ("ACKNOWLEDGED", "applied")
    supplies = await world.rows(
        "select quantity, pegged, usable_date, date_basis, split_from_id from supply order by id"
    )
    first = await world.value("select min(id) from supply")
    assert [tuple(s.values()) for s in supplies] == [
        (6, 6, D12, "CONFIRMED_ORDER", None),
        (4, 2, D30, "CONFIRMED_ORDER", first),
    ]
    assert await pegs(world) == [(5, 5, D14, D12), (3, 1, D14, D12), (3, 2, D30, D30)]
    line = (await world.rows("select * from purchase_order_line"))[0]
    assert (line["ordered"], line["accepted"], line["supplier_backordered"], line["unanswered"]) == (10, 6, 4, 0)
    promises = await world.rows(
        "select l.ordered, p.sequence, p.cause_kind from promise p join order_line l on l.id = p.order_line_id"
        " order by p.id"
    )
    assert [tuple(p.values()) for p in promises] == [(5, 1, "PLACED"), (3, 1, "PLACED"), (3, 2, "SUPPLIER_BACKORDERED")]
    assert await world.rows("select quantity, state, expected_date from backorder order by id") == [
        {"quantity": 5, "state": "PEGGED", "expected_date": D12 + timedelta(days=1)},
        {"quantity": 3, "state": "DELAYED", "expected_date": D30 + timedelta(days=1)},
    ]
    notice = (await world.rows("select facts from notice where template = 'PROMISE_MOVED'"))[0]["facts"]
    assert (notice["promised"], notice["reason"]) == ((D30 + timedelta(days=1)).isoformat(), "SUPPLIER_BACKORDERED")
    assert await world.do(recount) == []


async def test_a_later_answer_replaces_and_an_older_one_is_stale(world):
    number = await bought(world)
    await answer(world, number, accepted=[(6, D12)], backordered=[(4, D30)])
    await answer(world, number, "20261105-1", accepted=[(10, D14)])
    line = (await world.rows("select accepted, supplier_backordered from purchase_order_line"))[0]
    assert line == {"accepted": 10, "supplier_backordered": 0}
    assert await world.value("select count(*) from supply where usable_date <> $1", D14) == 0
    before = await world.rows("select * from supply order by id")
    change = await answer(world, number, "20261104-9", backordered=[(10, D30)])
    assert change.outcome == "stale"
    assert await world.rows("select * from supply order by id") == before
    assert await world.do(recount) == []


async def test_rejected_units_go_back_to_sourcing_least_claim_first(world):
    number = await bought(world)
    await answer(world, number, accepted=[(6, D14)], rejected=4)
    rows = await world.rows("select kind, quantity, cause from peg order by id")
    assert [(r["kind"], r["quantity"]) for r in rows] == [("FIRM", 5), ("FIRM", 1), ("OPEN", 2)]
    assert await world.rows("select state from backorder order by id") == [
        {"state": "PEGGED"},
        {"state": "AWAITING_SUPPLY"},
    ]
    line = (await world.rows("select accepted, rejected from purchase_order_line"))[0]
    assert line == {"accepted": 6, "rejected": 4}
    assert await world.value("select count(*) from outbox where job = 'raise_purchase_request'") >= 1
    again = await answer(world, number, "20261104-1", accepted=[(6, D14)], rejected=4)
    assert again.outcome == "applied"
    assert await world.value("select rejected from purchase_order_line") == 4
    assert await world.do(recount) == []


async def test_backordered_without_a_day_counts_the_lead_time_from_today(world):
    number = await bought(world)
    await answer(world, number, accepted=[(5, D12)], backordered=[(5, None)])
    supply = (await world.rows("select quantity, usable_date, paper_date, overdue_days from supply order by id"))[1]
    assert supply == {"quantity": 5, "usable_date": D14, "paper_date": None, "overdue_days": 7}
    assert await world.value("select count(*) from promise where sequence > 1") == 0


async def test_accepted_without_a_day_invents_none(world):
    number = await bought(world)
    await answer(world, number, accepted=[(10, None)])
    assert (await world.rows("select usable_date, date_basis from supply")) == [
        {"usable_date": D14, "date_basis": "LEAD_TIME"}
    ]
    assert await world.value("select accepted from purchase_order_line") == 10


async def test_an_answer_that_does_not_add_up_changes_nothing(world):
    number = await bought(world)
    before = await world.rows("select * from purchase_order_line"), await world.rows("select * from supply")
    with pytest.raises(InvalidInput):
        await answer(world, number, accepted=[(6, D12)], backordered=[(3, D30)])
    request = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(7, accepted=[(1, D12)])])
    with pytest.raises(InvalidInput):
        await world.do(lambda uow: apply_acknowledgement(uow, request))
    assert (await world.rows("select * from purchase_order_line"), await world.rows("select * from supply")) == before


async def test_what_ships_is_of_a_day_that_the_supplier_named_before_a_rest_without_one(world):
    """The lead time would have the rest here before the confirmed units."""
    number = await bought(world)
    await answer(world, number, accepted=[(6, D30)], backordered=[(4, None)])
    supplier = await world.value("select supplier_id from purchase_order")
    notice = ShipNoticeInput(supplier, "SN1", TODAY, D12, "CARR", "T", [(number, 1, "S", 5)], "2")
    await world.do(lambda uow: apply_ship_notice(uow, notice))
    line = (await world.rows("select accepted, supplier_backordered, in_transit from purchase_order_line"))[0]
    assert line == {"accepted": 1, "supplier_backordered": 4, "in_transit": 5}
    supplies = await world.rows("select quantity, date_basis, usable_date from supply order by date_basis, quantity")
    assert [(s["quantity"], s["date_basis"]) for s in supplies] == [
        (1, "CONFIRMED_ORDER"),
        (4, "LEAD_TIME"),
        (5, "SHIP_NOTICE"),
    ]
    assert supplies[0]["usable_date"] == D30
    assert await world.do(recount) == []
