"""What suppliers answer and deliver, at its edges: hints that are old, units on hold, goods that are judged in part."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.placing import LineRequest
from core.domain.supplier_changes import ChangeSource
from core.domain.supplier_states import DeadlineKind, DeadlineState, RequestKind
from core.errors import DateInPast, InvalidInput
from core.queries.supplier_facts import supplier_lines
from core.repositories.sourcing import load_sources
from core.repositories.supplier_deadlines import deadlines_of, move_deadline
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.ask_supplier import AnswerRequest, AskSupplier, answer_request, ask_supplier
from core.services.choose_sources import sourcing_choice
from core.services.close_purchase_order import ClosePurchaseOrder, close_purchase_order
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.inspect_goods import InspectGoods, inspect_goods
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.report_supplier_stock import StockHint, report_supplier_stock
from core.services.reschedule_lines import reschedule_lines
from core.services.run_supplier_deadlines import run_supplier_deadlines
from core.services.send_purchase_order import send_purchase_order
from tests.integration.test_supplier_work import TODAY, policy, reported, second_source, sent

pytestmark = pytest.mark.anyio


async def test_goods_of_no_stated_day_count_for_quality_alone_and_those_not_judged_yet_as_bad(world):
    number = await sent(world)
    receipt = ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 10, damaged=4)])
    await world.do(lambda uow: receive_goods(uow, receipt))
    await world.do(lambda uow: inspect_goods(uow, InspectGoods("A", "S", accepted=1, rejected=1)))
    supplier_id = await world.value("select id from supplier where code = 'SUP'")
    (line,) = await supplier_lines(world.database.system, supplier_id, TODAY, TODAY)
    assert [(r.units, r.bad, r.paper_date) for r in line.receipts] == [(10, 3, None)]


async def test_units_on_hold_stay_so_when_the_others_get_another_day(world):
    number = await sent(world)
    lines = [AcknowledgeLine(1, accepted=[(7, TODAY + timedelta(days=12))], held=3)]
    await world.do(lambda uow: apply_acknowledgement(uow, AcknowledgePurchaseOrder(number, None, lines, "1")))
    moved = {1: [(7, TODAY + timedelta(days=20))]}
    change = await world.do(lambda uow: reschedule_lines(uow, number, None, moved, "2"))
    (kept,) = await world.value("select lines from supplier_change where id = $1", change.change_id)
    assert (kept["held"], [part["quantity"] for part in kept["accepted"]]) == (3, [7])
    assert await world.value("select source from supplier_change") == ChangeSource.PORTAL


async def test_an_answer_to_an_urgent_request_is_no_more_than_was_asked_and_has_a_day(world):
    day = TODAY + timedelta(days=4)
    asked = AskSupplier("SUP", RequestKind.STOCK, "S", 5, day)
    number = await world.do(lambda uow: ask_supplier(uow, asked))
    for quantity, on in ((6, day), (5, None), (-1, day)):
        with pytest.raises(InvalidInput):
            await world.do(lambda uow, q=quantity, d=on: answer_request(uow, AnswerRequest(number, q, d)))
    await world.do(lambda uow: answer_request(uow, AnswerRequest(number, 5, day)))
    assert await world.value("select state from supplier_request") == "ANSWERED"


async def test_nothing_is_asked_for_a_day_that_is_past(world):
    asked = AskSupplier("SUP", RequestKind.STOCK, "S", 5, TODAY)
    with pytest.raises(DateInPast):
        await world.do(lambda uow: ask_supplier(uow, replace(asked, need_date=TODAY - timedelta(days=1))))
    await world.do(lambda uow: ask_supplier(uow, asked))
    assert await world.value("select count(*) from supplier_request") == 1


async def test_a_hint_bounds_a_choice_for_fourteen_days(world):
    await policy(world, "sourcing", {})
    supplier_id, sku_id = await world.value("select id from supplier where code = 'SUP'"), await world.sku()
    hint = StockHint("S", available=3, capacity_per_week=0)
    await world.do(lambda uow: report_supplier_stock(uow, supplier_id, [hint]))
    for days, is_possible in ((14, False), (15, True)):
        now = world.clock.at + timedelta(days=days)
        choice = await sourcing_choice(world.database.system, {}, sku_id, 4, now.date(), now.date(), now)
        assert choice is not None
        assert (choice.plan is not None) is is_possible, days


@pytest.mark.parametrize("at_once", [True, False])
async def test_units_that_a_supplier_has_are_there_for_one_order_only(world, at_once: bool):
    await world.database.system.execute(
        """insert into lane (from_location_id, to_location_id, transit_days, calendar_id)
            select f.id, t.id, 1, f.calendar_id from location f, location t where f.code = 'R' and t.code = 'A'
            on conflict do nothing;
        update supplier set location_id = (select id from location where code = 'R') where code = 'SUP';
        insert into policy (code, value) values ('purchase_approval_limit', '1000000000') on conflict do nothing"""
    )
    for _ in range(2):
        made = await world.do(
            lambda uow: create_purchase_order(uow, CreatePurchaseOrder("SUP", "A", [("S", 10, None)]))
        )
        await world.do(lambda uow, made=made: send_purchase_order(uow, made.purchase_order_id))
    (believed,) = {row["usable_date"] for row in await world.rows("select usable_date from supply")}
    supplier = await world.value("select id from supplier where code = 'SUP'")
    soon = {"available": 15} if at_once else {"available": 0, "next_date": TODAY, "next_quantity": 15}
    await world.do(lambda uow: report_supplier_stock(uow, supplier, [StockHint("S", **soon)]))
    days = sorted(row["usable_date"] for row in await world.rows("select usable_date from supply"))
    assert (days[0] < believed, days[1]) == (True, believed)


async def test_a_deadline_that_somebody_else_has_moved_is_not_moved_again(world):
    await sent(world)
    await world.do(run_supplier_deadlines)
    order_id = await world.value("select id from purchase_order")
    world.clock.at += timedelta(hours=49)

    async def late(uow):
        read = (await deadlines_of(uow, [order_id]))[order_id, DeadlineKind.ACKNOWLEDGEMENT]
        await run_supplier_deadlines(uow)
        return await move_deadline(uow, read, DeadlineState.BREACHED, read.times)

    assert await world.do(late) is False


async def test_what_was_ordered_and_refused_makes_a_source_less_reliable(world):
    number = await sent(world)
    lines = [AcknowledgeLine(1, accepted=[(5, TODAY + timedelta(days=12))], rejected=5)]
    await world.do(lambda uow: apply_acknowledgement(uow, AcknowledgePurchaseOrder(number, None, lines, "1")))
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 5)])))
    sku_id = await world.sku()
    (source,) = (await load_sources(world.database.system, [sku_id], world.clock.at))[sku_id]
    assert (round(source.reliability, 6), source.finished_lines) == (round((0.5 + 9.8) / 11, 6), 1)


async def test_reliability_is_of_units_not_of_lines(world):
    small, large, sku_id = await sent(world, 1), await sent(world, 99), await world.sku()
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(small, "PURCHASE_ORDER", "A", [ReceiptLine("S", 1)])))
    refused = AcknowledgePurchaseOrder(large, None, [AcknowledgeLine(1, accepted=[], rejected=99)], "1")
    await world.do(lambda uow: apply_acknowledgement(uow, refused))
    (source,) = (await load_sources(world.database.system, [sku_id], world.clock.at))[sku_id]
    assert (round(source.reliability, 6), source.finished_lines) == (round((2 * 0.01 + 9.8) / 12, 6), 2)


async def test_what_had_not_come_by_its_day_and_was_then_closed_makes_a_source_less_reliable(world):
    number = await sent(world)
    lines = [AcknowledgeLine(1, accepted=[(10, TODAY + timedelta(days=12))])]
    await world.do(lambda uow: apply_acknowledgement(uow, AcknowledgePurchaseOrder(number, None, lines, "1")))
    await world.do(lambda uow: receive_goods(uow, ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine("S", 4)])))
    early, sku_id = await sent(world), await world.sku()
    await world.do(lambda uow: close_purchase_order(uow, ClosePurchaseOrder(early, "not needed any more")))
    world.clock.at += timedelta(days=13)
    await world.do(lambda uow: close_purchase_order(uow, ClosePurchaseOrder(number, "it never came")))
    (source,) = (await load_sources(world.database.system, [sku_id], world.clock.at))[sku_id]
    assert (round(source.reliability, 6), source.finished_lines) == (round((0.4 + 9.8) / 11, 6), 1)


async def test_who_needs_its_units_later_leaves_the_sooner_ones_to_who_needs_them(world):
    await policy(world, "sourcing", {"lateBasisPointsPerDay": 500})
    await world.database.system.execute(
        "update supplier_sku set price = 500, lead_time_days = 25, lead_time_p80 = 30, is_preferred = false"
    )
    await second_source(world, 700, 8, is_preferred="true")
    await reported(world, "SUP2", 4)
    await world.place(world.order(LineRequest("S", 4, requested_date=TODAY + timedelta(days=60)), customer="V1"))
    await world.place(world.order(("S", 4)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    pegged = await world.rows(
        """select c.code as customer, u.code as supplier from peg p join supply s on s.id = p.supply_id
        join supplier u on u.id = s.supplier_id join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
        join sales_order o on o.id = l.order_id join customer c on c.id = o.customer_id order by 1"""
    )
    assert [tuple(row.values()) for row in pegged] == [("C1", "SUP2"), ("V1", "SUP")]
