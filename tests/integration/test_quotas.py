"""Quotas of channels and customers: the tightest wins, what exceeds them waits for the next window, cancelling frees them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.domain.placing import LineRequest
from core.repositories.gates import take_gates
from core.services.allocate_waiting import allocate_waiting
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.raise_purchase_requests import raise_purchase_requests
from core.services.reconcile_stock import recount
from core.services.release_order_hold import release_order_hold
from core.services.run_backorder_course import run_backorder_course
from core.services.serve_due_claims import find_due_claims, serve_due_claims
from core.services.split_order_line import SplitOrderLine, split_order_line
from tests.world import NOW, TODAY, World

pytestmark = pytest.mark.anyio

NEXT_MONDAY = TODAY + timedelta(days=7)


async def _quota(
    world: World,
    quantity: int,
    *,
    channel: str | None = "web",
    tier: str | None = None,
    since: date = TODAY,
    until: date | None = None,
    period: str = "WEEK",
) -> None:
    sku_id = await world.sku()

    async def write(uow) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            """insert into quota (sku_id, channel, tier, period, from_day, until_day, quantity)
            values ($1, $2, $3, $4, $5, $6, $7)""",
            sku_id,
            channel,
            tier,
            period,
            since,
            until,
            quantity,
        )

    await world.do(write)


async def test_what_exceeds_the_week_waits_for_the_next_one(world):
    await world.stock(20)
    await _quota(world, 4)
    first, second = await world.place(world.order(("S", 3)), world.order(("S", 3), customer="C2"))
    assert await world.quantities(first.number) == (0, 3, 0, 0, 0)
    assert await world.quantities(second.number) == (0, 1, 2, 0, 0)
    pegs = await world.rows("select kind, need_date, quantity, cause from peg where kind = 'OPEN'")
    assert [tuple(p.values()) for p in pegs] == [("OPEN", NEXT_MONDAY, 2, "QUOTA")]
    binding = await world.value("select evidence -> 'binding' ->> 'kind' from promise order by id desc limit 1")
    assert binding == "QUOTA"
    slices = await world.value("select slices from promise order by id desc limit 1")
    assert [(s["source"], s.get("waitsFor")) for s in slices] == [("ON_HAND", None), ("ON_HAND", "QUOTA")]
    sku_id = await world.sku()
    await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
    assert (await world.quantities(second.number))[1] == 1, "there are units, but not for this channel this week"
    world.clock.at = NOW + timedelta(days=7)
    assert await world.do(find_due_claims) == [sku_id]
    assert await world.do(lambda uow: serve_due_claims(uow, [sku_id])) == 2
    assert await world.quantities(second.number) == (0, 3, 0, 0, 0)
    (third,) = await world.place(world.order(("S", 4), customer="V1"))
    assert (await world.quantities(third.number))[1] == 2, "the two that waited count in the new week"


async def test_two_lines_of_one_order_share_a_quota_and_the_tightest_wins(world):
    await world.stock(20)
    await _quota(world, 9)
    await _quota(world, 5, channel=None, tier="STANDARD", period="WINDOW", until=TODAY + timedelta(days=2))
    (order,) = await world.place(world.order(("S", 3), ("S", 4)))
    assert (await world.quantities(order.number, 1))[1] == 3
    assert (await world.quantities(order.number, 2))[1] == 2
    assert {p["need_date"] for p in await world.rows("select need_date from peg where kind = 'OPEN'")} == {
        TODAY + timedelta(days=3)
    }
    (vip,) = await world.place(world.order(("S", 2), customer="V1"))
    assert (await world.quantities(vip.number))[1] == 2, "another tier: only the channel binds"
    uses = await world.rows(
        "select quota_id, sum(quantity)::int as n from quota_use where day = $1 group by 1 order by 1", TODAY
    )
    assert [u["n"] for u in uses] == [7, 5]


async def test_two_lines_of_an_order_that_comes_off_hold_share_a_quota(world):
    await world.stock(20)
    await _quota(world, 5)
    (held,) = await world.place(world.order(("S", 4), ("S", 4), payment_state="PENDING"))
    await world.do(lambda uow: release_order_hold(uow, held.number))
    assert [(await world.quantities(held.number, n))[1] for n in (1, 2)] == [4, 1]


async def test_what_is_cancelled_frees_the_quota(world):
    await world.stock(20)
    await _quota(world, 4)
    (first,) = await world.place(world.order(("S", 4)))
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first.number, 1, 3)))
    (second,) = await world.place(world.order(("S", 4), customer="C2"))
    assert (await world.quantities(second.number))[1] == 3


async def test_enlarging_and_releasing_obey_the_quota(world):
    await world.stock(20)
    await _quota(world, 5)
    (first,) = await world.place(world.order(("S", 3)))
    await world.do(lambda uow: change_order_line(uow, ChangeOrderLine(first.number, 1, quantity=7)))
    assert await world.quantities(first.number) == (0, 5, 2, 0, 0)
    await world.do(lambda uow: cancel_order(uow, CancelOrder(first.number)))
    (held,) = await world.place(world.order(("S", 8), customer="C2", payment_state="PENDING"))
    await world.do(lambda uow: release_order_hold(uow, held.number))
    assert await world.quantities(held.number) == (0, 5, 3, 0, 0)
    used = await world.rows(
        "select day, sum(quantity)::int as n from quota_use u join order_line l on l.id = u.order_line_id"
        " where l.cancelled = 0 group by 1 order by 1"
    )
    assert [(u["day"], u["n"]) for u in used] == [(TODAY, 5), (NEXT_MONDAY, 3)]


async def test_the_course_and_buying_leave_alone_what_waits_for_its_quota(world):
    await world.stock(20)
    await _quota(world, 5)
    (order,) = await world.place(world.order(("S", 12)))
    sku_id = await world.sku()
    before = await world.rows("select kind, need_date, quantity, cause from peg order by id")
    for work in (run_backorder_course, raise_purchase_requests, run_backorder_course):
        await world.do(lambda uow, work=work: work(uow, [sku_id]))
        assert await world.quantities(order.number) == (0, 5, 7, 0, 0)
    assert await world.rows("select kind, need_date, quantity, cause from peg order by id") == before
    assert await world.value("select count(*) from purchase_order") == 0
    jobs = await world.rows("select distinct job from outbox where job like 'raise_purchase%'")
    assert jobs == [], "the shelf covers it"


async def test_what_waits_for_its_quota_is_bought_once_where_nothing_covers_it(world):
    await world.stock(5)
    await _quota(world, 5)
    (order,) = await world.place(world.order(("S", 8)))
    sku_id = await world.sku()
    for _ in range(2):
        await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    assert await world.value("select sum(quantity)::int from supply") == 3
    assert await world.quantities(order.number) == (0, 5, 3, 0, 0)


async def test_inbound_in_time_for_a_later_quota_is_not_bought_again(world):
    await world.supply(20, TODAY + timedelta(days=3))
    await _quota(world, 5)
    await world.place(world.order(("S", 8)))
    sku_id = await world.sku()
    await world.do(lambda uow: raise_purchase_requests(uow, [sku_id]))
    assert await world.value("select count(*) from purchase_order") == 0
    waiting = await world.rows("select kind, need_date, quantity from peg where cause = 'QUOTA'")
    assert [tuple(p.values()) for p in waiting] == [("OPEN", NEXT_MONDAY, 3)]


async def test_a_part_that_waits_for_its_quota_alarms_nobody(world):
    await world.stock(20)
    await _quota(world, 5)
    await world.database.system.execute("update supplier_sku set updated_at = '2026-01-01'")
    (order,) = await world.place(world.order(("S", 12)))
    assert await world.quantities(order.number) == (0, 5, 7, 0, 0)
    assert await world.do(recount) == []


async def test_a_part_split_off_obeys_the_quota_and_uses_what_it_gave_up(world):
    await world.stock(20)
    await _quota(world, 5)
    (order,) = await world.place(world.order(("S", 8)))
    await world.do(lambda uow: split_order_line(uow, SplitOrderLine(order.number, 1, 4)))
    assert await world.quantities(order.number, 1) == (0, 4, 0, 0, 0)
    assert await world.quantities(order.number, 2) == (0, 1, 3, 0, 0)
    used = await world.rows("select day, sum(quantity)::int as n from quota_use group by 1 order by 1")
    assert [(u["day"], u["n"]) for u in used] == [(TODAY, 5), (NEXT_MONDAY, 3)]


async def test_another_day_obeys_the_quota(world):
    """Five a week, the supply comes next week: what is wanted earlier now comes earlier only as far as the week allows."""
    far = TODAY + timedelta(days=16)
    await world.supply(20, TODAY + timedelta(days=8))
    await _quota(world, 5)
    (order,) = await world.place(world.order(LineRequest("S", 5, requested_date=far + timedelta(days=1))))
    (other,) = await world.place(world.order(("S", 4), customer="C2"))
    await world.do(
        lambda uow: change_order_line(uow, ChangeOrderLine(order.number, 1, requested_date=TODAY + timedelta(days=9)))
    )
    next_week = "select sum(quantity)::int from peg where need_date between $1 and $1 + 6"
    assert await world.value(next_week, NEXT_MONDAY) == 5, "besides the four of the other line one has room"
    used = await world.rows("select day, sum(quantity)::int as n from quota_use group by 1 order by 1")
    assert sum(u["n"] for u in used if u["day"] < NEXT_MONDAY + timedelta(days=7)) == 5
    assert (await world.quantities(other.number))[2] == 4


async def test_a_quota_is_guarded_by_the_gate(world):
    sku_id = await world.sku()
    with pytest.raises(Exception, match="without the gate"):
        await world.database.system.execute(
            "insert into quota (sku_id, period, from_day, quantity) values ($1, 'WEEK', $2, 1)", sku_id, TODAY
        )


async def test_what_is_given_early_takes_room_of_the_week_it_is_given_in(world):
    """The claim of next week gets the two units this week has left; its uses say so, and nobody offers another SKU."""
    await world.stock(5)
    await world.supply(5, TODAY + timedelta(days=9))
    await _quota(world, 7)
    _, second = await world.place(world.order(("S", 5)), world.order(("S", 5), customer="C2"))
    assert await world.quantities(second.number) == (0, 0, 5, 0, 0)
    sku_id = await world.sku()

    async def delay(uow) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update supply set usable_date = usable_date + 20")

    await world.do(delay)
    await world.stock(9)
    for _ in range(2):
        await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
        assert await world.quantities(second.number) == (0, 2, 3, 0, 0)
        used = await world.rows("select day, sum(quantity)::int as n from quota_use group by 1 order by 1")
        assert [(u["day"], u["n"]) for u in used] == [(TODAY, 7), (TODAY + timedelta(days=9), 3)]
    assert await world.do(recount) == []
    world.clock.at = NOW + timedelta(days=7)
    assert await world.do(find_due_claims) == [sku_id], "the next week has room"
    await world.do(lambda uow: serve_due_claims(uow, [sku_id]))
    assert await world.quantities(second.number) == (0, 5, 0, 0, 0)
