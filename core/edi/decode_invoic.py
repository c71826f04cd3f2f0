"""Turns an INVOIC into an `Invoice`."""

from __future__ import annotations

from decimal import Decimal

from core.edi.decoding import Notes, item, with_pack_size
from core.edi.documents import Decoded
from core.edi.edifact_decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    description,
    document_day,
    first,
    items,
    note_unknown_quantities,
    order_line,
    pack_sizes,
    parts,
    quantity,
    reference,
)
from core.edi.edifact_values import number
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.invoice_documents import Invoice, InvoiceLine
from core.edi.prices import edifact_price

# List 5025: amount due, invoice amount, message total.
_TOTALS = ("9", "77", "39", "86")


def decode_invoic(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[Invoice]:
    """The invoice, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    cut = parts(document)
    bgm = first(cut.head, "BGM")
    if bgm is None or not bgm.value(2):
        notes.error("number", "The invoice has no number", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    on = document_day(cut.head, "137", "3")
    named = list(dict.fromkeys(found for block in cut.blocks if (found := reference(block, "ON"))))
    cux = first(cut.head, "CUX")
    invoice = Invoice(
        number=bgm.value(2),
        invoiced_on=on,
        po_number=reference(cut.head, "ON") or (named[0] if len(named) == 1 else ""),
        lines=tuple(_line(block, guide, notes) for block in cut.blocks),
        total=_total(document),
        currency=cux.value(1, 2) if cux is not None else "",
        kind=bgm.value(1),
        due_on=document_day(cut.head, "13", "140"),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
    )
    return Decoded(None if notes.failed else invoice, tuple(notes.faults))


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes) -> InvoiceLine:
    pairs = items(block)
    note_unknown_quantities(block, notes)
    qty = first(block, "QTY", "47") or first(block, "QTY", "46") or first(block, "QTY", "12")
    amount = next((s for code in ("203", "38") if (s := first(block, "MOA", code)) is not None), None)
    unit = (qty.value(1, 3) if qty is not None else "") or "EA"
    guide = with_pack_size(guide, unit, pack_sizes(block))
    return InvoiceLine(
        line_number=order_line(block),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        quantity=quantity(qty, guide, notes, is_signed=True) if qty is not None else None,
        unit=unit,
        price=edifact_price(block, unit, guide, notes),
        amount=number(amount.value(1, 2)) if amount is not None else None,
        description=description(block),
        segment_number=block[0].number,
    )


def _total(document: TransactionSet) -> Decimal | None:
    """The amount due of the summary, which stands behind UNS."""
    at = next((place for place, s in enumerate(document.segments) if s.tag == "UNS" and s.value(1) == "S"), 0)
    for code in _TOTALS:
        moa = first(document.segments[at:], "MOA", code)
        if moa is not None:
            return number(moa.value(1, 2))
    return None
