"""Rows of `job_run`: who may run what. All instants here are wall time, taken from PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.events import Event

LIVE = ("waiting", "queued", "running")


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to try a run once: valid while the run still has `attempt - 1` attempts behind it."""

    run_id: int
    function: str
    queue: str
    attempt: int
    run_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this worker holds; `seen` is the number of requests that its work covers."""

    run_id: int
    function: str
    queue: str
    key: str
    input: dict[str, Any]
    attempt: int
    max_attempts: int
    seen: int
    request_id: str | None = None
    """Of the request that asked for the run first, and its span."""
    traceparent: str | None = None


_TICKET = "id as run_id, function, queue, attempt + 1 as attempt, run_after"


def _tickets(rows: Sequence[Any]) -> list[Ticket]:
    return [Ticket(**dict(row)) for row in rows]


_MERGED = """j.input || excluded.input || (select coalesce(jsonb_object_agg(o.key, (
        select jsonb_agg(distinct v) from jsonb_array_elements(o.value || n.value) v)), '{}')
    from jsonb_each(j.input) o join jsonb_each(excluded.input) n on n.key = o.key
    where jsonb_typeof(o.value) = 'array' and jsonb_typeof(n.value) = 'array'
        and jsonb_array_length(o.value) + jsonb_array_length(n.value) > 0)"""


async def request_runs(sql: Any, first: int, last: int) -> list[Ticket]:
    """Turn the job requests among the events of these positions into runs; the tickets of those that must be woken.

    A function and key that wait, are queued or run already get one more request instead of a second row. Nothing that
    was asked for is lost by that: lists of both inputs are united, of other values the newest counts.
    """
    rows = await sql.fetch(
        """select job, coalesce(job_key, '') as key, coalesce(job_queue, 'fast') as queue, payload, run_after,
            request_id, traceparent
        from event where position between $1 and $2 and job is not null order by position""",
        first,
        last,
    )
    wanted: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        known = wanted.get((row["job"], row["key"]))
        if known is None:
            wanted[row["job"], row["key"]] = {**row, "requests": 1}
            continue
        known["requests"] += 1
        known["payload"] = merge_inputs(known["payload"], row["payload"])
        soonest = None if None in (known["run_after"], row["run_after"]) else min(known["run_after"], row["run_after"])
        known["run_after"] = soonest
    found = await sql.fetch(
        f"""insert into job_run as j (function, key, queue, input, run_after, requests, request_id, traceparent)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::int[], $7::text[],
            $8::text[])
        on conflict (function, key) where state in ('waiting','queued','running') do update set
            requests = j.requests + excluded.requests, input = {_MERGED}, queue = excluded.queue, updated_at = now(),
            run_after = case when j.error is not null then j.run_after
                when j.run_after is null or excluded.run_after is null then null
                else least(j.run_after, excluded.run_after) end
        returning {_TICKET}, state""",
        [function for function, _ in wanted],
        [key for _, key in wanted],
        [run["queue"] for run in wanted.values()],
        [run["payload"] for run in wanted.values()],
        [run["run_after"] for run in wanted.values()],
        [run["requests"] for run in wanted.values()],
        [run["request_id"] for run in wanted.values()],
        [run["traceparent"] for run in wanted.values()],
    )
    return [
        Ticket(**{name: value for name, value in row.items() if name != "state"})
        for row in found
        if row["state"] == "waiting"
    ]


def merge_inputs(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """Two inputs of one function and key as one: lists united, else the newer value."""
    merged = {**older, **newer}
    for name, value in newer.items():
        before = older.get(name)
        if isinstance(value, list) and isinstance(before, list):
            merged[name] = [*before, *(item for item in value if item not in before)]
    return merged


async def mark_queued(sql: Any, run_ids: Sequence[int]) -> None:
    """Redis has these tickets; a worker that was faster is left alone."""
    await sql.execute(
        """update job_run set state = 'queued', heartbeat_at = now(), updated_at = now()
        where id = any($1::bigint[]) and state in ('waiting', 'queued')""",
        list(run_ids),
    )


async def due_tickets(sql: Any, older_than_seconds: float, limit: int = 500) -> list[Ticket]:
    """Waiting runs whose time has come and that nobody has touched for a while: perhaps never handed to Redis."""
    return _tickets(
        await sql.fetch(
            f"""select {_TICKET} from job_run where state = 'waiting' and coalesce(run_after, created_at) <= now()
            and updated_at < now() - make_interval(secs => $1) order by id limit $2""",
            older_than_seconds,
            limit,
        )
    )


async def silent_tickets(sql: Any, older_than_seconds: float, limit: int = 500) -> list[Ticket]:
    """Queued runs that no worker has claimed for a while: Redis may have been wiped, or a worker died too early."""
    return _tickets(
        await sql.fetch(
            f"""select {_TICKET} from job_run where state = 'queued'
            and heartbeat_at < now() - make_interval(secs => $1) order by heartbeat_at limit $2""",
            older_than_seconds,
            limit,
        )
    )


async def reissue(sql: Any, run_ids: Sequence[int]) -> list[Ticket]:
    """New tickets for queued runs whose present ticket is stuck; it does not cost them an attempt."""
    return _tickets(
        await sql.fetch(
            f"""update job_run set attempt = attempt + 1, max_attempts = max_attempts + 1, updated_at = now()
            where id = any($1::bigint[]) and state = 'queued' returning {_TICKET}""",
            list(run_ids),
        )
    )


def job_alarm(run_id: int, function: str, error: str | None) -> Event:
    """A job has given up: somebody has to look (`manage.py jobs`)."""
    return Event("alarm", "JOB_FAILED", {"jobRunId": run_id, "job": function, "error": error}, key=f"job:{run_id}")


async def take_back_lost(sql: Any, stale_seconds: float, limit: int = 500) -> list[dict[str, Any]]:
    """Runs whose worker gave no sign: waiting again, or dead when their attempts are used up."""
    return [
        dict(row)
        for row in await sql.fetch(
            """with lost as (select id from job_run where state = 'running'
                and heartbeat_at < now() - make_interval(secs => $1) order by id limit $2 for update skip locked)
            update job_run j set
                state = case when cancel_requested then 'cancelled' when attempt >= max_attempts then 'dead'
                    else 'waiting' end,
                finished_at = case when cancel_requested or attempt >= max_attempts then now() end,
                error = 'The worker ' || coalesce(claimed_by, '?') || ' gave no sign of life.',
                claimed_by = null, run_after = null, updated_at = now()
            from lost where j.id = lost.id
            returning j.id as run_id, j.function, j.queue, j.attempt + 1 as attempt, j.state, j.error""",
            stale_seconds,
            limit,
        )
    ]


async def claim(sql: Any, run_id: int, attempt: int, function: str, worker: str, attempts: int = 5) -> Claim | None:
    """Begin this attempt (the first one fixes how many there may be).

    None when the ticket is no longer good: run already, cancelled, or given anew.
    """
    row = await sql.fetchrow(
        """update job_run set state = 'running', attempt = attempt + 1, seen = requests,
            max_attempts = case when started_at is null then attempt + $5 else max_attempts end, claimed_by = $4,
            heartbeat_at = now(), started_at = now(), finished_at = null, progress = null, updated_at = now()
        where id = $1 and attempt = $2 - 1 and function = $3 and state in ('waiting', 'queued')
            and (run_after is null or run_after <= now() + interval '0.5 seconds')
        returning id as run_id, function, queue, key, input, attempt, max_attempts, seen, request_id, traceparent""",
        run_id,
        attempt,
        function,
        worker,
        attempts,
    )
    return Claim(**dict(row)) if row else None


async def beat(sql: Any, worker: str, run_ids: Sequence[int]) -> dict[int, bool]:
    """Sign of life for the runs this worker holds: run id -> "cancel requested". A missing id was taken away."""
    rows = await sql.fetch(
        """update job_run set heartbeat_at = now() where id = any($1::bigint[]) and claimed_by = $2
        and state = 'running' returning id, cancel_requested""",
        list(run_ids),
        worker,
    )
    return {row["id"]: row["cancel_requested"] for row in rows}


async def finish(sql: Any, claimed: Claim, result: Any, spare_attempts: int) -> str | None:
    """Done, or waiting again when more was asked for meanwhile; the new state, None when the run was taken away."""
    return await sql.fetchval(
        """update job_run set state = case when requests > seen then 'waiting' else 'done' end,
            max_attempts = case when requests > seen then attempt + $4 else max_attempts end,
            result = $3, error = null, run_after = null, claimed_by = null,
            finished_at = now(), updated_at = now()
        where id = $1 and attempt = $2 and state = 'running' returning state""",
        claimed.run_id,
        claimed.attempt,
        result,
        spare_attempts,
    )


async def give_back(
    sql: Any, claimed: Claim, state: str, error: str | None, delay_seconds: float = 0, free: bool = False
) -> Ticket | None:
    """End this attempt in `waiting`, `dead` or `cancelled`; a `free` one does not count. None: it was taken away."""
    row = await sql.fetchrow(
        f"""update job_run set state = $3, error = $4, claimed_by = null, updated_at = now(),
            max_attempts = max_attempts + $6,
            run_after = case when $5::float8 > 0 then now() + make_interval(secs => $5) end,
            finished_at = case when $3 = 'waiting' then null else now() end
        where id = $1 and attempt = $2 and state = 'running' returning {_TICKET}""",
        claimed.run_id,
        claimed.attempt,
        state,
        error,
        float(delay_seconds),
        1 if free else 0,
    )
    return Ticket(**dict(row)) if row else None


async def save_progress(sql: Any, claimed: Claim, progress: dict[str, Any]) -> bool:
    """Write how far the run is; True when somebody asked to cancel it."""
    return bool(
        await sql.fetchval(
            """update job_run set progress = $3, heartbeat_at = now() where id = $1 and attempt = $2
            and state = 'running' returning cancel_requested""",
            claimed.run_id,
            claimed.attempt,
            progress,
        )
    )


async def dead_runs(sql: Any, limit: int, before_id: int | None) -> list[dict[str, Any]]:
    """Dead letters, newest first."""
    rows = await sql.fetch(
        """select id, function, queue, key, input, attempt, error, created_at, finished_at from job_run
        where state in ('dead', 'failed') and ($2::bigint is null or id < $2) order by id desc limit $1""",
        limit,
        before_id,
    )
    return [dict(row) for row in rows]


async def lock_run(sql: Any, run_id: int) -> dict[str, Any] | None:
    """One run, locked for a change."""
    row = await sql.fetchrow(
        "select id, function, queue, key, input, attempt, state, error from job_run where id = $1 for update", run_id
    )
    return dict(row) if row else None


async def live_run_of(sql: Any, function: str, key: str) -> int | None:
    """The run that waits, is queued or runs for this function and key."""
    return await sql.fetchval(
        """select id from job_run where function = $1 and key = $2
        and state in ('waiting', 'queued', 'running')""",
        function,
        key,
    )


async def revive(sql: Any, run_id: int, spare_attempts: int) -> None:
    """A dead letter waits again, with fresh attempts."""
    await sql.execute(
        """update job_run set state = 'waiting', max_attempts = attempt + $2, requests = requests + 1, error = null,
            run_after = null, cancel_requested = false, finished_at = null, updated_at = now() - interval '1 hour'
        where id = $1""",
        run_id,
        spare_attempts,
    )


async def request_cancel(sql: Any, run_id: int) -> str | None:
    """Cancel a run that has not begun; ask a running one to stop at its next chunk; the state now, or None."""
    return await sql.fetchval(
        """update job_run set cancel_requested = true, updated_at = now(),
            state = case when state in ('waiting', 'queued') then 'cancelled' else state end,
            finished_at = case when state in ('waiting', 'queued') then now() else finished_at end
        where id = $1 and state in ('waiting', 'queued', 'running') returning state""",
        run_id,
    )
