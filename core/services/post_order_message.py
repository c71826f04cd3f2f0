"""Write into the message thread of a purchase order, from either side."""

from __future__ import annotations

from core.domain.access import Role
from core.errors import InvalidInput
from core.events import Event
from core.ports import Transaction
from core.repositories.purchase_orders import lock_order
from core.repositories.supplier_portal import add_message, sent_order

LONGEST_MESSAGE = 4_000


async def post_order_message(uow: Transaction, number: str, body: str) -> int:
    """Append a message; the other side sees it as an event of the purchase order. Returns the order's id.

    A supplier writes only about orders of its own that were sent. Raises NotFound, InvalidInput for an empty or too
    long text.
    """
    text = body.strip()
    if not text or len(text) > LONGEST_MESSAGE:
        raise InvalidInput(f"A message has 1 to {LONGEST_MESSAGE} characters.", path=("input", "body"), field="body")
    is_from_supplier = uow.principal.role is Role.SUPPLIER
    head = await sent_order(uow, number, uow.principal.supplier_id if is_from_supplier else None)
    head = await lock_order(uow, head.id)
    message_id = await add_message(uow, head, is_from_supplier, text)
    uow.announce(
        Event(
            "purchase_order",
            "MESSAGE_POSTED",
            {
                "purchaseOrderId": head.id,
                "purchaseOrderNumber": head.number,
                "lineNumber": None,
                "status": str(head.status),
                "version": head.version,
                "messageId": message_id,
                "isFromSupplier": is_from_supplier,
            },
            key=f"purchase_order:{head.id}",
            supplier_id=head.supplier_id,
        )
    )
    uow.audit("purchaseOrderMessagePost", f"purchase_order:{head.id}", None, {"messageId": message_id})
    return head.id
