"""Turns an 860 into a `PurchaseOrderChange`, and an 865 into a `ChangeAcknowledgement`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from core.edi.change_documents import ChangeAcknowledgement, ChangedLine, PurchaseOrderChange
from core.edi.decode_850 import REQUESTED, party
from core.edi.decode_855 import LineLayout, acknowledged_line, currency, cut_lines, known_header
from core.edi.decoding import (
    BUYER_ITEM,
    GTIN_ITEM,
    VENDOR_ITEM,
    Notes,
    best_date,
    check_date,
    dates,
    item,
    our_line,
    quantity,
)
from core.edi.documents import Acknowledgement, Decoded
from core.edi.guide import DEFAULT_GUIDE, PartnerGuide
from core.edi.interchanges import Segment, TransactionSet
from core.edi.prices import x12_price

_LAYOUT = LineLayout(quantity=3, unit=5, items=8, price=6)
# Element 670; a code beyond it is the partner's own and goes through the code map.
CHANGES = frozenset(
    "AI CA CB CC CE CF CG CH CI CT DI MU NC OA OC PC PQ PR QD QI RA RB RC RE RM RQ RS RZ TI".split()  # noqa: SIM905
)


def decode_860(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[PurchaseOrderChange]:
    """The change, or None with an error where it names no order or a quantity cannot be used."""
    notes = Notes(document)
    head, blocks = cut_lines(document, "POC")
    bch = next((segment for segment in head if segment.tag == "BCH"), None)
    if bch is None or not bch.value(3):
        notes.error("po_number", "The order change names no purchase order", bch, 3)
        return Decoded(None, tuple(notes.faults))
    ordered_on = check_date(bch, 6, notes)
    changed_on = check_date(bch, 11, notes) or check_date(bch, 10, notes) or ordered_on
    if changed_on is None:
        notes.error("date", "The order change has no date", bch, 6)
        return Decoded(None, tuple(notes.faults))
    requested = best_date(dates(head), REQUESTED)
    change = PurchaseOrderChange(
        number=bch.value(3),
        ordered_on=ordered_on,
        changed_on=changed_on,
        lines=tuple(
            replace(_changed(block, guide, notes), schedule=_schedule(block, guide, notes)) for block in blocks
        ),
        sequence_number=bch.value(5),
        purpose=bch.value(1),
        order_type=bch.value(2),
        currency=currency(head),
        requested_date=requested[1] if requested else None,
        ship_to=party(head, "ST"),
    )
    return Decoded(None if notes.failed else change, tuple(notes.faults))


def decode_865(document: TransactionSet, guide: PartnerGuide = DEFAULT_GUIDE) -> Decoded[ChangeAcknowledgement]:
    """The answer to a change, or the supplier's own change; None with an error where it cannot be used."""
    notes = Notes(document)
    head, blocks = cut_lines(document, "POC")
    bca = next((segment for segment in head if segment.tag == "BCA"), None)
    if bca is None or not bca.value(3):
        notes.error("po_number", "The change acknowledgement names no purchase order", bca, 3)
        return Decoded(None, tuple(notes.faults))
    on = check_date(bca, 10, notes) or check_date(bca, 11, notes)
    changes = tuple(_changed(block, guide, notes) for block in blocks)
    # A quantity that cannot be read is said once, by the line as changed.
    lines = tuple(acknowledged_line(block, guide, Notes(document), _LAYOUT, currency(head)) for block in blocks)
    for block in blocks:
        for ack in (segment for segment in block if segment.tag == "ACK"):
            quantity(ack, 2, ack.value(3) or block[0].value(5), guide, notes)
    answer = Acknowledgement(
        po_number=bca.value(3),
        header_type=known_header(bca, guide, notes),
        acknowledged_on=on,
        sequence=f"{on.strftime('%Y%m%d') if on else '00000000'}-{document.sequence}",
        lines=lines,
        supplier_reference=bca.value(9),
        dates=dates(head),
        purpose=bca.value(1),
    )
    found = ChangeAcknowledgement(answer, changes, bca.value(5), check_date(bca, 6, notes))
    return Decoded(None if notes.failed else found, tuple(notes.faults))


def _changed(block: list[Segment], guide: PartnerGuide, notes: Notes) -> ChangedLine:
    poc = block[0]
    pairs = poc.pairs(8, 27)
    unit = poc.value(5)
    code = guide.code_map.get(poc.value(2), poc.value(2))
    if code not in CHANGES:
        notes.warning("line_change", f"The line change {code!r} is not known and not in the partner's code map", poc, 2)
    requested = best_date(dates(block), REQUESTED)
    return ChangedLine(
        line_number=our_line(pairs, block, guide, poc.value(1)),
        change=code,
        buyer_sku=item(pairs, BUYER_ITEM),
        vendor_code=item(pairs, VENDOR_ITEM),
        gtin=item(pairs, GTIN_ITEM),
        quantity=quantity(poc, 3, unit, guide, notes),
        left_to_receive=quantity(poc, 4, unit, guide, notes),
        unit=unit or "EA",
        price=x12_price(poc, _LAYOUT.price, unit, guide, notes),
        requested_date=requested[1] if requested else None,
        description=next((segment.value(5) for segment in block if segment.tag == "PID"), ""),
        segment_number=poc.number,
    )


def _schedule(block: list[Segment], guide: PartnerGuide, notes: Notes) -> tuple[tuple[int, date], ...]:
    """(units, day) of the SCH segments that have both."""
    said = [
        (quantity(sch, 1, sch.value(2) or block[0].value(5), guide, notes), check_date(sch, 6, notes))
        for sch in block
        if sch.tag == "SCH"
    ]
    return tuple((units, on) for units, on in said if units is not None and on is not None)
