"""Compute a re-promising run from one snapshot and store its proposal."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from core.errors import DomainError
from core.services.cancel_repromising_run import abandon_run
from core.services.start_repromising_run import COMPUTE
from workers.job import TRANSIENT, Cancelled, JobContext, job

STEPS = 3


@job(queue="bulk", timeout=600)
async def compute_repromising_run(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: runId. Until the proposal is stored, in one transaction, nothing is written; then a repeat does nothing."""
    from core.services.compute_repromising_run import decide, fail_run, read_inputs, store_proposal

    run_id = int(input["runId"])
    try:
        await context.progress(0, STEPS)
        async with context.snapshot() as uow:
            inputs, snapshot_at = await read_inputs(uow, run_id), uow.now
        if inputs is None:
            return {"runId": run_id, "stored": False}
        await context.progress(1, STEPS)
        proposal = await decide(inputs)
        await context.progress(2, STEPS)
        stored = await context.run(
            partial(store_proposal, run_id=run_id, inputs=inputs, proposal=proposal, snapshot_at=snapshot_at)
        )
        await context.progress(STEPS, STEPS)
    except Cancelled:
        await context.run(partial(abandon_run, run_id=run_id))
        raise
    except (*TRANSIENT, asyncio.CancelledError) as failure:
        if not isinstance(failure, DomainError):
            raise
        await context.run(partial(fail_run, run_id=run_id, error=str(failure)))
        raise
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
        await context.run(partial(fail_run, run_id=run_id, error=error))
        raise
    return {"runId": run_id, "stored": stored}


assert compute_repromising_run.__name__ == COMPUTE
