"""Substitutes: offered when they can really be sent, by their real day, and tried again when somebody was faster."""

from datetime import timedelta

import pytest

from core.domain.placing import LineRequest
from core.domain.states import CourseStep
from core.repositories.gates import take_gates
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.allocate_waiting import allocate_waiting
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_policy import ChangePolicy, change_policy
from core.services.change_selling_rules import SetQuota, set_quota
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount
from core.services.reschedule_supply import SupplyChange, reschedule_supply
from core.services.run_backorder_course import OneStep, run_backorder_course
from core.services.substitute_line import substitute_line
from tests.world import TODAY

pytestmark = pytest.mark.anyio

COURSE = [{"step": "SUBSTITUTE"}, {"step": "OPTIONS", "waitLongerThanDays": 10}]


@pytest.fixture(autouse=True)
async def ten_days_are_long(world):
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", COURSE)))


async def run(world, only=None):
    ids = [await world.sku()]
    for request in await world.do(lambda uow: run_backorder_course(uow, ids, only)):
        await world.do(lambda uow, request=request: substitute_line(uow, request))


async def states(world):
    return [row["state"] for row in await world.rows("select state from backorder order by id")]


async def kinds(world):
    rows = await world.rows(
        """select r.kind, r.is_default from resolution_option r join option_offer o on o.sku_id = r.sku_id
        and o.id = r.offer_id where o.state = 'OPEN' order by r.id"""
    )
    return [row["kind"] + ("*" if row["is_default"] else "") for row in rows]


async def offered(world, quantity, **more):
    (placed,) = await world.place(world.order(LineRequest("S", quantity, **more)))
    await run(world)
    return placed


async def sound(world):
    assert await world.do(recount) == []


async def substitute(world, *, consent=True, ratio=1):
    await world.database.system.execute(
        """insert into substitute (sku_id, substitute_sku_id, ratio, needs_consent)
        select a.id, b.id, $1, $2 from sku a, sku b where a.code = 'S' and b.code = 'S2'""",
        ratio,
        consent,
    )


async def test_a_substitute_that_a_quota_keeps_back_is_not_offered(world):
    await substitute(world)
    await world.stock(10, "S2")
    quota = SetQuota("S2", "WINDOW", 4, TODAY, TODAY + timedelta(days=30), channel="web")
    await world.do(lambda uow: set_quota(uow, quota))
    await offered(world, 5, substitutes_allowed=True)
    assert await kinds(world) == ["WAIT*", "CANCEL"]


async def test_a_substitute_comes_by_the_way_it_really_takes(world):
    await substitute(world)
    await world.stock(5, "S2", "B")  # two days on the way, from A it would be one
    sku_id = await world.sku()
    supply = await world.supply(5, TODAY + timedelta(days=1))
    course = [{"step": "OPTIONS"}]
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", course)))
    await offered(world, 5, substitutes_allowed=True)
    assert await kinds(world) == ["WAIT*", "SUBSTITUTE", "CANCEL"]
    (row,) = await world.rows("select expected_date from resolution_option where kind = 'SUBSTITUTE'")
    assert row["expected_date"] == TODAY + timedelta(days=2)
    await world.do(lambda uow: reschedule_supply(uow, [SupplyChange(sku_id, supply, TODAY, "CONFIRMED_ORDER")]))
    await run(world)
    assert await kinds(world) == ["WAIT*", "CANCEL"], "the day after tomorrow is later than tomorrow"


async def test_a_substitute_that_would_be_too_old_is_not_offered(world):
    await substitute(world)
    await world.database.system.execute("update sku set tracks_lots = true, tracks_expiry = true where code = 'S2'")
    other = await world.sku("S2")

    async def ask_for_thirty_days(uow):
        await take_gates(uow, [other])
        await uow.sql.execute(
            "insert into minimum_life (sku_id, customer_id, days) select $1, id, 30 from customer where code = 'C1'",
            other,
        )

    await world.do(ask_for_thirty_days)
    old = AdjustStock("S2", "A", 5, "found", lot="L1", expires_on=TODAY + timedelta(days=20))
    await world.do(lambda uow: adjust_stock(uow, old))
    await offered(world, 5, substitutes_allowed=True)
    assert await kinds(world) == ["WAIT*", "CANCEL"]
    fresh = AdjustStock("S2", "A", 5, "found", lot="L2", expires_on=TODAY + timedelta(days=90))
    await world.do(lambda uow: adjust_stock(uow, fresh))
    key = await world.value("select id from backorder")
    await run(world, only=OneStep(key, CourseStep.OPTIONS))
    assert await kinds(world) == ["WAIT*", "SUBSTITUTE", "CANCEL"]


async def test_a_substitution_that_was_refused_is_tried_again(world):
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", COURSE[:1])))
    await substitute(world, consent=False)
    await world.stock(5, "S2")
    (placed,) = await world.place(world.order(LineRequest("S", 5, substitutes_allowed=True)))
    sku_id = await world.sku()
    (request,) = await world.do(lambda uow: run_backorder_course(uow, [sku_id]))
    (rival,) = await world.place(world.order(("S2", 5), customer="C2"))
    assert await world.do(lambda uow: substitute_line(uow, request)) is None
    await world.do(lambda uow: cancel_order(uow, CancelOrder(rival.number)))
    assert await world.do(lambda uow: run_backorder_course(uow, [sku_id])) == [], "not at once: it would never end"
    world.clock.at += timedelta(hours=1)
    events = await world.value("select count(*) from backorder_event where cause like 'COURSE_SUBSTITUTE%'")
    (again,) = await world.do(lambda uow: run_backorder_course(uow, [sku_id]))
    assert await world.value("select count(*) from backorder_event where cause like 'COURSE_SUBSTITUTE%'") == events
    assert await world.do(lambda uow: substitute_line(uow, again)) is not None
    assert await states(world) == ["SUBSTITUTED"]
    assert await world.quantities(placed.number, 2) == (0, 5, 0, 0, 0)
    await sound(world)


async def test_a_substitution_that_nobody_got_to_is_asked_for_again_and_nothing_is_bought_meanwhile(world):
    """A worker was killed after the course had asked, before the substitution."""
    course = [{"step": "SUBSTITUTE"}, {"step": "PURCHASE"}]
    await world.do(lambda uow: change_policy(uow, ChangePolicy("backorder_course", course)))
    await substitute(world, consent=False)
    await world.stock(5, "S2")
    await world.place(world.order(LineRequest("S", 5, substitutes_allowed=True)))
    sku_id = await world.sku()
    (request,) = await world.do(lambda uow: run_backorder_course(uow, [sku_id]))
    assert await world.do(lambda uow: raise_purchase_requests(uow, [sku_id])) == []
    assert await world.do(lambda uow: run_backorder_course(uow, [sku_id])) == [request]
    assert await world.value("select count(*) from backorder_event where cause like 'COURSE_SUBSTITUTE%'") == 1
    assert await world.do(lambda uow: substitute_line(uow, request)) is not None
    assert await states(world) == ["SUBSTITUTED"]
    assert await world.value("select count(*) from purchase_order") == 0
    await sound(world)


async def test_what_comes_in_calls_those_whom_it_may_replace(world):
    await substitute(world, consent=False)
    await offered(world, 5, substitutes_allowed=True)
    await world.database.system.execute("delete from outbox where job = 'run_backorder_course'")
    other = await world.sku("S2")
    await world.stock(5, "S2")
    await world.do(lambda uow: allocate_waiting(uow, [other]))
    (row,) = await world.rows("select payload from outbox where job = 'run_backorder_course'")
    assert row["payload"]["skuIds"] == [await world.sku()]
