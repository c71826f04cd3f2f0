"""Send an approved purchase order: control numbers and the bytes of the 850 or ORDERS in one transaction, the file after."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.domain.currencies import digits_of
from core.domain.edi_states import EdiOutboundState
from core.domain.purchasing import check_status_move
from core.domain.states import PurchaseOrderStatus
from core.edi.documents import PurchaseOrderDocument, PurchaseOrderDocumentLine
from core.edi.guide import Standard
from core.edi.write_850 import write_850
from core.edi.write_orders import write_orders
from core.errors import IllegalTransition, InvalidInput
from core.events import Event, JobRequest
from core.ports import Transaction
from core.repositories.edi import Partner, add_outbound, due_times, partner_of_supplier
from core.repositories.edi_replies import newest_order
from core.repositories.order_documents import read_paper
from core.repositories.purchase_orders import (
    PurchaseOrderHead,
    find_orders,
    lock_order,
    read_lines,
    refresh_orders,
    set_status,
)
from core.services.ask_supplier import ask_to_expedite
from core.services.edi_envelopes import number_document
from core.services.run_supplier_deadlines import run_supplier_deadlines

_S = PurchaseOrderStatus
_BEFORE_SENDING = (_S.DRAFT, _S.AWAITING_APPROVAL, _S.APPROVED)


async def send_purchase_order(uow: Transaction, purchase_order_id: int) -> int | None:
    """APPROVED becomes SENT; returns the outbound document's id, None when it was sent before or needs no EDI.

    Where goods came before the order left, it is PARTIALLY_RECEIVED then. A supplier without a trading partner gets its
    order by other means: the order is SENT all the same.
    Raises NotFound, IllegalTransition before approval, InvalidInput for a value that the standard cannot hold.
    """
    head = await lock_order(uow, purchase_order_id)
    if head.status not in _BEFORE_SENDING:
        return None
    check_status_move(head.number, head.status, PurchaseOrderStatus.SENT)
    partner = await partner_of_supplier(uow, head.supplier_id)
    outbound_id = await _write(uow, head, partner) if partner is not None else None
    await set_status(uow, head, PurchaseOrderStatus.SENT)
    if any(line.parts.received for line in (await read_lines(uow, [head.id])).values()):  # some of it came before
        await refresh_orders(uow, [head.id])
    await ask_to_expedite(uow, head.id)
    _say(uow, head, outbound_id, partner)
    uow.audit("purchaseOrderSend", f"purchase_order:{head.id}", None, {"outboundId": outbound_id})
    return outbound_id


async def send_order_anew(uow: Transaction, number: str) -> PurchaseOrderHead:
    """An order that the partner could not read, or whose application refused it, goes out under new control numbers.

    So does one that was told by other means before its supplier became a trading partner. Mend the cause first. Returns
    the order. Raises NotFound, InvalidInput for a supplier without a trading partner, IllegalTransition unless the last
    one was refused (the same bytes are sent again instead), or for an order that never went out and is not SENT.
    """
    head = await lock_order(uow, (await find_orders(uow, [number]))[number].id)
    partner = await partner_of_supplier(uow, head.supplier_id)
    last = await newest_order(uow, head.id)
    if partner is None:
        raise InvalidInput(
            f"The supplier of purchase order {number!r} has no trading partner to send it to: enter one first.",
            path=("input", "number"),
            value=number,
        )
    if last is None and head.status != _S.SENT:
        raise IllegalTransition("purchase order", number, head.status, "sent by EDI")
    if last is not None and last["state"] != EdiOutboundState.REJECTED:
        raise IllegalTransition("document", last["file_name"], last["state"], "sent under new numbers")
    outbound_id = await _write(uow, head, partner)
    _say(uow, head, outbound_id, partner)
    await run_supplier_deadlines(uow, [head.id])
    # the order's row is held: gates are taken by a transaction of their own
    uow.enqueue(JobRequest("restart_lead_time", str(head.id), {"purchaseOrderId": head.id}))
    uow.audit(
        "purchaseOrderSendAnew",
        f"purchase_order:{head.id}",
        None if last is None else {"outboundId": last["id"]},
        {"outboundId": outbound_id},
    )
    return head


async def _write(uow: Transaction, head: PurchaseOrderHead, partner: Partner) -> int:
    paper = await read_paper(uow, head.id)
    local = uow.now.astimezone(paper.zone)
    numbered = await number_document(uow, partner, local)
    digits = digits_of(paper.currency)
    document = PurchaseOrderDocument(
        head.number,
        local.date(),
        tuple(
            PurchaseOrderDocumentLine(
                str(row["line_number"]),
                row["code"],
                row["vendor_code"] or "",
                row["ordered"] - row["cancelled"],
                row["unit"],
                Decimal(row["price"]).scaleb(-digits),
                row["requested_date"],
                gtin=row["gtin"] or "",
                description=row["name"].get("en", ""),
            )
            for row in paper.lines
            if row["ordered"] > row["cancelled"]
        ),
        currency=paper.currency,
        requested_date=paper.requested_date,
        ship_to=paper.ship_to,
    )
    if partner.guide.standard is Standard.EDIFACT:
        kind, content = "ORDERS", write_orders(document, numbered.edifact())
    else:
        kind, content = "850", write_850(document, numbered.x12())
    name = f"{kind}-{head.number}-{numbered.interchange:09d}.edi"
    row = replace(numbered.outbound(kind, content, name, head.id), due=due_times(partner.guide, uow.now))
    return await add_outbound(uow, row) or 0


def _say(uow: Transaction, head: PurchaseOrderHead, outbound_id: int | None, partner: Partner | None) -> None:
    kind = "ORDERS" if partner is not None and partner.guide.standard is Standard.EDIFACT else "850"
    uow.announce(
        Event(
            "edi",
            "QUEUED" if outbound_id else "NOT_REQUIRED",
            {"outboundId": outbound_id, "kind": kind, "purchaseOrderNumber": head.number},
            key=f"purchase_order:{head.id}",
            supplier_id=head.supplier_id,
        )
    )
