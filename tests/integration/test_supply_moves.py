"""Walks 3 and 4 of the data model on a real database: goods announced earlier, delayed, covered otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.domain.placing import LineRequest
from core.errors import InvalidInput, NotFound, QuantityExceeded
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.apply_carrier_status import CarrierStatusInput, apply_carrier_status
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount
from core.services.reschedule_supply import SupplyChange, reschedule_supply

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


async def confirmed(world) -> str:
    """L1 of 6 waits on an order of 10, all of it confirmed for d12, promised for d14 (the lead time)."""
    await world.database.system.execute("update supplier_sku set moq = 10")
    await world.place(world.order(("S", 6)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    await world.database.system.execute("update purchase_order set status = 'SENT'")
    number = await world.value("select number from purchase_order")
    said = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(1, accepted=[(10, day(12))])], "1")
    await world.do(lambda uow: apply_acknowledgement(uow, said))
    return number


async def ship(world, number: str, quantity: int, expected: date, notice: str = "SN1", sequence: str = "1"):
    supplier = await world.value("select id from supplier where code = 'SUP'")
    said = ShipNoticeInput(
        supplier, notice, day(1), expected, "CARR", f"T-{notice}", [(number, 1, "S", quantity)], sequence
    )
    return await world.do(lambda uow: apply_ship_notice(uow, said))


async def test_walk_3_goods_come_earlier_and_no_promise_moves(world):
    number = await confirmed(world)
    await ship(world, number, 7, day(9))
    supplies = await world.rows(
        "select quantity, pegged, usable_date, date_basis, ship_notice_line_id is not null as sent from supply order by id"
    )
    assert [tuple(s.values()) for s in supplies] == [
        (7, 6, day(9), "SHIP_NOTICE", True),
        (3, 0, day(12), "CONFIRMED_ORDER", False),
    ]
    line = (await world.rows("select accepted, in_transit from purchase_order_line"))[0]
    assert line == {"accepted": 3, "in_transit": 7}
    assert await world.value("select need_date from peg") == day(14)
    assert await world.value("select count(*) from promise") == 1
    assert await world.value("select expected_date from backorder") == day(10)
    moved = await world.rows("select payload from outbox where topic = 'backorder' and kind = 'EXPECTED_MOVED'")
    assert moved[-1]["payload"]["expected"] == day(10).isoformat()
    assert moved[-1]["payload"]["previousExpected"] == day(13).isoformat()
    assert await world.do(recount) == []


async def test_a_notice_that_comes_again_updates_its_day_only_and_never_backwards(world):
    number = await confirmed(world)
    await ship(world, number, 7, day(9), sequence="1")
    await ship(world, number, 7, day(11), sequence="2")
    assert await world.value("select usable_date from supply where ship_notice_line_id is not null") == day(11)
    assert (await ship(world, number, 7, day(9), sequence="1")).outcome == "stale"
    assert await world.value("select usable_date from supply where ship_notice_line_id is not null") == day(11)
    with pytest.raises(InvalidInput):
        await ship(world, number, 8, day(9), sequence="3")
    assert await world.value("select count(*) from ship_notice_line") == 1
    assert await world.do(recount) == []


async def test_more_than_was_ordered_or_an_unknown_order_is_for_review(world):
    number = await confirmed(world)
    with pytest.raises(QuantityExceeded):
        await ship(world, number, 11, day(9))
    with pytest.raises(NotFound):
        await ship(world, "PO-OTHER", 1, day(9))
    assert await world.value("select count(*) from ship_notice") == 0


async def test_walk_4_a_delay_past_the_promise_moves_it_with_its_reason(world):
    number = await confirmed(world)
    await ship(world, number, 10, day(12))
    report = CarrierStatusInput(
        "SD", datetime(2026, 11, 10, tzinfo=UTC), tracking_number="T-SN1", carrier="CARR", estimated_date=day(20)
    )
    result = await world.do(lambda uow: apply_carrier_status(uow, report))
    assert result.outcome == "applied"
    assert len(result.line_ids) == 1
    supply = (await world.rows("select quantity, pegged, usable_date, date_basis from supply"))[0]
    assert supply == {"quantity": 10, "pegged": 6, "usable_date": day(20), "date_basis": "CARRIER"}
    assert await world.value("select need_date from peg") == day(20)
    promise = (await world.rows("select sequence, cause_kind, slices from promise order by id"))[-1]
    assert (promise["sequence"], promise["cause_kind"]) == (2, "SUPPLY_DELAYED")
    assert promise["slices"][0]["deliveryDate"] == day(21).isoformat()
    assert await world.value("select state from backorder") == "DELAYED"
    event = (await world.rows("select payload from outbox where kind = 'PROMISE_MOVED'"))[0]["payload"]
    assert (event["promised"], event["previousPromised"], event["reason"]) == (
        day(21).isoformat(),
        day(15).isoformat(),
        "SUPPLY_DELAYED",
    )
    again = await world.do(lambda uow: apply_carrier_status(uow, report))
    assert again.outcome == "repeated"
    assert await world.value("select count(*) from promise") == 2
    assert await world.do(recount) == []


async def test_a_carriers_estimates_are_believed_as_late_as_they_were(world, monkeypatch: pytest.MonkeyPatch):
    number = await confirmed(world)
    await ship(world, number, 10, day(12))
    supplier = await world.value("select id from supplier where code = 'SUP'")

    async def as_they_were(uow, suppliers):
        assert supplier in suppliers
        return {(supplier, "CARRIER"): 3, (supplier, "SHIP_NOTICE"): 9}

    monkeypatch.setattr("core.services.apply_carrier_status.load_lateness", as_they_were)
    at = datetime(2026, 11, 10, tzinfo=UTC)
    report = CarrierStatusInput("AG", at, tracking_number="T-SN1", estimated_date=day(20))
    await world.do(lambda uow: apply_carrier_status(uow, report))
    supply = (await world.rows("select paper_date, usable_date from supply"))[0]
    assert (supply["paper_date"], supply["usable_date"]) == (day(20), day(23))


async def test_an_older_estimate_is_kept_but_not_applied(world):
    number = await confirmed(world)
    await ship(world, number, 10, day(12))
    for at, estimated in ((10, 20), (9, 30)):
        report = CarrierStatusInput(
            "AG", datetime(2026, 11, at, tzinfo=UTC), tracking_number="T-SN1", estimated_date=day(estimated)
        )
        result = await world.do(lambda uow, said=report: apply_carrier_status(uow, said))
    assert result.outcome == "stale"
    assert await world.value("select usable_date from supply") == day(20)


async def test_a_late_claim_takes_other_supply_then_stock_and_only_the_rest_moves(world):
    supply_id = await world.supply(6, day(5))
    (first,) = await world.place(world.order(("S", 6)))
    await world.supply(2, day(4))
    await world.stock(1)
    sku_id = await world.sku()
    change = SupplyChange(sku_id, supply_id, day(9), "CONFIRMED_ORDER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    pegs = await world.rows("select kind, quantity, need_date from peg order by need_date, quantity")
    assert [tuple(p.values()) for p in pegs] == [
        ("HARD", 1, TODAY),
        ("FIRM", 2, day(5)),
        ("FIRM", 3, day(9)),
    ]
    assert await world.quantities(first.number) == (0, 1, 5, 0, 0)
    assert await world.value("select state from backorder") == "DELAYED"
    assert await world.do(recount) == []


async def test_an_open_line_that_becomes_late_opens_a_backorder(world):
    from core.domain.placing import LineRequest

    supply_id = await world.supply(4, day(5))
    (order,) = await world.place(world.order(LineRequest("S", 4, requested_date=day(8))))
    assert await world.quantities(order.number) == (4, 0, 0, 0, 0)
    sku_id = await world.sku()
    change = SupplyChange(sku_id, supply_id, day(12), "CARRIER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    assert await world.quantities(order.number) == (0, 0, 4, 0, 0)
    assert await world.rows("select state, cause, expected_date from backorder") == [
        {"state": "DELAYED", "cause": "SUPPLIER_DELAY", "expected_date": day(13)}
    ]
    assert await world.do(recount) == []


async def test_a_small_change_of_an_estimate_tells_nobody(world):
    supply_id = await world.supply(4, day(5))
    await world.place(world.order(("S", 4)))
    sku_id = await world.sku()
    change = SupplyChange(sku_id, supply_id, day(6), "LEAD_TIME")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    assert await world.value("select need_date from peg") == day(5)
    assert await world.value("select count(*) from promise") == 1
    assert await world.value("select state from backorder") == "DELAYED"


async def test_a_pull_in_needs_a_policy(world):
    supply_id = await world.supply(4, day(10))
    await world.place(world.order(("S", 4)))
    sku_id = await world.sku()
    earlier = SupplyChange(sku_id, supply_id, day(6), "CARRIER")
    await world.do(lambda uow: reschedule_supply(uow, [earlier]))
    assert await world.value("select need_date from peg") == day(10)
    await world.database.system.execute("insert into policy (code, value) values ('promise_pull_in_days', '2')")
    earlier = SupplyChange(sku_id, supply_id, day(5), "CARRIER")
    await world.do(lambda uow: reschedule_supply(uow, [earlier]))
    assert await world.value("select need_date from peg") == day(5)
    assert await world.value("select cause_kind from promise order by id desc limit 1") == "SUPPLY_ADVANCED"


async def rows_of(world, sku: str, line_ids: tuple[int, ...] = ()) -> dict[str, list]:
    """Each row of a SKU (of these lines only, where any are named) with the transaction that wrote it."""
    sku_id, found = await world.sku(sku), {}
    tables = {"peg": "order_line_id", "promise": "order_line_id", "backorder": "order_line_id", "order_line": "id"}
    for table, line in tables.items() if line_ids else (*tables.items(), ("supply", ""), ("sku_gate", "")):
        chosen = f" and {line} = any($2::bigint[])" if line_ids else ""
        given = (sku_id, list(line_ids)) if line_ids else (sku_id,)
        found[table] = await world.rows(
            f"select xmin::text, t::text from {table} t where sku_id = $1{chosen} order by 2", *given
        )
    return found


async def test_only_the_skus_and_lines_an_event_touches_are_written_and_hear_of_it(world):
    """Of two SKUs in one order one slips; of its three lines one has another supply and one can wait."""
    slipping = await world.supply(9, day(5))
    await world.supply(4, day(8))
    await world.supply(9, day(5), sku="S2")
    placed = await world.place(
        world.order(LineRequest("S", 4, requested_date=day(6)), LineRequest("S2", 4, requested_date=day(6))),
        world.order(LineRequest("S", 4, requested_date=day(9))),
        world.order(LineRequest("S", 3, requested_date=day(30))),
    )
    ids = [(await world.line(result.number))["id"] for result in placed]
    sources = {r["order_line_id"]: r["supply_id"] for r in await world.rows("select * from peg where sku_id = 1")}
    assert [sources[n] for n in ids] == [slipping, slipping + 1, slipping]
    other, bystander = await rows_of(world, "S2"), await rows_of(world, "S", (ids[1],))
    before = await world.value("select max(id) from outbox")
    change = SupplyChange(await world.sku(), slipping, day(20), "CARRIER")
    await world.do(lambda uow: reschedule_supply(uow, [change]))
    assert await rows_of(world, "S2") == other
    assert await rows_of(world, "S", (ids[1],)) == bystander
    told = await world.rows(
        "select kind, payload ->> 'lineId' as line from outbox where id > $1 and topic = 'order' and payload ->> 'lineId' is not null",
        before,
    )
    assert {(row["kind"], int(row["line"])) for row in told if row["kind"] == "PROMISE_MOVED"} == {
        ("PROMISE_MOVED", ids[0])
    }
    assert {int(row["line"]) for row in told} == {ids[0]}
    assert await world.do(recount) == []
