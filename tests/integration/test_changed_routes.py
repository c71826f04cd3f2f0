"""Planners change lanes, calendars and cut-offs; promises that rest on them are judged anew, and only those."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.book import SkuBook
from core.domain.placing import LineRequest
from core.domain.states import HoldReason
from core.errors import DomainError, GiveUp, InvalidInput, NotFound
from core.services import rejudge_routes as judging
from core.services.answer_availability import AvailabilityQuestion, answer_availability
from core.services.change_routes import ChangeLocation, SetCalendar, SetLane, change_location, set_calendar, set_lane
from core.services.hold_order import HoldOrder, hold_order
from core.services.recount_ledgers import recount
from core.settings import Settings
from tests.world import NOW, TODAY, World
from workers.job import JobContext
from workers.jobs.rejudge_routes import rejudge_routes

pytestmark = pytest.mark.anyio


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


async def rejudged(world: World) -> int:
    """Run the job that was asked for last; its input comes from the outbox."""
    (asked,) = await world.rows("select payload from outbox where job = 'rejudge_routes' order by id desc limit 1")
    done = await rejudge_routes(JobContext(world.database, Settings(env="test"), world.clock), asked["payload"])
    return done["promisesMoved"]


async def told(world: World, number: str | None) -> list[tuple[str, date]]:
    rows = await world.rows(
        """select p.cause_kind, p.slices from promise p join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
        join sales_order o on o.id = l.order_id where o.number = $1 order by p.sequence""",
        number,
    )
    return [(r["cause_kind"], max(date.fromisoformat(s["deliveryDate"]) for s in r["slices"])) for r in rows]


async def shown(world: World, quantity: int = 1) -> date | None:
    question = AvailabilityQuestion(["S"], quantity, "web", ship_to=("KR", "04524"))
    (answer,) = await world.do(lambda uow: answer_availability(uow, question))
    return answer.proposal.slices[-1].delivery_date  # type: ignore[union-attr]


async def test_a_slower_lane_moves_what_was_promised_over_it(world: World) -> None:
    await world.stock(3)
    await world.supply(5, day(4))
    first, second = await world.place(world.order(("S", 3)), world.order(("S", 5), customer="C2"))
    assert (await told(world, first.number))[-1] == ("PLACED", day(1))
    assert await shown(world, 1) is not None
    await world.do(lambda uow: set_lane(uow, SetLane("A", "KR", 3)))
    assert await rejudged(world) == 2
    assert (await told(world, first.number))[1:] == [("ROUTE_CHANGED", day(3))]
    assert (await told(world, second.number))[1:] == [("ROUTE_CHANGED", day(7))]
    assert await rejudged(world) == 0, "again moves nothing"
    moved = await world.rows("select payload from outbox where topic = 'order' and kind = 'PROMISE_MOVED' order by id")
    assert {row["payload"]["reason"] for row in moved} == {"ROUTE_CHANGED"}
    assert await world.value("select count(*) from outbox where topic = 'availability'") > 0
    await world.do(lambda uow: set_lane(uow, SetLane("A", "KR", 1)))
    assert await rejudged(world) == 0, "earlier only as the policy says"
    await world.database.system.execute("insert into policy (code, value) values ('promise_pull_in_days', '2')")
    assert await rejudged(world) == 2
    assert (await told(world, second.number))[2:] == [("ROUTE_CHANGED", day(5))]
    assert await world.do(recount) == []


async def test_a_closed_day_moves_claims_promises_and_shipments(world: World) -> None:
    await world.supply(5, day(3))
    (placed,) = await world.place(world.order(("S", 5)))
    assert (await told(world, placed.number))[-1] == ("PLACED", day(4))
    await world.do(lambda uow: set_calendar(uow, SetCalendar("DAILY", exceptions=[(day(3), False), (day(4), False)])))
    assert await rejudged(world) == 1
    assert (await told(world, placed.number))[1:] == [("ROUTE_CHANGED", day(6))], "ships on day 5"
    assert await world.value("select need_date from peg where kind = 'FIRM'") == day(5)
    (backorder,) = await world.rows("select state, expected_date from backorder where closed_at is null")
    assert (backorder["state"], backorder["expected_date"]) == ("DELAYED", day(6))
    await world.stock(2, "S2")
    (now,) = await world.place(world.order(("S2", 2)))
    await world.database.system.execute(
        """insert into shipment (number, order_id, location_id, status, planned_ship_date)
        select 'SH-1', $1, id, 'PLANNED', $2 from location where code = 'A'""",
        now.order_id,
        day(3),
    )
    await rejudged(world)
    assert await world.value("select planned_ship_date from shipment where number = 'SH-1'") == day(5)
    assert await world.do(recount) == []


async def test_a_claim_comes_earlier_where_that_keeps_its_day(world: World) -> None:
    """Wanted on day 9, claimed on day 8 as late as possible; the lane takes 3 days now: claimed on day 6."""
    await world.supply(5, day(2))
    (kept,) = await world.place(world.order(LineRequest("S", 4, day(9))))
    (other,) = await world.place(world.order(LineRequest("S", 1, day(3)), customer="C2"))
    await world.do(lambda uow: set_lane(uow, SetLane("A", "KR", 3)))
    assert await rejudged(world) == 1
    assert (await told(world, kept.number))[1:] == [("ROUTE_CHANGED", day(9))], "it leaves sooner for the same day"
    assert (await told(world, other.number))[1:] == [("ROUTE_CHANGED", day(5))]
    assert await world.quantities(kept.number) == (4, 0, 0, 0, 0)
    assert await world.value("select ship_by from order_line where ordered = 4") == day(6)
    assert await world.value("select need_date from peg where quantity = 4") == day(6)
    assert await world.do(recount) == []


async def test_the_clock_alone_delays_nothing(world: World) -> None:
    """Told to leave today, it stands on the dock after the cut-off; another lane of its location changes meanwhile."""
    await world.stock(3)
    (placed,) = await world.place(world.order(("S", 3)))
    before = await world.value("select version from sales_order")
    world.clock.at = NOW + timedelta(hours=7)
    for days in (2, 3):
        await world.do(lambda uow, days=days: set_lane(uow, SetLane("A", "B", days)))
        assert await rejudged(world) == 0
        world.clock.at = NOW + timedelta(days=3)
    assert await told(world, placed.number) == [("PLACED", day(1))]
    assert await world.rows("select template from notice where template = 'PROMISE_MOVED'") == []
    assert await world.value("select version from sales_order") == before, "nothing of the order has changed"
    await world.do(lambda uow: set_lane(uow, SetLane("A", "KR", 2)))
    assert await rejudged(world) == 1, "this lane is its own"


async def test_who_is_not_on_the_way_is_left_alone(world: World) -> None:
    await world.stock(2, "S")
    await world.stock(2, "S2", "B")
    first, second = await world.place(world.order(("S", 2)), world.order(("S2", 2), customer="C2"))
    held = (await world.place(world.order(("S", 1), customer="V1")))[0]
    await world.do(lambda uow: hold_order(uow, HoldOrder(held.number or "", HoldReason.MANUAL)))
    before = await world.value("select count(*) from promise")
    await world.do(lambda uow: set_lane(uow, SetLane("B", "KR", 1, cost=700, carbon_g_per_kg=90)))
    assert await rejudged(world) == 0
    assert await world.value("select count(*) from promise") == before
    lane = await world.rows("select cost, carbon_g_per_kg, transit_days from lane where cost > 0")
    assert lane == [{"cost": 700, "carbon_g_per_kg": 90, "transit_days": 1}]
    assert first.number != second.number


async def test_new_lanes_and_cut_offs_count_at_once(world: World) -> None:
    await world.stock(4, "S", "R")
    assert await shown(world, 4) == day(3), "two days to A, one to the customer"
    await world.do(lambda uow: set_lane(uow, SetLane("R", "KR", 2, calendar="DAILY")))
    assert await shown(world, 4) == day(2)
    await world.do(lambda uow: change_location(uow, ChangeLocation("R", "11:30")))
    assert await shown(world, 4) == day(3), "it is noon"
    await world.do(lambda uow: change_location(uow, ChangeLocation("R", "")))
    assert await shown(world, 4) == day(2)
    await world.do(lambda uow: set_calendar(uow, SetCalendar("TUE", "Tuesdays", [2])))
    await world.do(lambda uow: change_location(uow, ChangeLocation("R", calendar="TUE")))
    assert await shown(world, 4) == day(3)
    kinds = await world.rows("select operation from audit_entry order by id")
    assert [row["operation"] for row in kinds] == [
        "laneSet",
        "locationChange",
        "locationChange",
        "calendarSet",
        "locationChange",
    ]


async def test_an_edit_that_moves_no_day_asks_for_nothing(world: World) -> None:
    closed = [(day(200 + n), False) for n in range(399)]
    await world.do(lambda uow: set_calendar(uow, SetCalendar("DAILY", exceptions=closed)))
    await world.database.system.execute("delete from outbox where job = 'rejudge_routes'")
    await world.do(lambda uow: set_calendar(uow, SetCalendar("DAILY", name="x", working_days=[7, 1, 2, 3, 4, 5, 6])))
    await world.do(lambda uow: set_calendar(uow, SetCalendar("DAILY", exceptions=closed[::-1])))
    await world.do(lambda uow: set_lane(uow, SetLane("A", "KR", 1, calendar="DAILY", cost=5)))
    await world.do(lambda uow: change_location(uow, ChangeLocation("A", "18:00")))
    assert await world.rows("select payload from outbox where job = 'rejudge_routes'") == []
    await world.do(lambda uow: set_calendar(uow, SetCalendar("DAILY", country="KR")))
    await world.do(lambda uow: change_location(uow, ChangeLocation("B", "17:00")))
    assert len(await world.rows("select payload from outbox where job = 'rejudge_routes'")) == 2


async def test_a_long_run_goes_on_and_one_bad_sku_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two SKUs per run; the first cannot be judged, of the third somebody has only asked what is there."""
    for sku in ("S", "S2"):
        await world.stock(1, sku)
    placed = await world.place(world.order(("S", 1)), world.order(("S2", 1)))
    question = AvailabilityQuestion(["S3"], 1, "web", ship_to=("KR", "04524"))
    await world.do(lambda uow: answer_availability(uow, question))
    judge = judging.rejudge

    def fails(book: SkuBook, *rest: Any) -> Any:
        assert book.sku == "S2", f"no way for {book.sku}"
        return judge(book, *rest)

    monkeypatch.setattr(judging, "RUN", 2)
    monkeypatch.setattr(judging, "rejudge", fails)
    await world.do(lambda uow: set_lane(uow, SetLane("A", "KR", 3)))
    await world.database.system.execute("delete from outbox where topic = 'availability'")
    with pytest.raises(GiveUp, match=r"1 of 2 SKUs .* AssertionError: no way for S"):
        await rejudged(world)
    assert len(await told(world, placed[0].number)) == 1
    assert (await told(world, placed[1].number))[1:] == [("ROUTE_CHANGED", day(3))]
    (asked,) = await world.rows("select job_key, payload from outbox where job = 'rejudge_routes' order by id offset 1")
    home, second = await world.location(), await world.sku("S2")
    assert asked == {"job_key": f"{home}>{second}", "payload": {"locationIds": [home], "afterSku": second}}
    assert await rejudged(world) == 0
    assert await world.value("select count(*) from outbox where topic = 'availability'") == 2, "S2, and S3 unopened"
    assert await world.value("select count(*) from outbox where job = 'rejudge_routes'") == 2, "nothing is left"


