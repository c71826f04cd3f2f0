"""Release the holds whose time is over."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job

LIMIT = 500


@job(queue="fast", timeout=30)
async def expire_reservations(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """In chunks; availability does not wait for this: it decides by the instant itself."""
    from core.services.expire_reservations import expire_reservations as expire

    expired = 0
    while count := await context.run(lambda uow: expire(uow, LIMIT)):
        expired += count
        if count < LIMIT:
            break
    return {"expired": expired}
