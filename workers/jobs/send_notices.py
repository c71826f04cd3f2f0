"""Send the notices that wait."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job

LIMIT = 500


@job(queue="fast", timeout=30)
async def send_notices(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """A notice is sent once: it leaves the pending state in the same transaction."""
    from core.services.send_notices import send_notices as send

    sent = 0
    while count := await context.run(lambda uow: send(uow, LIMIT)):
        sent += count
        await context.progress(sent, sent)
        if count < LIMIT:
            break
    return {"sent": sent}
