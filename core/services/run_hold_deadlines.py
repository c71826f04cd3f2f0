"""Do what order holds said should happen at their deadline: release, cancel, or call a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.kit_groups import in_whole_kits
from core.domain.states import HoldDeadlineAction
from core.events import Event
from core.ports import Transaction
from core.repositories.holds import LiveHold, clear_deadlines, live_holds, overdue_orders, release_holds
from core.services.cancel_order import Cut, cancellable, carry_out
from core.services.release_order_hold import release_taken
from core.services.take_orders import TakenOrders, open_orders, take_orders

LIMIT = 200
"""Orders per transaction; the next turn takes the next ones."""


async def run_hold_deadlines(uow: Transaction, limit: int = LIMIT) -> int:
    """Handle the holds whose deadline has passed; returns how many. Running it again finds none of them.

    CANCEL cancels what of the order has not left; RELEASE ends the hold, and when it was the last the order goes on;
    ESCALATE raises one alarm and keeps the hold without a deadline. So does CANCEL where something has to stay: the rest
    of a kit of which a part has left.
    """
    taken = await take_orders(uow, await overdue_orders(uow, limit))
    held = await live_holds(uow, taken.orders)
    due = {order_id: [h for h in holds if _is_due(h, uow)] for order_id, holds in held.items()}
    due = {order_id: holds for order_id, holds in due.items() if holds}
    cancelling = [o for o, holds in due.items() if any(h.on_deadline == HoldDeadlineAction.CANCEL for h in holds)]
    escalating = [h for o, holds in due.items() if o not in cancelling for h in holds if h.on_deadline == "ESCALATE"]
    releasing = {
        order_id: [h for h in holds if h.on_deadline == HoldDeadlineAction.RELEASE]
        for order_id, holds in due.items()
        if order_id not in cancelling
    }
    staying = await _cancel(uow, taken, {order_id: held[order_id] for order_id in cancelling})
    await _escalate(uow, taken, escalating + [h for order_id in staying for h in due[order_id]])
    last = {o: holds for o, holds in releasing.items() if holds and len(holds) == len(held[o])}
    await release_holds(uow, [h.id for o, holds in releasing.items() if o not in last for h in holds])
    if last:
        await release_taken(uow, taken, last)
    return sum(len(holds) for holds in due.values())


def _is_due(hold: LiveHold, uow: Transaction) -> bool:
    return hold.release_deadline is not None and hold.release_deadline <= uow.now


async def _cancel(uow: Transaction, taken: TakenOrders, held: Mapping[int, Sequence[LiveHold]]) -> list[int]:
    """Returns the orders that stay held, because something of them can be cancelled only with what has left."""
    if not held:
        return []
    opened = await open_orders(uow, taken, list(held))
    cuts: dict[int, list[Cut]] = {}
    for order_id in held:
        lines = opened.lines[order_id]
        units = in_whole_kits(lines, {id(line): cancellable(line) for _, line in lines})
        cuts[order_id] = [Cut(book, line, units[id(line)]) for book, line in lines if id(line) in units]
    await carry_out(uow, taken, opened, [cut for found in cuts.values() for cut in found], "HOLD_DEADLINE")
    staying = [order_id for order_id in held if any(cancellable(line) for _, line in opened.lines[order_id])]
    await release_holds(uow, [h.id for order_id, holds in held.items() if order_id not in staying for h in holds])
    for order_id in held:
        if cuts[order_id] or order_id not in staying:
            uow.audit("holdDeadline", f"order:{order_id}", None, {"action": "CANCEL"})
    return staying


async def _escalate(uow: Transaction, taken: TakenOrders, holds: list[LiveHold]) -> None:
    await clear_deadlines(uow, [hold.id for hold in holds])
    for hold in holds:
        order = taken.orders[hold.order_id]
        facts = {"orderId": order.id, "orderNumber": order.number, "reason": hold.reason, "holdId": hold.id}
        uow.announce(Event("alarm", "HOLD_ESCALATED", facts, key=f"order:{order.id}", order_id=order.id))
