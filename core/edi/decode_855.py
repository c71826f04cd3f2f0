"""Turns an 855 into an `Acknowledgement`: every ACK of every line, in base units, with the effect its code has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

from core.edi.answer_sums import note_line_sum, note_no_lines
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
from core.edi.documents import AcknowledgedLine, Acknowledgement, Decoded, Effect, LineStatus
from core.edi.guide import DEFAULT_GUIDE, LineKey, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.known_codes import HEADERS
from core.edi.prices import x12_price

# Element 668 to its effect on the quantity; what else a code says is in `resolve_acknowledgement`.
EFFECTS: dict[str, Effect] = {
    **dict.fromkeys(("IA", "AC", "AR", "AA", "DR", "IP", "IE", "IC", "SP"), Effect.ACCEPT),
    "BP": Effect.PARTIAL,
    "IB": Effect.BACKORDER,
    "IQ": Effect.CHANGED_QUANTITY,
    **dict.fromkeys(("IS", "IF", "IH", "IW"), Effect.HOLD),
    **dict.fromkeys(("ID", "IR", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9"), Effect.REJECT),
}


def decode_855(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[Acknowledgement]:
    """The acknowledgement, or None with an error where a quantity or the order number cannot be used."""
    notes = Notes(document)
    head, blocks = cut_lines(document, "PO1")
    bak = next((segment for segment in head if segment.tag == "BAK"), None)
    if bak is None or not bak.value(3):
        notes.error("po_number", "The acknowledgement names no purchase order", bak, 3)
        return Decoded(None, tuple(notes.faults))
    header_type = known_header(bak, guide, notes)
    lines = tuple(acknowledged_line(block, guide, notes, _LAYOUT, currency(head)) for block in blocks)
    for block, line in zip(blocks, lines, strict=True):
        if all(ack.value(3) in ("", line.unit) for ack in block if ack.tag == "ACK"):
            note_line_sum(line.statuses, line.ordered, guide, notes, block[0])
    acknowledged_on = check_date(bak, 9, notes) or check_date(bak, 4, notes)
    stamp = acknowledged_on.strftime("%Y%m%d") if acknowledged_on else "00000000"
    answer = Acknowledgement(
        po_number=bak.value(3),
        header_type=header_type,
        acknowledged_on=acknowledged_on,
        sequence=f"{stamp}-{document.sequence}",
        lines=lines,
        supplier_reference=bak.value(8),
        dates=dates(head),
        purpose=bak.value(1),
    )
    note_no_lines(answer, notes, bak, 2)
    return Decoded(None if notes.failed else answer, tuple(notes.faults))


def known_header(opening: Segment, guide: PartnerGuide, notes: Notes) -> str:
    """What BAK02 or BCA02 says, in the terms of the standard; a type without a settled meaning is noted."""
    meaning = guide.header_map.get(opening.value(2), opening.value(2))
    if meaning and meaning not in HEADERS:
        text = f"The header type {meaning!r} has no settled meaning and is not in the partner's header map"
        notes.warning("header_type", text, opening, 2)
    return meaning


def cut_lines(document: TransactionSet, opening: str) -> tuple[list[Segment], list[list[Segment]]]:
    """The segments before the first `opening` segment, and one list for each of them with what follows it.

    What stands under its sublines (SLN) is said of them, not of the line, and is left out; a subline with a status of
    its own (ACK) is kept.
    """
    head: list[Segment] = []
    blocks: list[list[Segment]] = []
    subline: Segment | None = None
    for segment in document.segments:
        if segment.tag in ("CTT", "SE"):
            continue  # some senders write the sum before the lines
        if segment.tag == opening:
            subline = None
            blocks.append([])
        elif segment.tag == "SLN":
            subline = segment
        if subline is not None:
            if segment.tag == "ACK" and blocks:
                blocks[-1].append(subline)
            continue
        (blocks[-1] if blocks else head).append(segment)
    return head, blocks


@dataclass(frozen=True, slots=True)
class LineLayout:
    """Where the segment that opens a line has its ordered quantity, its unit and its items."""

    quantity: int
    unit: int
    items: int
    price: int


_LAYOUT = LineLayout(quantity=2, unit=3, items=6, price=4)


def currency(segments: list[Segment]) -> str:
    """CUR02 of the head or of a line; empty where none is named."""
    return next((segment.value(2).upper() for segment in segments if segment.tag == "CUR"), "")


def acknowledged_line(
    block: list[Segment], guide: PartnerGuide, notes: Notes, layout: LineLayout, usual_currency: str = ""
) -> AcknowledgedLine:
    """A line with all its ACK segments; what opens it is PO1 or POC."""
    po1 = block[0]
    pairs = po1.pairs(layout.items, layout.items + 19)
    unit = po1.value(layout.unit)
    guide = with_pack_size(guide, unit, x12_pack_sizes(block))
    statuses = tuple(
        _status(ack, _dates_under(block, at), unit, guide, notes) for at, ack in enumerate(block) if ack.tag == "ACK"
    )
    if not statuses:
        statuses = _of_sublines(block, notes)
    keys = {
        LineKey.PO_LINE_NUMBER: our_line(pairs, block, guide, po1.value(1)),
        LineKey.BUYER_SKU: item(pairs, BUYER_ITEM),
        LineKey.VENDOR_CODE: item(pairs, VENDOR_ITEM),
        LineKey.GTIN: item(pairs, GTIN_ITEM),
    }
    return AcknowledgedLine(
        line_key=keys[guide.line_key],
        po_line_number=keys[LineKey.PO_LINE_NUMBER],
        buyer_sku=keys[LineKey.BUYER_SKU],
        vendor_code=keys[LineKey.VENDOR_CODE],
        gtin=keys[LineKey.GTIN],
        ordered=quantity(po1, layout.quantity, unit, guide, notes),
        unit=unit,
        statuses=_scheduled(statuses, block, unit, guide, notes),
        dates=dates(takewhile(lambda segment: segment.tag != "ACK", block)),
        segment_number=po1.number,
        price=x12_price(po1, layout.price, unit, guide, notes),
        currency=currency(block) or usual_currency,
    )


def _status(ack: Segment, own_dates: list[Segment], line_unit: str, guide: PartnerGuide, notes: Notes) -> LineStatus:
    code = ack.value(1)
    meaning = guide.code_map.get(code, code)
    effect = EFFECTS.get(meaning, Effect.REVIEW)
    if effect is Effect.REVIEW:
        notes.warning("line_status", f"The line status {code!r} is not known and not in the partner's code map", ack, 1)
    on, qualifier = check_date(ack, 5, notes), ack.value(4)
    if on is None:
        best = best_date(dates(own_dates), DELIVERY_DATES + SHIP_DATES)
        if best is not None:
            qualifier, on = best
    return LineStatus(
        code=code,
        quantity=quantity(ack, 2, ack.value(3) or line_unit, guide, notes),
        date=on,
        date_qualifier=qualifier,
        effect=effect,
        meaning=meaning,
        substitutes=ack.pairs(7, 26),
        segment_number=ack.number,
    )


def _of_sublines(block: list[Segment], notes: Notes) -> tuple[LineStatus, ...]:
    """One for review where the sublines (SLN) are answered and the line is not: the header does not settle it then."""
    answered = next((segment for segment in block if segment.tag == "SLN"), None)
    if answered is None:
        return ()
    notes.warning("line_status", "Only sublines of the line have a status (ACK), the line has none", answered)
    return (LineStatus("SLN", None, None, "", Effect.REVIEW, "SLN", (), answered.number),)


def _scheduled(
    statuses: tuple[LineStatus, ...], block: list[Segment], line_unit: str, guide: PartnerGuide, notes: Notes
) -> tuple[LineStatus, ...]:
    """One accepted status without a day of its own is cut into the parts of the line's SCH segments, if these add up."""
    schedules = [segment for segment in block if segment.tag == "SCH"]
    if not schedules:
        return statuses
    parts = [
        (quantity(sch, 1, sch.value(2) or line_unit, guide, notes) or 0, check_date(sch, 6, notes), sch)
        for sch in schedules
    ]
    total = sum(amount for amount, _, _ in parts)
    if len(statuses) == 1 and statuses[0].effect is Effect.ACCEPT and statuses[0].date is None:
        (only,) = statuses
        if only.quantity in (None, total):
            return tuple(
                replace(only, quantity=amount, date=on, date_qualifier=sch.value(5))
                for amount, on, sch in parts
                if amount
            )
    notes.warning("schedule", "The delivery schedule does not fit the line's statuses and is not used", schedules[0])
    return statuses


def _dates_under(block: list[Segment], at: int) -> list[Segment]:
    """The DTM segments that stand directly under the ACK at this place of the block."""
    found: list[Segment] = []
    while at + 1 < len(block) and block[at + 1].tag == "DTM":
        at += 1
        found.append(block[at])
    return found
