"""Seal audit entries and promises in batches, and anchor each seal outside the database."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import structlog

from core.errors import GiveUp
from workers.job import JobContext, job

log = structlog.get_logger("seals")


@job(queue="fast", timeout=60)
async def seal_ledgers(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Until nothing is unsealed. A seal whose line was lost before it reached the file is anchored by the next run."""
    from core.services.anchor_seals import append_heads, last_anchored
    from core.services.seal_ledgers import seal_ledgers as seal
    from core.services.seal_ledgers import seals_after

    settings = context.settings
    key = settings.seal_key.get_secret_value().encode()
    if not key:
        raise GiveUp("SEAL_KEY is not set: nothing can be sealed.")
    sealed = 0
    while True:
        new = await context.run(lambda uow: seal(uow, key=key))
        while True:
            anchored = await asyncio.to_thread(last_anchored, settings.seal_file)
            heads = await context.run(partial(seals_after, anchored=anchored))
            if not heads:
                break
            await asyncio.to_thread(append_heads, settings.seal_file, heads, key)
            for head in heads:
                log.info("sealed", ledger=head.ledger, number=head.number, entries=head.entries, hash=head.hash.hex())
        sealed += sum(head.entries for head in new)
        if not any(head.is_full for head in new):
            return {"sealed": sealed}
