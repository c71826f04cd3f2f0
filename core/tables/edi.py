"""Trading partners and their documents: raw bytes, what they were, what was applied, what we answered."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from core.domain.edi_states import (
    EdiAcknowledgement,
    EdiDelivery,
    EdiOutboundState,
    EdiValidation,
    GuideState,
    PartnerAlertKind,
    QuarantineState,
)
from core.domain.supplier_changes import ChangeSource, ChangeState
from core.tables import columns as c


class Partner(c.Row, table=True):
    """Who exchanges documents with us, under which identifiers."""

    __table_args__ = (
        c.unique("code"),
        c.index("partner_interchange_idx", "qualifier", "interchange_id"),
        c.index("partner_supplier_idx", "supplier_id"),
    )

    id: int | None = c.identity()
    code: str = c.text()
    supplier_id: int | None = c.ref("supplier.id", null=True)
    qualifier: str = c.text()
    interchange_id: str = c.text()
    our_qualifier: str = c.text()
    our_interchange_id: str = c.text()
    group_id: str | None = c.text(null=True)
    our_group_id: str | None = c.text(null=True)
    is_active: bool = c.flag(True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class PartnerGuide(c.Row, table=True):
    """One version of a partner's rules, as data."""

    __table_args__ = (c.unique("partner_id", "version"), c.one_of("state", GuideState))

    id: int | None = c.identity()
    partner_id: int = c.ref("partner.id")
    version: int = c.integer()
    guide: dict[str, Any] = c.json()
    active_from: datetime | None = c.instant(null=True)
    state: str = c.text(default="draft")
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class EdiRaw(c.Row, table=True):
    """A file as it came, never changed; its bytes may be erased for good, its hash stays."""

    __table_args__ = (c.unique("sha256"), c.index("edi_raw_unerased_idx", "received_at", where="erased_at is null"))

    id: int | None = c.identity()
    sha256: bytes = c.binary()
    content: bytes = c.binary(name="bytes")
    received_at: datetime = c.instant()
    erased_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()


class PartnerWatch(c.Row, table=True):
    """What the envelopes of a partner looked like last: a change of it is an alert."""

    partner_id: int = c.key(references="partner.id")
    last_document_id: int = c.bigint(default=0)
    last_control: int | None = c.bigint(null=True)
    marks: dict[str, Any] = c.json(default="{}")
    rhythm: list[int] = c.json(default="[]")
    seen_at: datetime = c.instant()
    created_at: datetime = c.created()


class PartnerAlert(c.Row, table=True):
    """Something strange in the traffic of a partner; it is open until it mends itself or somebody has looked."""

    __table_args__ = (
        c.one_of("kind", PartnerAlertKind),
        c.index("partner_alert_open_idx", "partner_id", "kind", where="cleared_at is null"),
    )

    id: int | None = c.identity()
    partner_id: int = c.ref("partner.id")
    supplier_id: int | None = c.bigint(null=True)
    kind: str = c.text()
    message: str = c.text()
    facts: dict[str, Any] = c.json(default="{}")
    raised_at: datetime = c.instant()
    cleared_at: datetime | None = c.instant(null=True)
    cleared_by: str | None = c.text(null=True)
    created_at: datetime = c.created()


class EdiDelivery_(c.Row, table=True):
    """One arrival of a raw file over a transport; the same file may come often."""

    __tablename__ = "edi_delivery"  # type: ignore[assignment]
    __table_args__ = (c.unique("transport", "transport_id"), c.index("edi_delivery_raw_idx", "raw_id"))

    id: int | None = c.identity()
    raw_id: int = c.ref("edi_raw.id")
    transport: str = c.text()
    transport_id: str = c.text()
    partner_id: int | None = c.ref("partner.id", null=True)
    created_at: datetime = c.created()


class EdiDocument(c.Row, table=True):
    """One transaction set: three separate statuses, and its place in quarantine when it could not be applied."""

    __table_args__ = (
        c.one_of("validation", EdiValidation),
        c.one_of("delivery", EdiDelivery),
        c.one_of("acknowledgement", EdiAcknowledgement),
        c.one_of("quarantine_state", QuarantineState),
        c.index("edi_document_raw_idx", "raw_id", "position"),
        c.index("edi_document_supplier_idx", "supplier_id", "id"),
        c.index("edi_document_business_idx", "partner_id", "kind", "business_key"),
        c.index("edi_document_purchase_order_idx", "purchase_order_id"),
        c.index("edi_document_quarantine_idx", "quarantine_state", "id", where="quarantine_state is not null"),
        c.index("edi_document_unapplied_idx", "id", where="delivery = 'received'"),
        c.index("edi_document_waiting_idx", "partner_id", "identity", where="delivery in ('received', 'quarantined')"),
    )

    id: int | None = c.identity()
    raw_id: int = c.ref("edi_raw.id")
    group_id: int | None = c.ref("edi_group.id", null=True)
    position: int = c.integer(default=0)
    partner_id: int | None = c.ref("partner.id", null=True)
    supplier_id: int | None = c.bigint(null=True)
    purchase_order_id: int | None = c.ref("purchase_order.id", null=True)
    standard: str = c.text()
    kind: str = c.text()
    usage: str = c.text(default="P")
    identity: str = c.text()
    business_key: str | None = c.text(null=True)
    validation: str = c.text(default="pending")
    delivery: str = c.text(default="received")
    acknowledgement: str = c.text(default="pending")
    guide_version: int | None = c.integer(null=True)
    faults: list[dict[str, Any]] = c.json(default="[]")
    result: dict[str, Any] | None = c.json(null=True)
    quarantine_state: str | None = c.text(null=True)
    quarantine_reason: str | None = c.text(null=True)
    assigned_to: str | None = c.text(null=True)
    applied_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class EdiGroup(c.Row, table=True):
    """A functional group of a received file; answered exactly once, when all its sets have a result."""

    __table_args__ = (
        c.unique("raw_id", "position"),
        c.index("edi_group_unanswered_idx", "id", where="acknowledged_at is null"),
    )

    id: int | None = c.identity()
    raw_id: int = c.ref("edi_raw.id")
    position: int = c.integer()
    partner_id: int | None = c.ref("partner.id", null=True)
    group_control: str = c.text()
    functional_id: str = c.text()
    sets: int = c.integer()
    acknowledged_at: datetime | None = c.instant(null=True)
    acknowledgement_raw: bytes | None = c.binary(null=True)
    created_at: datetime = c.created()


