"""Warn, note the breach and escalate when suppliers do not answer or do not say that goods have left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.domain.edi_states import EdiOutboundState
from core.domain.supplier_deadlines import (
    DEFAULT,
    LIVE,
    POLICY,
    Times,
    acknowledgement_times,
    alarm_of,
    deadline_rules,
    receipt_times,
    ship_notice_times,
    state_at,
    steps_to,
)
from core.domain.supplier_states import DeadlineKind, DeadlineState
from core.errors import NotFound
from core.events import Event
from core.ports import Transaction
from core.repositories.purchase_orders import find_orders, lock_order
from core.repositories.supplier_deadlines import (
    OpenOrder,
    deadlines_of,
    move_deadline,
    note_chase,
    open_deadline,
    orders_that_owe,
)
from core.repositories.supplying import load_policies

_LIVE_ORDERS = ("SENT", "ACKNOWLEDGED", "PARTIALLY_RECEIVED")


async def run_supplier_deadlines(uow: Transaction, order_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Bring every deadline (of these orders) in step with its order and the clock; how many came to each state since the last look.

    The clock is data: the times stand in the database and the instant is that of the transaction, so a run after any
    pause finds what is due, a second one changes nothing, and two at once announce each step once. A breach moves no
    date: backorders that rely on the order show a supply risk, and the deadline is a task until it is met.
    """
    policy = (await load_policies(uow)).get(POLICY, DEFAULT)
    orders = await orders_that_owe(uow, order_ids)
    known = await deadlines_of(uow, [order.id for order in orders])
    reached: Counter[str] = Counter()
    for order in orders:
        rules = deadline_rules(policy, order.supplier, order.guide_hours)
        is_live = order.status in _LIVE_ORDERS
        ship_times = None
        if order.first_day is not None:
            ship_times = ship_notice_times(
                rules, order.acknowledged_at or order.sent_at, order.first_day, order.time_zone
            )
        receipt = None
        if order.document_at is not None:
            is_refused = order.document_state == EdiOutboundState.REJECTED
            receipt = receipt_times(rules, order.document_at, order.receipt_due, is_refused)
        wanted: list[tuple[DeadlineKind, Times | None, bool, bool]] = [
            (
                DeadlineKind.FUNCTIONAL_ACKNOWLEDGEMENT,
                receipt,
                # an answer proves as much as a receipt that the order was read
                order.document_state == EdiOutboundState.ACKNOWLEDGED or order.answered > 0,
                is_live,
            ),
            (
                DeadlineKind.ACKNOWLEDGEMENT,
                # an order that its supplier could not read is answered after it was sent anew
                acknowledgement_times(rules, max(order.sent_at, order.document_at or order.sent_at)),
                order.unanswered == 0,
                is_live,
            ),
            (
                DeadlineKind.SHIP_NOTICE,
                ship_times,
                order.accepted == 0 and order.gone > 0,
                is_live and order.accepted > 0,
            ),
        ]
        for kind, times, is_met, is_wanted in wanted:
            before = known.get((order.id, kind))
            if before is None:
                if times is None or is_met or not is_wanted:
                    continue
                state = state_at(DeadlineState.OPEN, times, uow.now, is_met, is_wanted)
                if not await _stands(uow, order):
                    break
                if await open_deadline(uow, order, kind, state, times) and state is not DeadlineState.OPEN:
                    reached.update(_announce(uow, order, kind, DeadlineState.OPEN, state, times))
                continue
            due = times or before.times
            start = before.state if before.state in LIVE or is_met or not is_wanted else DeadlineState.OPEN
            state = state_at(start, due, uow.now, is_met, is_wanted and times is not None)
            if (state, due) == (before.state, before.times) or (state not in LIVE and state is before.state):
                continue
            if not await _stands(uow, order):
                break
            if await move_deadline(uow, before, state, due) and state is not before.state:
                reached.update(_announce(uow, order, kind, before.state, state, due))
    return dict(reached)


async def _stands(uow: Transaction, order: OpenOrder) -> bool:
    """Is the order, whose row is locked from here on, as it was read? If not, the next look judges it as it is then."""
    return (await lock_order(uow, order.id)).version == order.version


async def chase_supplier(uow: Transaction, number: str, kind: DeadlineKind, note: str) -> int:
    """Note that somebody is after the supplier; returns the order's id. Raises NotFound without a live deadline."""
    head = (await find_orders(uow, [number]))[number]
    if not await note_chase(uow, head.id, kind, note.strip()):
        raise NotFound("deadline of purchase order", number, path=("input", "number"))
    uow.audit("supplierDeadlineChase", f"purchase_order:{head.id}", None, {"kind": str(kind)})
    return head.id


def _announce(
    uow: Transaction, order: OpenOrder, kind: DeadlineKind, before: DeadlineState, after: DeadlineState, times: Times
) -> list[str]:
    """Tell every step from one state to the other; their words."""
    facts: dict[str, Any] = {
        "purchaseOrderId": order.id,
        "purchaseOrderNumber": order.number,
        "lineNumber": None,
        "status": order.status,
        "version": order.version,
        "deadline": str(kind),
        "dueAt": times.due_at.isoformat(),
    }
    steps = steps_to(before, after, times)
    for step in steps:
        uow.announce(
            Event(
                "purchase_order",
                alarm_of(kind, step),
                facts,
                key=f"purchase_order:{order.id}",
                supplier_id=order.supplier_id,
            )
        )
    if after is DeadlineState.ESCALATED:
        uow.announce(Event("alarm", alarm_of(kind, after), facts, key=f"purchase_order:{order.id}"))
        uow.audit("supplierDeadlineEscalate", f"purchase_order:{order.id}", None, {"kind": str(kind)})
    return [str(step) for step in steps]
