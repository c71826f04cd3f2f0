"""Options of a backorder: offered once, answered once, carried out at once; the course that leads to them."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.access import Principal, Role
from core.domain.notices import render
from core.domain.placing import LineRequest
from core.domain.states import CourseStep, ResolutionKind
from core.errors import IllegalTransition, InsufficientStock, NotFound, OptionClosed, SkuNotSellable
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.change_policy import ChangePolicy, change_policy
from core.services.choose_option import ChooseOption, choose_option, expire_offer
from core.services.confirm_shipment import ConfirmShipment, confirm_shipments
from core.services.hold_order import HoldOrder, hold_order
from core.services.plan_shipments import plan_shipments
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount
from core.services.release_order_hold import release_order_hold
from core.services.reschedule_supply import SupplyChange, reschedule_supply
from core.services.review_backorders import overdue_options
from core.services.run_backorder_course import OneStep, run_backorder_course
from core.services.steer_course import PauseCourse, pause_course
from core.services.substitute_line import substitute_line
from tests.integration.test_kits import make_kit
from tests.world import TODAY, FixedClock, World

pytestmark = pytest.mark.anyio


def day(n: int):
    return TODAY + timedelta(days=n)


COURSE = [{"step": step} for step in ("OTHER_SITES", "SUBSTITUTE", "PURCHASE")]


@pytest.fixture(autouse=True)
async def ten_days_are_long(world):
    course = [*COURSE, {"step": "OPTIONS", "waitLongerThanDays": 10}, {"step": "RELEASE"}]
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", course)))


async def run(world, *codes, only=None):
    """The course as its job runs it."""
    ids = [await world.sku(code) for code in codes or ("S",)]
    for _ in range(5):
        wanted = await world.do(lambda uow: run_backorder_course(uow, ids, only))
        for request in wanted:
            await world.do(lambda uow, request=request: substitute_line(uow, request))
        if not wanted:
            return


async def states(world):
    return [row["state"] for row in await world.rows("select state from backorder order by id")]


async def offers(world):
    return [row["state"] for row in await world.rows("select state from option_offer order by id")]


async def kinds(world):
    rows = await world.rows(
        """select r.kind, r.is_default from resolution_option r join option_offer o on o.sku_id = r.sku_id
        and o.id = r.offer_id where o.state = 'OPEN' order by r.id"""
    )
    return [row["kind"] + ("*" if row["is_default"] else "") for row in rows]


async def offered(world, quantity=5, **more):
    """An order whose short part waits longer than the course likes, with its options offered."""
    order = world.order(LineRequest("S", quantity, **more))
    (placed,) = await world.place(order)
    await run(world)
    return placed


def choose(world, placed, kind, **more):
    sku_id, backorder_id = placed.backorder_ids[0]
    return world.do(
        lambda uow: choose_option(uow, ChooseOption(sku_id, backorder_id, kind=ResolutionKind(kind), **more))
    )


async def sound(world):
    assert await world.do(recount) == []
    for row in await world.rows("select template, language, facts from notice"):
        render(row["template"], row["language"], row["facts"])


async def substitute(world, *, consent=True, ratio=1, price=2000):
    await world.database.system.execute(
        """insert into substitute (sku_id, substitute_sku_id, ratio, needs_consent)
        select a.id, b.id, $1, $2 from sku a, sku b where a.code = 'S' and b.code = 'S2'""",
        ratio,
        consent,
    )
    await world.database.system.execute("update sku set unit_price = $1 where code = 'S2'", price)


async def test_the_course_offers_options_once(world):
    await offered(world)
    assert await states(world) == ["OPTION_OFFERED"]
    assert await kinds(world) == ["WAIT*", "CANCEL"]
    before = await world.value("select count(*) from backorder_event")
    await run(world)
    await run(world)
    assert await world.value("select count(*) from backorder_event") == before
    assert await offers(world) == ["OPEN"]
    (notice,) = await world.rows(
        "select facts ->> 'deadline' as deadline from notice where template = 'OPTION_OFFERED'"
    )
    assert notice == {"deadline": "2026-11-05T12:00:00+09:00[Asia/Seoul]"}, "by the clocks where the order goes"
    await sound(world)


async def test_every_step_leaves_its_event(world):
    await offered(world)
    rows = await world.rows("select from_state, to_state, cause from backorder_event order by sequence")
    assert [(r["from_state"], r["to_state"], r["cause"]) for r in rows] == [
        (None, "PROVISIONAL", "PLACED"),
        ("PROVISIONAL", "SOURCING", "COURSE_OTHER_SITES"),
        ("SOURCING", "SOURCING", "COURSE_OTHER_SITES:NOTHING"),
        ("SOURCING", "AWAITING_SUPPLY", "COURSE_PURCHASE"),
        ("AWAITING_SUPPLY", "AWAITING_SUPPLY", "COURSE_PURCHASE:REQUESTED"),
        ("AWAITING_SUPPLY", "OPTION_OFFERED", "COURSE_OPTIONS"),
    ]


async def test_waiting_is_consent_to_the_day(world):
    placed = await offered(world)
    await world.do(lambda uow: raise_purchase_requests(uow, [placed.backorder_ids[0][0]]))
    await choose(world, placed, "WAIT")
    assert await states(world) == ["PEGGED"]
    assert await offers(world) == ["CHOSEN"]
    row = (await world.rows("select cause_kind, evidence from promise order by sequence desc limit 1"))[0]
    assert (row["cause_kind"], row["evidence"]["consent"]["kind"]) == ("OPTION_CHOSEN", "WAIT")
    await run(world)
    assert await offers(world) == ["CHOSEN"]
    await sound(world)


async def test_a_substitute_takes_the_place_of_the_short_part(world):
    await substitute(world, ratio=2, price=900)
    await world.stock(2)
    await world.stock(10, "S2")
    placed = await offered(world, 5, substitutes_allowed=True)
    assert await kinds(world) == ["WAIT*", "SUBSTITUTE", "CANCEL"]
    done = await choose(world, placed, "SUBSTITUTE")
    assert await world.quantities(placed.number, 1) == (0, 2, 0, 0, 3)
    assert await world.quantities(placed.number, 2) == (0, 6, 0, 0, 0)
    assert await states(world) == ["SUBSTITUTED"]
    line = await world.line(placed.number, 2)
    assert line["substituted_for_line_id"] == (await world.line(placed.number, 1))["id"]
    row = (await world.rows("select kind, amount, currency from entitlement"))[0]
    assert tuple(row.values()) == ("REFUND", 3 * (2000 - 2 * 900), "KRW")
    assert done.line_id == line["id"]
    await sound(world)


async def test_a_substitute_that_is_gone_meanwhile_changes_nothing(world):
    await substitute(world)
    await world.stock(5, "S2")
    placed = await offered(world, 5, substitutes_allowed=True)
    await world.place(world.order(("S2", 1), customer="C2"))
    with pytest.raises(InsufficientStock):
        await choose(world, placed, "SUBSTITUTE")
    assert (await states(world), await offers(world)) == (["OPTION_OFFERED"], ["OPEN"])
    await sound(world)


async def test_a_substitute_that_was_blocked_meanwhile_changes_nothing(world):
    await substitute(world)
    await world.stock(5, "S2")
    placed = await offered(world, 5, substitutes_allowed=True)
    await world.database.system.execute("update sku set status = 'BLOCKED' where code = 'S2'")
    with pytest.raises(SkuNotSellable):
        await choose(world, placed, "SUBSTITUTE")
    assert (await states(world), await offers(world)) == (["OPTION_OFFERED"], ["OPEN"])
    await sound(world)


async def test_a_substitute_without_consent_is_sent_by_the_course(world):
    await substitute(world, consent=False)
    await world.stock(5, "S2")
    placed = await offered(world, 5, substitutes_allowed=True)
    assert await states(world) == ["SUBSTITUTED"]
    assert await world.quantities(placed.number, 2) == (0, 5, 0, 0, 0)
    assert (
        await world.value(
            "select count(*) from outbox where job = 'raise_purchase_request' and payload::text like '%COURSE%'"
        )
        == 0
    )
    await sound(world)


async def test_a_line_that_takes_no_substitute_gets_none(world):
    await substitute(world, consent=False)
    await world.stock(5, "S2")
    await offered(world, 5)
    assert await kinds(world) == ["WAIT*", "CANCEL"]


async def test_cancelling_by_option(world):
    placed = await offered(world)
    await choose(world, placed, "CANCEL")
    assert await world.quantities(placed.number) == (0, 0, 0, 0, 5)
    assert (await states(world), await offers(world)) == (["CANCELLED"], ["CHOSEN"])
    await sound(world)


async def test_part_ship_lets_what_is_there_leave(world):
    await world.stock(2)
    (placed,) = await world.place(world.order(("S", 5), ship_complete=True))
    await run(world)
    assert await kinds(world) == ["WAIT*", "PART_SHIP", "CANCEL"]
    await choose(world, placed, "PART_SHIP")
    assert await world.value("select ship_complete from sales_order") is False
    assert await states(world) == ["AWAITING_SUPPLY"]
    assert await world.value("select count(*) from outbox where job = 'plan_shipments'") >= 1
    await sound(world)


async def test_a_compensation_is_a_right_in_minor_units(world):
    policy = {"compensation": {"basisPoints": 333, "minWaitDays": 3, "maximum": {"KRW": 1000}}}
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_options", policy)))
    placed = await offered(world)
    assert await kinds(world) == ["WAIT*", "COMPENSATE", "CANCEL"]
    await choose(world, placed, "COMPENSATE")
    rows = await world.rows("select kind, amount, currency, customer_id is not null as known from entitlement")
    assert [tuple(row.values()) for row in rows] == [("COUPON", 333, "KRW", True)]
    await sound(world)


async def test_the_deadline_carries_out_the_default(world):
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_options", {"default": "CANCEL"})))
    placed = await offered(world)
    assert await world.do(lambda uow: overdue_options(uow, 10)) == []
    world.clock.at += timedelta(hours=73)
    ((sku_id, offer_id),) = await world.do(lambda uow: overdue_options(uow, 10))
    with pytest.raises(OptionClosed) as caught:
        await choose(world, placed, "WAIT")
    assert caught.value.facts["state"] == "PAST_DEADLINE"
    assert await world.do(lambda uow: expire_offer(uow, sku_id, offer_id)) is not None
    assert await world.do(lambda uow: expire_offer(uow, sku_id, offer_id)) is None
    assert (await states(world), await offers(world)) == (["CANCELLED"], ["EXPIRED"])
    with pytest.raises(OptionClosed) as caught:
        await choose(world, placed, "WAIT")
    assert (caught.value.facts["state"], caught.value.facts["chosen"]) == ("EXPIRED", "CANCEL")
    await sound(world)


async def test_of_two_devices_one_wins_and_the_other_hears_what_was_taken(world):
    placed = await offered(world)
    answers = await asyncio.gather(
        *(choose(world, placed, kind) for kind in ("WAIT", "CANCEL", "WAIT", "CANCEL")), return_exceptions=True
    )
    won = [answer for answer in answers if not isinstance(answer, Exception)]
    lost = [answer for answer in answers if isinstance(answer, OptionClosed)]
    assert (len(won), len(lost)) == (1, 3)
    assert {(e.facts["state"], e.facts["chosen"]) for e in lost} == {("CHOSEN", str(won[0].kind))}
    assert await world.value("select count(*) from option_offer where state = 'CHOSEN'") == 1
    await sound(world)


async def test_a_choice_beside_the_deadline_happens_once(world):
    placed = await offered(world)
    world.clock.at += timedelta(hours=72, seconds=-1)
    sku_id = placed.backorder_ids[0][0]
    offer_id = await world.value("select id from option_offer")
    chosen, expired = await asyncio.gather(
        choose(world, placed, "CANCEL"),
        world.do(lambda uow: expire_offer(uow, sku_id, offer_id)),
        return_exceptions=True,
    )
    assert expired is None
    assert not isinstance(chosen, Exception)


async def test_two_clocks_at_the_deadline_carry_out_one_answer(world):
    """For one server it has not passed, for another it has: whoever holds the gate first decides."""
    placed = await offered(world)
    world.clock.at += timedelta(hours=72, seconds=-1)
    later = World(world.database, FixedClock(world.clock.at + timedelta(seconds=2)))
    sku_id, offer_id = placed.backorder_ids[0][0], await world.value("select id from option_offer")
    answers = await asyncio.gather(
        choose(world, placed, "CANCEL"),
        *(later.do(lambda uow: expire_offer(uow, sku_id, offer_id)) for _ in range(3)),
        return_exceptions=True,
    )
    won = [answer for answer in answers if answer is not None and not isinstance(answer, Exception)]
    is_chosen = not isinstance(answers[0], Exception)
    assert (len(won), won[0].kind) == (1, "CANCEL" if is_chosen else "WAIT")
    assert await offers(world) == ["CHOSEN" if is_chosen else "EXPIRED"]
    assert await world.value("select count(*) from resolution_option where chosen_at is not null") == 1
    assert await world.value("select count(*) from notice where template = 'OPTION_CHOSEN'") == 1
    assert (await world.quantities(placed.number))[4] == (5 if is_chosen else 0)
    await sound(world)


async def test_a_receipt_withdraws_the_options(world):
    placed = await offered(world)
    await world.stock(5)
    await run(world)
    assert await world.quantities(placed.number) == (0, 5, 0, 0, 0)
    assert (await states(world), await offers(world)) == (["FILLED"], ["WITHDRAWN"])
    with pytest.raises(OptionClosed):
        await choose(world, placed, "WAIT")
    await sound(world)


async def test_another_day_offers_anew_and_nobody_is_held_to_what_was_not_offered(world):
    supply = await world.supply(5, day(12))
    (placed,) = await world.place(world.order(("S", 5)))
    await run(world)
    assert await states(world) == ["OPTION_OFFERED"]
    sku_id = await world.sku()
    await world.do(lambda uow: reschedule_supply(uow, [SupplyChange(sku_id, supply, day(40), "CONFIRMED_ORDER")]))
    with pytest.raises(OptionClosed) as caught:
        await choose(world, placed, "WAIT")
    assert caught.value.facts["state"] == "OUTDATED"
    await run(world)
    assert await offers(world) == ["WITHDRAWN", "OPEN"]
    await choose(world, placed, "WAIT")
    assert await states(world) == ["PEGGED"]
    await sound(world)


async def test_who_has_agreed_to_wait_is_asked_again_only_when_it_gets_worse(world):
    supply = await world.supply(5, day(12))
    (placed,) = await world.place(world.order(("S", 5)))
    await run(world)
    await choose(world, placed, "WAIT")
    sku_id = await world.sku()
    await run(world)
    assert await offers(world) == ["CHOSEN"]
    await world.do(lambda uow: reschedule_supply(uow, [SupplyChange(sku_id, supply, day(30), "CONFIRMED_ORDER")]))
    await run(world)
    assert await offers(world) == ["CHOSEN", "OPEN"]


async def test_others_and_held_orders_cannot_be_answered_for(world):
    placed = await offered(world)
    other = await world.value("select id from customer where code = 'C2'")
    world.principal = Principal("x", Role.CUSTOMER, customer_id=other)
    with pytest.raises(NotFound):
        await choose(world, placed, "CANCEL")
    world.principal = Principal("p", Role.PLANNER)
    await world.do(lambda uow: hold_order(uow, HoldOrder(placed.number, "FRAUD")))
    with pytest.raises(IllegalTransition):
        await choose(world, placed, "WAIT")
    world.clock.at += timedelta(hours=80)
    assert await world.do(lambda uow: overdue_options(uow, 10)) == []
    await world.do(lambda uow: release_order_hold(uow, placed.number))
    assert await states(world) == ["OPTION_OFFERED"]
    assert await world.do(lambda uow: overdue_options(uow, 10)) == [], "nobody could answer while the hold lasted"
    (row,) = await world.rows("select distinct deadline from resolution_option")
    assert row["deadline"] == world.clock.at + timedelta(hours=72)
    world.clock.at += timedelta(hours=73)
    assert len(await world.do(lambda uow: overdue_options(uow, 10))) == 1


async def test_a_cancelled_backorder_has_no_options_left(world):
    placed = await offered(world)
    await world.do(lambda uow: cancel_backorder(uow, CancelBackorder(*placed.backorder_ids[0])))
    assert await offers(world) == ["WITHDRAWN"]
    await sound(world)


async def test_steps_can_be_switched_off_and_taken_by_hand(world):
    course = [{"step": "OPTIONS", "isOn": False}]
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", course)))
    placed = await offered(world)
    assert await states(world) == ["PROVISIONAL"]
    await run(world, only=OneStep(placed.backorder_ids[0][1], CourseStep.OPTIONS))
    assert await states(world) == ["OPTION_OFFERED"]
    await sound(world)


async def test_other_sites_are_searched_again_when_stock_comes_there(world):
    (placed,) = await world.place(world.order(("S", 5)))
    await world.stock(3, location="R")
    await run(world)
    pegs = await world.rows(
        """select p.kind, p.quantity, s.kind as of from peg p left join supply s on s.id = p.supply_id
        where p.order_line_id is not null order by p.need_date"""
    )
    assert [tuple(p.values()) for p in pegs] == [("FIRM", 3, "transfer"), ("OPEN", 2, None)]
    assert await world.value("select count(*) from backorder_event where cause = 'COURSE_OTHER_SITES:FOUND'") == 1
    await sound(world)
    assert placed.outcome == "placed"


async def test_where_a_rule_asks_for_consent_silence_cancels(world):
    await world.database.system.execute(
        """insert into delay_rule (pack, code, country, valid_from, valid_to, consent_needed, consent_days) values
            ('TEST', 'old', 'KR', '2020-01-01', '2026-01-01', false, null),
            ('TEST', 'now', 'KR', '2026-01-02', null, true, 5), ('TEST', 'other', 'JP', '2020-01-01', null, true, 9)"""
    )
    await offered(world)
    assert await kinds(world) == ["WAIT", "CANCEL*"]
    (row,) = await world.rows("select deadline, rule from option_offer")
    assert (row["deadline"] - world.clock.at, row["rule"]) == (timedelta(days=5), "TEST/now")


async def test_a_set_ends_by_itself_when_the_course_no_longer_offers_and_the_quantity_changes(world):
    placed = await offered(world)
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", COURSE)))
    await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(placed.number, 1, 4)))
    await run(world)
    assert (await states(world), await offers(world)) == (["AWAITING_SUPPLY"], ["WITHDRAWN"])
    await sound(world)


async def test_a_set_ends_by_itself_while_the_course_is_paused_and_comes_back_afterwards(world):
    placed = await offered(world)
    key = placed.backorder_ids[0]
    await world.do(lambda uow: pause_course(uow, PauseCourse(*key)))
    await run(world)
    assert await offers(world) == ["OPEN"], "nothing has changed"
    await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(placed.number, 1, 4)))
    await run(world)
    assert (await states(world), await offers(world)) == (["AWAITING_SUPPLY"], ["WITHDRAWN"])
    await world.do(lambda uow: pause_course(uow, PauseCourse(*key, is_paused=False)))
    await run(world)
    assert (await states(world), await offers(world)) == (["OPTION_OFFERED"], ["WITHDRAWN", "OPEN"])
    await sound(world)


async def test_a_deadline_takes_back_a_set_whose_facts_have_changed(world):
    placed = await offered(world)
    await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(placed.number, 1, 4)))
    world.clock.at += timedelta(hours=73)
    (key,) = await world.do(lambda uow: overdue_options(uow, 10))
    assert await world.do(lambda uow: expire_offer(uow, *key)) is None
    assert (await states(world), await offers(world)) == (["AWAITING_SUPPLY"], ["WITHDRAWN"])
    await run(world)
    assert await offers(world) == ["WITHDRAWN", "OPEN"], "the question is put anew"
    await sound(world)


async def test_a_backorder_is_compensated_once(world):
    policy = {"compensation": {"basisPoints": 333}}
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_options", policy)))
    supply = await world.supply(5, day(12))
    placed = await offered(world)
    await choose(world, placed, "COMPENSATE")
    sku_id = await world.sku()
    await world.do(lambda uow: reschedule_supply(uow, [SupplyChange(sku_id, supply, day(40), "CONFIRMED_ORDER")]))
    await run(world)
    assert await offers(world) == ["CHOSEN", "OPEN"]
    assert await kinds(world) == ["WAIT*", "CANCEL"]
    with pytest.raises(NotFound):
        await choose(world, placed, "COMPENSATE")
    assert await world.value("select count(*) from entitlement") == 1
    await sound(world)


async def test_a_default_that_cannot_be_carried_out_ends_the_set(world):
    """A part of the kit has left: the rest of it is not cancelled alone, and nobody is asked for ever."""
    await make_kit(world, S=1, S2=1)
    await world.stock(1, "S2")
    await world.do(lambda uow: change_policy(uow, ChangePolicy("kit_release", "PARTIAL")))
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_options", {"default": "CANCEL"})))
    (placed,) = await world.place(world.order(("K", 1)))
    await world.do(lambda uow: plan_shipments(uow, [placed.order_id]))
    number = await world.value("select number from shipment")
    await world.do(lambda uow: confirm_shipments(uow, [ConfirmShipment(number)]))
    await run(world)
    assert await kinds(world) == ["WAIT", "CANCEL*"]
    world.clock.at += timedelta(hours=73)
    (key,) = await world.do(lambda uow: overdue_options(uow, 10))
    assert await world.do(lambda uow: expire_offer(uow, *key)) is None
    (row,) = await world.rows("select state, reason from option_offer")
    assert tuple(row.values()) == ("WITHDRAWN", "DEFAULT_REFUSED")
    assert (await states(world), await world.do(lambda uow: overdue_options(uow, 10))) == (["AWAITING_SUPPLY"], [])
    await run(world)
    assert await offers(world) == ["WITHDRAWN"], "the same question would end as this one did"
    await sound(world)
