"""A file that comes again tries again what could not be applied of it: its sender may know that the cause is gone."""

from __future__ import annotations

from core.domain.edi_states import EdiDelivery, QuarantineState
from core.events import Event
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi_files import set_aside_before
from core.repositories.edi_guides import active_version


async def retry_edi_file(uow: Transaction, raw_id: int, partner_id: int) -> int:
    """Put documents of the file that were set aside back in line, under the guide in force; how many.

    Not those that are wrong as such, whose control numbers another document has, or that a person dropped.
    """
    found = await set_aside_before(uow.sql, raw_id, partner_id)
    for row in found:
        version = await active_version(uow, row["partner_id"])
        await edi.close_document(
            uow,
            row["id"],
            delivery=str(EdiDelivery.RECEIVED),
            quarantine_state=str(QuarantineState.REPLAYED),
            guide_version=version,
        )
        facts = {"documentId": row["id"], "rawId": raw_id, "guideVersion": version, "cameAgain": True}
        uow.announce(Event("edi", "REPLAYED", facts, key=f"document:{row['id']}"))
        before = {"quarantineState": row["quarantine_state"]}
        uow.audit("ediDocumentReplay", f"edi_document:{row['id']}", before, facts)
    return len(found)
