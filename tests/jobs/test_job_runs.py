"""Jobs on a real worker: how each ending looks in `job_run`, and what a death costs."""

import asyncio
import itertools
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from core.errors import IllegalTransition
from core.services.replay_job import cancel_job, list_dead_jobs, replay_job
from core.unit_of_work import run_unit_of_work
from workers.queue import QUEUES
from workers.settings import COMPLETION_SECONDS

pytestmark = pytest.mark.anyio


async def test_a_job_runs_once_and_its_result_is_kept(stack: Any) -> None:
    stack.relay()
    stack.worker()
    await stack.ask("nap", name="a")
    run = await stack.until_state("done")
    assert (run["result"], run["attempt"], run["error"]) == ({"name": "a"}, 1, None)
    assert await stack.marks() == ["a:began", "a:ended"]
    await stack.until(lambda: stack.value("select count(*) = 2 from event where topic = 'job'"))
    states = await stack.database.system.fetch("select kind from event where topic = 'job' order by position")
    assert [row["kind"] for row in states] == ["running", "done"]


async def test_transient_errors_are_tried_again_with_a_delay_and_then_dead(stack: Any) -> None:
    stack.relay()
    stack.worker()
    await stack.ask("stumble")
    run = await stack.until_state("dead")
    assert (run["attempt"], run["error"]) == (3, "ConnectionResetError: the line is dead")
    assert await stack.marks() == ["stumble"] * 3
    instants = await stack.database.system.fetch("select at from audit_entry where operation = 'mark' order by id")
    first, second = (later["at"] - earlier["at"] for earlier, later in itertools.pairwise(instants))
    assert second > first > timedelta(seconds=0.04)


@pytest.mark.parametrize(
    ("function", "error", "attempts"),
    [
        ("surrender", "GiveUp: there is no such thing", 1),
        ("trip", "KeyError: 'a bug'", 1),
        ("hang", "TimeoutError: ", 2),
    ],
)
async def test_what_cannot_succeed_is_a_dead_letter(stack: Any, function: str, error: str, attempts: int) -> None:
    stack.relay()
    stack.worker()
    await stack.ask(function)
    run = await stack.until_state("dead")
    assert (run["error"], run["attempt"]) == (error, attempts)
    letters = await run_unit_of_work(stack.database, list_dead_jobs)
    assert [(letter.id, letter.error) for letter in letters] == [(run["id"], error)]


async def test_a_dead_letter_is_replayed(stack: Any) -> None:
    stack.relay()
    stack.worker()
    await stack.ask("surrender")
    dead = await stack.until_state("dead")
    await run_unit_of_work(stack.database, lambda uow: replay_job(uow, dead["id"]))
    with pytest.raises(IllegalTransition):
        await run_unit_of_work(stack.database, lambda uow: replay_job(uow, dead["id"]))
    again = await stack.until(
        lambda: stack.value("select attempt from job_run where id = $1 and state = 'dead' and attempt = 2", dead["id"])
    )
    assert again == 2


async def test_the_same_key_while_running_runs_once_more(stack: Any) -> None:
    stack.relay()
    stack.worker()
    await stack.ask("nap", name="a", seconds=3)
    await stack.until_state("running")
    for _ in range(5):
        await stack.ask("nap", name="a", seconds=0)
    await stack.until(lambda: stack.value("select count(*) = 6 from event where topic = 'job_request'"))
    await stack.until_state("done")
    await asyncio.sleep(0.5)
    assert await stack.marks() == ["a:began", "a:ended"] * 2
    assert await stack.value("select count(*) from job_run where key <> 'cron'") == 1


async def test_a_waiting_job_goes_on_without_using_up_attempts(stack: Any, tmp_path: Path) -> None:
    stack.relay()
    stack.worker()
    await stack.ask("hold_on", path=str(tmp_path / "flag"))
    await stack.until(lambda: stack.value("select attempt > 6 from job_run where key <> 'cron'"))
    (tmp_path / "flag").touch()
    await stack.until_state("done")


async def test_a_running_job_is_cancelled_at_its_next_chunk(stack: Any) -> None:
    stack.relay()
    stack.worker()
    await stack.ask("step")
    await stack.until(lambda: stack.value("select (progress ->> 'done')::int >= 2 from job_run where key <> 'cron'"))
    run_id = (await stack.run())["id"]
    assert await run_unit_of_work(stack.database, lambda uow: cancel_job(uow, run_id)) == "running"
    run = await stack.until_state("cancelled")
    assert run["progress"]["done"] < 60


async def test_a_killed_worker_s_job_is_finished_by_another_once(stack: Any) -> None:
    stack.relay()
    first = stack.worker()
    await stack.ask("nap", name="a", seconds=1)
    await stack.until(stack.marks)
    first.send_signal(signal.SIGKILL)
    stack.worker()
    run = await stack.until_state("done")
    await asyncio.sleep(0.3)
    assert (run["attempt"], await stack.marks()) == (2, ["a:began", "a:began", "a:ended"])


async def test_a_worker_told_to_stop_finishes_its_job_first(stack: Any) -> None:
    stack.relay()
    worker = stack.worker()
    await stack.ask("nap", name="a", seconds=1)
    await stack.until(stack.marks)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 60) == 0
    run = await stack.run()
    assert (run["state"], run["attempt"], await stack.marks()) == ("done", 1, ["a:began", "a:ended"])


async def test_redis_wiped_after_the_wake_up_loses_no_job(stack: Any) -> None:
    stack.relay()
    await stack.ask("nap", name="a")
    await stack.until_state("queued")
    client = redis.asyncio.Redis.from_url(stack.settings.redis_url)
    await client.flushall()
    await client.aclose()
    await stack.value("update job_run set heartbeat_at = now() - interval '1 minute'")
    stack.worker()
    await stack.until_state("done")
    assert await stack.marks() == ["a:began", "a:ended"]


async def test_a_ticket_is_good_once(stack: Any) -> None:
    """The same wake-up delivered twice has one effect."""
    from core.repositories import jobs

    stack.relay()
    await stack.ask("nap", name="a")
    run = await stack.until_state("queued")
    sql = stack.database.system
    claims = await asyncio.gather(*(jobs.claim(sql, run["id"], 1, "nap", f"worker {n}") for n in range(4)))
    assert sorted(claim is not None for claim in claims) == [False, False, False, True]


def test_the_fast_worker_never_loads_the_model_stack() -> None:
    program = "import sys, workers.settings; print(sorted({'sklearn', 'scipy', 'ml'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("program", [["workers.relay"], *(["workers.settings", queue] for queue in QUEUES)])
async def test_every_process_stops_quietly_when_told_to(stack: Any, program: list[str]) -> None:
    process = stack.start("-m", *program)
    word = "relay leads" if program == ["workers.relay"] else "worker runs"

    async def is_up() -> bool:
        return word in stack.logs()

    await stack.until(is_up)
    await asyncio.sleep(0.7)
    process.send_signal(signal.SIGTERM)
    # a job at work may take its whole time, then Redis and PostgreSQL are given theirs to answer
    assert await asyncio.to_thread(process.wait, COMPLETION_SECONDS + 15) == 0, stack.logs()
