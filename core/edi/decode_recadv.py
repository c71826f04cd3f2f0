"""Turns a RECADV into a `ReceiptAdvice`: what somebody received of a shipment, and what they refused."""

from __future__ import annotations

from core.edi.decoding import Notes, best_date, item, with_pack_size
from core.edi.documents import Decoded
from core.edi.edifact_decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    PACK_SIZE,
    VENDOR_ITEM,
    document_day,
    first,
    items,
    order_line,
    pack_sizes,
    parts,
    purpose_of,
    quantity,
    reference,
    x12_dates,
)
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.warehouse_documents import ReceiptAdvice, ReceivedLine

# List 6063: received, accepted, refused, damaged, missing; 12 and 21 repeat what was sent and ordered.
_RECEIVED, _ACCEPTED, _REFUSED, _DAMAGED, _SHORT = "48", "194", ("195", "196"), "124", "119"
_KNOWN = (_RECEIVED, _ACCEPTED, *_REFUSED, _DAMAGED, _SHORT, "12", "21", "59", "52", "192")


def decode_recadv(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ReceiptAdvice]:
    """The advice, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    cut = parts(document)
    bgm = first(cut.head, "BGM")
    if bgm is None or not bgm.value(2):
        notes.error("number", "The receiving advice has no number", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    on = document_day(cut.head, "50", "137")
    po_number = reference(cut.head, "ON")
    advice = ReceiptAdvice(
        number=bgm.value(2),
        received_on=on,
        lines=tuple(_line(block, po_number, guide, notes) for block in cut.blocks),
        shipment=reference(cut.head, "AAK", "DQ"),
        purpose=purpose_of(bgm),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
    )
    return Decoded(None if notes.failed else advice, tuple(notes.faults))


def _line(block: list[Segment], po_number: str, guide: PartnerGuide, notes: Notes) -> ReceivedLine:
    amounts: dict[str, int] = {}
    unit, sizes = "EA", pack_sizes(block)
    for segment in block:
        if segment.tag != "QTY" or segment.value(1) == PACK_SIZE:
            continue
        code = segment.value(1)
        amount = quantity(segment, with_pack_size(guide, segment.value(1, 3), sizes), notes)
        unit = segment.value(1, 3) or unit
        if code not in _KNOWN:
            notes.warning("quantity_kind", f"The kind of quantity {code!r} is not known", segment, 1)
        if amount is not None:
            amounts[code] = amounts.get(code, 0) + amount
    refused = tuple((code, amounts[code]) for code in (*_REFUSED, _DAMAGED, _SHORT) if code in amounts)
    received = amounts.get(_RECEIVED)
    accepted = amounts.get(_ACCEPTED)
    rejected = sum(amounts.get(code, 0) for code in _REFUSED) or amounts.get(_DAMAGED, 0)
    if received is None and accepted is None:
        notes.error("quantity", "A received line has no received quantity (QTY 48 or 194)", block[0])
    pairs = items(block)
    expiry = best_date(x12_dates(block), ("036", "511"))
    return ReceivedLine(
        po_number=reference(block, "ON") or po_number,
        line_number=order_line(block),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        received=received if received is not None else (accepted or 0) + rejected,
        accepted=accepted,
        rejected=rejected,
        short=amounts.get(_SHORT, 0),
        unit=unit,
        conditions=refused,
        lot=item(pairs, ("NB",)) or reference(block, "BT"),
        expires_on=expiry[1] if expiry else None,
        segment_number=block[0].number,
    )
