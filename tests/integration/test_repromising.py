"""Re-promising runs through their services on a real database: proposed, approved, published, cancelled, crashed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from core.domain.placing import LineRequest
from core.domain.repromising.books import raw_of_books
from core.domain.repromising.plan import make_plan
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.variant import variant_of
from core.errors import IllegalTransition
from core.queries.identities import CHECKS
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.repromising_facts import read_facts
from core.repositories.repromising_snapshot import read_snapshot
from core.repositories.supplying import load_lead_days
from core.services.cancel_repromising_run import cancel_repromising_run
from core.services.publish_repromising_run import approve_repromising_run, publish_chunk
from core.services.start_repromising_run import StartRun, start_repromising_run
from tests.repromising_runs import FREE, TODAY, compute, day, definition, diff, everything, propose, publish, run, slip

pytestmark = pytest.mark.anyio


async def test_first_come_first_served_that_ignored_priority(world):
    """A standard customer took the last units; a VIP waits for supply in ten days. A run puts that right."""
    await world.stock(5)
    await world.supply(5, day(10))
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    assert await world.quantities(plain.number) == (0, 5, 0, 0, 0)
    assert await world.quantities(vip.number) == (0, 0, 5, 0, 0)
    untouched = await everything(world)
    run_id = await propose(world)
    assert await everything(world) == untouched
    changes = {row["number"]: row for row in await diff(world, run_id)}
    assert {n: (r["effect"], r["reason"], r["days"], r["state"]) for n, r in changes.items()} == {
        vip.number: ("GAINED", "PRIORITY", -10, "proposed"),
        plain.number: ("LOST", "OUTRANKED", 10, "proposed"),
    }
    await publish(world, run_id)
    assert await world.quantities(vip.number) == (0, 5, 0, 0, 0)
    assert await world.quantities(plain.number) == (0, 0, 5, 0, 0)
    pegs = await world.rows("select kind, need_date, quantity, run_id from peg order by kind")
    assert pegs == [
        {"kind": "FIRM", "need_date": day(10), "quantity": 5, "run_id": run_id},
        {"kind": "HARD", "need_date": TODAY, "quantity": 5, "run_id": run_id},
    ]
    promises = await world.rows(
        "select cause_kind, cause_id, evidence from promise where sequence = 2 order by order_line_id"
    )
    assert [(p["cause_kind"], p["cause_id"], p["evidence"]["why"]) for p in promises] == [
        ("REPROMISED", run_id, "OUTRANKED"),
        ("REPROMISED", run_id, "PRIORITY"),
    ]
    filled = await world.rows("select payload from outbox where topic = 'backorder' and kind = 'FILLED'")
    told = (await world.line(vip.number))["promised_date"]
    assert told == day(1)
    assert [event["payload"]["expected"] for event in filled] == [told.isoformat()]
    backorder = await world.rows("select cause from backorder where closed_at is null")
    assert backorder == [{"cause": "ALLOCATION_CHOICE"}]
    notices = await world.rows(
        "select dedupe_key, facts from notice where dedupe_key like 'REPROMISED%' order by order_id"
    )
    assert [n["dedupe_key"].split(":")[1] for n in notices] == [str(run_id)] * 2
    assert all(n["facts"]["runId"] == run_id and n["facts"]["reason"] == "REPROMISED" for n in notices)
    assert (await run(world, run_id))["state"] == "published"
    bumped = "select times_bumped from order_line where order_id = $1"
    assert (await world.value(bumped, plain.order_id), await world.value(bumped, vip.order_id)) == (1, 0)
    again = await propose(world)
    assert await diff(world, again) == []


async def test_new_receipts_improve_old_orders(world):
    """Supply that comes earlier than what an old order was promised does nothing for it, until a run."""
    await world.supply(10, day(12))
    (old,) = await world.place(world.order(("S", 10), customer="C1"))
    await world.supply(10, day(6))
    assert (await world.line(old.number))["promised_date"] == day(13)
    run_id = await propose(world, definition("GAIN"))
    assert [(r["effect"], r["reason"], r["days"]) for r in await diff(world, run_id)] == [("GAINED", "SUPPLY_FREE", -6)]
    await publish(world, run_id)
    assert (await world.line(old.number))["promised_date"] == day(7)
    assert await world.rows("select usable_date, pegged from supply order by 1") == [
        {"usable_date": day(6), "pegged": 10},
        {"usable_date": day(12), "pegged": 0},
    ]
    assert [
        n["template"] for n in await world.rows("select template from notice where dedupe_key like 'REPROMISED%'")
    ] == ["PROMISE_MOVED"]


@pytest.mark.parametrize("strategy", ["IMPROVE", "REDISTRIBUTE"])
async def test_late_receipts_that_leave_unrealistic_confirmations(world, strategy):
    supply = await world.supply(5, day(5))
    (order,) = await world.place(world.order(("S", 5), customer="C1"))
    await slip(world, supply, day(12))
    run_id = await propose(world, definition(strategy, budget={"worsenedShare": 0, "maxDays": 0, "windowDays": 30}))
    (change,) = await diff(world, run_id)
    assert (change["effect"], change["reason"], change["days"], change["is_charged"]) == (
        "LOST",
        "SUPPLY_LATE",
        7,
        False,
    )
    await publish(world, run_id)
    assert (await world.line(order.number))["promised_date"] == day(13)
    assert await diff(world, await propose(world, definition(strategy))) == []


async def test_a_late_receipt_whose_day_another_line_can_save(world):
    """The VIP's supply slips past its day; a run keeps that with the stock of a line that may lose, given at once."""
    await world.stock(5)
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    supply = await world.supply(5, day(5))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    await slip(world, supply, day(12))
    assert (await world.line(vip.number))["promised_date"] == day(6)
    run_id = await propose(world, definition("FILL"))
    assert [(r["number"], r["effect"], r["days"]) for r in await diff(world, run_id)] == [
        (plain.number, "LOST", 12),
        (vip.number, "GAINED", 0),
    ]
    await publish(world, run_id)
    assert await world.quantities(vip.number) == (0, 5, 0, 0, 0)
    assert (await world.line(vip.number))["promised_date"] == day(1)
    assert (await world.line(plain.number))["promised_date"] == day(13)
    assert await diff(world, await propose(world, definition("FILL"))) == []


