"""A rule on what may leave has changed: look at the open orders that it may have kept from the warehouse."""

from __future__ import annotations

from functools import partial
from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=600)
async def release_kept_orders(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Chunk by chunk, each a transaction of its own: a run that dies begins again, and asks for nothing twice at a time."""
    from core.services.release_kept_orders import STATUSES
    from core.services.release_kept_orders import release_kept_orders as release

    chunks = 0
    for status in STATUSES:
        after: int | None = 0
        while after is not None:
            after = await context.run(partial(release, status=status, after=after))
            chunks += 1
            await context.progress(chunks, chunks + (after is not None))
    return {"chunks": chunks}
