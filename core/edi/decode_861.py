"""Turns an 861 into a `ReceiptAdvice`: what somebody received of a shipment, and what was wrong with it."""

from __future__ import annotations

from core.edi.decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    Notes,
    best_date,
    check_date,
    dates,
    item,
    our_line,
    quantity,
    with_pack_size,
    x12_pack_sizes,
)
from core.edi.documents import Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.warehouse_documents import ReceiptAdvice, ReceivedLine

# Element 412, each in question by its own quantity: short, damaged, rejected and the like.
_SHORT = ("02", "07")
_REJECTED = ("01", "04", "05", "08", "09", "10", "12", "13", "14")


def decode_861(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ReceiptAdvice]:
    """The advice, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    head: list[Segment] = []
    blocks: list[list[Segment]] = []
    for segment in document.segments:
        if segment.tag in ("CTT", "SE"):
            continue  # some senders write the sum before the lines
        if segment.tag == "RCD":
            blocks.append([])
        (blocks[-1] if blocks else head).append(segment)
    bra = next((segment for segment in head if segment.tag == "BRA"), None)
    if bra is None or not bra.value(1):
        notes.error("number", "The receiving advice has no number", bra, 1)
        return Decoded(None, tuple(notes.faults))
    received = best_date(dates(head), ("050", "035", "372"))
    on = received[1] if received else check_date(bra, 2, notes)
    po_number = _po_number(head)
    advice = ReceiptAdvice(
        number=bra.value(1),
        received_on=on,
        lines=tuple(_line(block, po_number, guide, notes) for block in blocks),
        shipment=_reference(head, "SI", "BM", "CN"),
        purpose=bra.value(3),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}{bra.value(5):0<6}-{document.sequence}",
    )
    return Decoded(None if notes.failed else advice, tuple(notes.faults))


def _line(block: list[Segment], po_number: str, guide: PartnerGuide, notes: Notes) -> ReceivedLine:
    rcd = block[0]
    lin = next((segment for segment in block if segment.tag == "LIN"), None)
    sn1 = next((segment for segment in block if segment.tag == "SN1"), None)
    pairs = lin.pairs(2, 31) if lin is not None else ()
    unit = rcd.value(3) or rcd.value(5) or "EA"
    guide = with_pack_size(guide, unit, x12_pack_sizes(block))
    received = quantity(rcd, 2, unit, guide, notes)
    returned = quantity(rcd, 4, rcd.value(5) or unit, guide, notes) or 0
    at_line = (sn1.value(1) if sn1 is not None else "") or (lin.value(1) if lin is not None else "") or rcd.value(1)
    conditions: list[tuple[str, int]] = []
    for at, unit_at, code_at in ((6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17), (18, 19, 20)):
        amount = quantity(rcd, at, rcd.value(unit_at) or unit, guide, notes)
        if amount is not None:
            conditions.append((rcd.value(code_at), amount))
    if received is None and not rcd.value(2) and not returned and not conditions:
        notes.error("quantity", "A received line has no quantity", rcd, 2)
    short = sum(amount for code, amount in conditions if code in _SHORT)
    refused = returned + sum(amount for code, amount in conditions if code in _REJECTED)
    expiry = best_date(dates(block), ("036", "511"))
    return ReceivedLine(
        po_number=_po_number(block) or po_number,
        line_number=our_line(pairs, block, guide, at_line),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        received=received,
        accepted=max(0, received - refused) if received is not None else None,
        rejected=refused,
        short=short,
        unit=unit,
        conditions=tuple(conditions),
        lot=item(pairs, ("LT", "B8")) or _reference(block, "LT"),
        expires_on=expiry[1] if expiry else None,
        segment_number=rcd.number,
    )


def _po_number(segments: list[Segment]) -> str:
    prf = next((segment.value(1) for segment in segments if segment.tag == "PRF"), "")
    return prf or _reference(segments, "PO")


def _reference(segments: list[Segment], *codes: str) -> str:
    known = {s.value(1): s.value(2) for s in reversed(segments) if s.tag == "REF" and s.value(2)}
    return next((known[code] for code in codes if code in known), "")
