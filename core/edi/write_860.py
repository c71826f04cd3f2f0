"""Writes the change of a purchase order as an X12 860."""

from __future__ import annotations

from core.edi.change_documents import ChangedLine, PurchaseOrderChange
from core.edi.write_850 import gtin_qualifier, party_rows
from core.edi.x12_writer import Envelope, Row, free_text, items, write_interchange


def write_860(change: PurchaseOrderChange, envelope: Envelope) -> bytes:
    """The whole interchange. InvalidInput where a number or code of the change cannot stand in X12."""
    rows: list[Row] = [
        (
            "BCH",
            change.purpose,
            change.order_type,
            change.number,
            "",
            change.sequence_number,
            change.ordered_on or change.changed_on,
            "",
            "",
            "",
            "",
            change.changed_on,
        )
    ]
    if change.currency:
        rows.append(("CUR", "BY", change.currency))
    if change.requested_date:
        rows.append(("DTM", "002", change.requested_date))
    if change.ship_to:
        rows.extend(party_rows("ST", change.ship_to))
    for line in change.lines:
        rows.extend(_line_rows(line))
    rows.append(("CTT", len(change.lines)))
    return write_interchange("860", "PC", [rows], envelope)


def _line_rows(line: ChangedLine) -> list[Row]:
    pairs = items(("BP", line.buyer_sku), ("VP", line.vendor_code), (gtin_qualifier(line.gtin), line.gtin))
    counts = line.quantity is not None or line.left_to_receive is not None
    rows: list[Row] = [
        (
            "POC",
            line.line_number,
            line.change,
            line.quantity,
            line.left_to_receive,
            line.unit if counts else "",
            line.price,
            "",
            *pairs,
        )
    ]
    if line.description:
        rows.append(("PID", "F", "", "", "", free_text(line.description)))
    if line.requested_date:
        rows.append(("DTM", "002", line.requested_date))
    rows.extend(("SCH", units, line.unit, "", "", "002", on) for units, on in line.schedule)
    return rows