async def test_the_reaction_to_a_gain_that_cannot_be_kept(world):
    supply = await world.supply(5, day(5))
    await world.place(world.order(("S", 5), customer="C1"))
    await slip(world, supply, day(12))
    kept = await propose(world, definition("GAIN", reaction="KEEP"))
    assert [(r["effect"], r["reason"], r["state"]) for r in await diff(world, kept)] == [
        ("EXCEPTION", "SUPPLY_LATE", "dropped")
    ]
    untouched = await everything(world)
    await publish(world, kept)
    assert await everything(world) == untouched
    best = await propose(world, definition("GAIN", reaction="BEST_EFFORT"))
    assert [(r["effect"], r["reason"], r["days"]) for r in await diff(world, best)] == [("LOST", "SUPPLY_LATE", 7)]


async def test_lose_frees_and_skip_stays(world):
    await world.stock(6)
    (loser,) = await world.place(world.order(("S", 3), customer="C1"))
    (other,) = await world.place(world.order(("S", 3), customer="V1"))
    spec = {
        "segments": [{"name": "plain", "strategy": "LOSE", "include": {"tiers": ["STANDARD"]}}],
        "budget": FREE,
    }
    run_id = await propose(world, spec)
    assert [(r["number"], r["effect"], r["reason"], r["segment"]) for r in await diff(world, run_id)] == [
        (loser.number, "LOST", "FREED", "plain")
    ]
    await publish(world, run_id)
    assert await world.quantities(loser.number) == (0, 0, 3, 0, 0)
    assert await world.quantities(other.number) == (0, 3, 0, 0, 0)
    assert await world.rows("select on_hand, allocated from stock_level") == [{"on_hand": 6, "allocated": 3}]


