"""Dead letters: list them, run one again, or cancel a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import IllegalTransition, NotFound
from core.events import Event
from core.repositories import jobs
from core.unit_of_work import UnitOfWork

SPARE_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A run that ended without success, with the reason."""

    id: int
    function: str
    queue: str
    key: str
    input: dict[str, Any]
    attempt: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None


async def list_dead_jobs(uow: UnitOfWork, limit: int = 100, before_id: int | None = None) -> list[DeadJob]:
    """Dead letters, newest first; page on with the last id."""
    return [DeadJob(**row) for row in await jobs.dead_runs(uow.sql, limit, before_id)]


async def replay_job(uow: UnitOfWork, run_id: int) -> int:
    """Let a dead letter wait again with fresh attempts; its id. The relay or the sweeper wakes a worker.

    Raises NotFound, or IllegalTransition when it is no dead letter or the same work is under way already.
    """
    run = await jobs.lock_run(uow.sql, run_id)
    if run is None:
        raise NotFound("job run", str(run_id))
    if run["state"] not in ("dead", "failed", "cancelled"):
        raise IllegalTransition("job run", str(run_id), run["state"], "waiting")
    if await jobs.live_run_of(uow.sql, run["function"], run["key"]) is not None:
        raise IllegalTransition("job run", str(run_id), f"{run['state']} and asked for anew", "waiting")
    await jobs.revive(uow.sql, run_id, SPARE_ATTEMPTS)
    uow.audit("replayJob", f"job_run:{run_id}", {"state": run["state"]}, {"state": "waiting"})
    _announce(uow, run_id, run["function"], "waiting")
    return run_id


async def cancel_job(uow: UnitOfWork, run_id: int) -> str:
    """Cancel a run that has not begun, or ask a running one to stop at its next chunk; its state now.

    Raises NotFound, or IllegalTransition when it has ended.
    """
    run = await jobs.lock_run(uow.sql, run_id)
    if run is None:
        raise NotFound("job run", str(run_id))
    state = await jobs.request_cancel(uow.sql, run_id)
    if state is None:
        raise IllegalTransition("job run", str(run_id), run["state"], "cancelled")
    uow.audit("cancelJob", f"job_run:{run_id}", {"state": run["state"]}, {"state": state})
    if state == "cancelled":
        _announce(uow, run_id, run["function"], state)
    return state


def _announce(uow: UnitOfWork, run_id: int, function: str, state: str) -> None:
    payload = {"jobRunId": run_id, "function": function, "state": state, "done": None, "total": None, "error": None}
    uow.announce(Event("job", state, payload, key=str(run_id)))
