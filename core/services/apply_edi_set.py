"""From one transaction set to the business: check it, decode it by the partner's guide, call the service it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.edi.decode_214 import decode_214
from core.edi.decode_855 import decode_855
from core.edi.decode_856 import decode_856
from core.edi.decode_997 import decode_997
from core.edi.documents import Acknowledgement, CarrierStatus, Decoded, FunctionalAcknowledgement, ShipNotice
from core.edi.guide import PartnerGuide
from core.edi.interchanges import Fault, Level, Severity, TransactionSet
from core.edi.resolve_acknowledgement import LineOutcome, OpenLine, resolve_acknowledgement
from core.errors import DomainError, InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import Partner, answer_outbound
from core.repositories.purchase_orders import find_orders, read_lines
from core.services.apply_acknowledgement import (
    AcknowledgeLine,
    AcknowledgePurchaseOrder,
    AnsweredPart,
    apply_acknowledgement,
)
from core.services.apply_carrier_status import CarrierStatusInput, apply_carrier_status
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice

INBOUND = ("855", "856", "214", "997")


class Unusable(DomainError):
    """A document that must be looked at: `faults` say where and why; `reason` is a stable word."""

    code = "EDI_UNUSABLE"

    def __init__(self, reason: str, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a set did: `outcome` is applied, stale or repeated."""

    outcome: str
    business_key: str = ""
    purchase_order_id: int | None = None
    faults: tuple[Fault, ...] = ()
    result: dict[str, Any] = field(default_factory=dict)


async def apply_edi_set(uow: Transaction, document: TransactionSet, partner: Partner, document_id: int) -> Applied:
    """Apply a set whose syntax is sound. Raises Unusable, or the DomainError of the service: nothing is changed then."""
    guide = partner.guide
    match document.kind:
        case "855":
            answer, faults = _usable(decode_855(document, guide))
            return await _acknowledge(uow, answer, faults, partner, document_id)
        case "856":
            notice, faults = _usable(decode_856(document, guide))
            return await _ship(uow, notice, faults, partner, document, document_id)
        case "214":
            status, faults = _usable(decode_214(document, guide))
            return await _carry(uow, status, faults, partner, document_id)
        case "997":
            receipt, faults = _usable(decode_997(document))
            return await _note_receipt(uow, receipt, faults, partner)
    raise Unusable("unknown_kind", f"Documents of kind {document.kind!r} are not processed here.")


def _usable(decoded: Decoded) -> tuple[Any, tuple[Fault, ...]]:
    if decoded.document is None:
        errors = [fault for fault in decoded.faults if fault.severity is Severity.ERROR]
        raise Unusable("content", errors[0].message if errors else "The document cannot be used.", decoded.faults)
    return decoded.document, decoded.faults


def _fault(code: str, message: str, segment_number: int | None = None, segment: str = "") -> Fault:
    return Fault(Level.BUSINESS, Severity.ERROR, code, message, segment_number, segment)


