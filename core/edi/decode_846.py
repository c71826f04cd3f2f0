"""Turns an 846 into an `InventoryReport`: what a partner has of each article, by the kind of quantity it counts."""

from __future__ import annotations

from core.edi.decoding import (
    BUYER_ITEM,
    DELIVERY_DATES,
    GTIN_ITEM,
    VENDOR_ITEM,
    Notes,
    best_date,
    check_date,
    dates,
    item,
    quantity,
    with_pack_size,
    x12_pack_sizes,
)
from core.edi.documents import Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.stock_documents import InventoryReport, StockKind, StockLine, StockQuantity, counted
from core.edi.x12_values import decimal

# Element 673. 17 counts held stock too; only 33 is for sale.
_KINDS = {
    "33": StockKind.AVAILABLE,
    "17": StockKind.ON_HAND,
    "63": StockKind.ON_ORDER,
    "29": StockKind.PROJECTED,
    "QH": StockKind.HELD,
    "20": StockKind.UNUSABLE,
    "QC": StockKind.COMMITTED,
}
_AVAILABLE = ("018", "169", *DELIVERY_DATES)
_DAYS_PER_UNIT = {"DA": 1, "WK": 7}


def decode_846(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[InventoryReport]:
    """The report, or None with an error where it has no number or a quantity cannot be used."""
    notes = Notes(document)
    head: list[Segment] = []
    blocks: list[list[Segment]] = []
    for segment in document.segments:
        if segment.tag in ("CTT", "SE"):
            continue  # some senders write the sum before the lines
        if segment.tag == "LIN":
            blocks.append([])
        (blocks[-1] if blocks else head).append(segment)
    bia = next((segment for segment in head if segment.tag == "BIA"), None)
    if bia is None or not bia.value(3):
        notes.error("number", "The inventory report has no number", bia, 3)
        return Decoded(None, tuple(notes.faults))
    on = check_date(bia, 4, notes)
    report = InventoryReport(
        number=bia.value(3),
        reported_on=on,
        lines=tuple(_line(block, guide, notes) for block in blocks),
        purpose=bia.value(1),
        location=_location(head),
        references=tuple((s.value(1), s.value(2)) for s in head if s.tag == "REF" and s.value(2)),
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}{bia.value(5):0<6}-{document.sequence}",
    )
    return Decoded(None if notes.failed else report, tuple(notes.faults))


def _line(block: list[Segment], guide: PartnerGuide, notes: Notes) -> StockLine:
    lin = block[0]
    pairs = lin.pairs(2, 31)
    found: list[StockQuantity] = []
    unit, sizes = "EA", x12_pack_sizes(block)
    for segment in block:
        if segment.tag != "QTY":
            continue
        code = guide.code_map.get(segment.value(1), segment.value(1))
        kind = _KINDS.get(code, StockKind.OTHER)
        unit = segment.value(3) or unit
        if kind is StockKind.OTHER:
            notes.warning("quantity_kind", f"The kind of quantity {code!r} is not known", segment, 1)
        own = with_pack_size(guide, segment.value(3), sizes)
        amount = quantity(segment, 2, segment.value(3), own, notes, is_signed=True)
        if amount is not None:
            found.append(counted(kind, amount, segment, (2, 1), notes))
    if not any(segment.tag == "QTY" for segment in block):
        notes.warning("quantity", "A line of the report has no quantity", lin)
    available = best_date(dates(block), _AVAILABLE)
    return StockLine(
        line_number=lin.value(1),
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        quantities=tuple(found),
        unit=unit,
        available_on=available[1] if available else None,
        lead_time_days=_lead_time(block),
        location=_location(block),
        lot=item(pairs, ("LT", "B8")),
        segment_number=lin.number,
    )


def _lead_time(block: list[Segment]) -> int | None:
    """Days of the first LDT in days or weeks (AE, AF: from order to shipping)."""
    for segment in block:
        if segment.tag == "LDT" and segment.value(3) in _DAYS_PER_UNIT:
            number = decimal(segment.value(2))
            if number is not None and 0 <= number < 10_000:
                return int(-(-number * _DAYS_PER_UNIT[segment.value(3)] // 1))
    return None


def _location(segments: list[Segment]) -> str:
    """The warehouse: N1 WH or SF, else REF WS or LO."""
    found = next((s.value(4) or s.value(2) for s in segments if s.tag == "N1" and s.value(1) in ("WH", "SF")), "")
    return found or next((s.value(2) for s in segments if s.tag == "REF" and s.value(1) in ("WS", "LO")), "")
