"""Killing the process that computes or publishes a run, at any moment: it changes nothing, or rolls forward."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.queries.identities import CHECKS
from core.services.publish_repromising_run import approve_repromising_run
from core.services.start_repromising_run import StartRun, start_repromising_run
from tests.world import TODAY

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
CHILD = """
import asyncio, sys
from core.database import Database
from core.settings import Settings
from tests.world import FixedClock
from workers.job import JobContext
import core.services.publish_repromising_run as publishing
from workers.jobs.compute_repromising_run import compute_repromising_run
from workers.jobs.publish_repromising_run import publish_repromising_run
publishing.publish_chunk.__defaults__ = (1,)  # one SKU per transaction: more moments to die in
job = {"compute": compute_repromising_run, "publish": publish_repromising_run}[sys.argv[2]]
async def main():
    settings = Settings(database_url=sys.argv[1], env="test", pool_size=2)
    async with Database(settings) as database:
        context = JobContext(database, settings, FixedClock())
        await database.system.fetchval("select 1")
        print("go", flush=True)
        await job(context, {"runId": int(sys.argv[3])})
        print("done", flush=True)
asyncio.run(main())
"""
DEFINITION: dict[str, Any] = {
    "segments": [{"name": "all", "strategy": "REDISTRIBUTE"}],
    "budget": {"worsenedShare": None, "maxDays": None},
}
SKUS = 25


def run_child(url: str, job: str, run_id: int, kill_after: float | None) -> bool:
    """Run a job in a process of its own; True when it ended by itself."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, url, job, str(run_id)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        if kill_after is not None:
            time.sleep(kill_after)
            child.send_signal(signal.SIGKILL)
        return child.stdout.read() == b"done\n"


async def state(world) -> list[dict[str, Any]]:
    return await world.rows("select sku_id, order_line_id, kind, need_date, quantity from peg order by 1, 2, 3, 4")


async def test_a_run_that_is_killed_changes_nothing_or_rolls_forward(world, database_url):
    codes = [f"K{n:02}" for n in range(SKUS)]
    await world.rows(
        """insert into sku (code, name, currency) select v, jsonb_build_object('en', v), 'KRW'
        from unnest($1::text[]) v returning id""",
        codes,
    )
    for code in codes:
        await world.stock(2, sku=code)
        await world.supply(2, TODAY + timedelta(days=9), sku=code)
    await world.place(*(world.order((code, 2), customer="C1") for code in codes))
    await world.place(*(world.order((code, 2), customer="V1") for code in codes))
    before = await state(world)
    dice = random.Random(5)

    run_id = await world.do(lambda uow: start_repromising_run(uow, StartRun(definition=DEFINITION)))
    while not run_child(database_url, "compute", run_id, dice.uniform(0, 0.3) if dice.random() < 0.7 else None):
        assert await state(world) == before
    assert run_child(database_url, "compute", run_id, None)  # a repeat finds it done
    assert await world.value("select count(*) from repromising_diff where run_id = $1", run_id) == 2 * SKUS
    assert await state(world) == before

    await world.do(partial(approve_repromising_run, run_id=run_id))
    kills = 0
    while kills < 4 and not run_child(database_url, "publish", run_id, dice.uniform(0.02, 0.6)):
        kills += 1
    assert run_child(database_url, "publish", run_id, None)
    assert await world.value("select state from repromising_run where id = $1", run_id) == "published"
    assert await world.rows("select distinct state from repromising_diff") == [{"state": "applied"}]
    moved = await world.rows(
        """select c.code, p.kind, count(*) as n, sum(p.quantity) as units from peg p
        join order_line l on l.sku_id = p.sku_id and l.id = p.order_line_id join customer c on c.id = l.customer_id
        group by 1, 2 order by 1"""
    )
    assert moved == [
        {"code": "C1", "kind": "FIRM", "n": SKUS, "units": 2 * SKUS},
        {"code": "V1", "kind": "HARD", "n": SKUS, "units": 2 * SKUS},
    ]
    # each line was promised anew once, each customer told once
    assert await world.value("select count(*) from promise where cause_kind = 'REPROMISED'") == 2 * SKUS
    assert await world.value("select count(*) from notice where dedupe_key like 'REPROMISED%'") == 2 * SKUS
    for name, check in CHECKS.items():
        arguments = (0, 1 << 40, world.clock.at) if check.dated else (0, 1 << 40)
        assert await world.rows(check.sql, *arguments) == [], name
