"""Send an approved purchase order: control numbers and the bytes of the 850 in one transaction, the file after it."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from core.domain.currencies import digits_of
from core.domain.purchasing import check_status_move
from core.domain.states import PurchaseOrderStatus
from core.edi.documents import Party, PurchaseOrderDocument, PurchaseOrderDocumentLine
from core.edi.write_850 import write_850
from core.edi.x12_writer import Envelope
from core.events import Event
from core.ports import Transaction
from core.repositories.edi import Outbound, add_outbound, due_times, next_control, partner_of_supplier
from core.repositories.purchase_orders import lock_order, set_status

_S = PurchaseOrderStatus
_BEFORE_SENDING = (_S.DRAFT, _S.AWAITING_APPROVAL, _S.APPROVED)


async def send_purchase_order(uow: Transaction, purchase_order_id: int) -> int | None:
    """APPROVED becomes SENT; returns the outbound document's id, None when it was sent before or needs no EDI.

    A supplier without a trading partner gets its order by other means: the order is SENT all the same.
    Raises NotFound, IllegalTransition before approval, InvalidInput for a value that X12 cannot hold.
    """
    head = await lock_order(uow, purchase_order_id)
    if head.status not in _BEFORE_SENDING:
        return None
    check_status_move(head.number, head.status, PurchaseOrderStatus.SENT)
    partner = await partner_of_supplier(uow, head.supplier_id)
    outbound_id = None
    if partner is not None:
        place = await uow.sql.fetchrow("select code, name, time_zone from location where id = $1", head.location_id)
        numbers = [await next_control(uow, partner.id, level) for level in ("interchange", "group", "set")]
        local = uow.now.astimezone(ZoneInfo(place["time_zone"]))
        envelope = Envelope(
            partner.our_qualifier,
            partner.our_interchange_id,
            partner.qualifier,
            partner.interchange_id,
            partner.our_group_id,
            partner.group_id,
            *numbers,
            at=local.replace(tzinfo=None),
        )
        order = await uow.sql.fetchrow(
            "select currency, requested_date from purchase_order where id = $1", purchase_order_id
        )
        rows = await uow.sql.fetch(
            """select l.*, k.code, k.unit, k.name, x.vendor_code from purchase_order_line l join sku k on k.id = l.sku_id
            left join supplier_sku x on x.sku_id = l.sku_id and x.supplier_id = l.supplier_id
            where l.purchase_order_id = $1 and l.ordered > l.cancelled order by l.line_number""",
            purchase_order_id,
        )
        digits = digits_of(order["currency"])
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
                    description=row["name"].get("en", ""),
                )
                for row in rows
            ),
            currency=order["currency"],
            requested_date=order["requested_date"],
            ship_to=Party(place["name"] or place["code"], place["code"]),
        )
        outbound_id = await add_outbound(
            uow,
            Outbound(
                partner.id,
                "850",
                write_850(document, envelope),
                f"850-{head.number}-{numbers[0]:09d}.edi",
                f"{numbers[0]:09d}",
                str(numbers[1]),
                f"{numbers[2]:04d}",
                head.id,
                due_times(partner.guide, uow.now),
            ),
        )
    await set_status(uow, head, PurchaseOrderStatus.SENT)
    uow.announce(
        Event(
            "edi",
            "QUEUED" if outbound_id else "NOT_REQUIRED",
            {"outboundId": outbound_id, "kind": "850", "purchaseOrderNumber": head.number},
            key=f"purchase_order:{head.id}",
            supplier_id=head.supplier_id,
        )
    )
    uow.audit("purchaseOrderSend", f"purchase_order:{head.id}", None, {"outboundId": outbound_id})
    return outbound_id
