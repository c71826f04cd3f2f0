"""Writes what a supplier sends (855, 856, 214): for the played supplier of the replay and for tests."""

from __future__ import annotations

from core.edi.documents import Acknowledgement, CarrierStatus, ShipNotice, ShippedLine
from core.edi.x12_writer import Envelope, Row, items, write_interchange


def write_855(answer: Acknowledgement, envelope: Envelope) -> bytes:
    """An acknowledgement with its ACK segments as given; `ordered` and `statuses` are written as they are."""
    on = answer.acknowledged_on or envelope.at.date()
    rows: list[Row] = [
        ("BAK", answer.purpose, answer.header_type, answer.po_number, on, "", "", "", answer.supplier_reference, on)
    ]
    rows.extend(("DTM", qualifier, on) for qualifier, on in answer.dates)
    for line in answer.lines:
        pairs = items(("BP", line.buyer_sku), ("VP", line.vendor_code), ("UP", line.gtin))
        rows.append(("PO1", line.po_line_number, line.ordered, line.unit, "", "", *pairs))
        for status in line.statuses:
            qualifier = status.date_qualifier or ("067" if status.date else "")
            amount = "" if status.quantity is None else status.quantity
            unit = line.unit if status.quantity is not None else ""
            substitutes = items(*status.substitutes)
            rows.append(("ACK", status.code, amount, unit, qualifier, status.date, "", *substitutes))
    rows.append(("CTT", len(answer.lines)))
    return write_interchange("855", "PR", [rows], envelope)


def write_856(notice: ShipNotice, envelope: Envelope) -> bytes:
    """A ship notice as shipment, order, [pack,] item."""
    at = envelope.at
    rows: list[Row] = [
        ("BSN", notice.purpose, notice.number, notice.noticed_on or at.date(), at.strftime("%H%M"), "0001"),
        ("HL", 1, "", "S", 1),
    ]
    if notice.carrier:
        rows.append(("TD5", "B", "2", notice.carrier))
    if notice.tracking:
        rows.append(("REF", "2I", notice.tracking))
    for qualifier, on in (
        ("011", notice.shipped_on),
        ("067", notice.expected_date),
        ("068", notice.expected_ship_date),
    ):
        if on:
            rows.append(("DTM", qualifier, on))
    number = 1
    for order in notice.orders:
        number += 1
        order_number = number
        rows.append(("HL", number, 1, "O", 1))
        rows.append(("PRF", order.po_number))
        for line in order.lines:
            parent = order_number
            for pack in line.packs:
                number += 1
                rows.append(("HL", number, parent, pack.level or "P", 1))
                rows.append(("MAN", pack.qualifier or "GM", pack.mark or f"00{pack.sscc}"))
                parent = number
            number += 1
            rows.append(("HL", number, parent, "I", 0))
            rows.extend(_item_rows(line))
    rows.append(("CTT", number))
    return write_interchange("856", "SH", [rows], envelope)


def _item_rows(line: ShippedLine) -> list[Row]:
    pairs = items(("BP", line.buyer_sku), ("VP", line.vendor_code), ("UP", line.gtin), ("LT", line.lot))
    rows: list[Row] = []
    if pairs:
        rows.append(("LIN", line.po_line_number, *pairs))
    rows.append(("SN1", line.po_line_number, line.quantity, line.unit, "", "", "", "", line.status))
    if line.expires_on:
        rows.append(("DTM", "036", line.expires_on))
    return rows


def write_214(status: CarrierStatus, envelope: Envelope) -> bytes:
    """A carrier's status message; an estimate is written with its day to come."""
    rows: list[Row] = [("B10", status.reference, status.shipment, status.carrier or "CARR")]
    rows.extend(("L11", number, "PO") for number in status.po_numbers)
    if status.tracking and status.tracking != status.reference:
        rows.append(("L11", status.tracking, "2I"))
    if status.estimated_date:
        rows.append(("N1", "ST", "Consignee"))  # a day before the first event belongs to a party
        rows.append(("G62", "17", status.estimated_date))
    for position, event in enumerate(status.events, start=1):
        rows.append(("LX", position))
        on = event.at.date() if event.at else event.estimated_date
        time = event.at.strftime("%H%M") if event.at else ""
        rows.append(("AT7", event.status_code, event.reason, event.appointment, "", on, time, event.time_code))
    return write_interchange("214", "QM", [rows], envelope)
