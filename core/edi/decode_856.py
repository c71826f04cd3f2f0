"""Turns an 856 into a `ShipNotice`: the HL tree is read by its numbers, so any order of levels gives the same lines."""

from __future__ import annotations

from core.edi.decoding import (
    BUYER_ITEM,
    DELIVERY_DATES,
    GTIN_ITEM,
    SHIP_DATES,
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
from core.edi.documents import Decoded, Pack, ShipNotice, ShippedLine, ShippedOrder
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.hierarchy import Node, build_tree
from core.edi.interchanges import Segment, TransactionSet

_PACK_LEVELS = ("P", "T")
_TRACKING_REFERENCES = ("2I", "CN", "BM")


def decode_856(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ShipNotice]:
    """The notice, or None with an error where a shipped quantity or the order of a line cannot be told."""
    notes = Notes(document)
    bsn = next((segment for segment in document.segments if segment.tag == "BSN"), None)
    if bsn is None or not bsn.value(2):
        notes.error("number", "The ship notice has no number", bsn, 2)
        return Decoded(None, tuple(notes.faults))
    nodes = build_tree(document.segments)
    head = [segment for segment in document.segments[: _first_hl(document)] if segment.tag == "DTM"]
    shipment = [node for node in nodes if node.level == "S"]
    known = dates([*head, *(segment for node in shipment for segment in node.segments)])
    delivery, ship = best_date(known, DELIVERY_DATES), best_date(known, SHIP_DATES)
    shipped = best_date(known, ("011",))
    for segment in (*head, *(segment for node in shipment for segment in node.all("DTM"))):
        check_date(segment, 2, notes)
    references = tuple(
        (segment.value(1), segment.value(2))
        for node in nodes
        if node.level in ("S", *_PACK_LEVELS)
        for segment in node.all("REF")
        if segment.value(2)
    )
    orders: dict[str, list[ShippedLine]] = {}
    named = list(dict.fromkeys(number for node in nodes if (number := _po_number(node))))
    for node in nodes:
        if node.level == "O" and node.first("PRF") is not None:
            orders.setdefault(_po_number(node), [])
        if node.first("SN1") is None or (node.level in _PACK_LEVELS and _carries_items(node)):
            continue
        po_number = _order_of(node, named, notes)
        lines = _lines(node, guide, notes)
        if po_number is not None:
            orders.setdefault(po_number, []).extend(lines)
    if not any(orders.values()) and bsn.value(1) not in ("01", "03"):
        notes.error("lines", "The ship notice has no line with a shipped quantity", bsn)
    notice = ShipNotice(
        number=bsn.value(2),
        purpose=bsn.value(1),
        shipped_on=shipped[1] if shipped else None,
        expected_date=delivery[1] if delivery else None,
        carrier=_carrier(nodes),
        tracking=next((value for name in _TRACKING_REFERENCES for key, value in references if key == name), "")
        or _package_number(nodes),
        orders=tuple(ShippedOrder(po_number, tuple(lines)) for po_number, lines in orders.items()),
        expected_ship_date=ship[1] if ship else None,
        noticed_on=check_date(bsn, 3, notes),
        sequence=f"{bsn.value(3) or '00000000'}{bsn.value(4):0<6}-{document.sequence}",
        references=references,
    )
    return Decoded(None if notes.failed else notice, tuple(notes.faults))


def _first_hl(document: TransactionSet) -> int:
    return next((at for at, segment in enumerate(document.segments) if segment.tag == "HL"), len(document.segments))


def _carries_items(node: Node) -> bool:
    return any(below.level == "I" for below in node.descendants())


def _po_number(node: Node) -> str:
    prf = node.first("PRF")
    return prf.value(1) if prf is not None else ""


def _order_of(node: Node, named: list[str], notes: Notes) -> str | None:
    """The order of the nearest node with a PRF, upwards first, then downwards, then the only one of the document.

    Empty where the document names none at all: it is well formed, and what it means is for review.
    """
    for near in (node, *node.ancestors()):
        if _po_number(near):
            return _po_number(near)
    below = list(dict.fromkeys(number for near in node.descendants() if (number := _po_number(near))))
    candidates = below or named
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        notes.warning(
            "po_number", f"The shipped line of HL {node.number} belongs to no purchase order", node.segments[0]
        )
        return ""
    what = f"{len(candidates)} purchase orders"
    notes.error("po_number", f"The shipped line of HL {node.number} belongs to {what}", node.segments[0])
    return None


def _lines(node: Node, guide: PartnerGuide, notes: Notes) -> list[ShippedLine]:
    """One line for each SN1 of the node, with the LIN and the dates that stand nearest before and after it."""
    blocks: list[list[Segment]] = []
    for segment in node.segments:
        if segment.tag == "LIN" or (segment.tag == "SN1" and (not blocks or _has(blocks[-1], "SN1"))):
            blocks.append([])
        if blocks:
            blocks[-1].append(segment)
    found = (_line(node, block, guide, notes) for block in blocks if _has(block, "SN1"))
    return [line for line in found if line is not None]


def _has(segments: list[Segment], tag: str) -> bool:
    return any(segment.tag == tag for segment in segments)


def _line(node: Node, block: list[Segment], guide: PartnerGuide, notes: Notes) -> ShippedLine | None:
    sn1 = next(segment for segment in block if segment.tag == "SN1")
    lin = next((segment for segment in block if segment.tag == "LIN"), None)
    pairs = lin.pairs(2, 31) if lin is not None else ()
    guide = with_pack_size(guide, sn1.value(3), x12_pack_sizes(block))
    shipped = quantity(sn1, 2, sn1.value(3), guide, notes)
    if shipped is None:
        if not sn1.value(2):
            notes.error("quantity", "A shipped line has no quantity", sn1, 2)
        return None
    if not pairs and not sn1.value(1) and (lin is None or not lin.value(1)):
        notes.warning("article", "A shipped line names neither an article nor a line of the order", sn1, 1)
    expiry = best_date(dates(block), ("036", "511"))
    lot = item(pairs, ("LT", "B8")) or _reference(block, "LT")
    return ShippedLine(
        po_line_number=our_line(pairs, block, guide, sn1.value(1) or (lin.value(1) if lin is not None else "")),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        quantity=shipped,
        unit=sn1.value(3),
        gtin=item(pairs, GTIN_ITEM),
        packs=_packs(node, notes),
        lot=lot,
        expires_on=expiry[1] if expiry else None,
        status=sn1.value(8),
        segment_number=sn1.number,
    )


def _packs(node: Node, notes: Notes) -> tuple[Pack, ...]:
    """Marks of the item itself, of the packs above it, and, where packs split the item, of those below it."""
    around = [near for near in node.ancestors() if near.level in _PACK_LEVELS]
    inside = [near for near in node.descendants() if near.level in _PACK_LEVELS]
    return tuple(_pack(man, near.level, notes) for near in (node, *around, *inside) for man in near.all("MAN"))


def _pack(man: Segment, level: str, notes: Notes) -> Pack:
    qualifier, mark = man.value(1), man.value(2)
    sscc = ""
    if qualifier in ("GM", "AA"):
        digits = mark[2:] if len(mark) == 20 and mark.startswith("00") else mark
        if is_sscc(digits):
            sscc = digits
        else:
            notes.warning("sscc", f"{mark!r} is not a valid SSCC", man, 2)
    return Pack(sscc, mark, qualifier, level, mark if qualifier == "CP" else "")


def is_sscc(digits: str) -> bool:
    """18 digits whose last one is the GS1 check digit (modulo 10, weights 3 and 1 from the right)."""
    if len(digits) != 18 or not digits.isdecimal():
        return False
    weighted = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits[:-1])))
    return (10 - weighted % 10) % 10 == int(digits[-1])


def _reference(block: list[Segment], qualifier: str) -> str:
    return next((segment.value(2) for segment in block if segment.tag == "REF" and segment.value(1) == qualifier), "")


def _carrier(nodes: list[Node]) -> str:
    """The carrier code (SCAC) of the first TD5, else the carrier's name as routed."""
    for node in nodes:
        for td5 in node.all("TD5"):
            if td5.value(3) or td5.value(5):
                return td5.value(3) or td5.value(5)
    return ""


def _package_number(nodes: list[Node]) -> str:
    return next((man.value(2) for node in nodes for man in node.all("MAN") if man.value(1) == "CP"), "")
