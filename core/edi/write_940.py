"""Writes the release to a warehouse as an X12 940."""

from __future__ import annotations

from core.edi.warehouse_documents import ShippingOrder, WarehouseLine
from core.edi.write_850 import gtin_qualifier, party_rows
from core.edi.x12_writer import Envelope, Row, free_text, items, write_interchange

# List 432: requested ship date and requested delivery date.
_SHIP, _DELIVER = "10", "02"


def write_940(order: ShippingOrder, envelope: Envelope) -> bytes:
    """The whole interchange. InvalidInput where a number or code of the order cannot stand in X12."""
    rows: list[Row] = [("W05", order.purpose, order.number, order.po_number)]
    for code, party in (("ST", order.ship_to), ("WH", order.ship_from)):
        if party is not None:
            rows.extend(party_rows(code, party))
    rows.extend(("NTE", "WHI", free_text(note)) for note in order.notes if free_text(note))
    rows.extend(("G62", code, on) for code, on in ((_SHIP, order.ship_on), (_DELIVER, order.deliver_on)) if on)
    if order.carrier:
        rows.append(("W66", "PP", "M", "", "", "", "", "", "", "", order.carrier))
    for position, line in enumerate(order.lines, start=1):
        rows.append(("LX", position))
        rows.extend(_line_rows(line))
    rows.append(("W76", sum(line.ordered or 0 for line in order.lines)))
    return write_interchange("940", "OW", [rows], envelope)


def _line_rows(line: WarehouseLine) -> list[Row]:
    pairs = items(("BP", line.buyer_sku), ("VN", line.vendor_code), (gtin_qualifier(line.gtin), line.gtin))
    first = [*pairs[:4], *[""] * (4 - len(pairs[:4]))]
    # 08 to 12 are freight classes and pallets, 13 is the lot, 15 and 16 a third item number.
    row: Row = ("W01", line.ordered, line.unit, "", *first, *[""] * 5, line.lot, "", *pairs[4:])
    rows: list[Row] = [row]
    if line.description:
        rows.append(("G69", free_text(line.description, 45)))
    if line.line_number:
        rows.append(("N9", "LI", line.line_number))
    return rows
