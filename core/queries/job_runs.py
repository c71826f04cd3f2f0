"""Job runs that need somebody's eye: dead letters and what is under way."""

from __future__ import annotations

from typing import Any

import asyncpg


async def open_job_runs(sql: asyncpg.Connection, limit: int) -> list[dict[str, Any]]:
    """Dead letters and live runs, newest first; `age_seconds` counts from when the run was asked for, by wall time."""
    rows = await sql.fetch(
        """select id, function, queue, key, state, attempt, max_attempts, cancel_requested, error, created_at, run_after,
            round(extract(epoch from clock_timestamp() - created_at)::numeric, 1)::float8 as age_seconds
        from job_run where state in ('dead', 'failed', 'waiting', 'queued', 'running') order by id desc limit $1""",
        limit,
    )
    return [dict(row) for row in rows]