async def test_the_budget_bounds_how_many_orders_how_far_and_how_often(world):
    for sku in ("S", "S2"):
        await world.stock(2, sku=sku)
        await world.supply(2, day(12), sku=sku)
        await world.place(world.order((sku, 2), customer="C1"))
        await world.place(world.order((sku, 2), customer="V1"))
    few = await propose(world, definition(budget={"worsenedShare": 0.25, "maxDays": None}))
    states = sorted((r["effect"], r["state"]) for r in await diff(world, few))
    assert states == [("GAINED", "dropped"), ("GAINED", "proposed"), ("LOST", "dropped"), ("LOST", "proposed")]
    far = await propose(world, definition(budget={"worsenedShare": None, "maxDays": 11}))
    assert await diff(world, far) == []
    await publish(world, few)
    # the worsened order has its way back: nobody worsens it again within the window
    await world.stock(2)
    await world.stock(2, sku="S2")
    lost = (await world.rows("select order_id from repromising_diff where effect = 'LOST' and state = 'applied'"))[0]
    (number,) = [
        r["number"] for r in await world.rows("select number from sales_order where id = $1", lost["order_id"])
    ]
    up = await propose(world, definition("GAIN"))
    await publish(world, up)
    assert (await world.quantities(number))[1] == 2
    await world.place(world.order(("S", 2), ("S2", 2), customer="V1"))
    again = await propose(world)
    assert number not in {r["number"] for r in await diff(world, again) if r["effect"] == "LOST"}
    world.clock.at += timedelta(days=31)
    later = await propose(world)
    assert number in {r["number"] for r in await diff(world, later) if r["effect"] == "LOST"}


async def test_a_cancelled_run_changes_nothing_and_a_published_one_is_not_cancelled(world):
    await world.stock(5)
    await world.place(world.order(("S", 5), customer="C1"))
    await world.place(world.order(("S", 5), customer="V1"))
    untouched = await everything(world)
    run_id = await world.do(lambda uow: start_repromising_run(uow, StartRun(definition=definition())))
    await world.do(partial(cancel_repromising_run, run_id=run_id))
    assert await compute(world, run_id) is None
    second = await propose(world)
    await world.do(partial(approve_repromising_run, run_id=second))
    await world.do(partial(cancel_repromising_run, run_id=second))
    assert (await world.do(partial(publish_chunk, run_id=second))).is_last
    assert await everything(world) == untouched
    third = await propose(world)
    await publish(world, third)
    with pytest.raises(IllegalTransition):
        await world.do(partial(cancel_repromising_run, run_id=third))


async def test_a_sku_that_has_moved_on_is_decided_again_within_the_budget(world):
    await world.stock(5)
    await world.supply(5, day(10))
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    run_id = await propose(world)
    await world.stock(5)  # the gate moves: now there is enough for both
    await publish(world, run_id)
    assert await world.quantities(vip.number) == (0, 5, 0, 0, 0)
    assert await world.quantities(plain.number) == (0, 5, 0, 0, 0)
    assert sorted((r["number"], r["effect"], r["state"]) for r in await diff(world, run_id)) == sorted(
        [(plain.number, "LOST", "dropped"), (vip.number, "GAINED", "recomputed")]
    )


async def test_a_sku_over_what_is_left_of_the_budget_is_dropped_and_listed(world):
    await world.stock(5)
    await world.supply(10, day(10))
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    await world.place(world.order(("S", 5), customer="V1"))
    run_id = await propose(world, definition(budget={"worsenedShare": 0.5, "maxDays": None}))
    assert (await run(world, run_id))["summary"]["ordersMayWorsen"] == 1
    await world.rows("update repromising_run set summary = summary || '{\"ordersMayWorsen\": 0}' where id = $1", run_id)
    await world.stock(1)
    untouched = await world.quantities(plain.number)
    await publish(world, run_id)
    assert {r["state"] for r in await diff(world, run_id)} == {"dropped"}
    assert await world.quantities(plain.number) == untouched
    assert (await run(world, run_id))["summary"]["published"] == {"dropped": 2}


