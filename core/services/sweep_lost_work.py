"""Work that was lost on the way: take runs back from workers that died, and say which must be woken again."""

from __future__ import annotations

from collections.abc import Sequence

from core.events import Event
from core.repositories import jobs
from core.repositories.jobs import Ticket
from core.unit_of_work import UnitOfWork


async def take_back_lost_runs(uow: UnitOfWork, stale_seconds: float) -> list[int]:
    """Running rows without a heartbeat for `stale_seconds` wait again, or are dead when their attempts are used up."""
    lost = await jobs.take_back_lost(uow.sql, stale_seconds)
    for run in lost:
        payload = {
            "jobRunId": run["run_id"],
            "function": run["function"],
            "state": run["state"],
            "done": None,
            "total": None,
            "error": run["error"],
        }
        uow.announce(Event("job", run["state"], payload, key=str(run["run_id"])))
        if run["state"] == "dead":
            uow.announce(jobs.job_alarm(run["run_id"], run["function"], run["error"]))
    return [run["run_id"] for run in lost]


async def waiting_tickets(uow: UnitOfWork, older_than_seconds: float) -> list[Ticket]:
    """Due runs that nobody handed to a worker."""
    # What was just taken back has waited long enough: it is due in the next sweep at the latest.
    return await jobs.due_tickets(uow.sql, older_than_seconds)


async def silent_tickets(uow: UnitOfWork, older_than_seconds: float) -> list[Ticket]:
    """Runs that were handed over and never claimed."""
    return await jobs.silent_tickets(uow.sql, older_than_seconds)


async def reissue_tickets(uow: UnitOfWork, run_ids: Sequence[int]) -> list[Ticket]:
    """Fresh tickets in place of stuck ones."""
    return await jobs.reissue(uow.sql, run_ids)


async def note_queued(uow: UnitOfWork, run_ids: Sequence[int]) -> None:
    """These are in Redis now."""
    await jobs.mark_queued(uow.sql, run_ids)