async def _acknowledge(
    uow: Transaction, answer: Acknowledgement, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    head = (await find_orders(uow, [answer.po_number], partner.supplier_id, only_approved=True))[answer.po_number]
    outcomes = await _outcomes(uow, head.id, answer, partner.guide)
    lines = [
        AcknowledgeLine(
            outcome.line_number or 0,
            [AnsweredPart(p.quantity, p.date, p.is_ship_date) for p in outcome.accepted],
            [AnsweredPart(p.quantity, p.date, p.is_ship_date) for p in outcome.backordered],
            outcome.rejected,
            outcome.held,
        )
        for outcome in outcomes
        if outcome.answered
    ]
    change = await apply_acknowledgement(
        uow,
        AcknowledgePurchaseOrder(
            answer.po_number, partner.supplier_id, lines, sequence=answer.sequence, document_id=document_id
        ),
    )
    notes = [note for outcome in outcomes for note in outcome.notes]
    return Applied(change.outcome, answer.po_number, head.id, faults, {"version": change.version, "notes": notes})


async def _outcomes(
    uow: Transaction, order_id: int, answer: Acknowledgement, guide: PartnerGuide
) -> tuple[LineOutcome, ...]:
    """What the answer does to our lines, taken as an answer to the unshipped part; else as one to the whole order."""
    rows = await read_lines(uow, [order_id])
    names = {
        row["id"]: row
        for row in await uow.sql.fetch(
            """select l.id, k.code, x.vendor_code from purchase_order_line l join sku k on k.id = l.sku_id
            left join supplier_sku x on x.sku_id = l.sku_id and x.supplier_id = l.supplier_id
            where l.purchase_order_id = $1""",
            order_id,
        )
    }

    def open_lines(restated: bool) -> list[OpenLine]:
        return [
            OpenLine(
                line.line_number,
                line.parts.ordered - line.parts.cancelled if restated else line.parts.not_shipped,
                names[line.id]["code"],
                names[line.id]["vendor_code"] or "",
            )
            for line in rows.values()
        ]

    resolution = resolve_acknowledgement(open_lines(False), answer, guide)
    whole = resolve_acknowledgement(open_lines(True), answer, guide)
    if resolution.unmatched:
        raise Unusable("unmatched_line", resolution.unmatched[0], [_fault("line", x) for x in resolution.unmatched])
    chosen = tuple(
        full if first.mismatch is not None and full.mismatch is None else first
        for first, full in zip(resolution.outcomes, whole.outcomes, strict=True)
    )
    wrong = [
        _fault(
            "quantity",
            f"Line {outcome.line_number}: {outcome.mismatch}",
            outcome.line.segment_number if outcome.line is not None else None,
            "PO1" if outcome.line is not None else "",
        )
        for outcome in chosen
        if outcome.mismatch is not None
    ]
    if wrong:
        raise Unusable("mismatch", wrong[0].message, wrong)
    return chosen


async def _ship(
    uow: Transaction,
    notice: ShipNotice,
    faults: tuple[Fault, ...],
    partner: Partner,
    document: TransactionSet,
    document_id: int,
) -> Applied:
    if notice.purpose not in ("00", "05", ""):
        raise Unusable(
            "purpose", f"A ship notice with purpose {notice.purpose!r} is for review.", [_fault("purpose", "BSN01")]
        )
    if partner.supplier_id is None:
        raise Unusable("partner", f"Partner {partner.code!r} is not a supplier.")
    vendor = {
        row["vendor_code"]: row["code"]
        for row in await uow.sql.fetch(
            "select x.vendor_code, k.code from supplier_sku x join sku k on k.id = x.sku_id"
            " where x.supplier_id = $1 and x.vendor_code = any($2::text[])",
            partner.supplier_id,
            [line.vendor_code for order in notice.orders for line in order.lines if line.vendor_code],
        )
    }
    result = await apply_ship_notice(
        uow,
        ShipNoticeInput(
            partner.supplier_id,
            notice.number,
            notice.shipped_on,
            notice.expected_date,
            notice.carrier,
            notice.tracking,
            [
                (
                    order.po_number,
                    int(line.po_line_number) if _is_line_number(line.po_line_number) else None,
                    line.buyer_sku or vendor.get(line.vendor_code),
                    line.quantity,
                )
                for order in notice.orders
                for line in order.lines
            ],
            sequence=notice.sequence or document.sequence,
            document_id=document_id,
        ),
    )
    first = result.purchase_order_ids[0] if result.purchase_order_ids else None
    return Applied(result.outcome, notice.number, first, faults, {"lineIds": result.line_ids})


def _is_line_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


async def _carry(
    uow: Transaction, status: CarrierStatus, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    if not status.events:
        raise Unusable("content", "The status message reports no event.", [_fault("event", "There is no AT7.")])
    outcomes = []
    for event in status.events:
        zone = ZoneInfo("UTC")
        at = event.at.replace(tzinfo=zone) if event.at is not None and event.at.tzinfo is None else event.at
        result = await apply_carrier_status(
            uow,
            CarrierStatusInput(
                event.status_code,
                at or _stamp(status, uow.now),
                tracking_number=status.tracking,
                reference=status.reference,
                po_numbers=status.po_numbers,
                carrier=status.carrier,
                reason_code=event.reason or None,
                estimated_date=event.estimated_date,
                supplier_id=partner.supplier_id,
                document_id=document_id,
            ),
        )
        outcomes.append(result.outcome)
    outcome = "applied" if {"applied", "noted"} & set(outcomes) else outcomes[0]
    return Applied(outcome, status.tracking, None, faults, {"events": outcomes})


def _stamp(status: CarrierStatus, now: datetime) -> datetime:
    """An estimate has no moment of its own: it was made when its interchange was (first 12 digits of the sequence)."""
    digits = "".join(c for c in status.sequence if c.isdigit())
    for text, form in ((digits[:14], "%Y%m%d%H%M%S"), (digits[:12], "%Y%m%d%H%M")):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return now


async def _note_receipt(
    uow: Transaction, receipt: FunctionalAcknowledgement, faults: tuple[Fault, ...], partner: Partner
) -> Applied:
    """A positive 997 is a delivery status, never a business answer; a negative one needs somebody."""
    is_accepted = receipt.verdict in ("A", "E")
    rows = await answer_outbound(uow, partner.id, receipt.group_control, receipt.functional_id, is_accepted)
    if not rows:
        raise InvalidInput(f"We sent no {receipt.functional_id} group {receipt.group_control!r} to this partner.")
    for row in rows:
        uow.announce(
            Event(
                "edi",
                "ACKNOWLEDGED" if is_accepted else "REJECTED",
                {
                    "outboundId": row["id"],
                    "fileName": row["file_name"],
                    "error": next((e for s in receipt.sets for e in s.errors), None),
                },
                key=f"outbound:{row['id']}",
                supplier_id=partner.supplier_id,
            )
        )
    return Applied("applied", receipt.group_control, rows[0]["purchase_order_id"], faults, {"verdict": receipt.verdict})
