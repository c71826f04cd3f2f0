"""Placing orders on a real database: what is allocated, promised, backordered and announced."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest, OrderRequest, ShipTo
from core.domain.states import ShipPolicy
from core.services import place_orders as placing
from core.services.change_kit import ChangeKit, change_kit
from core.services.change_sku import ChangeSku, change_sku

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


async def test_short_order_allocates_part_and_opens_a_backorder(world):
    """Walk 1 of the data model: order of 10, 6 on hand, nothing inbound."""
    await world.stock(6)
    (result,) = await world.place(world.order(("S", 10)))
    assert result.outcome == "placed"
    assert await world.quantities(result.number) == (0, 6, 4, 0, 0)
    assert (await world.line(result.number))["status"] == "BACKORDERED"
    pegs = await world.rows("select kind, quantity, need_date from peg order by kind")
    due = TODAY + timedelta(days=14)
    assert [(p["kind"], p["quantity"], p["need_date"]) for p in pegs] == [("HARD", 6, TODAY), ("OPEN", 4, due)]
    (promise,) = await world.rows("select * from promise")
    assert [(s["quantity"], s["source"], s["shipDate"], s["deliveryDate"]) for s in promise["slices"]] == [
        (6, "ON_HAND", "2026-11-02", "2026-11-03"),
        (4, "LEAD_TIME", due.isoformat(), (due + timedelta(days=1)).isoformat()),
    ]
    assert (promise["sequence"], promise["quantity"], promise["complete"]) == (1, 10, True)
    (backorder,) = await world.rows("select * from backorder")
    assert (backorder["quantity"], backorder["state"], backorder["cause"]) == (4, "PROVISIONAL", "FORECAST_ERROR")
    assert backorder["expected_date"] == due + timedelta(days=1)
    assert (await world.rows("select on_hand, allocated from stock_level"))[0] == {"on_hand": 6, "allocated": 6}
    topics = [(r["topic"], r["kind"]) for r in await world.rows("select topic, kind from outbox order by id")]
    assert topics == [
        ("order", "PLACED"),
        ("order", "VALIDATED"),
        ("availability", "CHANGED"),
        ("backorder", "OPENED"),
        ("order", "BACKORDER_OPENED"),
        ("job_request", "REQUESTED"),
        ("job_request", "REQUESTED"),
    ]
    jobs = await world.rows("select job, payload from outbox where job is not null order by id")
    assert [j["job"] for j in jobs] == ["run_backorder_course", "plan_shipments"]
    assert (await world.value("select status from sales_order")) == "VALIDATED"
    assert await world.value("select template from notice") == "BACKORDER_OPENED"


async def test_the_rest_comes_by_transfer_and_then_by_lead_time(world):
    await world.stock(6)
    await world.stock(3, location="R")
    (result,) = await world.place(world.order(("S", 10)))
    assert await world.quantities(result.number) == (0, 6, 4, 0, 0)
    (promise,) = await world.rows("select slices from promise")
    assert [(s["quantity"], s["source"], s["shipDate"]) for s in promise["slices"]] == [
        (6, "ON_HAND", "2026-11-02"),
        (3, "TRANSFER", "2026-11-04"),
        (1, "LEAD_TIME", "2026-11-16"),
    ]
    (transfer,) = await world.rows("select quantity, state from transfer")
    assert transfer == {"quantity": 3, "state": "planned"}
    levels = await world.rows(
        "select l.code, s.allocated from stock_level s join location l on l.id = s.location_id order by 1"
    )
    assert levels == [{"code": "A", "allocated": 6}, {"code": "R", "allocated": 3}]


async def test_remaining_quantity_goes_to_the_next_site(world):
    """13 wanted from 10 + 15 takes 10 + 3 only when no site covers all; here the second does."""
    await world.stock(10, location="A")
    await world.stock(15, location="B")
    (result,) = await world.place(world.order(("S", 13)))
    pegs = await world.rows("select l.code, p.quantity from peg p join location l on l.id = p.location_id")
    assert pegs == [{"code": "B", "quantity": 13}]
    (second,) = await world.place(world.order(("S", 11), customer="C2"))
    pegs = await world.rows(
        """select l.code, p.quantity from peg p join location l on l.id = p.location_id
        join order_line x on x.id = p.order_line_id join sales_order o on o.id = x.order_id where o.number = $1
        order by 1""",
        second.number,
    )
    assert pegs == [{"code": "A", "quantity": 10}, {"code": "B", "quantity": 1}]
    assert await world.quantities(result.number) == (0, 13, 0, 0, 0)


async def test_dated_supply_within_the_requested_day_leaves_the_line_open(world):
    await world.supply(5, TODAY + timedelta(days=5))
    wanted = LineRequest("S", 5, requested_date=TODAY + timedelta(days=10))
    (result,) = await world.place(world.order(wanted))
    assert await world.quantities(result.number) == (5, 0, 0, 0, 0)
    assert (await world.line(result.number))["status"] == "VALIDATED"
    assert await world.value("select count(*) from backorder") == 0
    (peg,) = await world.rows("select kind, need_date, quantity from peg")
    assert (peg["kind"], peg["need_date"], peg["quantity"]) == ("FIRM", TODAY + timedelta(days=9), 5)
    assert (await world.line(result.number))["promised_date"] == TODAY + timedelta(days=10)


async def test_a_later_day_leaves_early_supply_free_for_who_needs_it(world):
    await world.supply(5, TODAY + timedelta(days=5))
    await world.supply(5, TODAY + timedelta(days=20))
    wanted = LineRequest("S", 5, requested_date=TODAY + timedelta(days=30))
    patient, hasty = await world.place(world.order(wanted), world.order(("S", 5), customer="C2"))
    assert (await world.line(patient.number))["promised_date"] == TODAY + timedelta(days=30)
    assert (await world.line(hasty.number))["promised_date"] == TODAY + timedelta(days=6)
    (late,) = await world.place(world.order(("S", 1), customer="C2"))
    assert await world.quantities(late.number) == (0, 0, 1, 0, 0)


async def test_a_newcomer_exchanges_sources_but_moves_nobody(world):
    """A later promise sits on the early supply; the early need takes it over, both keep their days."""
    early, later = TODAY + timedelta(days=5), TODAY + timedelta(days=12)
    await world.supply(10, early)
    (first,) = await world.place(world.order(LineRequest("S", 10, requested_date=later + timedelta(days=1))))
    await world.do(lambda uow: _claim_later(uow, later))
    await world.supply(10, later)
    (second,) = await world.place(world.order(("S", 10), customer="C2"))
    assert (await world.rows("select need_date, quantity, kind from peg order by need_date")) == [
        {"need_date": early, "quantity": 10, "kind": "FIRM"},
        {"need_date": later, "quantity": 10, "kind": "FIRM"},
    ]
    assert await world.quantities(first.number) == (10, 0, 0, 0, 0)
    assert await world.quantities(second.number) == (0, 0, 10, 0, 0)
    assert await world.value("select count(*) from supply where pegged = 10") == 2


async def _claim_later(uow, day):
    await uow.sql.execute("update sku_gate set version = version + 1, changed_by = pg_current_xact_id()")
    await uow.sql.execute("update peg set need_date = $1", day)


async def test_partial_cancel_rest_keeps_what_is_there(world):
    await world.stock(6)
    (result,) = await world.place(world.order(LineRequest("S", 10, ship_policy=ShipPolicy.PARTIAL_CANCEL_REST)))
    assert await world.quantities(result.number) == (0, 6, 0, 0, 4)
    assert await world.value("select count(*) from backorder") == 0


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"payment_state": "FAILED"}, "PAYMENT"), ({"ship_to": "XX"}, "ADDRESS"), ({"blocked": True}, "SKU_NOT_SELLABLE")],
)
async def test_what_can_be_put_right_is_held_with_a_deadline(world, more, reason):
    await world.stock(6)
    if more.pop("blocked", False):
        await world.database.system.execute("update sku set status = 'BLOCKED' where code = 'S'")
    country = more.pop("ship_to", "KR")
    order = OrderRequest("web", [LineRequest("S", 4)], ShipTo(country, "1"), customer_code="C1", **more)
    (result,) = await world.place(order)
    assert result.outcome == "placed"
    assert await world.quantities(result.number) == (4, 0, 0, 0, 0)
    assert (await world.line(result.number))["status"] == "RECEIVED"
    (hold,) = await world.rows("select reason, release_deadline is not null as dated from order_hold")
    assert hold == {"reason": reason, "dated": True}
    assert await world.value("select count(*) from promise") == 1
    if reason == "SKU_NOT_SELLABLE":
        return
    (other,) = await world.place(world.order(("S", 6), customer="C2"))
    assert await world.quantities(other.number) == (0, 2, 4, 0, 0), "the held order keeps its place"


async def test_a_likely_double_is_held(world):
    await world.stock(20)
    await world.place(world.order(("S", 4)))
    (again,) = await world.place(world.order(("S", 4)))
    assert [r["reason"] for r in await world.rows("select reason from order_hold")] == ["DUPLICATE"]
    assert (await world.line(again.number))["status"] == "RECEIVED"


async def test_bad_requests_are_refused_and_change_nothing(world):
    await world.stock(6)
    good = world.order(("S", 1), external_number="X-1")
    bad = world.order(("NOPE", 1), ("S", 0))
    results = await world.place(bad, good, world.order(("S", 1), customer="NOBODY"))
    assert [r.outcome for r in results] == ["refused", "placed", "refused"]
    assert [(type(e).__name__, e.path) for e in results[0].errors] == [
        ("InvalidInput", ("input", "lines", "1", "quantity")),
        ("UnknownSku", ("input", "lines", "0", "sku")),
    ]
    assert await world.value("select count(*) from sales_order") == 1
    (again,) = await world.place(world.order(("S", 3), external_number="X-1"))
    assert (again.outcome, again.number) == ("repeated", results[1].number)
    assert await world.value("select count(*) from sales_order") == 1


async def test_protected_stock_is_not_sold(world):
    await world.stock(6)
    sku_id, location_id = await world.sku(), await world.location()
    await world.do(lambda uow: _protect(uow, sku_id, location_id))
    (result,) = await world.place(world.order(("S", 5)))
    assert await world.quantities(result.number) == (0, 4, 1, 0, 0)
    assert await world.value("select cause from backorder") == "ALLOCATION_CHOICE"


async def _protect(uow, sku_id, location_id):
    await uow.sql.execute("update sku_gate set changed_by = pg_current_xact_id() where sku_id = $1", sku_id)
    await uow.sql.execute(
        "insert into protected_stock values ($1, $2, '', '2026-01-01', 2, now(), now())", sku_id, location_id
    )


async def test_many_orders_at_once_never_oversell(world):
    """Twelve concurrent batches want 60 of 25: exactly 25 are allocated, no constraint is ever hit."""
    await world.stock(25)
    batches = [[world.order(("S", 1), customer=None) for _ in range(5)] for _ in range(12)]
    results = await asyncio.gather(*(world.place(*batch) for batch in batches))
    assert sum(len(r) for r in results) == 60
    (level,) = await world.rows("select on_hand, allocated from stock_level")
    assert level == {"on_hand": 25, "allocated": 25}
    (sums,) = await world.rows("select sum(allocated) as allocated, sum(backordered) as backordered from order_line")
    assert sums == {"allocated": 25, "backordered": 35}


async def test_supply_due_today_is_promised_but_not_allocated(world):
    await world.stock(2)
    await world.supply(4, TODAY)
    (result,) = await world.place(world.order(("S", 5)))
    assert await world.quantities(result.number) == (0, 2, 3, 0, 0)
    pegs = await world.rows("select kind, need_date, quantity from peg order by quantity")
    assert [tuple(p.values()) for p in pegs] == [("HARD", TODAY, 2), ("FIRM", TODAY, 3)]


async def test_released_at_once_where_the_policy_says_so(world):
    await world.database.system.execute(
        """insert into policy (code, value) values ('release_to_warehouse', '"AT_ONCE"')"""
    )
    await world.stock(6)
    (whole, short) = await world.place(world.order(("S", 2)), world.order(("S", 10), customer="C2"))
    assert [r["status"] for r in await world.rows("select status from sales_order order by id")] == [
        "SHIPMENT_RESERVED",
        "VALIDATED",
    ]
    assert [(await world.line(r.number))["ready"] for r in (whole, short)] == [2, 4]
    shipments = await world.rows(
        """select o.number, s.status, x.quantity from shipment s join sales_order o on o.id = s.order_id
        join shipment_line x on x.shipment_id = s.id order by s.id"""
    )
    assert shipments == [
        {"number": whole.number, "status": "PLANNED", "quantity": 2},
        {"number": short.number, "status": "PLANNED", "quantity": 4},
    ]
    assert await world.value("select count(*) from outbox where kind = 'READY_TO_SHIP'") == 2
    assert [r["job"] for r in await world.rows("select job from outbox where job is not null")] == [
        "run_backorder_course"
    ]


async def test_supply_that_is_due_today_is_no_stock_to_transfer(world):
    """It counts on the timeline of the reserve from today on, but nobody can load it before it is there."""
    await world.supply(5, TODAY, location="R")
    (result,) = await world.place(world.order(("S", 3)))
    assert await world.quantities(result.number) == (0, 0, 3, 0, 0)
    assert await world.value("select count(*) from transfer") == 0
    (peg,) = await world.rows("select kind, need_date from peg")
    assert peg == {"kind": "OPEN", "need_date": TODAY + timedelta(days=14)}


async def test_goods_just_ordered_are_not_late(world):
    """Receiving takes days: what is usable after the day asked of the supplier is no delay by itself."""
    from core.services.raise_purchase_requests import raise_purchase_requests

    await world.database.system.execute("insert into policy (code, value) values ('receiving_days', '2')")
    await world.place(world.order(("S", 3)))
    await world.do(lambda uow: raise_purchase_requests(uow, [1]))
    await world.place(world.order(("S", 40), customer="C2"))
    assert [r["cause"] for r in await world.rows("select cause from backorder order by id")] == ["FORECAST_ERROR"] * 2


@pytest.mark.parametrize("code", ["S", "K"])
async def test_an_order_that_waits_for_the_gate_of_a_sku_that_is_blocked_meanwhile_is_held(
    world, monkeypatch, code: str
):
    """Of a kit too, whose own gate an order does not take."""
    await world.stock(5)
    await world.database.system.execute("insert into sku (code, name, currency) values ('K', '{}', 'KRW')")
    await world.do(lambda uow: change_kit(uow, ChangeKit("K", {"S": 1})))
    take = placing.take_gates
    blocked = []

    async def blocked_just_before(uow, sku_ids):
        if not blocked:
            blocked.append(await world.do(lambda other: change_sku(other, ChangeSku(code, "BLOCKED"))))
        return await take(uow, sku_ids)

    monkeypatch.setattr(placing, "take_gates", blocked_just_before)
    (result,) = await world.place(world.order((code, 2)))
    assert result.outcome == "placed"
    assert await world.rows("select reason from order_hold") == [{"reason": "SKU_NOT_SELLABLE"}]
    assert await world.quantities(result.number) == (2, 0, 0, 0, 0)
    assert await world.rows("select status from sales_order") == [{"status": "RECEIVED"}]
