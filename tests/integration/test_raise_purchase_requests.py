"""Raising purchase requests on a real database: what waits is bought once, consolidated, and pegged."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest
from core.services.approve_purchase_order import approve_purchase_order
from core.services.cancel_purchase_order import cancel_purchase_order
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
DUE = TODAY + timedelta(days=14)


async def policy(world, limit: int = 1_000_000) -> None:
    await world.database.system.execute(
        "insert into policy (code, value) values ('purchase_approval_limit', $1)", {"KRW": limit}
    )


async def raise_for(world, *codes: str) -> list[int]:
    ids = [await world.sku(code) for code in codes or ("S",)]
    return await world.do(lambda uow: raise_purchase_requests(uow, ids))


async def test_a_short_line_is_bought_once_and_pegged_without_moving_its_promise(world):
    await policy(world)
    await world.stock(6)
    (order,) = await world.place(world.order(("S", 10)))
    (po,) = await raise_for(world)
    assert await raise_for(world) == []
    (line,) = await world.rows("select * from purchase_order_line")
    assert (line["ordered"], line["unanswered"], line["price"]) == (4, 4, 700)
    (supply,) = await world.rows("select * from supply")
    assert (supply["quantity"], supply["pegged"], supply["usable_date"]) == (4, 4, DUE)
    pegs = await world.rows("select kind, quantity, need_date from peg order by kind")
    assert [(p["kind"], p["quantity"], p["need_date"]) for p in pegs] == [("FIRM", 4, DUE), ("HARD", 6, TODAY)]
    assert await world.value("select state from backorder") == "PEGGED"
    states = await world.rows("select to_state from backorder_event order by sequence")
    assert [s["to_state"] for s in states] == ["PROVISIONAL", "SOURCING", "PEGGED"]
    assert await world.value("select count(*) from promise") == 1
    assert await world.quantities(order.number) == (0, 6, 4, 0, 0)
    row = (await world.rows("select number, status, requested_date from purchase_order where id = $1", po))[0]
    assert row == {"number": f"PO{po:08d}", "status": "APPROVED", "requested_date": DUE}
    jobs = await world.rows("select payload from outbox where job = 'send_purchase_order'")
    assert [j["payload"] for j in jobs] == [{"purchaseOrderId": po}]
    assert await world.do(recount) == []


async def test_lines_of_many_skus_go_into_one_order_per_supplier_and_location(world):
    await policy(world)
    await world.place(world.order(("S", 3), ("S2", 4)), world.order(("S", 2), ("S3", 1), customer="C2"))
    (po,) = await raise_for(world, "S", "S2", "S3")
    lines = await world.rows(
        "select k.code, l.ordered, l.line_number from purchase_order_line l join sku k on k.id = l.sku_id order by 3"
    )
    assert [(x["code"], x["ordered"], x["line_number"]) for x in lines] == [("S", 5, 1), ("S2", 4, 2), ("S3", 1, 3)]
    assert await world.value("select count(*) from purchase_order where id = $1", po) == 1
    assert await world.do(recount) == []


async def test_moq_and_multiple_leave_units_for_sale_and_the_next_short_line_uses_them_first(world):
    await policy(world)
    await world.database.system.execute("update supplier_sku set moq = 10, order_multiple = 5")
    await world.place(world.order(("S", 8)))
    await raise_for(world)
    assert await world.value("select quantity - pegged from supply") == 2
    (second,) = await world.place(world.order(("S", 5), customer="C2"))
    await raise_for(world)
    assert await world.rows("select quantity, pegged from supply order by id") == [
        {"quantity": 10, "pegged": 10},
        {"quantity": 10, "pegged": 3},
    ]
    assert await world.quantities(second.number) == (0, 0, 5, 0, 0)
    assert await world.do(recount) == []


async def test_what_is_on_order_is_exchanged_before_anything_is_bought(world):
    await policy(world)
    await world.supply(10, TODAY + timedelta(days=5))
    (patient,) = await world.place(world.order(LineRequest("S", 10, requested_date=TODAY + timedelta(days=20))))
    (hurried,) = await world.place(world.order(("S", 10), customer="C2"))
    await world.supply(10, TODAY + timedelta(days=18))
    assert await raise_for(world) == []
    rows = await world.rows(
        """select o.number, p.kind, s.usable_date from peg p join order_line l on l.id = p.order_line_id
        join sales_order o on o.id = l.order_id join supply s on s.id = p.supply_id order by l.id"""
    )
    assert [(r["number"], r["kind"], (r["usable_date"] - TODAY).days) for r in rows] == [
        (patient.number, "FIRM", 18),
        (hurried.number, "FIRM", 5),
    ]
    assert await world.do(recount) == []


@pytest.mark.parametrize(("comes", "cause"), [(40, (30, "2026-12-12")), (0, (0, None))])
async def test_a_purchase_says_what_is_on_order_and_comes_too_late(world, comes, cause):
    await policy(world)
    if comes:
        await world.supply(30, TODAY + timedelta(days=comes))
    await world.place(world.order(("S", 10)))
    await raise_for(world)
    (kept,) = await world.rows("select cause from purchase_order")
    assert (kept["cause"]["waiting"], kept["cause"]["comesLater"], kept["cause"]["comesLaterFrom"]) == (10, *cause)


async def test_above_the_limit_a_person_approves(world):
    await policy(world, limit=2_799)
    await world.place(world.order(("S", 4)))
    await raise_for(world)
    assert await world.value("select status from purchase_order") == "AWAITING_APPROVAL"
    assert await world.value("select count(*) from outbox where job = 'send_purchase_order'") == 0
    number = await world.value("select number from purchase_order")
    change = await world.do(lambda uow: approve_purchase_order(uow, number, 1))
    assert (change.status, change.version) == ("APPROVED", 2)
    assert await world.value("select count(*) from outbox where job = 'send_purchase_order'") == 1


async def test_the_reorder_point_orders_once(world):
    await policy(world)
    await world.database.system.execute("update sku set reorder_point = 5, reorder_quantity = 20 where code = 'S'")
    await world.stock(5)
    await raise_for(world)
    assert await world.value("select ordered from purchase_order_line") == 20
    assert await world.value("select cause ->> 'kind' from purchase_order") == "REORDER_POINT"
    assert await raise_for(world) == []


async def test_a_cancelled_order_gives_its_lines_back_to_sourcing_and_they_are_bought_again(world):
    await policy(world)
    (order,) = await world.place(world.order(("S", 4)))
    await raise_for(world)
    number = await world.value("select number from purchase_order")
    change = await world.do(lambda uow: cancel_purchase_order(uow, number))
    assert change.status == "CANCELLED"
    assert await world.value("select state from backorder") == "AWAITING_SUPPLY"
    assert await world.value("select kind from peg") == "OPEN"
    assert len(await raise_for(world)) == 1
    assert await world.value("select state from backorder") == "PEGGED"
    assert await world.quantities(order.number) == (0, 0, 4, 0, 0)
    assert await world.do(recount) == []


async def test_the_number_of_statements_does_not_grow_with_the_skus(world):
    await policy(world)
    codes = [f"N{n:03d}" for n in range(200)]
    await world.database.system.execute(
        "insert into sku (code, name, unit_cost, unit_price, currency)"
        " select v, '{}', 1, 2, 'KRW' from unnest($1::text[]) v",
        codes,
    )
    await world.database.system.execute(
        "insert into supplier_sku (supplier_id, sku_id, price, currency, lead_time_days, lead_time_p80, is_preferred)"
        " select p.id, k.id, 1, 'KRW', 10, 14, true from supplier p, sku k where p.code = 'SUP' and k.code like 'N%'"
    )
    await world.place(world.order(*[(code, 1) for code in codes]))
    ids = [row["id"] for row in await world.rows("select id from sku where code like 'N%' order by id")]

    async def counted(uow, wanted):
        seen = []
        uow.sql.add_query_logger(seen.append)
        await raise_purchase_requests(uow, wanted)
        uow.sql.remove_query_logger(seen.append)
        return len(seen)

    few = await world.do(lambda uow: counted(uow, ids[:2]))
    many = await world.do(lambda uow: counted(uow, ids[2:]))
    assert many <= few
    assert await world.do(recount) == []
