"""Deadlines, observed lead times, the choice of sources and approval routes on a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.domain.access import Principal, Role
from core.domain.supplier_changes import ChangeSource
from core.domain.supplier_states import DeadlineKind
from core.errors import Forbidden, InvalidInput, NotFound, QuantityExceeded
from core.queries.inbound_priority import inbound_priority
from core.queries.supplier_facts import supplier_lines
from core.repositories.approvals import order_to_approve
from core.repositories.gates import take_gates
from core.services import run_supplier_deadlines as deadlines
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.approve_purchase_order import approve_purchase_order
from core.services.calibrate_lead_times import calibrate_suppliers
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.decide_supplier_change import DecideSupplierChange, decide_supplier_change
from core.services.propose_supplier_change import ProposeSupplierChange, propose_supplier_change
from core.services.purchase_emergency import EmergencyPurchase, purchase_emergency
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.report_supplier_stock import StockHint, report_supplier_stock
from core.services.run_supplier_deadlines import chase_supplier, run_supplier_deadlines
from core.services.send_purchase_order import send_purchase_order
from core.services.set_approver_absence import set_approver_absence

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
HOUR = timedelta(hours=1)


async def policy(world, code, value):
    await world.database.system.execute(
        "insert into policy (code, value) values ($1, $2) on conflict (code) do update set value = excluded.value",
        code,
        value,
    )


async def sent(world, quantity=10, sku="S") -> str:
    await policy(world, "purchase_approval_limit", 10**12)
    wanted = CreatePurchaseOrder("SUP", "A", [(sku, quantity, None)])
    change = await world.do(lambda uow: create_purchase_order(uow, wanted))
    await world.do(lambda uow: send_purchase_order(uow, change.purchase_order_id))
    return change.number


async def newest_order(world) -> tuple[date, ...]:
    (row,) = await world.rows(
        """select l.requested_date, s.paper_date, s.usable_date from purchase_order_line l
        join supply s on s.purchase_order_line_id = l.id order by l.id desc limit 1"""
    )
    return tuple(row.values())


async def answer(world, number, day, quantity=10):
    request = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(1, accepted=[(quantity, day)])], "1")
    await world.do(lambda uow: apply_acknowledgement(uow, request))


async def receive(world, number, quantity, sku="S"):
    wanted = ReceiveGoods(number, "PURCHASE_ORDER", "A", [ReceiptLine(sku, quantity)])
    await world.do(lambda uow: receive_goods(uow, wanted))


async def announced(world, kind):
    return await world.value("select count(*) from outbox where topic = 'purchase_order' and kind = $1", kind)


async def test_a_silent_supplier_is_warned_breached_and_escalated_once_and_chased(world):
    number = await sent(world)
    start = world.clock.at
    for hours, reached in (
        (1, {}),
        (37, {"WARNED": 1}),
        (49, {"BREACHED": 1}),
        (50, {}),
        (73, {"ESCALATED": 1}),
        (74, {}),
    ):
        world.clock.at = start + hours * HOUR
        assert await world.do(run_supplier_deadlines) == reached, hours
    assert [await announced(world, f"ACKNOWLEDGEMENT_{s}") for s in ("WARNED", "BREACHED", "ESCALATED")] == [1, 1, 1]
    assert await world.value("select count(*) from outbox where topic = 'alarm'") == 1
    await world.do(lambda uow: chase_supplier(uow, number, DeadlineKind.ACKNOWLEDGEMENT, " called "))
    row = (await world.rows("select state, chase_note, chased_by from supplier_deadline"))[0]
    assert row == {"state": "ESCALATED", "chase_note": "called", "chased_by": "system"}
    await answer(world, number, TODAY + timedelta(days=9))
    assert await world.do(run_supplier_deadlines) == {"MET": 1}
    states = await world.rows("select kind, state, due_at from supplier_deadline order by id")
    assert [(s["kind"], s["state"]) for s in states] == [("ACKNOWLEDGEMENT", "MET"), ("SHIP_NOTICE", "OPEN")]
    assert states[1]["due_at"].isoformat() == "2026-11-09T15:00:00+00:00"
    with pytest.raises(NotFound):
        await world.do(lambda uow: chase_supplier(uow, number, DeadlineKind.ACKNOWLEDGEMENT, "again"))
    await receive(world, number, 10)
    assert await world.do(run_supplier_deadlines) == {"MET": 1}
    assert await world.do(run_supplier_deadlines) == {}


async def test_an_order_that_is_answered_while_its_deadlines_are_read_is_left_to_the_next_look(world, monkeypatch):
    """Or an alarm would follow the answer, with a version and a state that were before it."""
    number = await sent(world)
    world.clock.at += 49 * HOUR
    read, answered = deadlines.deadlines_of, []

    async def answered_just_after(uow, order_ids):
        found = await read(uow, order_ids)
        if not answered:
            answered.append(number)
            await answer(world, number, TODAY + timedelta(days=9))
        return found

    monkeypatch.setattr(deadlines, "deadlines_of", answered_just_after)
    assert [await world.do(run_supplier_deadlines) for _ in range(2)] == [{}, {}]
    assert answered == [number]
    assert await world.value("select count(*) from outbox where kind like 'ACKNOWLEDGEMENT%'") == 0
    assert await world.rows("select kind, state from supplier_deadline") == [{"kind": "SHIP_NOTICE", "state": "OPEN"}]


async def test_two_runs_at_once_announce_each_step_once(world):
    await sent(world)
    world.clock.at += 49 * HOUR

    async def twice(uow):
        first = await run_supplier_deadlines(uow)
        return first, await run_supplier_deadlines(replace(uow))

    assert await world.do(twice) == ({"WARNED": 1, "BREACHED": 1}, {}), "what a pause has passed over is told too"
    assert [await announced(world, f"ACKNOWLEDGEMENT_{s}") for s in ("WARNED", "BREACHED")] == [1, 1]


async def test_observed_lead_times_move_the_day_of_what_is_ordered_anew(world, monkeypatch):
    sku_id, supplier_id = await world.sku(), await world.value("select id from supplier where code = 'SUP'")
    start = world.clock.at
    for n in range(6):
        world.clock.at = start + timedelta(days=n)
        number = await sent(world)
        world.clock.at += timedelta(days=24)
        await receive(world, number, 10)
    gate = await world.value("select version from sku_gate where sku_id = $1", sku_id)
    with monkeypatch.context() as patch:
        patch.setattr("core.services.calibrate_lead_times.MOST_OFFERS", 2)
        due = [await world.do(lambda uow: calibrate_suppliers(uow, [supplier_id])) for _ in range(3)]
    assert due == [2, 1, 0], "of three offers two at once, and the rest is not forgotten"
    row = (await world.rows("select * from supplier_sku where sku_id = $1", sku_id))[0]
    assert (row["agreed_lead_time_p80"], row["observed_count"], row["lead_time_p80"]) == (14, 6, 21)
    other = await world.value("select lead_time_p80 from supplier_sku where sku_id <> $1 limit 1", sku_id)
    assert other == 18
    assert await world.value("select version from sku_gate where sku_id = $1", sku_id) == gate + 1
    assert await world.do(lambda uow: calibrate_suppliers(uow, [supplier_id])) == 0
    await world.do(lambda uow: uow.sql.execute("update sku set reorder_point = 500, reorder_quantity = 40"))
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    by_rule = await newest_order(world)
    await world.do(lambda uow: create_purchase_order(uow, CreatePurchaseOrder("SUP", "A", [("S", 10, None)])))
    assert await newest_order(world) == by_rule
    today = world.clock.at.date()
    assert by_rule == (today + timedelta(days=14), today + timedelta(days=14), today + timedelta(days=21)), (
        "asked for as agreed, since who is asked later comes later; promised by what is likely"
    )
    async with world.database.system.acquire() as sql:
        lines = await supplier_lines(sql, supplier_id, TODAY, TODAY + timedelta(days=60))
    assert [len(line.receipts) for line in lines] == [1] * 6
    assert {(line.receipts[0].day - line.sent_on).days for line in lines} == {24}


async def test_what_a_supplier_refused_is_not_missing_and_what_is_to_come_is(world):
    """Six deliveries in the agreed time: only a line that is still to come makes them look longer."""
    supplier_id = await world.value("select id from supplier where code = 'SUP'")
    start = world.clock.at
    numbers = [await sent(world) for _ in range(8)]
    refused = AcknowledgePurchaseOrder(numbers[6], None, [AcknowledgeLine(1, rejected=10)], "1")
    await world.do(lambda uow: apply_acknowledgement(uow, refused))
    world.clock.at = start + timedelta(days=12)
    for number in numbers[:6]:
        await receive(world, number, 10)
    world.clock.at = start + timedelta(days=100)
    others = await world.rows("select id from supplier where code <> 'SUP'")
    suppliers = [supplier_id, *(row["id"] for row in others)]
    await world.do(lambda uow: calibrate_suppliers(uow, suppliers))
    rows = await world.rows(
        """select x.observed_p50, x.observed_count from supplier_sku x join sku k on k.id = x.sku_id
        where x.supplier_id = $1 and k.code = 'S'""",
        supplier_id,
    )
    assert [row["observed_count"] for row in rows] == [7], "six came, one is 100 days on its way, one never will be"
    assert (
        await world.rows("select 1 from supplier_sku where supplier_id <> $1 and observed_count > 0", supplier_id) == []
    )


async def test_an_agreement_counts_again_when_too_little_is_left_and_one_made_meanwhile_is_not_overwritten(
    world, monkeypatch
):
    sku_id, supplier_id = await world.sku(), await world.value("select id from supplier where code = 'SUP'")
    for _ in range(6):
        number = await sent(world)
        world.clock.at += timedelta(days=24)
        await receive(world, number, 10)

    async def terms():
        return tuple(
            (
                await world.rows(
                    """select lead_time_days, agreed_lead_time_p80, lead_time_p80, observed_count from supplier_sku
                    where sku_id = $1 and supplier_id = $2""",
                    sku_id,
                    supplier_id,
                )
            )[0].values()
        )

    async def gates_after_a_new_agreement(uow, sku_ids):
        await world.database.system.execute(
            "update supplier_sku set lead_time_days = 60, lead_time_p80 = 70 where sku_id = $1 and supplier_id = $2",
            sku_id,
            supplier_id,
        )
        return await take_gates(uow, sku_ids)

    with monkeypatch.context() as patch:
        patch.setattr("core.services.calibrate_lead_times.take_gates", gates_after_a_new_agreement)
        await world.do(lambda uow: calibrate_suppliers(uow, [supplier_id]))
    assert await terms() == (60, None, 70, 0)
    await world.do(lambda uow: calibrate_suppliers(uow, [supplier_id]))
    days, agreed, observed, count = await terms()
    assert (days, agreed, observed < 70, count) == (60, 70, True, 6)
    world.clock.at += timedelta(days=400)
    await world.do(lambda uow: calibrate_suppliers(uow, [supplier_id]))
    assert await terms() == (60, 70, 70, 0)
    assert await world.do(lambda uow: calibrate_suppliers(uow, [supplier_id])) == 0


async def second_source(world, price=500, lead=30, **more):
    columns = "".join(f", {name}" for name in more)
    values = "".join(f", {value}" for value in more.values())
    await world.database.system.execute(
        f"""insert into supplier_sku (supplier_id, sku_id, price, currency, lead_time_days, lead_time_p80{columns})
        select p.id, k.id, {price}, 'KRW', {lead - 4}, {lead}{values} from supplier p, sku k
        where p.code = 'SUP2' and k.code = 'S'"""
    )


async def test_what_waits_is_bought_in_time_and_what_fills_up_is_bought_cheap(world):
    await second_source(world)
    await policy(world, "sourcing", {"lateBasisPointsPerDay": 200})
    await world.database.system.execute("update sku set reorder_point = 5, reorder_quantity = 200 where code = 'S'")
    await world.place(world.order(("S", 5)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    bought = await world.rows(
        """select s.code, l.ordered, l.price, o.cause ->> 'waiting' as waiting from purchase_order_line l
        join purchase_order o on o.id = l.purchase_order_id join supplier s on s.id = l.supplier_id order by 1"""
    )
    assert [tuple(row.values()) for row in bought] == [("SUP", 5, 700, "5"), ("SUP2", 195, 500, "0")]
    pegged = await world.rows("select s.supplier_id, p.quantity from peg p join supply s on s.id = p.supply_id")
    assert [row["quantity"] for row in pegged] == [5]
    assert await world.do(lambda uow: raise_purchase_requests(uow, [sku_id])) == []


async def test_of_two_sources_the_sooner_serves_who_comes_first(world):
    await policy(world, "sourcing", {"lateBasisPointsPerDay": 500})
    await world.database.system.execute(
        "update supplier_sku set price = 500, lead_time_days = 25, lead_time_p80 = 30, is_preferred = false"
    )
    await second_source(world, 700, 8, is_preferred="true")
    await reported(world, "SUP2", 4)
    await world.place(world.order(("S", 6)))
    await world.place(world.order(("S", 4), customer="V1"))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    pegged = await world.rows(
        """select p.quantity, u.code, p.need_date from peg p join supply s on s.id = p.supply_id
        join supplier u on u.id = s.supplier_id order by 1"""
    )
    assert [tuple(row.values()) for row in pegged] == [
        (4, "SUP2", TODAY + timedelta(days=8)),
        (6, "SUP", TODAY + timedelta(days=30)),
    ]


async def test_an_emergency_is_bought_expedited_within_limits_in_one_call(world):
    await policy(world, "purchase_approval_limit", {"KRW": 100_000})
    await second_source(world, 650, 20, expedite_days=3, expedite_fee=1000, expedite_unit_fee=50)
    wanted = EmergencyPurchase("S", "A", 20, TODAY + timedelta(days=4), most=16_000)
    choice, changes = await world.do(lambda uow: purchase_emergency(uow, wanted))
    assert (choice.reason, [c.status for c in changes]) == ("LESS_LATE", ["APPROVED"])
    assert choice.saves is not None
    assert choice.saves > 0
    line = (await world.rows("select price, ordered from purchase_order_line"))[0]
    assert line == {"price": 700, "ordered": 20}
    assert await world.value("select usable_date from supply") == TODAY + timedelta(days=3)
    assert await world.value("select count(*) from outbox where job = 'send_purchase_order'") == 1
    assert await world.value("select cause #>> '{choice,parts,0,supplier}' from purchase_order") == "SUP2"
    assert await world.value("select count(*) from supplier_request") == 0
    await world.do(lambda uow: send_purchase_order(uow, changes[0].purchase_order_id))
    assert await world.rows(
        "select kind, state, quantity, asked_by = $1 as is_mine from supplier_request", world.principal.id
    ) == [{"kind": "EXPEDITE", "state": "OPEN", "quantity": 20, "is_mine": True}]
    assert await world.value("select count(*) from outbox where topic = 'supplier' and kind = 'ASKED'") == 1
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: purchase_emergency(uow, replace(wanted, most=1)))
    assert await world.value("select count(*) from purchase_order") == 1


async def reported(world, supplier, available):
    await world.database.system.execute(
        """insert into supplier_stock_report (supplier_id, sku_id, as_of, available, capacity_per_week, actor, created_at)
        select p.id, k.id, $1, $2, 0, 'test', $1 from supplier p, sku k where p.code = $3 and k.code = 'S'""",
        world.clock.at,
        available,
        supplier,
    )


async def test_an_emergency_of_two_orders_is_judged_by_what_both_cost(world):
    await policy(world, "purchase_approval_limit", {"KRW": 13_000})
    await second_source(world, 700, 14)
    for supplier in ("SUP", "SUP2"):
        await reported(world, supplier, 10)
    wanted = EmergencyPurchase("S", "A", 20, TODAY + timedelta(days=4))
    choice, changes = await world.do(lambda uow: purchase_emergency(uow, wanted))
    assert (choice.reason, [c.status for c in changes]) == ("SPLIT", ["AWAITING_APPROVAL"] * 2)
    with pytest.raises(QuantityExceeded):
        await world.do(lambda uow: purchase_emergency(uow, replace(wanted, quantity=21)))


async def test_nothing_is_expedited_without_a_person(world):
    await second_source(world, 705, 30, expedite_days=2)
    await world.place(world.order(("S", 5)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    bought = "select s.code from purchase_order_line l join supplier s on s.id = l.supplier_id"
    assert await world.rows(bought) == [{"code": "SUP"}]


async def test_a_barred_source_is_not_compared(world):
    await second_source(world, 1, 6, is_approved="false")
    wanted = EmergencyPurchase("S", "A", 5, TODAY + timedelta(days=4))
    choice, _ = await world.do(lambda uow: purchase_emergency(uow, wanted))
    assert ([option.source.code for option in choice.options], choice.reason) == (["SUP"], "ONLY_SOURCE")


async def test_an_older_hint_is_left_out(world):
    supplier_id, now = await world.value("select id from supplier where code = 'SUP'"), world.clock.at

    async def say(available, at):
        return await world.do(lambda uow: report_supplier_stock(uow, supplier_id, [StockHint("S", available)], at))

    assert [await say(5, now - HOUR), await say(9, now - 2 * HOUR), await say(7, now)] == [1, 0, 1]
    with pytest.raises(InvalidInput):
        await say(8, now + HOUR)
    assert await world.rows("select available from supplier_stock_report order by id") == [
        {"available": 5},
        {"available": 7},
    ]


async def test_what_is_late_is_unloaded_before_what_more_units_wait_for(world):
    async def buy(sku, units):
        await world.place(world.order((sku, units)))
        sku_id = await world.sku(sku)
        return (await world.do(lambda uow: raise_purchase_requests(uow, [sku_id])))[0]

    late = await buy("S", 2)
    world.clock.at += timedelta(days=10)
    many = await buy("S2", 9)
    world.clock.at += timedelta(days=6)
    rows = await inbound_priority(world.database.system, "A", 10, world.clock.at)
    seen = [(row["purchase_order_id"], row["units_waiting"], row["units_late"]) for row in rows]
    assert seen == [(late, 2, 2), (many, 9, 0)]


async def test_no_price_plan_or_barred_source_gets_round_the_approval(world):
    await policy(world, "purchase_approval_limit", {"KRW": 13_500})

    async def make(lines, supplier="SUP", **more):
        wanted = CreatePurchaseOrder(supplier, "A", lines, **more)
        return await world.do(lambda uow: create_purchase_order(uow, wanted))

    with pytest.raises(InvalidInput):
        await make([("S", 5, -1), ("S", 5, 1)])
    cheap = await make([("S", 20, 0)])
    assert cheap.status == "AWAITING_APPROVAL"
    assert (await world.do(lambda uow: order_to_approve(uow, cheap.purchase_order_id))).total == 14_000
    await second_source(world, 600, 20, expedite_days=3, expedite_fee=5_000, expedite_unit_fee=50)
    fast = await make([("S", 20, None)], supplier="SUP2", is_expedited=True)
    assert (await world.do(lambda uow: order_to_approve(uow, fast.purchase_order_id))).total == 18_000
    part = await make([("S", 1, None)], plan_total=13_501)
    assert part.status == "AWAITING_APPROVAL"
    await world.database.system.execute("update supplier_sku set is_approved = false")
    with pytest.raises(InvalidInput):
        await make([("S", 1, None)])


async def test_routes_let_only_the_right_persons_approve_and_never_the_maker(world):
    await policy(
        world,
        "approval_routes",
        {"isOn": True, "steps": [{"upTo": 5_000, "approvers": ["ann"]}, {"approvers": ["ann", "bob"], "needed": 2}]},
    )

    async def as_(person, use_case):
        world.principal = Principal(person, Role.PLANNER)
        return await world.do(use_case)

    wanted = CreatePurchaseOrder("SUP", "A", [("S", 10, None)])
    change = await as_("ann", lambda uow: create_purchase_order(uow, wanted))
    small = await as_("cid", lambda uow: create_purchase_order(uow, replace(wanted, lines=[("S", 7, None)])))
    approve = lambda number: lambda uow: approve_purchase_order(uow, number)  # noqa: E731
    for person in ("ann", "cid"):
        with pytest.raises(Forbidden):
            await as_(person, approve(change.number))
    with pytest.raises(Forbidden):
        await as_("ann", lambda uow: set_approver_absence(uow, "bob", "dan", TODAY, None))
    with pytest.raises(InvalidInput, match="last day"):
        await as_("ann", lambda uow: set_approver_absence(uow, "ann", "dan", TODAY, None))
    for substitute, until in (("dan", TODAY - timedelta(days=1)), ("ann", TODAY)):
        with pytest.raises(InvalidInput, match="in order"):
            await as_("ann", lambda uow, s=substitute, u=until: set_approver_absence(uow, "ann", s, TODAY, u))
    assert (await as_("bob", approve(change.number))).outcome == "waiting"
    with pytest.raises(Forbidden):
        await as_("bob", approve(change.number))
    await as_("ann", lambda uow: set_approver_absence(uow, "ann", "dan", TODAY, TODAY))
    done = await as_("dan", approve(change.number))
    assert (done.status, done.outcome) == ("APPROVED", "applied")
    rows = await world.rows("select approver, in_place_of from purchase_approval order by id")
    assert [tuple(row.values()) for row in rows] == [("bob", "bob"), ("dan", "ann")]
    assert (await as_("dan", approve(small.number))).status == "APPROVED"
    assert await world.value("select count(*) from audit_entry where operation = 'purchaseOrderApproval'") == 3


async def test_a_dearer_change_is_decided_by_who_may_approve_it_and_did_not_make_the_order(world):
    steps = [{"upTo": 10_000, "approvers": ["ann", "bob"]}, {"approvers": ["cid"]}]
    await policy(world, "approval_routes", {"isOn": True, "steps": steps})
    world.principal = Principal("ann", Role.PLANNER)
    number = await sent(world)
    asked = ProposeSupplierChange(number, None, [AcknowledgeLine(1, price=900)], ChangeSource.PORTAL, "1")
    await policy(world, "purchase_approval_limit", 1)
    await policy(world, "supplier_changes", {"maxPricePercent": 100})
    change = await world.do(lambda uow: propose_supplier_change(uow, asked))
    assert change.state == "PROPOSED", "above the limit no rule accepts it"
    decision = DecideSupplierChange(change.change_id or 0, True)
    for person in ("ann", "cid", "dan"):
        world.principal = Principal(person, Role.PLANNER)
        with pytest.raises(Forbidden):
            await world.do(lambda uow: decide_supplier_change(uow, decision))
    world.principal = Principal("bob", Role.PLANNER)
    both = {"isOn": True, "steps": [{"approvers": ["ann", "bob"], "needed": 2}]}
    await policy(world, "approval_routes", both)
    with pytest.raises(Forbidden):
        await world.do(lambda uow: decide_supplier_change(uow, decision))
    await policy(world, "approval_routes", {"isOn": True, "steps": steps})
    assert (await world.do(lambda uow: decide_supplier_change(uow, decision))).state == "ACCEPTED"
    assert await world.value("select price from purchase_order_line") == 900