async def test_two_publishers_and_repeated_chunks_publish_once(world):
    for sku in ("S", "S2", "S3"):
        await world.stock(2, sku=sku)
        await world.supply(2, day(12), sku=sku)
        await world.place(world.order((sku, 2), customer="C1"))
        await world.place(world.order((sku, 2), customer="V1"))
    run_id = await propose(world)
    await world.do(partial(approve_repromising_run, run_id=run_id))

    async def work():
        while not (await world.do(partial(publish_chunk, run_id=run_id, size=1))).is_last:
            await asyncio.sleep(0)

    await asyncio.gather(work(), work(), work())
    assert {r["state"] for r in await diff(world, run_id)} == {"applied"}
    assert await world.value("select count(*) from promise where cause_kind = 'REPROMISED'") == 6
    assert await world.value("select count(*) from notice where dedupe_key like 'REPROMISED%'") == 6
    assert await world.value("select count(*) from audit_entry where operation = 'repromisingRunPublished'") == 1


async def test_equal_inputs_and_seed_give_an_equal_proposal(world):
    for sku in ("S", "S2", "S3"):
        await world.stock(2, sku=sku)
        await world.supply(2, day(12), sku=sku)
        await world.place(world.order((sku, 2), customer="C1"))
        await world.place(world.order((sku, 2), customer="V1"))
    spec = definition(budget={"worsenedShare": 0.2, "maxDays": None})
    runs = []
    for seed in (7, 7, 8):
        runs.append(await run(world, await propose(world, spec, seed)))
        world.clock.at += timedelta(minutes=41)  # the hour of the day is no input
    assert runs[0]["facts"] == runs[1]["facts"]
    assert runs[0]["summary"] == runs[1]["summary"]
    assert runs[0]["facts"]["digest"] != runs[2]["facts"]["digest"]
    assert runs[0]["summary"]["ordersWorsened"] == 1


async def test_books_and_rows_give_one_snapshot(world):
    """What is read of a million rows and what a book says under its gate are the same problem, and the same answer."""
    await world.stock(7)
    await world.stock(3, location="R")
    await world.stock(4, location="B")
    early = await world.supply(6, day(5))
    await world.supply(6, day(-3), location="B")
    for number in range(6):
        wanted = LineRequest("S", 3 + number % 4, requested_date=day(4 * (number % 3)) if number % 2 else None)
        await world.place(world.order(wanted, customer=("C1", "C2", "V1")[number % 3]))
    await slip(world, early, day(9))
    network_of: list[Any] = []
    variant = variant_of(
        {
            "segments": [
                {"name": "vip", "strategy": "WIN", "include": {"tiers": ["VIP"]}},
                {"name": "rest", "strategy": "REDISTRIBUTE", "sorters": [{"field": "PLACED", "descending": True}]},
            ],
            "budget": FREE,
        }
    )
    sku_id = await world.sku()

    async def read(uow):
        versions = await take_gates(uow, [sku_id])
        network = await load_network(uow)
        network_of.append(network)
        rows = await read_snapshot(uow, network, variant, [sku_id])
        books = await load_books(uow, versions, network, lines="all")
        facts, ids, places, zones = await read_facts(uow, network, variant, [sku_id])
        return rows, raw_of_books(books, facts, ids, places, zones, await load_lead_days(uow, [sku_id]))

    rows, books = await world.do(read)
    plans = [
        make_plan(rows, variant, network_of[0]).changes(rows, variant),
        make_plan(books, variant, network_of[0], solver=solve_steps).changes(books, variant),
    ]
    assert plans[0] == plans[1]
    assert len(plans[0]) > 3
    assert sorted(rows.supply.quantity.tolist()) == sorted(books.supply.quantity.tolist())


