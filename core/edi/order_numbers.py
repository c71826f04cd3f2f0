"""The number of our order out of what a partner writes for it: with a release behind it, padded, or as digits alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.edi.change_documents import ChangeAcknowledgement
from core.edi.documents import Acknowledgement, CarrierStatus, ShipNotice, ShippedOrder
from core.edi.guide import OrderNumber, PartnerGuide
from core.edi.invoice_documents import Invoice
from core.edi.reply_documents import ApplicationAdvice
from core.edi.warehouse_documents import ReceiptAdvice

_PREFIX, _DIGITS = "PO", 8
# What RFF and OTI10 call a purchase order.
_ORDERS = ("PO", "ON", "OP")


def our_number(text: str, guide: PartnerGuide) -> str:
    """`text` as our order is numbered, by the partner's rule; blanks inside it are never taken out."""
    at = min((place for mark in guide.order_suffix_marks if (place := text.find(mark)) > 0), default=len(text))
    cut = text[:at].rstrip()
    if guide.order_number is OrderNumber.PADDED:
        return cut.lstrip("0") or cut
    if guide.order_number is OrderNumber.DIGITS and cut.isascii() and cut.isdecimal():
        return _PREFIX + cut.lstrip("0").zfill(_DIGITS)
    return cut


def with_our_numbers(document: Any, guide: PartnerGuide) -> Any:
    """The document with the numbers of orders as we have them; one that is not of a partner's making stays as it is."""
    if guide.order_number is OrderNumber.AS_SENT and not guide.order_suffix_marks:
        return document
    if isinstance(document, Acknowledgement | Invoice):
        return replace(document, po_number=our_number(document.po_number, guide))
    if isinstance(document, ChangeAcknowledgement):
        return replace(document, acknowledgement=with_our_numbers(document.acknowledgement, guide))
    if isinstance(document, ShipNotice):
        return replace(document, orders=_orders(document.orders, guide))
    if isinstance(document, CarrierStatus):
        return replace(document, po_numbers=tuple(dict.fromkeys(our_number(x, guide) for x in document.po_numbers)))
    if isinstance(document, ReceiptAdvice):
        lines = tuple(replace(line, po_number=our_number(line.po_number, guide)) for line in document.lines)
        return replace(document, lines=lines)
    if isinstance(document, ApplicationAdvice) and document.about_kind in _ORDERS:
        return replace(document, about=our_number(document.about, guide))
    return document


def _orders(orders: tuple[ShippedOrder, ...], guide: PartnerGuide) -> tuple[ShippedOrder, ...]:
    """Releases of one order of ours are that order."""
    found: dict[str, ShippedOrder] = {}
    for order in orders:
        number = our_number(order.po_number, guide)
        known = found.get(number, ShippedOrder(number, ()))
        found[number] = replace(known, lines=known.lines + order.lines)
    return tuple(found.values())
