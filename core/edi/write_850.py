"""Writes a purchase order as an X12 850."""

from __future__ import annotations

from core.edi.documents import Party, PurchaseOrderDocument, PurchaseOrderDocumentLine
from core.edi.x12_writer import Envelope, Row, free_text, items, write_interchange


def write_850(order: PurchaseOrderDocument, envelope: Envelope) -> bytes:
    """The whole interchange. InvalidInput where a number or code of the order cannot stand in X12."""
    rows: list[Row] = [("BEG", order.purpose, order.order_type, order.number, "", order.ordered_on)]
    if order.currency:
        rows.append(("CUR", "BY", order.currency))
    if order.requested_date:
        rows.append(("DTM", "002", order.requested_date))
    if order.ship_to:
        rows.extend(party_rows("ST", order.ship_to))
    for line in order.lines:
        rows.extend(_line_rows(line))
    rows.append(("CTT", len(order.lines)))
    return write_interchange("850", "PO", [rows], envelope)


def _line_rows(line: PurchaseOrderDocumentLine) -> list[Row]:
    pairs = items(("BP", line.buyer_sku), ("VP", line.vendor_code), (gtin_qualifier(line.gtin), line.gtin))
    rows: list[Row] = [("PO1", line.line_number, line.quantity, line.unit, line.price, "", *pairs)]
    if line.description:
        rows.append(("PID", "F", "", "", "", free_text(line.description)))
    if line.requested_date:
        rows.append(("DTM", "002", line.requested_date))
    return rows


def party_rows(code: str, party: Party) -> list[Row]:
    """N1, N3 and N4 of one party."""
    rows: list[Row] = [("N1", code, free_text(party.name, 60), "92" if party.code else "", party.code)]
    address = [free_text(line, 55) for line in party.address if line.strip()]
    rows.extend(("N3", *address[at : at + 2]) for at in range(0, len(address), 2))
    if party.city or party.postal_code:
        rows.append(("N4", free_text(party.city, 30), party.state, party.postal_code, party.country))
    return rows


def gtin_qualifier(gtin: str) -> str:
    """Element 235 for a GTIN of this length."""
    return {12: "UP", 13: "EN", 14: "UK"}.get(len(gtin), "UP")
