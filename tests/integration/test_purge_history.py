"""History is dropped once it is older than its retention, all of it, a part per transaction."""

from datetime import timedelta

import pytest

from core.ports import WallClock
from core.services import purge_history as service
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.purge_history import purge_history

pytestmark = pytest.mark.anyio


async def test_more_than_a_part_is_dropped_by_one_run_and_what_is_young_stays(world, monkeypatch, tmp_path):
    sql, days = world.database.system, timedelta(days=31)
    await sql.execute(
        """insert into idempotency (principal, operation, key, request_hash, result, created_at)
        select 'a', 'b', n::text, '', '{}', now() - case when n <= 7 then $1::interval else interval '1 hour' end
        from generate_series(1, 9) n""",
        days,
    )
    await sql.execute(
        """insert into job_run (function, key, input, queue, state, finished_at)
        select 'f', n::text, '{}', 'fast', case when n = 5 then 'dead' else 'done' end, now() - interval '8 days'
        from generate_series(1, 5) n"""
    )
    monkeypatch.setattr(service, "PART", 3)
    context = JobContext(world.database, Settings(data_dir=tmp_path), WallClock())
    dropped = await purge_history(context, {})
    assert (dropped["idempotency"], dropped["jobRuns"]) == (7, 4)
    assert await sql.fetchval("select count(*) from idempotency") == 2
    assert await sql.fetch("select key, state from job_run where function = 'f'") == [("5", "dead")]
    assert set((await purge_history(context, {})).values()) == {0}
