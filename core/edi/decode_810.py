"""Turns an 810 into an `Invoice`."""

from __future__ import annotations

from decimal import Decimal

from core.edi.decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    Notes,
    check_date,
    item,
    our_line,
    quantity,
    with_pack_size,
    x12_pack_sizes,
)
from core.edi.documents import Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.invoice_documents import Invoice, InvoiceLine
from core.edi.prices import x12_price
from core.edi.x12_values import decimal


def decode_810(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[Invoice]:
    """The invoice, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    segments = document.segments
    big = next((segment for segment in segments if segment.tag == "BIG"), None)
    if big is None or not big.value(2):
        notes.error("number", "The invoice has no number", big, 2)
        return Decoded(None, tuple(notes.faults))
    blocks: list[list[Segment]] = []
    for segment in segments:
        if segment.tag in ("TDS", "CTT", "SE"):
            break
        if segment.tag == "IT1":
            blocks.append([segment])
        elif blocks:
            blocks[-1].append(segment)
    head = segments[: segments.index(blocks[0][0])] if blocks else segments
    on = check_date(big, 1, notes)
    terms = next((segment for segment in segments if segment.tag == "ITD"), None)
    invoice = Invoice(
        number=big.value(2),
        invoiced_on=on,
        po_number=big.value(4) or next((s.value(2) for s in head if s.tag == "REF" and s.value(1) == "PO"), ""),
        lines=tuple(_line(block, guide, notes) for block in blocks),
        total=_total(segments, notes),
        currency=next((segment.value(2) for segment in head if segment.tag == "CUR"), ""),
        kind=big.value(7),
        due_on=check_date(terms, 6, notes) if terms is not None else None,
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
    )
    return Decoded(None if notes.failed else invoice, tuple(notes.faults))


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes) -> InvoiceLine:
    it1 = block[0]
    pairs = it1.pairs(6, 25)
    guide = with_pack_size(guide, it1.value(3), x12_pack_sizes(block))
    return InvoiceLine(
        line_number=our_line(pairs, block, guide, it1.value(1)),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        quantity=quantity(it1, 2, it1.value(3), guide, notes, is_signed=True),
        unit=it1.value(3) or "EA",
        price=x12_price(it1, 4, it1.value(3), guide, notes),
        description=next((segment.value(5) for segment in block if segment.tag == "PID"), ""),
        segment_number=it1.number,
    )


def _total(segments: tuple[Segment, ...], notes: Notes) -> Decimal | None:
    """TDS01 has two implied decimals (type N2); a sender who writes a decimal mark means it."""
    tds = next((segment for segment in segments if segment.tag == "TDS"), None)
    text = tds.value(1) if tds is not None else ""
    number = decimal(text)
    if number is None:
        return None
    if "." in text:
        notes.warning("amount", f"The amount {text!r} has a decimal mark, which its type does not allow", tds, 1)
        return number
    return number / 100
