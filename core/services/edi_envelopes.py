"""The envelope of a document that we send: its control numbers come from locked rows, in the standard of the partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.edi.edifact_writer import EdifactEnvelope
from core.edi.x12_writer import Envelope
from core.ports import Transaction
from core.repositories.edi import Outbound, Partner, next_controls


@dataclass(frozen=True, slots=True)
class Numbered:
    """Control numbers that belong to one document for ever, drawn for either standard."""

    partner: Partner
    interchange: int
    group: int
    set: int
    at: datetime
    usage: str = "P"

    def x12(self) -> Envelope:
        partner = self.partner
        return Envelope(
            partner.our_qualifier,
            partner.our_interchange_id,
            partner.qualifier,
            partner.interchange_id,
            partner.our_group_id,
            partner.group_id,
            self.interchange,
            self.group,
            self.set,
            self.at,
            self.usage,
            partner.guide.x12_version,
        )

    def edifact(self) -> EdifactEnvelope:
        partner = self.partner
        return EdifactEnvelope(
            partner.our_qualifier,
            partner.our_interchange_id,
            partner.qualifier,
            partner.interchange_id,
            self.interchange,
            self.set,
            self.at,
            self.usage,
            directory=partner.guide.edifact_directory,
            association=partner.guide.edifact_association,
        )

    def outbound(self, kind: str, content: bytes, name: str, purchase_order_id: int | None = None) -> Outbound:
        """The row of the document. EDIFACT has no group: its interchange is what a CONTRL speaks of."""
        return Outbound(
            self.partner.id,
            kind,
            content,
            name,
            f"{self.interchange:09d}",
            str(self.group),
            f"{self.set:04d}",
            purchase_order_id,
        )


async def number_document(uow: Transaction, partner: Partner, at: datetime, usage: str = "P") -> Numbered:
    """Draw the numbers; call it only while no gate is held. Gaps are allowed, reuse is not."""
    numbers = await next_controls(uow, partner.id, ("interchange", "group", "set"))
    return Numbered(partner, *numbers, at=at.replace(tzinfo=None), usage=usage)