WRONG: list[tuple[Any, type[DomainError], str | None]] = [
    (SetCalendar("X"), InvalidInput, "workingDays"),
    (SetCalendar("X", working_days=[1, 8]), InvalidInput, "workingDays"),
    (SetCalendar(" ", working_days=[1]), InvalidInput, "code"),
    (SetCalendar("X", working_days=[1], country="ZZ"), InvalidInput, "country"),
    (SetCalendar("X", working_days=[1], exceptions=[(day(1), True), (day(1), False)]), InvalidInput, "exceptions"),
    (
        SetCalendar("X", working_days=[1], exceptions=[(day(n), False) for n in range(500)]),
        InvalidInput,
        "exceptions",
    ),
    (SetCalendar("X", working_days=[1], country="KOR"), InvalidInput, "country"),
    (SetCalendar("X", working_days=[1], country="UK"), InvalidInput, "country"),
    (SetCalendar("DAILY", exceptions=[(day(200 + n), False) for n in range(400)]), InvalidInput, "exceptions"),
    (SetCalendar("DAILY", exceptions=[(date.max, False)]), InvalidInput, "exceptions"),
    (SetLane("A", "A", 1), InvalidInput, "toLocation"),
    (SetLane("KR", "A", 1), InvalidInput, "fromLocation"),
    (SetLane("B", "R"), InvalidInput, "transitDays"),
    (SetLane("B", "KR", -1), InvalidInput, "transitDays"),
    (SetLane("B", "KR", 1, calendar="NOPE"), NotFound, "calendar"),
    (ChangeLocation("A", "25:00"), InvalidInput, "cutoffTime"),
    (ChangeLocation("NOPE"), NotFound, None),
]


async def test_a_calendar_that_was_written_with_a_second_name_goes_on_and_can_be_changed(world: World) -> None:
    await world.database.system.execute("update calendar set country = 'UK'")
    await world.stock(3)
    (placed,) = await world.place(world.order(("S", 3)))
    assert placed.number is not None
    await world.do(lambda uow: set_calendar(uow, SetCalendar("DAILY", name="All days")))
    assert await world.value("select country from calendar where code = 'DAILY'") == "UK"


async def test_what_cannot_be_is_refused(world: World) -> None:
    verbs: dict[type, Any] = {SetCalendar: set_calendar, SetLane: set_lane, ChangeLocation: change_location}
    for wanted, error, field in WRONG:
        with pytest.raises(error) as refused:
            await world.do(lambda uow, wanted=wanted: verbs[type(wanted)](uow, wanted))
        assert field is None or refused.value.path[-1] == field, wanted
    assert await world.value("select count(*) from audit_entry") == 0
