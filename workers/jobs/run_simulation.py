"""Play what-if scenarios on a snapshot of everything; nothing live is touched."""

from __future__ import annotations

from typing import Any

from workers.job import Cancelled, JobContext, job


@job(queue="bulk", timeout=1800, attempts=3)
async def run_simulation(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: simulationId. A run that was cancelled or has its answer does nothing."""
    from core.services.compute_simulation import (
        abandon_simulation,
        compute_simulation,
        fail_simulation,
        is_computing,
        keep_result,
    )

    id = int(input["simulationId"])

    async def progress(done: int, total: int) -> None:
        await context.progress(done, total)
        if not await context.run(lambda uow: is_computing(uow, id)):
            raise Cancelled

    try:
        async with context.snapshot() as uow:
            result = await compute_simulation(uow, id, progress)
            at = uow.now
    except Cancelled:
        await context.run(lambda uow: abandon_simulation(uow, id))
        raise
    except (ValueError, ArithmeticError, LookupError) as error:
        text = f"{type(error).__name__}: {error}"
        await context.run(lambda uow: fail_simulation(uow, id, text))
        raise
    if result is None:
        return {"simulationId": id, "kept": False}
    kept = await context.run(lambda uow: keep_result(uow, id, result, at))
    return {"simulationId": id, "kept": kept}
