"""Ask for shipments of what a rule alone may have kept from the warehouse, once the rule is another."""

from __future__ import annotations

from core.domain.states import OrderStatus
from core.ports import Transaction
from core.repositories.orders import kept_orders
from core.services.follow_up import request_shipments

STATUSES = (OrderStatus.VALIDATED, OrderStatus.ALLOCATED)
"""An order with stock on no shipment has a line that is no further than that; one that is RECEIVED leaves with its hold."""
CHUNK = 500
ORDERS_AT_ONCE = 10
"""Orders whose shipments are planned in one transaction, behind the gates of all their SKUs."""


async def release_kept_orders(uow: Transaction, status: OrderStatus, after: int) -> int | None:
    """Look at a chunk of the orders of this status, from behind the id `after` on; returns the last id, None at the end.

    Whether an order may leave now is decided where its shipments are planned. What no change of a rule lets go is left
    out: orders on hold, and what has to leave whole while a part of it waits.
    """
    read = await kept_orders(uow, status, after, CHUNK)
    kept = [order_id for order_id, is_kept in read if is_kept]
    for begin in range(0, len(kept), ORDERS_AT_ONCE):
        request_shipments(uow, kept[begin : begin + ORDERS_AT_ONCE])
    return read[-1][0] if len(read) == CHUNK else None
