"""Turns a 940 into a `ShippingOrder`, and a 945 into a `ShippingAdvice`: what a warehouse is told, and what it did."""

from __future__ import annotations

from datetime import date

from core.edi.decode_850 import party
from core.edi.decode_856 import is_sscc
from core.edi.decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    Notes,
    check_date,
    item,
    quantity,
    warehouse_pack_sizes,
    with_pack_size,
)
from core.edi.documents import Decoded, Pack
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.known_codes import WAREHOUSE_STATUSES
from core.edi.warehouse_documents import ShippingAdvice, ShippingOrder, WarehouseLine

# List 432 of G62, which is not list 374 of DTM.
_SHIP, _SHIPPED, _DELIVER = ("10", "38", "37", "53"), ("11", "06"), ("02", "17", "68", "70")
_MOST_AROUND = 100
_LINE_NUMBERS = ("LI", "PL", "LN")
# Where W0602 is empty: a reference to the depositor's order (128).
_ORDER_NUMBERS = ("OQ", "DO", "SI")


def decode_940(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ShippingOrder]:
    """The order, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    head, blocks = _cut(document, "W01")
    w05 = _first(head, "W05")
    if w05 is None or not w05.value(2):
        notes.error("number", "The shipping order has no number", w05, 2)
        return Decoded(None, tuple(notes.faults))
    carrier = _first(head, "W66")
    order = ShippingOrder(
        number=w05.value(2),
        lines=tuple(_ordered(block, guide, notes) for block in blocks),
        po_number=w05.value(3),
        purpose=w05.value(1),
        ship_on=_day(head, _SHIP, notes),
        deliver_on=_day(head, _DELIVER, notes),
        ship_to=party(head, "ST"),
        ship_from=party(head, "WH") or party(head, "SF"),
        carrier=(carrier.value(10) or carrier.value(5)) if carrier is not None else "",
        notes=tuple(segment.value(2) for segment in head if segment.tag == "NTE" and segment.value(2)),
    )
    return Decoded(None if notes.failed else order, tuple(notes.faults))


def decode_945(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ShippingAdvice]:
    """The advice, or None with an error where it has no W06 or a quantity cannot be used.

    One that names no order of ours is read all the same: a person may know it by what else it says.
    """
    notes = Notes(document)
    head, blocks = _cut(document, "W12")
    w06 = _first(head, "W06")
    if w06 is None:
        notes.error("number", "The shipping advice has no W06 segment", w06, 2)
        return Decoded(None, tuple(notes.faults))
    order_number = w06.value(2) or next(filter(None, (_number(head, code) for code in _ORDER_NUMBERS)), "")
    if not order_number:
        notes.warning("number", "The shipping advice names no order (depositor order number)", w06, 2)
    routing = _first(head, "W27")
    numbers = {s.value(1): s.value(2) for s in reversed(head) if s.tag == "N9" and s.value(2)}
    shipped_on = _day(head, _SHIPPED, notes) or check_date(w06, 3, notes)
    advice = ShippingAdvice(
        number=w06.value(4),
        order_number=order_number,
        shipped_on=shipped_on,
        lines=tuple(_shipped(block, guide, notes) for block in blocks),
        po_number=w06.value(6),
        carrier=(routing.value(2) or routing.value(3)) if routing is not None else "",
        tracking=next((numbers[code] for code in ("2I", "CN", "BM") if code in numbers), ""),
        purpose=w06.value(1),
        sequence=f"{shipped_on.strftime('%Y%m%d') if shipped_on else '00000000'}-{document.sequence}",
    )
    return Decoded(None if notes.failed else advice, tuple(notes.faults))


def _cut(document: TransactionSet, opening: str) -> tuple[list[Segment], list[list[Segment]]]:
    """The head, and one list for each line: the LX group before it goes with the lines of the group."""
    head: list[Segment] = []
    blocks: list[list[Segment]] = []
    around: list[Segment] | None = None
    is_open = False
    for segment in document.segments:
        if segment.tag in ("W76", "W03", "CTT", "SE"):
            continue  # some senders write the sum before the lines
        if segment.tag == "LX":
            around, is_open = [segment], False
        elif segment.tag == opening:
            # Bounded: a group of many marks and many lines would multiply.
            blocks.append([segment, *(around or ())[:_MOST_AROUND]])
            is_open = True
        elif is_open:
            blocks[-1].append(segment)
        elif around is not None:
            around.append(segment)
        else:
            head.append(segment)
    return head, blocks


def _ordered(block: list[Segment], guide: PartnerGuide, notes: Notes) -> WarehouseLine:
    w01 = block[0]
    pairs = (*w01.pairs(4, 5), *w01.pairs(6, 7), *w01.pairs(15, 16))
    guide = with_pack_size(guide, w01.value(2), warehouse_pack_sizes(block))
    ordered = quantity(w01, 1, w01.value(2), guide, notes)
    return WarehouseLine(
        line_number=_line_number(block),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM) or w01.value(3),
        ordered=ordered,
        unit=w01.value(2),
        lot=w01.value(13) or _number(block, "LT"),
        description=next((segment.value(1) for segment in block if segment.tag == "G69"), ""),
        segment_number=w01.number,
    )


def _shipped(block: list[Segment], guide: PartnerGuide, notes: Notes) -> WarehouseLine:
    w12 = block[0]
    pairs = (*w12.pairs(7, 8), *w12.pairs(17, 18), *w12.pairs(21, 22))
    unit = w12.value(5)
    status = guide.code_map.get(w12.value(1), w12.value(1))
    if status not in WAREHOUSE_STATUSES:
        notes.warning(
            "line_status", f"The line status {status!r} is not known and not in the partner's code map", w12, 1
        )
    guide = with_pack_size(guide, unit, warehouse_pack_sizes(block))
    ordered, shipped = (quantity(w12, at, unit, guide, notes) for at in (2, 3))
    difference = w12.value(4).lstrip("-")
    short = quantity(w12, 4, unit, guide, notes) if difference == w12.value(4) else None
    if short is None and ordered is not None and shipped is not None:
        short = max(0, ordered - shipped)
    if shipped is None and not w12.value(3):
        notes.warning("quantity", "A shipped line has no shipped quantity", w12, 3)
    return WarehouseLine(
        line_number=_line_number(block),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM) or w12.value(6),
        ordered=ordered,
        unit=unit,
        shipped=shipped,
        short=short,
        status=status,
        lot=w12.value(9) or _number(block, "LT"),
        description=next((segment.value(1) for segment in block if segment.tag == "G69"), ""),
        packs=tuple(_pack(man, notes) for man in block if man.tag == "MAN"),
        segment_number=w12.number,
    )


def _pack(man: Segment, notes: Notes) -> Pack:
    mark = man.value(2)
    digits = mark[2:] if len(mark) == 20 and mark.startswith("00") else mark
    if man.value(1) in ("GM", "AA") and not is_sscc(digits):
        notes.warning("sscc", f"{mark!r} is not a valid SSCC", man, 2)
        digits = ""
    return Pack(digits if man.value(1) in ("GM", "AA") else "", mark, man.value(1))


def _line_number(block: list[Segment]) -> str:
    """N9 LI and the like, else the number of the LX group."""
    found = next((_number(block, code) for code in _LINE_NUMBERS if _number(block, code)), "")
    return found or next((segment.value(1) for segment in block if segment.tag == "LX"), "")


def _number(block: list[Segment], qualifier: str) -> str:
    return next((s.value(2) for s in block if s.tag in ("N9", "REF") and s.value(1) == qualifier), "")


def _first(segments: list[Segment], tag: str) -> Segment | None:
    return next((segment for segment in segments if segment.tag == tag), None)


def _day(head: list[Segment], codes: tuple[str, ...], notes: Notes) -> date | None:
    for code in codes:
        for segment in head:
            if segment.tag == "G62" and segment.value(1) == code:
                return check_date(segment, 2, notes)
    return None
