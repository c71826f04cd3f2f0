"""Runs ask what live serving asks: the priority of the moment, protected stock of each class, and quotas."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.placing import LineRequest
from core.domain.repromising.books import raw_of_books
from core.domain.repromising.plan import make_plan
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.variant import variant_of
from core.queries.identities import CHECKS
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.repromising_facts import read_facts
from core.repositories.repromising_snapshot import read_snapshot
from core.repositories.supplying import load_lead_days
from tests.repromising_runs import TODAY, day, definition, diff, propose, publish, slip

pytestmark = pytest.mark.anyio


async def under_gate(world, statement, *arguments, sku="S"):
    sku_id = await world.sku(sku)

    async def write(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute(statement, sku_id, *arguments)

    await world.do(write)


async def quota(world, quantity, since=TODAY):
    await under_gate(
        world,
        "insert into quota (sku_id, channel, period, from_day, quantity) values ($1, 'web', 'WEEK', $2, $3)",
        since,
        quantity,
    )


async def protect(world, quantity, demand_class=""):
    await under_gate(
        world,
        "insert into protected_stock (sku_id, location_id, demand_class, from_date, quantity) values ($1, $2, $3, $4, $5)",
        await world.location("A"),
        demand_class,
        TODAY,
        quantity,
    )


async def clinic(world):
    await world.rows("insert into channel (code, name, protected_class) values ('clinic', 'Clinics', 'urgent')")


async def sound(world):
    for name, check in CHECKS.items():
        arguments = (0, 1 << 40, world.clock.at) if check.dated else (0, 1 << 40)
        assert await world.rows(check.sql, *arguments) == [], name


async def gains(world, run_id):
    return {row["number"]: row["days"] for row in await diff(world, run_id) if row["effect"] == "GAINED"}


async def test_the_rank_is_that_of_the_moment_not_the_stored_one(world):
    """A customer that became a VIP after it ordered, whatever score was stored with the line."""
    await world.supply(4, day(12))
    await world.supply(4, day(20))
    first, second = await world.place(world.order(("S", 4), customer="C1"), world.order(("S", 4), customer="C2"))
    await world.rows("update customer set tier = 'VIP' where code = 'C2'")
    await under_gate(
        world, "update order_line set priority_score = 900000 where sku_id = $1 and order_id = $2", first.order_id
    )
    assert list(await gains(world, await propose(world))) == [second.number]


async def test_a_line_that_was_bumped_goes_first_and_a_planners_score_before_everything(world):
    await world.supply(8, day(12))
    first, second = await world.place(world.order(("S", 4), customer="C1"), world.order(("S", 4), customer="C2"))
    await world.stock(4)
    assert list(await gains(world, await propose(world))) == [first.number]
    await under_gate(
        world, "update order_line set times_bumped = 1 where sku_id = $1 and order_id = $2", second.order_id
    )
    assert list(await gains(world, await propose(world))) == [second.number]
    await under_gate(
        world,
        """update order_line set is_priority_manual = true, priority_score = 4000000
        where sku_id = $1 and order_id = $2""",
        first.order_id,
    )
    assert list(await gains(world, await propose(world))) == [first.number]


async def test_a_promise_that_fails_comes_before_a_contract(world):
    late = await world.supply(4, day(6))
    (plain,) = await world.place(world.order(("S", 4), customer="C1"))
    await world.supply(4, day(12))
    (vip,) = await world.place(world.order(("S", 4), customer="V1"))
    await slip(world, late, day(13))
    await world.stock(4)
    assert list(await gains(world, await propose(world, definition("REDISTRIBUTE")))) == [plain.number]
    await slip(world, late, day(6))
    assert list(await gains(world, await propose(world, definition("REDISTRIBUTE")))) == [vip.number]


async def test_the_weights_of_planners_and_deadlines_of_countries_rank(world):
    await world.supply(8, day(12))
    await world.rows("update sku set unit_price = 4000")
    (old,) = await world.place(world.order(("S", 4), customer="C1"))
    world.clock.at += timedelta(hours=2)
    (kept,) = await world.place(world.order(LineRequest("S", 4, requested_date=day(9)), customer="C2"))
    await world.stock(4)
    assert list(await gains(world, await propose(world))) == [old.number]
    await world.rows(
        """insert into policy (code, value) values ('priority', '{"deadlineDays": {"countries": {"KR": 30}}}')
        on conflict (code) do update set value = excluded.value"""
    )
    await world.rows("update sales_order set placed_at = placed_at - interval '30 days' where id = $1", kept.order_id)
    found = await gains(world, await propose(world))
    assert kept.number in found
    assert old.number not in found


@pytest.mark.parametrize("strategy", ["IMPROVE", "REDISTRIBUTE"])
async def test_protected_stock_is_kept_from_those_it_is_protected_from(world, strategy):
    """An emergency channel is exempt: a run gives it what the shop may not have."""
    await clinic(world)
    await protect(world, 5)
    await protect(world, 0, "urgent")
    await world.supply(12, day(12))
    (shop,) = await world.place(world.order(("S", 4), customer="V1"))
    (urgent,) = await world.place(replace(world.order(("S", 4), customer="C1"), channel="clinic"))
    await world.stock(6)
    run_id = await propose(world, definition(strategy))
    changes = {row["number"]: row["after"]["parts"] for row in await diff(world, run_id)}
    units = {
        number: sum(part["quantity"] for part in parts if part["day"] == TODAY.isoformat())
        for number, parts in changes.items()
    }
    assert units == {shop.number: 1, urgent.number: 4}
    await publish(world, run_id)
    assert await world.quantities(shop.number) == (0, 1, 3, 0, 0)
    assert await world.quantities(urgent.number) == (0, 4, 0, 0, 0)
    await sound(world)
    assert await diff(world, await propose(world, definition(strategy))) == []


async def test_a_run_pulls_a_line_into_another_week_only_within_its_quota(world):
    await quota(world, 5)
    await world.supply(12, day(9))
    (later,) = await world.place(world.order(("S", 5), customer="C1"))  # of next week
    await world.supply(3, day(2))
    (sooner,) = await world.place(world.order(("S", 3), customer="C2"))  # of this week
    assert await world.rows("select day, quantity from quota_use order by day") == [
        {"day": day(2), "quantity": 3},
        {"day": day(9), "quantity": 5},
    ]
    await world.supply(9, day(1))
    run_id = await propose(world, definition("IMPROVE"))
    parts = {row["number"]: row["after"]["parts"] for row in await diff(world, run_id)}
    units = {
        number: {part["day"]: part["quantity"] for part in found if part["sourced"]} for number, found in parts.items()
    }
    monday = day(7).isoformat()
    assert units == {
        later.number: {day(1).isoformat(): 2, monday: 3},
        sooner.number: {day(1).isoformat(): 3},
    }
    await publish(world, run_id)
    assert await world.rows(
        """select date_trunc('week', day)::date as week, sum(quantity)::int as units from quota_use
        group by 1 order by 1"""
    ) == [{"week": TODAY, "units": 5}, {"week": day(7), "units": 3}]
    await sound(world)
    assert await diff(world, await propose(world, definition("IMPROVE"))) == []


async def test_a_quota_that_is_used_up_when_the_run_is_published_is_asked_again(world):
    await quota(world, 5)
    await world.supply(5, day(9))
    (later,) = await world.place(world.order(("S", 5), customer="C1"))
    await world.stock(10)
    run_id = await propose(world, definition("IMPROVE"))
    assert [(r["number"], r["effect"]) for r in await diff(world, run_id)] == [(later.number, "GAINED")]
    (newcomer,) = await world.place(world.order(("S", 4), customer="C2"))
    assert await world.quantities(newcomer.number) == (0, 4, 0, 0, 0)
    await publish(world, run_id)
    assert await world.quantities(later.number) == (0, 1, 4, 0, 0)
    assert await world.value("select sum(quantity) from quota_use where day < $1", day(7)) == 5
    await sound(world)


async def test_rows_and_books_say_the_same_of_ranks_classes_and_quotas(world):
    await clinic(world)
    await protect(world, 3)
    await protect(world, 1, "urgent")
    await quota(world, 6)
    await world.stock(4)
    await world.supply(5, day(3))
    await world.supply(9, day(9))
    late = await world.supply(6, day(10))
    for number in range(7):
        wanted = LineRequest("S", 2 + number % 3, requested_date=day(5 * (number % 3)) if number % 2 else None)
        order = world.order(wanted, customer=("C1", "C2", "V1")[number % 3])
        await world.place(replace(order, channel="clinic") if number % 2 else order)
    await world.place(world.order(("S", 1), ("S2", 1)))
    await slip(world, late, day(16))
    await world.stock(5)
    await world.supply(6, day(4))
    variant = variant_of(definition("REDISTRIBUTE"))
    sku_id = await world.sku()
    network_of = []

    async def read(uow):
        versions = await take_gates(uow, [sku_id])
        network = await load_network(uow)
        network_of.append(network)
        rows = await read_snapshot(uow, network, variant)
        books = await load_books(uow, versions, network, lines="all")
        facts, ids, places, zones = await read_facts(uow, network, variant, [sku_id])
        return rows, raw_of_books(books, facts, ids, places, zones, await load_lead_days(uow, [sku_id]))

    rows, books = await world.do(read)
    plans = [
        [c for c in make_plan(rows, variant, network_of[0]).changes(rows, variant) if c.sku_id == sku_id],
        make_plan(books, variant, network_of[0], solver=solve_steps).changes(books, variant),
    ]
    assert plans[0] == plans[1]
    assert len(plans[0]) > 1
    assert rows.rooms[0] == books.rooms[0]
    assert sorted(rows.classed.quantity.tolist()) == sorted(books.classed.quantity.tolist())


async def test_what_is_pulled_into_a_week_to_come_counts_in_that_week(world):
    await quota(world, 4)
    await world.supply(4, day(15))
    await world.place(world.order(("S", 4)))
    await world.supply(4, day(8))
    await publish(world, await propose(world, definition("IMPROVE")))
    assert await world.rows("select day, quantity from quota_use") == [{"day": day(8), "quantity": 4}]
    await world.supply(9, day(10))
    (other,) = await world.place(world.order(("S", 4), customer="C2"))
    assert (await world.line(other.number))["promised_date"] > day(13)
    await sound(world)


async def test_the_line_that_completes_its_order_goes_first(world):
    await world.supply(8, day(12))
    await world.supply(4, day(12), sku="S2")
    await world.place(world.order(("S", 4), ("S2", 4), customer="C1"))
    (whole,) = await world.place(world.order(("S", 4), customer="C2"))
    await world.stock(4)
    assert list(await gains(world, await propose(world))) == [whole.number]
