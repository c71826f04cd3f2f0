"""Cancel the short part of a line; what it has in stock or in time stays."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.kit_groups import check_kit_quantity
from core.domain.records import Backorder
from core.domain.states import BackorderState
from core.errors import IllegalTransition, QuantityExceeded, VersionConflict
from core.ports import Transaction
from core.repositories.orders import find_backorder_order
from core.services.cancel_order import Cut, carry_out
from core.services.take_orders import OpenedOrders, open_orders, take_orders


@dataclass(frozen=True, slots=True)
class CancelBackorder:
    """A backorder by its key (SKU id, id)."""

    sku_id: int
    backorder_id: int
    reason: str = ""
    expected_version: int | None = None
    quantity: int | None = None
    """Only so many of its units; None for all."""


@dataclass(frozen=True, slots=True)
class BackorderChange:
    """A backorder after a change, and its order."""

    sku_id: int
    backorder_id: int
    version: int
    order_id: int


async def cancel_backorder(uow: Transaction, request: CancelBackorder) -> BackorderChange:
    """Cancel what of the line is late or has no date, or as many units as are named. Purchase orders are not touched.

    Raises NotFound, VersionConflict, QuantityExceeded, and IllegalTransition when the backorder is closed.
    """
    order_id, state = await find_backorder_order(uow, request.sku_id, request.backorder_id)
    taken = await take_orders(uow, [order_id])
    opened = await open_orders(uow, taken)
    backorder = open_backorder(opened, request.sku_id, request.backorder_id, state, BackorderState.CANCELLED)
    check_backorder_version(backorder, request.expected_version)
    book, line, short = opened.books[request.sku_id], backorder.line, backorder.quantity
    units = short if request.quantity is None else request.quantity
    if not 0 < units <= short:
        raise QuantityExceeded("of the backorder may be cancelled", units, short, path=("input", "quantity"))
    check_kit_quantity(line, request.quantity, ("input", "quantity"))
    await carry_out(uow, taken, opened, [Cut(book, line, units)], request.reason or "backorderCancel")
    uow.audit(
        "backorderCancel",
        f"backorder:{request.sku_id}:{backorder.id}",
        {"quantity": short},
        {"quantity": units, "reason": request.reason},
    )
    return BackorderChange(request.sku_id, request.backorder_id, backorder.version, order_id)


def open_backorder(opened: OpenedOrders, sku_id: int, backorder_id: int, state: str, wanted: str) -> Backorder:
    """The backorder in its book. Raises IllegalTransition when it is closed."""
    for backorder in opened.books[sku_id].backorders:
        if backorder.id == backorder_id and backorder.closed_at is None:
            return backorder
    raise IllegalTransition("backorder", str(backorder_id), state, wanted)


def check_backorder_version(backorder: Backorder, expected: int | None) -> None:
    """Raise VersionConflict when the caller has seen another version."""
    if expected is not None and expected != backorder.version:
        raise VersionConflict("backorder", str(backorder.id), expected, backorder.version)
