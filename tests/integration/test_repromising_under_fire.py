"""Publishing under fire: cut off at any line, beside orders that move the SKUs on, and never over its budget."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import contextmanager
from functools import partial

import pytest

from core.queries.identities import CHECKS
from core.services.cancel_repromising_run import cancel_repromising_run
from core.services.compute_repromising_run import decide, read_inputs, store_proposal
from core.services.publish_repromising_run import approve_repromising_run, publish_chunk
from core.services.start_repromising_run import StartRun, start_repromising_run
from core.unit_of_work import snapshot
from tests.repromising_runs import compute, day, definition, diff, everything, propose, run

pytestmark = pytest.mark.anyio

WATCHED = ("publish_repromising_run.py", "repromising/publish.py", "repromising_runs.py", "save_book.py")


class CutOff(BaseException):
    """What a killed process leaves of a transaction: nothing."""


@contextmanager
def cut_after(lines: int):
    """Raise after so many lines of publishing have been executed in this thread; yields what was counted."""
    seen = [0]

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.endswith(WATCHED):
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == lines:
                raise CutOff
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


async def shortage(world, count, prefix="J"):
    """SKUs of which a standard customer has the stock and a VIP waits for what comes in ten days."""
    codes = [f"{prefix}{n:02}" for n in range(count)]
    await world.rows(
        """insert into sku (code, name, currency) select v, jsonb_build_object('en', v), 'KRW'
        from unnest($1::text[]) v returning id""",
        codes,
    )
    for code in codes:
        await world.stock(2, sku=code)
        await world.supply(2, day(10), sku=code)
    plain = await world.place(*(world.order((code, 2), customer="C1") for code in codes))
    vips = await world.place(*(world.order((code, 2), customer="V1") for code in codes))
    return codes, [order.number for order in plain], [order.number for order in vips]


async def sound(world):
    for name, check in CHECKS.items():
        arguments = (0, 1 << 40, world.clock.at) if check.dated else (0, 1 << 40)
        assert await world.rows(check.sql, *arguments) == [], name


async def test_publishing_cut_off_at_any_line_changes_nothing_or_a_whole_chunk(world):
    await shortage(world, 2)
    run_id = await propose(world)
    await world.do(partial(approve_repromising_run, run_id=run_id))
    chunk = partial(publish_chunk, run_id=run_id, size=1)
    before, cuts, line = await everything(world), 0, 3
    while True:
        with cut_after(line):
            try:
                await world.do(chunk)
                break
            except CutOff:
                cuts += 1
        assert await everything(world) == before
        assert {row["state"] for row in await diff(world, run_id)} == {"proposed"}
        line += 1 + line // 3
    assert cuts > 10
    assert Counter(row["state"] for row in await diff(world, run_id)) == {"applied": 2, "proposed": 2}
    while not (await world.do(chunk)).is_last:
        pass
    assert {row["state"] for row in await diff(world, run_id)} == {"applied"}
    assert await world.value("select count(*) from promise where cause_kind = 'REPROMISED'") == 4
    await sound(world)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25])
async def test_the_share_of_worsened_orders_is_kept_while_orders_move_the_skus_on(world, share):
    codes, plain, vips = await shortage(world, 8)
    first = await propose(world, definition(budget={"worsenedShare": share, "maxDays": 10, "windowDays": 30}))
    allowed = (await run(world, first))["summary"]["ordersMayWorsen"]
    assert allowed == int(share * 16)
    second = await propose(world, definition(budget={"worsenedShare": share, "maxDays": 10, "windowDays": 30}))
    for id in (first, second):
        await world.do(partial(approve_repromising_run, run_id=id))

    async def publish_all(id):
        while not (await world.do(partial(publish_chunk, run_id=id, size=1))).is_last:
            await asyncio.sleep(0)

    async def newcomers():
        for code in codes:
            await world.place(world.order((code, 1), customer="C2"))

    await asyncio.gather(publish_all(first), publish_all(second), newcomers(), publish_all(first))
    for id in (first, second):
        rows = [r for r in await diff(world, id) if r["is_charged"] and r["state"] in ("applied", "recomputed")]
        assert len({r["number"] for r in rows}) <= allowed
        assert all(r["days"] <= 10 for r in rows)
    twice = await world.rows(
        """select order_id from repromising_diff where is_charged and applied_at is not null
        group by order_id having count(distinct run_id) > 1"""
    )
    assert twice == []
    told = await world.rows(
        """select o.number, max(p.sequence) as told from promise p
        join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id join sales_order o on o.id = l.order_id
        where o.number = any($1::text[]) group by 1""",
        plain + vips,
    )
    worsened = {row["number"] for row in told if row["told"] > 1 and row["number"] in plain}
    assert len(worsened) <= 2 * allowed
    await sound(world)


async def test_a_day_more_than_the_budget_allows_is_not_moved(world):
    _, plain, vips = await shortage(world, 1)
    spec = {"worsenedShare": None, "windowDays": 30}
    assert await diff(world, await propose(world, definition(budget={**spec, "maxDays": 9}))) == []
    found = await diff(world, await propose(world, definition(budget={**spec, "maxDays": 10})))
    assert {r["number"]: r["days"] for r in found} == {plain[0]: 10, vips[0]: -10}


async def test_a_cancelled_computation_stores_nothing(world):
    """The run is cancelled while it is being decided: what was decided is thrown away."""
    await shortage(world, 1)
    before = await everything(world)
    run_id = await world.do(lambda uow: start_repromising_run(uow, StartRun(definition=definition())))
    async with snapshot(world.database, world.clock) as uow:
        inputs = await read_inputs(uow, run_id)
    assert inputs is not None
    proposal = await decide(inputs)
    await world.do(partial(cancel_repromising_run, run_id=run_id))
    store = partial(store_proposal, run_id=run_id, inputs=inputs, proposal=proposal, snapshot_at=world.clock.at)
    assert await world.do(store) is False
    assert await compute(world, run_id) is None
    assert await diff(world, run_id) == []
    assert await everything(world) == before


async def test_equal_runs_on_equal_companies_propose_the_same_lines(world):
    """Nothing but what a run reads decides: repeated at once, the proposal has the same fingerprint."""
    await shortage(world, 4)
    spec = definition(budget={"worsenedShare": 0.25, "maxDays": None, "windowDays": 30})
    one, two = [await run(world, await propose(world, spec, seed=3)) for _ in range(2)]
    assert one["facts"]["digest"] == two["facts"]["digest"]
    assert one["facts"]["proposal"] == two["facts"]["proposal"]
    await world.place(world.order(("J00", 1), customer="C2"))
    three = await run(world, await propose(world, spec, seed=3))
    assert three["facts"]["digest"] != one["facts"]["digest"]


async def test_what_is_decided_again_may_worsen_only_what_the_budget_has_left(world):
    """A VIP orders after the snapshot: giving it the stock of another would worsen one order too many."""
    await shortage(world, 1)
    await world.stock(2, sku="S")
    await world.supply(4, day(10), sku="S")
    (first,) = await world.place(world.order(("S", 2), customer="C1"))
    await world.place(world.order(("S", 2), customer="C2"))
    await world.stock(1, sku="S")
    run_id = await propose(world, definition(budget={"worsenedShare": 0.25, "maxDays": None, "windowDays": 30}))
    summary = (await run(world, run_id))["summary"]
    assert (summary["ordersMayWorsen"], summary["ordersWorsened"]) == (1, 1)
    await world.place(world.order(("S", 2), customer="V1"))
    await world.do(partial(approve_repromising_run, run_id=run_id))
    while not (await world.do(partial(publish_chunk, run_id=run_id, size=1))).is_last:
        pass
    rows = [r for r in await diff(world, run_id) if r["is_charged"] and r["state"] in ("applied", "recomputed")]
    assert len({r["number"] for r in rows}) == 1
    assert await world.quantities(first.number) == (0, 2, 0, 0, 0)
    await sound(world)
