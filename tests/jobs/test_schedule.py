"""Crons: what is due in a span of simulated time, one at a time, and never two at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.ports import SimulationClock, WallClock
from core.services.take_turn import turn
from core.settings import Settings
from workers import schedule
from workers.job import REGISTRY, Job, JobContext
from workers.settings import CLASSES

pytestmark = pytest.mark.anyio
NOON = datetime(2011, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(Settings(database_url=database_url, pool_size=4)) as database:
        yield database


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    """Business crons replaced by ones that note when they ran."""
    ran: list[tuple[str, datetime]] = []

    def noting(name: str) -> Job:
        async def note(context: JobContext, _: dict[str, Any]) -> None:
            async def work(uow: Any) -> None:
                ran.append((name, uow.now))

            await context.run(work)

        return Job(name, note, "fast", 5, 1, 0.1)

    crons = (
        schedule.Cron("often", 10, "fast"),
        schedule.Cron("seldom", 3600, "fast"),
        schedule.Cron("long", 3600, "bulk"),
        schedule.Cron("wall", 5, "fast", business=False),
    )
    monkeypatch.setattr(schedule, "CRONS", crons)
    for cron in crons:
        monkeypatch.setitem(REGISTRY, cron.function, noting(cron.function))
    return ran


async def test_a_replay_ticks_what_is_due_once_and_in_order(
    database: Database, ran: list[tuple[str, datetime]], tmp_path: Path
) -> None:
    settings = Settings(simulated_clock=True, data_dir=tmp_path)
    for step in (timedelta(seconds=0), timedelta(seconds=5), timedelta(seconds=15), timedelta(hours=3)):
        at = NOON + step
        await database.system.execute(
            """insert into simulation_clock (simulated_at) values ($1)
            on conflict (id) do update set simulated_at = $1""",
            at,
        )
        before = ran[-1][1] if ran else NOON
        await schedule.tick(database, SimulationClock(), before, at, settings)
    assert ran == [
        ("often", NOON + timedelta(seconds=15)),
        ("often", NOON + timedelta(hours=3)),
        ("seldom", NOON + timedelta(hours=3)),
    ]
    asked = await database.system.fetch("select job, job_queue from outbox where job is not null")
    assert [tuple(row) for row in asked] == [("long", "bulk")]


async def test_a_replay_asks_the_learning_worker_only_for_what_it_names(
    database: Database, ran: list[tuple[str, datetime]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CRONS", [schedule.Cron(name, 10, "learning") for name in ("often", "seldom")])
    settings = Settings(simulated_clock=True, data_dir=tmp_path)
    later = NOON + timedelta(minutes=1)
    assert await schedule.tick(database, WallClock(), NOON, later, settings) == []
    assert await schedule.tick(database, WallClock(), NOON, later, settings, ("often",)) == ["often"]
    asked = await database.system.fetch("select job, job_queue from outbox where job_key = 'cron'")
    assert [tuple(row) for row in asked] == [("often", "learning")]
    assert ran == []


async def test_a_cron_that_runs_elsewhere_is_skipped(
    database: Database, ran: list[tuple[str, datetime]], tmp_path: Path
) -> None:
    context = JobContext(database, Settings(data_dir=tmp_path), WallClock())
    async with turn(database, "cron:often") as mine:
        assert mine
        assert await schedule.run_cron(schedule.CRONS[0], context) is False
    assert await schedule.run_cron(schedule.CRONS[0], context) is True
    assert [name for name, _ in ran] == ["often"]


async def test_crons_that_are_all_due_at_once_leave_each_other_connections(
    database: Database, ran: list[tuple[str, datetime]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pool of twice as many connections as crons may run at once, as the worker's has at least."""
    assert CLASSES["fast"].pool_size > 2 * schedule.AT_ONCE
    monkeypatch.setattr(schedule, "AT_ONCE", 2)  # the pool of the fixture has 4
    names = [f"cron{number}" for number in range(9)]
    crons = [schedule.Cron(name, 86_400, "fast") for name in names]
    for name in names:
        monkeypatch.setitem(REGISTRY, name, Job(name, REGISTRY["often"].function, "fast", 60, 1, 0.1))
    monkeypatch.setattr(schedule, "CRONS", crons)
    day = [9]
    monkeypatch.setattr(schedule.time, "time", lambda: day[0] * 86_400.0)
    ticking = asyncio.create_task(schedule.tick_forever(database, Settings(data_dir=tmp_path), lambda: None))
    await asyncio.sleep(0.01)
    day[0] += 1
    async with asyncio.timeout(50):
        while len(ran) < len(names):
            await asyncio.sleep(0.02)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    assert [name for name, _ in ran] == ["often"] * 9


async def test_a_replay_stack_s_worker_runs_only_the_wall_time_crons(
    database: Database, ran: list[tuple[str, datetime]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "CRONS", [schedule.Cron(c.function, 1, "fast", c.business) for c in schedule.CRONS])
    settings = Settings(simulated_clock=True, data_dir=tmp_path)
    ticking = asyncio.create_task(schedule.tick_forever(database, settings, lambda: None))
    await asyncio.sleep(2.2)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    assert {name for name, _ in ran} == {"wall"}


def test_every_cron_is_a_job_of_its_queue() -> None:
    assert [(cron.function, REGISTRY[cron.function].queue) for cron in schedule.CRONS] == [
        (cron.function, cron.queue) for cron in schedule.CRONS
    ]
