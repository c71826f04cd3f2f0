"""Documents received from trading partners."""

from __future__ import annotations

import json
from datetime import datetime

import strawberry
from strawberry import Info, field

from api.schema import enums
from api.schema.node import Node, Row, build, register
from api.schema.sku import Supplier
from core.domain.edi_states import reason_of


@register
@strawberry.type(description="A fault found in a document, with its place.")
class EdiFault:
    """One fault."""

    segment: str | None = field(description="Segment it was found in.", default=None)
    position: int | None = field(description="Number of that segment in the document.", default=None)
    element: str | None = field(description="Element it was found in.", default=None)
    code: str = field(description="Stable code of the fault.")
    value: str | None = field(description="The faulty value, as it was sent.", default=None)
    is_error: bool = field(
        description="Whether it stops the document under every guide; else it is only noted.", default=True
    )
    reason: str = field(description="What is wrong.")


@register
@strawberry.type(description="One document of a trading partner.")
class EdiDocument(Node):
    """One received document."""

    key: strawberry.Private[int]
    row: strawberry.Private[Row]
    supplier_id: strawberry.Private[int | None] = None
    partner: str | None = field(description="Code of the trading partner.", default=None)
    standard: str = field(description="X12 or EDIFACT.")
    kind: str = field(description="Kind of document, such as 855.")
    identity: str | None = field(description="Its control numbers and own number.", default=None)
    business_key: str | None = field(description="What it is about, such as a purchase order number.", default=None)
    validation: enums.EdiValidation = field(description="Is it well formed.")
    delivery: enums.EdiDelivery = field(description="Did it reach the business.")
    acknowledgement: enums.EdiAcknowledgement = field(description="What was answered.")
    quarantine_state: enums.QuarantineState | None = field(description="What is done about it.", default=None)
    assigned_to: str | None = field(description="Who looks after it.", default=None)
    guide_version: int | None = field(description="Version of the partner's guide it was read under.", default=None)
    received_at: datetime = field(description="When it came.")
    applied_at: datetime | None = field(description="When it was applied.", default=None)

    @field(description="Who sent it.")
    async def supplier(self, info: Info) -> Supplier | None:
        if self.supplier_id is None:
            return None
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))

    @field(description="What is wrong with it.")
    def faults(self) -> list[EdiFault]:
        return faults_of(self.row["faults"] or [])

    @field(description="Why it was set aside, now or once; `reason` says what holds now.")
    def quarantine_reason(self) -> str | None:
        return self.row["quarantine_reason"]

    @field(
        description="Why it has no effect as it stands: set aside, a test, out of date, a repetition, or dropped; null when it has."
    )
    def reason(self) -> str | None:
        note = (self.row["result"] or {}).get("note")
        return reason_of(self.row["delivery"], self.row["quarantine_state"], self.row["quarantine_reason"], note)

    @field(description="What it did, as JSON text.")
    def result(self) -> str | None:
        return None if self.row["result"] is None else json.dumps(self.row["result"])


def faults_of(rows: list[Row]) -> list[EdiFault]:
    """Faults as they are stored, for callers."""
    return [
        EdiFault(
            segment=_text(fault.get("segment")),
            position=fault.get("segmentNumber"),
            element=_text(fault.get("element")),
            code=str(fault.get("code") or "UNKNOWN"),
            value=_text(fault.get("value") or None),
            is_error=fault.get("severity") != "warning",
            reason=str(fault.get("message") or ""),
        )
        for fault in rows
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@strawberry.input(description="Which documents.")
class EdiDocumentFilter:
    """All given conditions must hold."""

    partner: str | None = field(default=None, description="From the partner with this code.")
    kind: list[str] | None = field(default=None, description="One of these kinds, such as 855.")
    delivery: list[enums.EdiDelivery] | None = field(default=None, description="One of these outcomes.")
    quarantine_state: list[enums.QuarantineState] | None = field(default=None, description="In one of these states.")
    business_key: str | None = field(default=None, description="About this business key.")
    received_from: datetime | None = field(default=None, description="Received at or after.")
    received_before: datetime | None = field(default=None, description="Received before.")
