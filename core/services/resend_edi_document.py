"""Send a document of ours again as it is: the same control numbers and bytes, under the same name."""

from __future__ import annotations

from core.domain.edi_states import EdiOutboundState
from core.errors import IllegalTransition, NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.edi_replies import outbound_by_name


async def resend_edi_file(uow: Transaction, file_name: str) -> str:
    """The same for the document that we sent under this name."""
    return await resend_edi_document(uow, await outbound_by_name(uow, file_name))


async def resend_edi_document(uow: Transaction, outbound_id: int) -> str:
    """For a send whose fate is not known; returns the file's name.

    Raises NotFound, IllegalTransition for one that was acknowledged or refused: a refused one is mended and sent anew.
    """
    row = await uow.sql.fetchrow(
        "select id, state, file_name from edi_outbound where id = $1 for no key update", outbound_id
    )
    if row is None:
        raise NotFound("document", str(outbound_id), path=("input", "id"))
    if row["state"] in (EdiOutboundState.ACKNOWLEDGED, EdiOutboundState.REJECTED):
        raise IllegalTransition("document", row["file_name"], row["state"], str(EdiOutboundState.PENDING))
    await uow.sql.execute(
        "update edi_outbound set state = $2 where id = $1", outbound_id, str(EdiOutboundState.PENDING)
    )
    facts = {"outboundId": outbound_id, "fileName": row["file_name"]}
    uow.announce(Event("edi", "QUEUED", facts, key=f"outbound:{outbound_id}"))
    uow.audit("ediDocumentResend", f"edi_outbound:{outbound_id}", {"state": row["state"]}, facts)
    return row["file_name"]
