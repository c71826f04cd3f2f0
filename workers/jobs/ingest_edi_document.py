"""Parse and apply one stored file, then write the answers to it."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job


@job(queue="bulk", timeout=300)
async def ingest_edi_document(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: rawId. A document that was applied already is only acknowledged again."""
    from core.services.ingest_edi_document import ingest_edi_file
    from workers.jobs.write_edi_files import write_pending

    raw_id = int(input["rawId"])
    outcomes = await ingest_edi_file(context.run, raw_id)
    return {"sets": outcomes, "files": await write_pending(context)}
