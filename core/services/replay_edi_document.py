"""Let a document that was set aside be applied again, after its cause was mended."""

from __future__ import annotations

from core.domain.edi_states import EdiDelivery, QuarantineState
from core.errors import InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi_guides import active_version, read_guide
from core.services.receive_edi_file import request_ingestion
from core.services.settle_quarantine import quarantined


async def replay_edi_document(uow: Transaction, document_id: int, guide_version: int | None = None) -> int:
    """Put a quarantined document back in line and ask for its file to be ingested; returns the raw file's id.

    It is read under `guide_version`, or the one in force. Only this document is applied, with those that stand or fall
    with it by the partner's guide: the file's others keep their results. Raises NotFound, IllegalTransition for a
    document that is not in quarantine, and InvalidInput for a file in which no document could be read.
    """
    row = await quarantined(uow, document_id, QuarantineState.REPLAYED)
    if row["group_id"] is None:
        raise InvalidInput("No document could be read in this file; ask for a new one.", path=("input", "id"))
    if guide_version is not None and row["partner_id"] is None:
        raise InvalidInput("The document has no partner, so no guide.", path=("input", "guideVersion"))
    if guide_version is not None:
        await read_guide(uow, row["partner_id"], guide_version)
    elif row["partner_id"] is not None:
        guide_version = await active_version(uow, row["partner_id"])
    await edi.close_document(
        uow,
        document_id,
        delivery=str(EdiDelivery.RECEIVED),
        quarantine_state=str(QuarantineState.REPLAYED),
        guide_version=guide_version,
    )
    facts = {"documentId": document_id, "rawId": row["raw_id"], "guideVersion": guide_version}
    uow.announce(Event("edi", "REPLAYED", facts, key=f"document:{document_id}"))
    uow.audit("ediDocumentReplay", f"edi_document:{document_id}", {"quarantineState": row["quarantine_state"]}, facts)
    request_ingestion(uow, row["raw_id"])
    return row["raw_id"]
