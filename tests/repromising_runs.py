"""Steps of re-promising runs for tests: propose, publish, look at what was proposed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

from core.repositories.gates import take_gates
from core.services.compute_repromising_run import decide, read_inputs, store_proposal
from core.services.publish_repromising_run import approve_repromising_run, publish_chunk
from core.services.start_repromising_run import StartRun, start_repromising_run
from core.unit_of_work import snapshot

TODAY = date(2026, 11, 2)
FREE: dict[str, Any] = {"worsenedShare": None, "maxDays": None, "windowDays": 30}


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def definition(strategy="REDISTRIBUTE", budget=FREE, **more):
    return {"segments": [{"name": "all", "strategy": strategy}], "budget": budget, **more}


async def compute(world, run_id):
    async with snapshot(world.database, world.clock) as uow:
        inputs, at = await read_inputs(uow, run_id), uow.now
    if inputs is None:
        return None
    proposal = await decide(inputs)
    return await world.do(partial(store_proposal, run_id=run_id, inputs=inputs, proposal=proposal, snapshot_at=at))


async def propose(world, spec=None, seed=None):
    run_id = await world.do(
        lambda uow: start_repromising_run(uow, StartRun(definition=spec or definition(), seed=seed))
    )
    await compute(world, run_id)
    return run_id


async def publish(world, run_id, size=50):
    await world.do(partial(approve_repromising_run, run_id=run_id))
    while not (await world.do(partial(publish_chunk, run_id=run_id, size=size))).is_last:
        pass


async def diff(world, run_id):
    return await world.rows(
        """select o.number, d.effect, d.reason, d.days, d.state, d.before, d.after, d.is_charged, d.segment
        from repromising_diff d join sales_order o on o.id = d.order_id where run_id = $1 order by o.number""",
        run_id,
    )


async def run(world, run_id):
    return (await world.rows("select * from repromising_run where id = $1", run_id))[0]


async def everything(world):
    """All rows that a run may change, to prove that nothing did."""
    found = {}
    for table in ("stock_level", "peg", "supply", "order_line", "promise", "backorder", "stock_movement", "notice"):
        found[table] = await world.rows(f"select * from {table} order by 1, 2")
    return found


async def slip(world, supply_id, usable):
    """A supply slips and nobody tells the orders: what is left is a confirmation that cannot be kept."""
    sku_id = await world.sku()

    async def write(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update supply set usable_date = $2 where id = $1", supply_id, usable)

    await world.do(write)
