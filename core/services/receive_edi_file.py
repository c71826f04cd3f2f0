"""Take in files from trading partners: bytes and hash are kept before anything is read or answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.errors import InvalidInput, NotFound
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories.edi import Partner, note_delivery, partner_by_code, store_raw
from core.services.retry_edi_file import retry_edi_file


class ArrivedFile(NamedTuple):
    """A file as it came; `transport_id` names this arrival of it."""

    partner: str
    transport: str
    transport_id: str
    data: bytes


async def store_edi_file(uow: Transaction, partner_code: str, transport: str, transport_id: str, data: bytes) -> int:
    """Store the file once and this arrival of it once, and ask for its ingestion; returns the raw file's id.

    The same bytes over any transport are one file: coming again, they are only answered again, and what was set aside
    of them is tried again.
    Raises NotFound for an unknown partner, InvalidInput for an empty file.
    """
    return (await store_edi_files(uow, [ArrivedFile(partner_code, transport, transport_id, data)]))[0]


async def store_edi_files(uow: Transaction, files: Sequence[ArrivedFile]) -> list[int]:
    """Store several files; they are ingested by one job. Returns their ids; nothing is kept when one is refused."""
    partners: dict[str, Partner] = {}
    stored: list[int] = []
    news: list[int] = []
    for file in files:
        partner = partners.get(file.partner) or await partner_by_code(uow, file.partner)
        if partner is None:
            raise NotFound("trading partner", file.partner)
        partners[file.partner] = partner
        if not file.data.strip():
            raise InvalidInput("The file is empty.", path=("input", "content"))
        raw_id = await store_raw(uow, file.data)
        stored.append(raw_id)
        if not await note_delivery(uow, raw_id, partner.id, file.transport, file.transport_id):
            continue
        facts = {
            "rawId": raw_id,
            "partner": partner.code,
            "bytes": len(file.data),
            "transport": file.transport,
        }
        uow.announce(Event("edi", "RECEIVED", facts, key=f"raw:{raw_id}", supplier_id=partner.supplier_id))
        await retry_edi_file(uow, raw_id, partner.id)
        news.append(raw_id)
    if len(news) == 1:
        request_ingestion(uow, news[0])
    elif news:
        name = f"raws:{news[0]}-{news[-1]}"
        uow.enqueue(JobRequest("ingest_edi_document", name, {"rawIds": list(dict.fromkeys(news))}, queue="bulk"))
    return stored


def request_ingestion(uow: Transaction, raw_id: int) -> None:
    """Ask for one file to be read and applied, from wherever it stands."""
    uow.enqueue(JobRequest("ingest_edi_document", f"raw:{raw_id}", {"rawId": raw_id}, queue="bulk"))