class EdiIdentity(c.Row, table=True):
    """The duplicate ledger: same identity and hash is a repeat, same identity and another hash is quarantined."""

    partner_id: int = c.key(references="partner.id")
    usage: str = c.key(sa.Text)
    level: str = c.key(sa.Text)
    identity: str = c.key(sa.Text)
    content_sha256: bytes = c.key(sa.LargeBinary)
    first_document_id: int | None = c.bigint(null=True)
    seen_at: datetime = c.instant()
    created_at: datetime = c.created()


class EdiCounter(c.Row, table=True):
    """The next outbound control number; locked only in transactions that hold no gate."""

    partner_id: int = c.key(references="partner.id")
    direction: str = c.key(sa.Text)
    level: str = c.key(sa.Text)
    next: int = c.bigint(default=1)
    created_at: datetime = c.created()


class EdiOutbound(c.Row, table=True):
    """A document we send, with the times its answers are due."""

    __table_args__ = (
        c.unique("file_name"),
        c.one_of("state", EdiOutboundState),
        c.index("edi_outbound_pending_idx", "id", where="state = 'pending'"),
        c.index("edi_outbound_order_idx", "purchase_order_id"),
        c.index("edi_outbound_control_idx", "partner_id", "group_control"),
        c.index("edi_outbound_interchange_idx", "partner_id", "interchange_control"),
        c.index("edi_outbound_release_idx", "reference", where="kind = '940'"),
    )

    id: int | None = c.identity()
    partner_id: int = c.ref("partner.id")
    kind: str = c.text()
    purchase_order_id: int | None = c.ref("purchase_order.id", null=True)
    interchange_control: str | None = c.text(null=True)
    group_control: str | None = c.text(null=True)
    set_control: str | None = c.text(null=True)
    reference: str = c.text(default="")
    error: str | None = c.text(null=True)
    content: bytes = c.binary(name="bytes")
    file_name: str = c.text()
    state: str = c.text(default="pending")
    due: dict[str, Any] | None = c.json(null=True)
    created_at: datetime = c.created()
    written_at: datetime | None = c.instant(null=True)


class GuideSample(c.Row, table=True):
    """A message of a partner that every version of its guide must read as `expected` says, before it is activated."""

    __table_args__ = (c.unique("partner_id", "name"),)

    id: int | None = c.identity()
    partner_id: int = c.ref("partner.id")
    name: str = c.text()
    content: bytes = c.binary(name="bytes")
    expected: dict[str, Any] | None = c.json(null=True)
    created_at: datetime = c.created()


class EdiStockLine(c.Row, table=True):
    """A SKU of a stock report that waits for its chunk; gone once it is applied."""

    document_id: int = c.key(references="edi_document.id")
    sku_id: int = c.key(references="sku.id")
    supplier_id: int = c.ref("supplier.id")
    as_of: datetime = c.instant()
    available: int = c.integer()
    next_date: date | None = c.day(null=True)
    next_quantity: int | None = c.integer(null=True)
    created_at: datetime = c.created()


class SupplierInvoice(c.Row, table=True):
    """What a supplier asks to be paid for, beside what we ordered and got; `findings` says what does not agree."""

    __table_args__ = (
        c.unique("supplier_id", "number"),
        c.index("supplier_invoice_order_idx", "purchase_order_id"),
    )

    id: int | None = c.identity()
    supplier_id: int = c.ref("supplier.id")
    number: str = c.text()
    purchase_order_id: int = c.ref("purchase_order.id")
    invoiced_on: date | None = c.day(null=True)
    total: str = c.text(default="")
    currency: str = c.text(default="")
    lines: list[dict[str, Any]] = c.json(default="[]")
    findings: list[dict[str, Any]] = c.json(default="[]")
    edi_document_id: int | None = c.ref("edi_document.id", null=True)
    created_at: datetime = c.created()


class SupplierChange(c.Row, table=True):
    """A change of a purchase order that its supplier asks for: it moves nothing until a rule or a person accepts it."""

    __table_args__ = (
        c.one_of("state", ChangeState),
        c.one_of("source", ChangeSource),
        c.check("(state in ('ACCEPTED', 'REJECTED')) = (decided_by is not null)", "decided"),
        c.index("supplier_change_order_idx", "purchase_order_id", "id"),
        c.index("supplier_change_open_idx", "supplier_id", "id", where="state = 'PROPOSED'"),
    )

    id: int | None = c.identity()
    purchase_order_id: int = c.ref("purchase_order.id")
    supplier_id: int = c.ref("supplier.id")
    source: str = c.text()
    state: str = c.text(default="PROPOSED")
    lines: list[dict[str, Any]] = c.json()
    note: str = c.text(default="")
    sequence: str = c.text(default="")
    edi_document_id: int | None = c.ref("edi_document.id", null=True)
    reason: str | None = c.text(null=True)
    decided_by: str | None = c.text(null=True)
    decided_at: datetime | None = c.instant(null=True)
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
