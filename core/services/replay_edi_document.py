"""Let a document that was set aside be applied again, after its cause was mended."""

from __future__ import annotations

from core.domain.edi_states import EdiDelivery, QuarantineState
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories import edi


async def replay_edi_document(uow: Transaction, document_id: int) -> int:
    """Put a quarantined document back in line and ask for its file to be ingested; returns the raw file's id.

    Only this document is applied: the file's others keep their results. Raises NotFound, IllegalTransition for a
    document that is not in quarantine, and InvalidInput for a file in which no document could be read.
    """
    row = await uow.sql.fetchrow(
        "select raw_id, group_id, delivery, quarantine_state from edi_document where id = $1 for no key update",
        document_id,
    )
    if row is None:
        raise NotFound("document", str(document_id), path=("input", "id"))
    if row["delivery"] != EdiDelivery.QUARANTINED:
        raise IllegalTransition("document", str(document_id), row["delivery"], str(QuarantineState.REPLAYED))
    if row["group_id"] is None:
        raise InvalidInput("No document could be read in this file; ask for a new one.", path=("input", "id"))
    await edi.close_document(
        uow, document_id, delivery=str(EdiDelivery.RECEIVED), quarantine_state=str(QuarantineState.REPLAYED)
    )
    facts = {"documentId": document_id, "rawId": row["raw_id"]}
    uow.announce(Event("edi", "REPLAYED", facts, key=f"document:{document_id}"))
    uow.audit("ediDocumentReplay", f"edi_document:{document_id}", {"quarantineState": row["quarantine_state"]}, facts)
    uow.enqueue(JobRequest("ingest_edi_document", f"raw:{row['raw_id']}", {"rawId": row["raw_id"]}, queue="bulk"))
    return row["raw_id"]
