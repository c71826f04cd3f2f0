"""Writes what a supplier sends beyond the answer to an order (865, 846): for benchmarks, and to be read back by tests."""

from __future__ import annotations

from core.edi.change_documents import ChangeAcknowledgement
from core.edi.stock_documents import InventoryReport
from core.edi.x12_writer import Envelope, Row, items, write_interchange


def write_865(answer: ChangeAcknowledgement, envelope: Envelope) -> bytes:
    """A change acknowledgement with its POC and ACK segments as given."""
    head = answer.acknowledgement
    on = head.acknowledged_on or envelope.at.date()
    rows: list[Row] = [
        (
            "BCA",
            head.purpose,
            head.header_type,
            head.po_number,
            "",
            answer.change_sequence,
            answer.ordered_on or on,
            "",
            "",
            head.supplier_reference,
            on,
        )
    ]
    rows.extend(("DTM", qualifier, day) for qualifier, day in head.dates)
    for line, change in zip(head.lines, answer.changes, strict=True):
        pairs = items(("BP", line.buyer_sku), ("VP", line.vendor_code), ("UP", line.gtin))
        counts = change.quantity is not None or change.left_to_receive is not None
        unit = line.unit if counts else ""
        rows.append(
            (
                "POC",
                line.po_line_number,
                change.change,
                change.quantity,
                change.left_to_receive,
                unit,
                change.price,
                "",
                *pairs,
            )
        )
        rows.extend(("DTM", qualifier, day) for qualifier, day in line.dates)
        for status in line.statuses:
            qualifier = status.date_qualifier or ("067" if status.date else "")
            of = line.unit if status.quantity is not None else ""
            rows.append(
                ("ACK", status.code, status.quantity, of, qualifier, status.date, "", *items(*status.substitutes))
            )
    rows.append(("CTT", len(head.lines)))
    return write_interchange("865", "CA", [rows], envelope)


def write_846(report: InventoryReport, envelope: Envelope) -> bytes:
    """An inventory report, each quantity under its own code."""
    on = report.reported_on or envelope.at.date()
    rows: list[Row] = [("BIA", report.purpose, "DD", report.number, on)]
    if report.location:
        rows.append(("N1", "WH", "Warehouse", "92", report.location))
    for line in report.lines:
        pairs = items(("BP", line.buyer_sku), ("VP", line.vendor_code), ("UP", line.gtin))
        rows.append(("LIN", line.line_number, *pairs))
        if line.available_on:
            rows.append(("DTM", "018", line.available_on))
        if line.lead_time_days is not None:
            rows.append(("LDT", "AF", line.lead_time_days, "DA"))
        rows.extend(("QTY", found.code, found.quantity, line.unit) for found in line.quantities)
    rows.append(("CTT", len(report.lines)))
    return write_interchange("846", "IB", [rows], envelope)
