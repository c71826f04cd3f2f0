"""Turns a DESADV into a `ShipNotice`: packs are found through the CPS tree by its numbers, whatever its depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from core.edi.decode_856 import is_sscc
from core.edi.decoding import DELIVERY_DATES, SHIP_DATES, Notes, best_date, item, with_pack_size
from core.edi.documents import Decoded, Pack, ShipNotice, ShippedLine, ShippedOrder
from core.edi.edifact_decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    document_day,
    first,
    items,
    note_unknown_quantities,
    order_line,
    pack_sizes,
    purpose_of,
    quantity,
    reference,
    references,
    x12_dates,
)
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.normaliser import DEFAULT_LIMITS

_MOST_PACKS = 100
_LOT_ITEM = ("NB",)
# List 7405 of GIN: what the numbers are.
_SSCC, _BATCH, _SERIAL = ("BJ", "AW"), "BX", "BN"


@dataclass(slots=True)
class _Pack:
    """One CPS with its own packages; `parent` is None at the top or where the parent is not known."""

    number: str
    level: str
    parent: _Pack | None
    segments: list[Segment] = field(default_factory=list)
    depth: int = 1

    def around(self) -> list[_Pack]:
        """This pack and those around it, from the inside out."""
        found: list[_Pack] = [self]
        node = self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found


def decode_desadv(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ShipNotice]:
    """The notice, or None with an error where a shipped quantity cannot be told, with a warning where it has no line."""
    notes = Notes(document)
    head, lines = _cut(document, notes)
    bgm = first(head, "BGM")
    if bgm is None or not bgm.value(2):
        notes.error("number", "The despatch advice has no number", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    purpose = purpose_of(bgm)
    orders: dict[str, list[ShippedLine]] = {}
    po_number = reference(head, "ON")
    if po_number:
        orders[po_number] = []
    for pack, block in lines:
        shipped = _line(pack, block, guide, notes)
        named = reference(block, "ON") or po_number
        if shipped is None:
            continue
        if not named:
            notes.warning("po_number", "A despatched line names no purchase order (RFF ON)", block[0])
        orders.setdefault(named, []).append(shipped)
    if not any(orders.values()) and purpose not in ("01", "03") and not notes.failed:
        # Well formed, but nothing of it can be applied.
        notes.warning("lines", "The despatch advice has no line with a despatched quantity", bgm)
        return Decoded(None, tuple(notes.faults))
    known = x12_dates(head, notes)
    delivery, ship, shipped_on = (best_date(known, ranking) for ranking in (DELIVERY_DATES, SHIP_DATES, ("011",)))
    noticed_on = document_day(head, "137")
    tdt = first(head, "TDT", "20") or first(head, "TDT")
    notice = ShipNotice(
        number=bgm.value(2),
        purpose=purpose,
        shipped_on=shipped_on[1] if shipped_on else None,
        expected_date=delivery[1] if delivery else None,
        carrier=(tdt.value(5) or tdt.value(5, 4)) if tdt is not None else "",
        tracking=reference(head, "CN", "BM", "AAS", "SRN") or (tdt.value(2) if tdt is not None else ""),
        orders=tuple(ShippedOrder(number, tuple(found)) for number, found in orders.items()),
        expected_ship_date=ship[1] if ship else None,
        noticed_on=noticed_on,
        sequence=f"{noticed_on.strftime('%Y%m%d') if noticed_on else '00000000'}-{document.sequence}",
        references=references(head),
    )
    return Decoded(None if notes.failed else notice, tuple(notes.faults))


def _cut(document: TransactionSet, notes: Notes) -> tuple[list[Segment], list[tuple[_Pack | None, list[Segment]]]]:
    """The head, and each LIN group with the pack it lies in."""
    head: list[Segment] = []
    lines: list[tuple[_Pack | None, list[Segment]]] = []
    packs: dict[str, _Pack] = {}
    pack: _Pack | None = None
    target = head
    for segment in document.segments[1:]:
        if segment.tag in ("UNT", "CNT") or (segment.tag == "UNS" and segment.value(1) != "D"):
            break
        if segment.tag == "CPS":
            number, parent = segment.value(1), segment.value(2)
            if parent and parent not in packs:
                notes.warning("pack", f"CPS names the parent {parent!r}, which does not come before it", segment, 2)
            above = packs.get(parent)
            pack = _Pack(number, segment.value(3), above, depth=above.depth + 1 if above is not None else 1)
            if pack.depth > DEFAULT_LIMITS.hierarchy_depth:
                deepest = DEFAULT_LIMITS.hierarchy_depth
                notes.error("pack", f"CPS {number[:20]!r} lies deeper than {deepest} levels", segment, 2)
                break
            if number in packs:
                notes.warning("pack", f"CPS repeats the number {number!r}", segment, 1)
            packs.setdefault(number, pack)
            target = pack.segments
        elif segment.tag == "LIN":
            lines.append((pack, []))
            target = lines[-1][1]
        target.append(segment)
    return head, lines


def _line(pack: _Pack | None, block: list[Segment], guide: PartnerGuide, notes: Notes) -> ShippedLine | None:
    note_unknown_quantities(block, notes)
    despatched = [segment for segment in block if segment.tag == "QTY" and segment.value(1) == "12"]
    if not despatched:
        notes.error("quantity", "A despatched line has no despatched quantity (QTY 12)", block[0])
        return None
    guide = with_pack_size(guide, despatched[0].value(1, 3), pack_sizes(block))
    amounts = [quantity(segment, guide, notes) for segment in despatched]
    pairs = items(block)
    variance = first(block, "QVR")
    expiry = best_date(x12_dates(block), ("036", "511"))
    return ShippedLine(
        po_line_number=order_line(block),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        quantity=sum(amount for amount in amounts if amount is not None),
        unit=despatched[0].value(1, 3) or "EA",
        gtin=item(pairs, GTIN_ITEM),
        packs=_packs(pack, block, notes),
        lot=item(pairs, _LOT_ITEM) or _numbers(block, _BATCH) or reference(block, "BT"),
        expires_on=expiry[1] if expiry else None,
        status=variance.value(2) if variance is not None else "",
        segment_number=despatched[0].number,
    )


def _packs(pack: _Pack | None, block: list[Segment], notes: Notes) -> tuple[Pack, ...]:
    """Serial shipping container codes of the line itself and of the packs around it; both ends of a range are given."""
    found = [(block, "")] + ([(node.segments, node.level) for node in pack.around()] if pack is not None else [])
    marks = (
        (mark.strip(), gin, level)
        for segments, level in found
        for gin in segments
        if gin.tag == "GIN" and gin.value(1) in _SSCC
        for parts in gin.elements[1:]
        for mark in parts
        if mark.strip()
    )
    # Bounded: many marks around many lines would multiply.
    return tuple(_pack(mark, gin, level, notes) for mark, gin, level in islice(marks, _MOST_PACKS))


def _pack(mark: str, gin: Segment, level: str, notes: Notes) -> Pack:
    digits = mark[2:] if len(mark) == 20 and mark.startswith("00") else mark
    if is_sscc(digits):
        return Pack(digits, mark, gin.value(1), level)
    notes.warning("sscc", f"{mark!r} is not a valid SSCC", gin, 2)
    return Pack("", mark, gin.value(1), level)


def _numbers(block: list[Segment], qualifier: str) -> str:
    gin = first(block, "GIN", qualifier)
    return gin.value(2) if gin is not None else ""
