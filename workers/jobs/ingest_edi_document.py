"""Parse and apply stored files, then write the answers to them."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from core.errors import ReadingEnded
from workers.job import TRANSIENT, JobContext, Wait, job

log = structlog.get_logger("edi")
WRITE_SECONDS = 1.0
"""Answers to a batch wait at most this long for their files."""
SLICE_SECONDS = 60.0
"""A run gives way to others after so long, and goes on later where it stood."""


@job(queue="bulk", timeout=300)
async def ingest_edi_document(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: rawId, or rawIds of a batch. A document that was applied already is only acknowledged again.

    A file of a batch that fails does not take the others with it: it gets a run of its own. One whose reading ends
    every try is set aside with the last.
    """
    from core.services.ingest_edi_document import ingest_edi_file
    from core.services.plan_edi_file import refuse_file
    from core.services.receive_edi_file import request_ingestion
    from workers.jobs.write_edi_files import write_pending

    raw_ids = [int(raw_id) for raw_id in (*input.get("rawIds", ()), *([input["rawId"]] if "rawId" in input else ()))]
    outcomes: dict[str, int] = {}
    files: list[str] = []
    loop = asyncio.get_running_loop()
    begun = written = loop.time()
    for done, raw_id in enumerate(raw_ids):
        try:
            found = await ingest_edi_file(context.run, raw_id, lambda: loop.time() - begun < SLICE_SECONDS)
            if "left" in found:
                await write_pending(context)
                raise Wait(0.1, f"{found['left']} sets are left")
            for outcome, count in found.items():
                outcomes[outcome] = outcomes.get(outcome, 0) + count
        except ReadingEnded as failure:
            if len(raw_ids) > 1:
                await context.run(lambda uow, raw_id=raw_id: _alone(uow, raw_id, request_ingestion))
                continue
            if not context.is_last_try:
                raise
            if not await context.run(lambda uow, text=str(failure): refuse_file(uow, raw_ids[0], text)):
                raise
        except (*TRANSIENT, Wait):
            raise
        except Exception as failure:
            if len(raw_ids) == 1:
                raise
            log.error("file of a batch failed", raw=raw_id, error=type(failure).__name__)
            await context.run(lambda uow, raw_id=raw_id: _alone(uow, raw_id, request_ingestion))
        if done + 1 < len(raw_ids) and loop.time() - written > WRITE_SECONDS:
            files += await write_pending(context)
            await context.progress(done + 1, len(raw_ids))
            written = loop.time()
    files += await write_pending(context)
    return {"sets": outcomes, "files": files}


async def _alone(uow: Any, raw_id: int, request: Any) -> None:
    request(uow, raw_id)
