"""Turns an 850 into a `PurchaseOrderDocument`: for the played supplier, and to read our own orders back."""

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
    quantity,
)
from core.edi.documents import Decoded, Party, PurchaseOrderDocument, PurchaseOrderDocumentLine
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.x12_values import day, decimal

REQUESTED = ("002", "106", "010")


def decode_850(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[PurchaseOrderDocument]:
    """The order, or None with an error where its number, date or a quantity cannot be used."""
    notes = Notes(document)
    head: list[Segment] = []
    blocks: list[list[Segment]] = []
    for segment in document.segments:
        if segment.tag in ("CTT", "SE"):
            continue  # some senders write the sum before the lines
        if segment.tag == "PO1":
            blocks.append([])
        (blocks[-1] if blocks else head).append(segment)
    beg = next((segment for segment in head if segment.tag == "BEG"), None)
    ordered_on = check_date(beg, 5, notes) if beg is not None else None
    if beg is None or not beg.value(3) or ordered_on is None:
        notes.error("po_number", "The purchase order has no number or no date", beg, 3)
        return Decoded(None, tuple(notes.faults))
    requested = best_date(dates(head), REQUESTED)
    currency = next((segment.value(2) for segment in head if segment.tag == "CUR"), "")
    lines = tuple(line for block in blocks if (line := _line(block, guide, notes)) is not None)
    order = PurchaseOrderDocument(
        number=beg.value(3),
        ordered_on=ordered_on,
        lines=lines,
        currency=currency,
        requested_date=requested[1] if requested else None,
        ship_to=party(head, "ST"),
        purpose=beg.value(1),
        order_type=beg.value(2),
    )
    return Decoded(None if notes.failed else order, tuple(notes.faults))


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes) -> PurchaseOrderDocumentLine | None:
    po1 = block[0]
    pairs = po1.pairs(6, 25)
    ordered = quantity(po1, 2, po1.value(3), guide, notes)
    if ordered is None:
        if not po1.value(2):
            notes.error("quantity", "An ordered line has no quantity", po1, 2)
        return None
    requested = best_date(dates(block), REQUESTED)
    schedule = next((day(segment.value(6)) for segment in block if segment.tag == "SCH"), None)
    return PurchaseOrderDocumentLine(
        line_number=po1.value(1),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        quantity=ordered,
        unit=po1.value(3),
        price=decimal(po1.value(4)),
        requested_date=requested[1] if requested else schedule,
        gtin=item(pairs, GTIN_ITEM),
        description=next((segment.value(5) for segment in block if segment.tag == "PID"), ""),
    )


def party(head: list[Segment], code: str) -> Party | None:
    """The party with this code in N101, with what stands below its N1."""
    start = next((at for at, segment in enumerate(head) if segment.tag == "N1" and segment.value(1) == code), None)
    if start is None:
        return None
    own: list[Segment] = []
    for segment in head[start + 1 :]:
        if segment.tag not in ("N2", "N3", "N4", "REF", "PER"):
            break
        own.append(segment)
    address = tuple(segment.value(at) for segment in own if segment.tag == "N3" for at in (1, 2) if segment.value(at))
    town = next((segment for segment in own if segment.tag == "N4"), None)
    return Party(
        name=head[start].value(2),
        code=head[start].value(4),
        address=address,
        city=town.value(1) if town else "",
        state=town.value(2) if town else "",
        postal_code=town.value(3) if town else "",
        country=town.value(4) if town else "",
    )
