"""Turns ORDERS and ORDCHG into the documents of an order and its change: to read our own back, and for partners who test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import takewhile

from core.edi.change_documents import ChangedLine, PurchaseOrderChange
from core.edi.decoding import Notes, item
from core.edi.documents import Decoded, PurchaseOrderDocument, PurchaseOrderDocumentLine
from core.edi.edifact_decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    Parts,
    description,
    document_day,
    first,
    items,
    note_unknown_quantities,
    parts,
    party,
    purpose_of,
    quantity,
    reference,
)
from core.edi.edifact_values import dtm_day, number
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet

_ORDER_TYPES = {"220": "SA", "221": "BK", "224": "RO", "226": "RL", "230": "SA"}
# LIN 1229 to element 670; a plain change has no finer code in EDIFACT.
CHANGES = {"1": "AI", "2": "DI", "3": "CA", "4": "NC", "5": "NC"}
_REQUESTED = ("2", "64", "63", "10", "69")


def decode_orders(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[PurchaseOrderDocument]:
    """The order, or None with an error where its number or a quantity cannot be used, with a warning without a date."""
    notes = Notes(document)
    cut = parts(document)
    bgm = first(cut.head, "BGM")
    ordered_on = document_day(cut.head, "137", "4")
    if bgm is None or not bgm.value(2):
        notes.error("po_number", "The purchase order has no number", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    if ordered_on is None:
        # Well formed, but an order without its day (DTM 137) is of no use to us.
        notes.warning("date", "The purchase order does not say of which day it is", bgm)
        return Decoded(None, tuple(notes.faults))
    lines = tuple(line for block in cut.blocks if (line := _line(block, guide, notes)) is not None)
    order = PurchaseOrderDocument(
        number=bgm.value(2),
        ordered_on=ordered_on,
        lines=lines,
        currency=_currency(cut),
        requested_date=document_day(cut.head, *_REQUESTED),
        ship_to=party(cut.head, "DP", "ST"),
        purpose=purpose_of(bgm),
        order_type=_ORDER_TYPES.get(bgm.value(1), bgm.value(1)),
    )
    return Decoded(None if notes.failed else order, tuple(notes.faults))


def decode_ordchg(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[PurchaseOrderChange]:
    """The change, or None with an error where it names no order, has no date, or a quantity cannot be used."""
    notes = Notes(document)
    cut = parts(document)
    bgm = first(cut.head, "BGM")
    changed_on = document_day(cut.head, "137", "4")
    order = reference(cut.head, "ON")
    if bgm is None or not order or changed_on is None:
        notes.error("po_number", "The order change names no purchase order (RFF ON) or has no date", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    change = PurchaseOrderChange(
        number=order,
        ordered_on=_order_day(cut.head),
        changed_on=changed_on,
        lines=tuple(_changed(block, guide, notes) for block in cut.blocks),
        sequence_number=bgm.value(2),
        purpose=purpose_of(bgm),
        order_type="SA",
        currency=_currency(cut),
        requested_date=document_day(cut.head, *_REQUESTED),
        ship_to=party(cut.head, "DP", "ST"),
    )
    return Decoded(None if notes.failed else change, tuple(notes.faults))


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes) -> PurchaseOrderDocumentLine | None:
    pairs = items(block)
    note_unknown_quantities(block, notes)
    ordered = ordered_quantity(block, guide, notes)
    if ordered is None:
        if not any(segment.tag == "QTY" and segment.value(1) in ("21", "1") for segment in block):
            notes.error("quantity", "An ordered line has no quantity (QTY 21)", block[0])
        return None
    amount, unit = ordered
    return PurchaseOrderDocumentLine(
        line_number=block[0].value(1),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        quantity=amount,
        unit=unit,
        price=price(block),
        requested_date=document_day(block, *_REQUESTED),
        gtin=item(pairs, GTIN_ITEM),
        description=description(block),
    )


def _changed(block: list[Segment], guide: PartnerGuide, notes: Notes) -> ChangedLine:
    pairs = items(block)
    note_unknown_quantities(block, notes)
    ordered = ordered_quantity(block, guide, notes)
    action = block[0].value(2)
    schedule = _schedule(block, guide, notes)
    of_line = takewhile(lambda segment: segment.tag != "SCC", block) if schedule else block
    return ChangedLine(
        line_number=block[0].value(1),
        change=CHANGES.get(action, action),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        quantity=ordered[0] if ordered is not None else None,
        unit=ordered[1] if ordered is not None else "EA",
        price=price(block),
        requested_date=document_day(list(of_line), *_REQUESTED),
        description=description(block),
        segment_number=block[0].number,
        schedule=schedule,
    )


def _schedule(block: list[Segment], guide: PartnerGuide, notes: Notes) -> tuple[tuple[int, date], ...]:
    """(units, day) of each SCC with its QTY and DTM, where there are several; a day under one alone is that of the line."""
    found: list[tuple[int, date]] = []
    for at in (at for at, segment in enumerate(block) if segment.tag == "SCC"):
        part = list(takewhile(lambda segment: segment.tag != "SCC", block[at + 1 :]))
        ordered, on = ordered_quantity(part, guide, notes), document_day(part, *_REQUESTED)
        if ordered is not None and on is not None:
            found.append((ordered[0], on))
    return tuple(found) if len(found) > 1 else ()


def ordered_quantity(block: list[Segment], guide: PartnerGuide, notes: Notes) -> tuple[int, str] | None:
    """Base units and unit of QTY 21; a discrete quantity (1) stands in for it with a note."""
    qty = first(block, "QTY", "21")
    if qty is None and (qty := first(block, "QTY", "1")) is not None:
        notes.warning("quantity", "The ordered quantity was sent as a discrete quantity (QTY 1)", qty, 1)
    amount = quantity(qty, guide, notes) if qty is not None else None
    return (amount, qty.value(1, 3) or "EA") if qty is not None and amount is not None else None


def price(block: list[Segment]) -> Decimal | None:
    """The net price (PRI AAA), else the gross price (AAB)."""
    found = net_price(block)
    return None if found is None else number(found.value(1, 2))


def net_price(block: Sequence[Segment]) -> Segment | None:
    """The first PRI with the net price (AAA), else the gross one (AAB), that names an amount."""
    found = {
        segment.value(1): segment
        for segment in reversed(block)
        if segment.tag == "PRI" and number(segment.value(1, 2)) is not None
    }
    return found.get("AAA", found.get("AAB"))


def _currency(cut: Parts) -> str:
    cux = first(cut.head, "CUX")
    return cux.value(1, 2) if cux is not None else ""


def _order_day(head: list[Segment]) -> date | None:
    """The day of the order: a DTM 171 that follows RFF ON, else DTM 4."""
    for at, segment in enumerate(head[:-1]):
        if segment.tag == "RFF" and segment.value(1) == "ON" and head[at + 1].tag == "DTM":
            return dtm_day(head[at + 1])
    return document_day(head, "4")
