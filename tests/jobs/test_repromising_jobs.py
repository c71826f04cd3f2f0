"""A re-promising run through the relay and a real worker: progress is told, and a run that is cancelled changes nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from core.services.cancel_repromising_run import cancel_repromising_run
from core.services.publish_repromising_run import approve_repromising_run
from core.services.start_repromising_run import StartRun, start_repromising_run
from core.unit_of_work import run_unit_of_work
from tests.world import MASTER_DATA, FixedClock, World

pytestmark = pytest.mark.anyio

DEFINITION: dict[str, Any] = {
    "segments": [{"name": "all", "strategy": "REDISTRIBUTE"}],
    "budget": {"worsenedShare": None, "maxDays": None},
}


async def test_a_run_is_computed_and_published_by_a_worker_and_tells_its_progress(stack: Any) -> None:
    await stack.database.system.execute(MASTER_DATA)
    world = World(stack.database, FixedClock())
    await world.stock(5)
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    start = partial(start_repromising_run, request=StartRun(definition=DEFINITION))
    cancelled = await run_unit_of_work(stack.database, start)
    await run_unit_of_work(stack.database, partial(cancel_repromising_run, run_id=cancelled))
    run_id = await run_unit_of_work(stack.database, start)
    stack.relay()
    stack.start("-m", "workers.settings", "bulk")
    is_state = "select state = $2 from repromising_run where id = $1"
    await stack.until(lambda: stack.value(is_state, run_id, "proposed"), 120)
    await stack.until(lambda: stack.value("select count(*) = 2 from job_run where state = 'done' and key <> 'cron'"))
    assert await world.quantities(vip.number) == (0, 0, 5, 0, 0)
    assert await stack.value(is_state, cancelled, "cancelled")
    assert await stack.value("select count(*) from repromising_diff where run_id = $1", cancelled) == 0
    await run_unit_of_work(stack.database, partial(approve_repromising_run, run_id=run_id))
    await stack.until(lambda: stack.value(is_state, run_id, "published"), 60)
    assert await world.quantities(vip.number) == (0, 5, 0, 0, 0)
    assert await world.quantities(plain.number) == (0, 0, 5, 0, 0)
    done = "select count(*) from job_run where state = 'done' and function = 'publish_repromising_run'"
    await stack.until(lambda: stack.value(done))
    told = await stack.database.system.fetch(
        """select e.payload ->> 'done' as done, e.payload ->> 'total' as total from event e
        join job_run j on j.id = (e.payload ->> 'jobRunId')::bigint
        where e.topic = 'job' and e.kind = 'running' and j.key = $1 and j.function = 'compute_repromising_run'
            and e.payload ->> 'done' is not null order by e.position""",
        str(run_id),
    )
    assert [(row["done"], row["total"]) for row in told] == [("0", "3"), ("1", "3"), ("2", "3"), ("3", "3")]
