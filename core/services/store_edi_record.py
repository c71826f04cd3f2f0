"""Documents that are kept and compared, and move nothing: invoices, and what somebody received."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from core.domain.currencies import digits_of
from core.domain.invoices import BilledLine, Finding, FindingKind, compare_line
from core.edi.documents import AcknowledgedLine
from core.edi.interchanges import Fault
from core.edi.invoice_documents import Invoice, InvoiceLine
from core.edi.resolve_acknowledgement import OpenLine, match_line
from core.edi.warehouse_documents import ReceiptAdvice
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import Partner
from core.repositories.edi_records import (
    add_invoice,
    article_names,
    billed_before,
    currency_of,
    received_by_line,
)
from core.repositories.purchase_orders import find_orders, read_lines
from core.services.edi_outcome import Applied, Unusable


async def store_invoice(
    uow: Transaction, invoice: Invoice, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """Compare it with the order and what has left the supplier; units that were invoiced but not shipped are an alert.

    Raises NotFound for an unknown order. An invoice number that is known changes nothing.
    """
    if partner.supplier_id is None:
        raise Unusable("partner", f"Partner {partner.code!r} is not a supplier.")
    head = (await find_orders(uow, [invoice.po_number], partner.supplier_id, only_approved=True))[invoice.po_number]
    rows = {line.line_number: line for line in (await read_lines(uow, [head.id])).values()}
    names = await article_names(uow, head.id)
    ours = [OpenLine(n, 0, *names[line.id]) for n, line in rows.items()]
    billed = await billed_before(uow, head.id, invoice.number)
    currency = await currency_of(uow, head.id)
    digits = digits_of(currency)
    findings: list[Finding] = []
    is_comparable = invoice.currency.upper() in ("", currency)
    if not is_comparable:
        text = f"The invoice is in {invoice.currency}, the order in {currency}: prices are not compared."
        findings.append(Finding(FindingKind.CURRENCY, None, text))
    lines: list[dict[str, Any]] = []
    for line in invoice.lines:
        candidates = match_line(_as_answered(line), ours, partner.guide)
        number = candidates[0].line_number if len(candidates) == 1 else None
        lines.append({"lineNumber": number, "quantity": line.quantity, "price": _plain(line.price)})
        if number is None:
            name = line.line_number or line.buyer_sku or line.vendor_code
            findings.append(Finding(FindingKind.UNKNOWN_LINE, None, f"Line {name!r} matches no line of the order."))
            continue
        parts = rows[number].parts
        gone = parts.in_transit + parts.received + parts.over_delivered
        price = Decimal(rows[number].price).scaleb(-digits)
        before = billed.get(number, 0) + sum(x["quantity"] or 0 for x in lines[:-1] if x["lineNumber"] == number)
        theirs = line.price if is_comparable else None
        one = BilledLine(number, line.quantity or 0, theirs, gone, before, price)
        findings += compare_line(one, partner.guide.price_tolerance_percent)
    told = [{"kind": str(f.kind), "lineNumber": f.line_number, "message": f.message} for f in findings]
    is_new = await add_invoice(
        uow,
        supplier_id=partner.supplier_id,
        number=invoice.number,
        purchase_order_id=head.id,
        invoiced_on=invoice.invoiced_on,
        total=_plain(invoice.total) or "",
        currency=invoice.currency,
        lines=lines,
        findings=told,
        document_id=document_id,
    )
    if is_new and findings:
        facts = {"documentId": document_id, "invoice": invoice.number, "error": findings[0].message}
        uow.announce(Event("edi", "INVOICE_DOUBT", facts, f"document:{document_id}", supplier_id=partner.supplier_id))
    return Applied("applied" if is_new else "repeated", invoice.number, head.id, faults, {"findings": told})


def _as_answered(line: InvoiceLine) -> AcknowledgedLine:
    """The line with what names it, for the one rule that finds lines of ours."""
    return AcknowledgedLine(
        line.line_number, line.line_number, line.buyer_sku, line.vendor_code, line.gtin, None, line.unit, ()
    )


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


async def store_receipt_advice(
    uow: Transaction, advice: ReceiptAdvice, faults: tuple[Fault, ...], partner: Partner, document_id: int
) -> Applied:
    """What somebody says was received, beside what we booked: only a receipt of ours closes a line."""
    numbers = sorted({line.po_number for line in advice.lines if line.po_number})
    heads = await find_orders(uow, numbers, partner.supplier_id, only_approved=True)
    booked = await received_by_line(uow, [head.id for head in heads.values()])
    lines = []
    for line in advice.lines:
        ours = booked.get((line.po_number, line.line_number.lstrip("0") or "0"))
        lines.append({**asdict(line), "expires_on": None, "booked": ours})
    first = heads[numbers[0]].id if numbers else None
    keep = ("po_number", "line_number", "buyer_sku", "received", "accepted", "rejected", "short", "booked")
    told = {"lines": [{name: line[name] for name in keep} for line in lines]}
    return Applied("applied", advice.number, first, faults, told)
