"""Tell the sender of an interchange that it arrived, where it asked for that (ISA14): one TA1, never for a TA1."""

from __future__ import annotations

from dataclasses import replace

from core.edi.interchanges import Interchange
from core.edi.write_ta1 import write_ta1
from core.ports import Transaction
from core.repositories import edi
from core.repositories.edi import Partner
from core.services.edi_envelopes import number_document


async def answer_interchange(
    uow: Transaction, partner: Partner, interchange: Interchange, name: str, deliveries: int
) -> bytes | None:
    """The TA1 that was queued; one that came again gets the stored bytes again, once for each arrival."""
    if interchange.standard != "X12" or not interchange.acknowledgement_requested:
        return None
    if interchange.answers and not interchange.groups:
        return None
    stored = await edi.outbound_bytes(uow, f"{name}.edi")
    if stored is not None:
        if deliveries < 2:
            return None
        again = edi.Outbound(partner.id, "TA1", stored, f"{name}-{deliveries}.edi", "", "", "")
        return stored if await edi.add_outbound(uow, again) is not None else None
    numbered = await number_document(uow, partner, uow.now, "T" if interchange.is_test else "P")
    content = write_ta1(interchange, numbered.x12())
    # It has no group and no set, so none of ours is spoken of by an answer to them.
    row = replace(numbered.outbound("TA1", content, f"{name}.edi"), group_control="", set_control="")
    await edi.add_outbound(uow, row)
    return content
