"""Writes a purchase order as ORDERS and its change as ORDCHG (D96A)."""

from __future__ import annotations

from core.edi.change_documents import ChangedLine, PurchaseOrderChange
from core.edi.documents import Party, PurchaseOrderDocument
from core.edi.edifact_writer import EdifactEnvelope, Row, day_row, plain, write_messages
from core.errors import InvalidInput

# Element 353 to element 1225, and 92 to the code of BGM.
_FUNCTIONS = {"00": "9", "01": "1", "04": "4", "05": "5", "06": "6", "07": "7"}
_ORDER_KINDS = {"SA": "220", "BK": "221", "RO": "224", "RL": "226"}
# Element 670 to LIN 1229.
_ACTIONS = {"AI": "1", "DI": "2", "NC": "4"}


def write_orders(order: PurchaseOrderDocument, envelope: EdifactEnvelope) -> bytes:
    """The whole interchange. InvalidInput where a code of the order cannot stand in ORDERS."""
    kind = _ORDER_KINDS.get(order.order_type)
    if kind is None:
        raise InvalidInput(f"There is no ORDERS for an order of type {order.order_type!r}.")
    rows: list[Row] = [
        ("BGM", kind, order.number, _function(order.purpose)),
        day_row("137", order.ordered_on),
    ]
    if order.requested_date:
        rows.append(day_row("2", order.requested_date))
    rows.extend(_party_rows(order.ship_to))
    if order.currency:
        rows.append(("CUX", ("2", order.currency, "9")))
    for line in order.lines:
        changed = ChangedLine(
            line.line_number,
            "",
            line.buyer_sku,
            line.vendor_code,
            line.gtin,
            line.quantity,
            None,
            line.unit,
            line.price,
            line.requested_date,
            line.description,
        )
        rows.extend(_line_rows(changed, ""))
    rows.extend([("UNS", "S"), ("CNT", ("2", len(order.lines)))])
    return write_messages("ORDERS", [rows], envelope)


def write_ordchg(change: PurchaseOrderChange, envelope: EdifactEnvelope) -> bytes:
    """The whole interchange. InvalidInput where a code of the change cannot stand in ORDCHG."""
    number = change.sequence_number or change.number
    rows: list[Row] = [("BGM", "230", number, _function(change.purpose)), day_row("137", change.changed_on)]
    if change.requested_date:
        rows.append(day_row("2", change.requested_date))
    rows.append(("RFF", ("ON", change.number)))
    if change.ordered_on:
        rows.append(day_row("171", change.ordered_on))
    rows.extend(_party_rows(change.ship_to))
    if change.currency:
        rows.append(("CUX", ("2", change.currency, "9")))
    for line in change.lines:
        rows.extend(_line_rows(line, _ACTIONS.get(line.change, "3")))
    rows.extend([("UNS", "S"), ("CNT", ("2", len(change.lines)))])
    return write_messages("ORDCHG", [rows], envelope)


def _function(purpose: str) -> str:
    function = _FUNCTIONS.get(purpose)
    if function is None:
        raise InvalidInput(f"The purpose {purpose!r} has no function in EDIFACT.")
    return function


def _line_rows(line: ChangedLine, action: str) -> list[Row]:
    rows: list[Row] = [("LIN", line.line_number, action, (line.gtin, "EN" if line.gtin else ""))]
    numbers = [pair for pair in ((line.buyer_sku, "IN"), (line.vendor_code, "SA")) if pair[0]]
    if numbers:
        rows.append(("PIA", "5", *numbers))
    text = plain(line.description, 70)
    if text:
        rows.append(("IMD", "F", "", ("", "", "", text[:35], text[35:])))
    if line.quantity is not None:
        rows.append(("QTY", ("21", line.quantity, "" if line.unit == "EA" else line.unit)))
    if line.requested_date:
        rows.append(day_row("2", line.requested_date))
    if line.price is not None:
        rows.append(("PRI", ("AAA", line.price)))
    for units, on in line.schedule:
        part = ("QTY", ("21", units, "" if line.unit == "EA" else line.unit))
        rows.extend([("SCC", "1"), part, day_row("2", on)])
    return rows


def _party_rows(party: Party | None) -> list[Row]:
    if party is None:
        return []
    name = plain(party.name, 175)
    names = tuple(name[at : at + 35] for at in range(0, len(name), 35))
    street = tuple(plain(line, 35) for line in party.address[:4] if line.strip())
    return [
        (
            "NAD",
            "DP",
            (party.code, "", "92" if party.code else ""),
            "",
            names,
            street,
            plain(party.city, 35),
            party.state,
            party.postal_code,
            party.country,
        )
    ]
