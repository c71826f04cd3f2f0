"""Writes what a supplier sends in EDIFACT (ORDRSP, DESADV): for the played supplier and for tests."""

from __future__ import annotations

from core.edi.documents import AcknowledgedLine, Acknowledgement, Effect, LineStatus, ShipNotice, ShippedLine
from core.edi.edifact_writer import EdifactEnvelope, Row, day_row, write_messages

# List 374 to list 2005, of those dates that a supplier answers with.
_DATES = {"067": "67", "069": "69", "070": "76", "017": "17", "079": "79", "068": "79", "371": "191"}
_QUANTITIES = {Effect.ACCEPT: "113", Effect.BACKORDER: "83", Effect.REJECT: "185"}
# BAK02 to 1225: accepted, not accepted, with changes.
_FUNCTIONS = {"AK": "29", "AT": "29", "RJ": "27", "RD": "27"}
_PURPOSES = {"00": "9", "01": "1", "05": "5"}


def write_ordrsp(answer: Acknowledgement, envelope: EdifactEnvelope) -> bytes:
    """An order response: accepted, backordered and refused quantities of each line, each with its day."""
    on = answer.acknowledged_on or envelope.at.date()
    rows: list[Row] = [
        ("BGM", "231", answer.supplier_reference or answer.po_number, _FUNCTIONS.get(answer.header_type, "4")),
        day_row("137", on),
    ]
    rows.extend(day_row(_DATES.get(code, "67"), day) for code, day in answer.dates)
    rows.append(("RFF", ("ON", answer.po_number)))
    if answer.supplier_reference:
        rows.append(("RFF", ("VN", answer.supplier_reference)))
    for line in answer.lines:
        rows.extend(_answered(line))
    rows.extend([("UNS", "S"), ("CNT", ("2", len(answer.lines)))])
    return write_messages("ORDRSP", [rows], envelope)


def _answered(line: AcknowledgedLine) -> list[Row]:
    rows: list[Row] = [
        ("LIN", line.po_line_number, _action(line), (line.gtin, "EN" if line.gtin else "")),
        *_item_rows(line.buyer_sku, line.vendor_code),
    ]
    unit = "" if line.unit == "EA" else line.unit
    if line.ordered is not None:
        rows.append(("QTY", ("21", line.ordered, unit)))
    for status in line.statuses:
        if status.quantity is None:
            rows.extend(_date_rows(status))
            continue
        rows.append(("SCC", "1"))
        rows.append(("QTY", (_QUANTITIES.get(status.effect, "113"), status.quantity, unit)))
        rows.extend(_date_rows(status))
    return rows


def _date_rows(status: LineStatus) -> list[Row]:
    return [day_row(_DATES.get(status.date_qualifier, "67"), status.date)] if status.date else []


def _action(line: AcknowledgedLine) -> str:
    if line.is_proposal:
        return "3"
    effects = {status.effect for status in line.statuses}
    if not effects:
        return ""
    return {frozenset({Effect.ACCEPT}): "5", frozenset({Effect.REJECT}): "7"}.get(frozenset(effects), "24")


def write_desadv(notice: ShipNotice, envelope: EdifactEnvelope) -> bytes:
    """A despatch advice: one pack of the tree for each line that has a mark, its SSCC below it."""
    rows: list[Row] = [
        ("BGM", "351", notice.number, _PURPOSES.get(notice.purpose, "9")),
        day_row("137", notice.noticed_on or envelope.at.date()),
    ]
    for code, on in (("11", notice.shipped_on), ("17", notice.expected_date), ("79", notice.expected_ship_date)):
        if on:
            rows.append(day_row(code, on))
    if len(notice.orders) == 1:
        rows.append(("RFF", ("ON", notice.orders[0].po_number)))
    if notice.tracking:
        rows.append(("RFF", ("CN", notice.tracking)))
    if notice.carrier:
        rows.append(("TDT", "20", "", "", "", (notice.carrier, "172")))
    rows.append(("CPS", 1))
    number = 1
    position = 0
    for order in notice.orders:
        for line in order.lines:
            position += 1
            number += 1
            rows.append(("CPS", number, 1, "3"))
            if line.packs:
                rows.extend([("PAC", len(line.packs)), ("PCI", "33E")])
                rows.extend(("GIN", "BJ", pack.mark or pack.sscc) for pack in line.packs)
            rows.extend(_shipped(line, position, order.po_number))
    rows.append(("CNT", ("2", position)))
    return write_messages("DESADV", [rows], envelope)


def _shipped(line: ShippedLine, position: int, po_number: str) -> list[Row]:
    rows: list[Row] = [
        ("LIN", position, "", (line.gtin, "EN" if line.gtin else "")),
        *_item_rows(line.buyer_sku, line.vendor_code),
        ("QTY", ("12", line.quantity, "" if line.unit == "EA" else line.unit)),
    ]
    if line.lot:
        rows.append(("GIN", "BX", line.lot))
    if line.expires_on:
        rows.append(day_row("36", line.expires_on))
    rows.append(("RFF", ("ON", po_number, line.po_line_number)))
    return rows


def _item_rows(buyer_sku: str, vendor_code: str) -> list[Row]:
    numbers = [pair for pair in ((buyer_sku, "IN"), (vendor_code, "SA")) if pair[0]]
    return [("PIA", "5", *numbers)] if numbers else []
