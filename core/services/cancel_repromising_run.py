"""Cancel a run that has not begun to publish: nothing was changed, nothing will be."""

from __future__ import annotations

from core.domain.states import RepromisingRunState as State
from core.errors import IllegalTransition
from core.ports import Transaction
from core.repositories import jobs
from core.repositories.repromising_runs import lock_run, set_state
from core.services.start_repromising_run import COMPUTE, PUBLISH

OPEN = (State.COMPUTING, State.PROPOSED, State.APPROVED)


async def cancel_repromising_run(uow: Transaction, run_id: int) -> int:
    """The run's version after it. Raises NotFound, and IllegalTransition once it is publishing or over."""
    run = await lock_run(uow, run_id)
    if run["state"] not in OPEN:
        raise IllegalTransition("re-promising run", str(run_id), run["state"], State.CANCELLED)
    await set_state(uow, run_id, State.CANCELLED)
    for function in (COMPUTE, PUBLISH):
        job_id = await jobs.live_run_of(uow.sql, function, str(run_id))
        if job_id is not None:
            await jobs.request_cancel(uow.sql, job_id)
    uow.audit("repromisingRunCancel", f"repromising_run:{run_id}", {"state": run["state"]}, {"state": "cancelled"})
    return run["version"] + 1


async def abandon_run(uow: Transaction, run_id: int) -> None:
    """As above for a run whose computation was cancelled as a job; one that is over stays as it is."""
    run = await lock_run(uow, run_id)
    if run["state"] == State.COMPUTING:
        await set_state(uow, run_id, State.CANCELLED)
