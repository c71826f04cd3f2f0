"""Drop what is older than its retention: idempotency answers, deliveries, finished runs, old files, event partitions."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job

PARTS = 40
"""Of each kind in one run: a backlog is worked off over several hours."""


@job(queue="bulk", timeout=300)
async def purge_history(context: JobContext, _: dict[str, Any]) -> dict[str, int]:
    """A transaction per part; repeating it finds nothing."""
    from core.services.purge_history import purges

    settings, dropped = context.settings, {}
    for purge in purges(settings.event_retention_days, settings.idempotency_retention_days):
        dropped[purge.name] = 0
        for _part in range(PARTS):
            count = await context.run(purge.drop)
            dropped[purge.name] += count
            if count < purge.part:
                break
    return dropped
