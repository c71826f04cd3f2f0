"""Drop what is older than its retention: event partitions, idempotency answers, finished runs."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=120)
async def purge_history(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Repeating it finds nothing."""
    from core.services.purge_history import purge_history as purge

    settings = context.settings
    return await context.run(lambda uow: purge(uow, settings.event_retention_days, settings.idempotency_retention_days))
