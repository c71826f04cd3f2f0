"""Order and line states: what a line's quantities say, which line an order shows, and the legal moves."""

from __future__ import annotations

from collections.abc import Iterable

from core.domain.states import OrderLineStatus, OrderStatus
from core.errors import IllegalTransition, InvariantBroken

_S = OrderLineStatus
_LIVE = frozenset(_S) - {_S.CANCELLED}

LINE_MOVES: dict[OrderLineStatus, frozenset[OrderLineStatus]] = {
    _S.RECEIVED: frozenset(_S) - {_S.RECEIVED},
    # one transaction may do several steps (validate, allocate, plan), and cancelling the short rest of a part-shipped
    # line shows the part that has left
    _S.VALIDATED: _LIVE - {_S.RECEIVED} | {_S.CANCELLED},
    _S.BACKORDERED: _LIVE - {_S.RECEIVED} | {_S.CANCELLED},
    # stock can be lost again (count, damage, re-promising), a planned shipment dropped, a line enlarged
    _S.ALLOCATED: _LIVE - {_S.RECEIVED} | {_S.CANCELLED},
    _S.READY_TO_SHIP: _LIVE - {_S.RECEIVED} | {_S.CANCELLED},
    # what has left does not come back through its line: a return is a document of its own
    _S.SHIPPED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.CANCELLED: frozenset(),
}

_RANK = {
    _S.RECEIVED: 0,
    _S.VALIDATED: 1,
    _S.BACKORDERED: 1,
    _S.ALLOCATED: 2,
    _S.READY_TO_SHIP: 3,
    _S.SHIPPED: 4,
    _S.DELIVERED: 5,
}
_SHOWN_AS = (
    OrderStatus.RECEIVED,
    OrderStatus.VALIDATED,
    OrderStatus.ALLOCATED,
    OrderStatus.SHIPMENT_RESERVED,
    OrderStatus.SHIPPED,
    OrderStatus.DELIVERED,
)


def check_line_move(line: str, before: OrderLineStatus, after: OrderLineStatus) -> None:
    """Raise IllegalTransition unless `before` may become `after`; staying always is. `line` names it in the error."""
    if before is not after and after not in LINE_MOVES[before]:
        raise IllegalTransition("order line", line, before, after)


def line_status(
    *,
    ordered: int,
    open: int,
    allocated: int,
    backordered: int,
    shipped: int,
    cancelled: int,
    ready: int = 0,
    delivered: int = 0,
    is_validated: bool = True,
) -> OrderLineStatus:
    """The state of a line: that of its least advanced quantity that is not cancelled.

    `ready` is the part of `allocated` on planned shipments, `delivered` the part of `shipped` that has arrived; a line
    whose order waits for validation is RECEIVED. Raises InvariantBroken when the quantities do not balance.
    """
    if (
        min(open, allocated, backordered, shipped, cancelled, ready, delivered) < 0
        or ordered != open + allocated + backordered + shipped + cancelled
        or ready > allocated
        or delivered > shipped
    ):
        raise InvariantBroken(
            "line quantities",
            {
                "ordered": ordered,
                "open": open,
                "allocated": allocated,
                "backordered": backordered,
                "shipped": shipped,
                "cancelled": cancelled,
                "ready": ready,
                "delivered": delivered,
            },
        )
    if ordered == cancelled:
        return _S.CANCELLED
    if not is_validated and not shipped:
        return _S.RECEIVED
    if backordered:
        return _S.BACKORDERED
    if open:
        return _S.VALIDATED
    if allocated > ready:
        return _S.ALLOCATED
    if ready:
        return _S.READY_TO_SHIP
    return _S.SHIPPED if shipped > delivered else _S.DELIVERED


def order_status(lines: Iterable[OrderLineStatus]) -> OrderStatus:
    """The least advanced line that is not cancelled.

    BACKORDERED shows as VALIDATED, READY_TO_SHIP as SHIPMENT_RESERVED; CANCELLED when every line is; RECEIVED while
    there is none.
    """
    statuses = list(lines)
    if not statuses:
        return OrderStatus.RECEIVED
    ranks = [_RANK[status] for status in statuses if status is not _S.CANCELLED]
    return _SHOWN_AS[min(ranks)] if ranks else OrderStatus.CANCELLED