async def test_what_a_run_leaves_alone(world):
    """Lines on hold, stock on planned shipments, SKUs with quotas; nothing of a pre-order before its release."""
    await world.stock(4)
    await world.supply(4, day(8))
    (planned,) = await world.place(world.order(("S", 4), customer="C1"))
    await world.place(world.order(("S", 4), customer="V1"))
    sku_id = await world.sku()

    async def plan(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute(
            "update order_line set ready = 4, status = 'READY_TO_SHIP' where order_id = $1", planned.order_id
        )

    await world.do(plan)
    assert await diff(world, await propose(world)) == []
    await world.supply(4, day(12), sku="S2")
    (order,) = await world.place(world.order(("S2", 4)))
    await world.stock(4, sku="S2")
    await world.rows(
        "insert into order_hold (order_id, reason, placed_by, placed_at) values ($1, 'MANUAL', 't', now())",
        order.order_id,
    )
    assert await diff(world, await propose(world)) == []
    await world.rows("update order_hold set released_at = now()")
    await world.rows("update sku set status = 'PREORDER', available_from = $1 where code = 'S2'", day(5))
    run_id = await propose(world, definition("GAIN"))
    assert [(r["effect"], r["days"]) for r in await diff(world, run_id)] == [("GAINED", -7)]


async def test_a_line_put_on_hold_after_the_snapshot_is_left_alone(world):
    await world.supply(4, day(12))
    (order,) = await world.place(world.order(("S", 4)))
    await world.stock(4)
    run_id = await propose(world, definition("GAIN"))
    await world.rows(
        "insert into order_hold (order_id, reason, placed_by, placed_at) values ($1, 'MANUAL', 't', now())",
        order.order_id,
    )
    await publish(world, run_id)
    assert [r["state"] for r in await diff(world, run_id)] == ["dropped"]
    assert await world.quantities(order.number) == (0, 0, 4, 0, 0)


async def test_publishing_on_another_day_decides_again(world):
    await world.supply(4, day(12))
    (order,) = await world.place(world.order(("S", 4)))
    await world.stock(4)
    run_id = await propose(world, definition("GAIN"))
    world.clock.at += timedelta(days=1)
    await publish(world, run_id)
    assert [r["state"] for r in await diff(world, run_id)] == ["recomputed"]
    assert await world.quantities(order.number) == (0, 4, 0, 0, 0)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_the_company_looks_like_a_published_run_stands(world, seed):
    """Random stock, supply, orders and slips: what was decided is what lies on the books, and a second run finds nothing."""
    dice = random.Random(seed)
    supplies = []
    for _ in range(dice.randint(1, 4)):
        place = dice.choice("AAB")
        supplies.append(await world.supply(dice.randint(1, 8), day(dice.randint(1, 13)), location=place))
    await world.stock(dice.randint(1, 6))
    for _ in range(dice.randint(4, 9)):
        wanted = dice.choice([None, None, day(dice.randint(1, 15))])
        line = LineRequest("S", dice.randint(1, 6), requested_date=wanted)
        await world.place(world.order(line, customer=dice.choice(["C1", "C2", "V1"])))
    if dice.random() < 0.5:
        await slip(world, dice.choice(supplies), day(dice.randint(8, 20)))
    if dice.random() < 0.5:
        await world.stock(dice.randint(1, 5))
    await world.supply(dice.randint(1, 6), day(dice.randint(1, 13)))
    strategies = dice.sample(["WIN", "GAIN", "IMPROVE", "REDISTRIBUTE", "LOSE"], 2)
    spec = {
        "segments": [
            {"name": "vip", "strategy": strategies[0], "include": {"tiers": ["VIP"]}},
            {"name": "rest", "strategy": strategies[1]},
        ],
        "budget": FREE,
        "reaction": dice.choice(["KEEP", "BEST_EFFORT"]),
    }
    run_id = await propose(world, spec)
    await publish(world, run_id)
    rows = await world.rows(
        "select order_line_id, before, after from repromising_diff where run_id = $1 and state = 'applied'", run_id
    )
    for row in rows:
        expected = Counter()
        for part in row["after"]["parts"]:
            expected[part["location"], part["day"], part["sourced"]] += part["quantity"]
        found = Counter()
        for peg in await world.rows("select * from peg where order_line_id = $1", row["order_line_id"]):
            found[peg["location_id"], max(peg["need_date"], TODAY).isoformat(), peg["kind"] != "OPEN"] += peg[
                "quantity"
            ]
        assert found == expected
    assert [r for r in await diff(world, await propose(world, spec)) if r["state"] != "dropped"] == []
    for name, check in CHECKS.items():
        arguments = (0, 1 << 40, world.clock.at) if check.dated else (0, 1 << 40)
        assert await world.rows(check.sql, *arguments) == [], name


async def test_the_last_units_change_hands_also_when_nothing_is_on_its_way(world):
    await world.stock(5)
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    await publish(world, await propose(world))
    assert await world.quantities(vip.number) == (0, 5, 0, 0, 0)
    assert await world.quantities(plain.number) == (0, 0, 5, 0, 0)


async def test_a_part_that_moves_while_the_last_one_stays_is_promised_anew(world):
    """Half of what a purchase order was to bring goes to a VIP: the loser's last day stays, its promise does not."""
    await world.supply(24, day(10))
    (plain,) = await world.place(world.order(("S", 36), customer="C1"))
    (vip,) = await world.place(world.order(("S", 12), customer="V1"))
    promised = (await world.line(plain.number))["promised_date"]
    run_id = await propose(
        world,
        {
            "segments": [
                {"name": "vip", "strategy": "GAIN", "include": {"tiers": ["VIP"]}},
                {"name": "rest", "strategy": "REDISTRIBUTE"},
            ],
            "budget": FREE,
        },
    )
    changes = {row["number"]: row for row in await diff(world, run_id)}
    lost = changes[plain.number]
    (late,) = [date.fromisoformat(p["day"]) for p in lost["after"]["parts"] if not p["sourced"]]
    assert lost["before"]["complete"] == lost["after"]["complete"] == late.isoformat()
    assert (lost["effect"], lost["days"]) == ("LOST", (late - day(10)).days)
    assert changes[vip.number]["days"] == (day(10) - late).days
    await publish(world, run_id)
    assert (await world.line(plain.number))["promised_date"] == promised
    (told,) = await world.rows(
        """select p.sequence, p.cause_kind, p.cause_id, p.slices from promise p
        join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id
        where l.order_id = $1 order by p.sequence desc limit 1""",
        plain.order_id,
    )
    assert (told["sequence"], told["cause_kind"], told["cause_id"]) == (2, "REPROMISED", run_id)
    assert [(s["quantity"], s["shipDate"], s["source"]) for s in told["slices"]] == [
        (12, day(10).isoformat(), "PRODUCTION"),
        (24, late.isoformat(), "LEAD_TIME"),
    ]
    kinds = await world.rows(
        """select kind, payload ->> 'reason' as reason from outbox
        where topic = 'order' and order_id = $1 and kind in ('PROMISE_MOVED', 'LINE_CHANGED')""",
        plain.order_id,
    )
    assert kinds == [{"kind": "LINE_CHANGED", "reason": "REPROMISED"}]


async def test_two_proposals_open_at_once_do_not_worsen_an_order_twice(world):
    """The second run was computed before the first was published: what that one worsened is decided again."""
    for sku in ("S", "S2"):
        await world.stock(2, sku=sku)
        await world.supply(2, day(12), sku=sku)
    (plain,) = await world.place(world.order(("S", 2), ("S2", 2), customer="C1"))
    for sku in ("S", "S2"):
        await world.place(world.order((sku, 2), customer="V1"))
    one, two = [
        await propose(
            world,
            {
                "segments": [{"name": "all", "strategy": "REDISTRIBUTE", "include": {"skus": [sku]}}],
                "budget": FREE,
            },
        )
        for sku in ("S", "S2")
    ]
    await asyncio.gather(publish(world, one), publish(world, two))
    rows = await diff(world, one) + await diff(world, two)
    worsened = [r["number"] for r in rows if r["is_charged"] and r["state"] in ("applied", "recomputed")]
    assert worsened == [plain.number]
