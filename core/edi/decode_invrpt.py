"""Turns an INVRPT into an `InventoryReport`: what a partner has of each article, by the kind of quantity it counts."""

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
    pack_sizes,
    parts,
    purpose_of,
    quantity,
    reference,
    references,
    x12_dates,
)
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.stock_documents import InventoryReport, StockKind, StockLine, StockQuantity, counted

# List 6063.
_KINDS = {
    "145": StockKind.ON_HAND,
    "17": StockKind.ON_HAND,
    "198": StockKind.AVAILABLE,
    "33": StockKind.AVAILABLE,
    "66": StockKind.COMMITTED,
    "83": StockKind.BACKORDERED,
    "21": StockKind.ON_ORDER,
    "156": StockKind.MOVED,
    "124": StockKind.UNUSABLE,
}


def decode_invrpt(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[InventoryReport]:
    """The report, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    cut = parts(document)
    bgm = first(cut.head, "BGM")
    if bgm is None or not bgm.value(2):
        notes.error("number", "The inventory report has no number", bgm, 2)
        return Decoded(None, tuple(notes.faults))
    on = document_day(cut.head, "366", "137")
    report = InventoryReport(
        number=bgm.value(2),
        reported_on=on,
        lines=tuple(_line(block, guide, notes) for block in cut.blocks),
        purpose=purpose_of(bgm),
        location=_location(cut.head),
        references=references(cut.head),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
    )
    return Decoded(None if notes.failed else report, tuple(notes.faults))


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes) -> StockLine:
    pairs = items(block)
    found: list[StockQuantity] = []
    unit, sizes = "EA", pack_sizes(block)
    for segment in block:
        if segment.tag != "QTY" or segment.value(1) == PACK_SIZE:
            continue
        code = guide.code_map.get(segment.value(1), segment.value(1))
        kind = _KINDS.get(code, StockKind.OTHER)
        amount = quantity(segment, with_pack_size(guide, segment.value(1, 3), sizes), notes, is_signed=True)
        unit = segment.value(1, 3) or unit
        if kind is StockKind.OTHER:
            notes.warning("quantity_kind", f"The kind of quantity {code!r} is not known", segment, 1)
        if amount is not None:
            found.append(counted(kind, amount, segment, (1, 2), notes))
    if not found:
        notes.warning("quantity", "A line of the report has no quantity", block[0])
    available = best_date(x12_dates(block), ("069", "067", "070", "017", "371"))
    return StockLine(
        line_number=block[0].value(1),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        quantities=tuple(found),
        unit=unit,
        available_on=available[1] if available else None,
        location=_location(block),
        lot=item(pairs, ("NB",)) or reference(block, "BT"),
        segment_number=block[0].number,
    )


def _location(segments: list[Segment]) -> str:
    """The place of the goods: LOC 14 or 18, else the party that holds them (NAD SN, WH, GY)."""
    for tag, qualifiers, element in (("LOC", ("14", "18"), 2), ("NAD", ("SN", "WH", "GY"), 2)):
        for qualifier in qualifiers:
            found = first(segments, tag, qualifier)
            if found is not None and found.value(element):
                return found.value(element)
    return ""
