"""What people do about a document that was set aside, beside replaying it: take it on, say that its cause is mended, drop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.edi_states import EdiDelivery, QuarantineState
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories import edi

SETTLED = (QuarantineState.ASSIGNED, QuarantineState.FIXED, QuarantineState.IGNORED)


@dataclass(frozen=True, slots=True)
class SettleQuarantine:
    """`person` is who takes it on (ASSIGNED); `note` says what was mended, or why it is dropped."""

    document_id: int
    state: QuarantineState
    person: str | None = None
    note: str | None = None


async def settle_quarantine(uow: Transaction, request: SettleQuarantine) -> None:
    """ASSIGNED to a person, FIXED (to be replayed) or IGNORED for good; its bytes, faults and guide version are kept.

    Raises NotFound, IllegalTransition for a document that is not in quarantine, InvalidInput without what is needed.
    """
    if request.state not in SETTLED:
        raise InvalidInput(f"A document is not made {request.state} by hand.", path=("input", "state"))
    if request.state is QuarantineState.ASSIGNED and not request.person:
        raise InvalidInput("Name who takes the document on.", path=("input", "person"))
    if request.state is QuarantineState.IGNORED and not request.note:
        raise InvalidInput("Say why the document is dropped.", path=("input", "note"))
    row = await quarantined(uow, request.document_id, request.state)
    values: dict[str, Any] = {"quarantine_state": str(request.state)}
    if request.person:
        values["assigned_to"] = request.person
    if request.state is QuarantineState.IGNORED:
        values |= {"delivery": str(EdiDelivery.IGNORED), "result": {"note": request.note}}
    await edi.close_document(uow, request.document_id, **values)
    facts = {"documentId": request.document_id, "state": str(request.state)}
    uow.announce(Event("edi", request.state.upper(), facts, key=f"document:{request.document_id}"))
    uow.audit(
        "ediDocumentSettle",
        f"edi_document:{request.document_id}",
        {"quarantineState": row["quarantine_state"]},
        {"quarantineState": str(request.state), "note": request.note},
    )


async def quarantined(uow: Transaction, document_id: int, wanted: QuarantineState) -> Any:
    """The document's row, locked. Raises NotFound, IllegalTransition for one that is not in quarantine."""
    row = await uow.sql.fetchrow("select * from edi_document where id = $1 for no key update", document_id)
    if row is None:
        raise NotFound("document", str(document_id), path=("input", "id"))
    if row["delivery"] != EdiDelivery.QUARANTINED:
        raise IllegalTransition("document", str(document_id), row["delivery"], str(wanted))
    return row
