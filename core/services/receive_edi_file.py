"""Take in a file from a trading partner: bytes and hash are kept before anything is read or answered."""

from __future__ import annotations

from core.errors import InvalidInput, NotFound
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories.edi import note_delivery, partner_by_code, store_raw


async def store_edi_file(uow: Transaction, partner_code: str, transport: str, transport_id: str, data: bytes) -> int:
    """Store the file once and this arrival of it once, and ask for its ingestion; returns the raw file's id.

    The same bytes over any transport are one file: coming again, they are only answered again.
    Raises NotFound for an unknown partner, InvalidInput for an empty file.
    """
    partner = await partner_by_code(uow, partner_code)
    if partner is None:
        raise NotFound("trading partner", partner_code)
    if not data.strip():
        raise InvalidInput("The file is empty.", path=("input", "content"))
    raw_id = await store_raw(uow, data)
    if await note_delivery(uow, raw_id, partner.id, transport, transport_id):
        uow.announce(
            Event(
                "edi",
                "RECEIVED",
                {"rawId": raw_id, "partner": partner.code, "bytes": len(data), "transport": transport},
                key=f"raw:{raw_id}",
                supplier_id=partner.supplier_id,
            )
        )
        uow.enqueue(JobRequest("ingest_edi_document", f"raw:{raw_id}", {"rawId": raw_id}, queue="bulk"))
    return raw_id
