"""Put an order on hold: it keeps its place, its backorders wait, and nothing of it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.domain.holding import park
from core.domain.notices import zoned
from core.domain.states import HoldDeadlineAction, HoldReason, OrderStatus
from core.errors import DateInPast, IllegalTransition
from core.giving_way import GivingWay
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.holds import live_holds
from core.repositories.orders import find_orders, touch_orders
from core.repositories.place_orders import insert_holds
from core.repositories.save_book import save_books
from core.repositories.shipments import take_off
from core.repositories.supplying import load_policies
from core.services.take_orders import OrderChange, open_orders, take_orders

_OVER = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """`on_deadline` happens at `release_deadline` (None: as many hours from now as the policy gives the reason)."""

    number: str
    reason: HoldReason | str
    release_deadline: datetime | None = None
    on_deadline: HoldDeadlineAction | str = HoldDeadlineAction.RELEASE


async def hold_order(uow: Transaction, request: HoldOrder) -> OrderChange:
    """Hold an order: no quantity moves, its backorders become ON_HOLD, its planned shipments are withdrawn.

    Raises NotFound, DateInPast, and IllegalTransition when everything has left, is cancelled, or the order is held
    for this reason already.
    """
    reason, action = HoldReason(request.reason), HoldDeadlineAction(request.on_deadline)
    if request.release_deadline is not None and request.release_deadline <= uow.now:
        raise DateInPast(
            "releaseDeadline", request.release_deadline.date(), uow.now.date(), path=("input", "releaseDeadline")
        )
    order_id = (await find_orders(uow, [request.number]))[request.number]
    taken = await take_orders(uow, [order_id])
    order = taken.orders[order_id]
    held = (await live_holds(uow, [order_id])).get(order_id, [])
    if order.status in _OVER:
        raise IllegalTransition("order", order.number, order.status, "HELD")
    if any(hold.reason == reason for hold in held):
        raise IllegalTransition("order", order.number, f"held ({reason})", f"held ({reason})")
    deadline = request.release_deadline or _deadline(await load_policies(uow), reason, uow.now)
    opened = await open_orders(uow, taken, lines="none")
    off: dict[tuple[int, int], int] = {}
    changed: list[int] = []
    others = GivingWay()
    for book, line in opened.lines[order_id]:
        await others.between()
        park(book, line, str(reason))
        if line.ready:
            planned = opened.planned_by_line.get(line.id or 0, {})
            off.update({(line.id or 0, place): units for place, units in planned.items()})
            line.ready = 0
            book.settle(line, str(reason))
        if line.is_changed:
            changed.append(line.id or 0)
    await insert_holds(uow, [(order_id, str(reason), deadline, str(action))])
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, off)
    facts = orders.get(order_id) or (await touch_orders(uow, [order_id]))[order_id]
    uow.announce(order_event(facts, "HELD", reason=str(reason)))
    notice = {
        "orderNumber": order.number,
        "reason": str(reason),
        "deadline": zoned(deadline, taken.network.time_zone(order.destination_id)) if deadline else None,
        "onDeadline": str(action),
    }
    key = f"ORDER_HELD:{order_id}:{facts.version}"
    await put_notices(uow, [NoticeDraft(order.customer_id, order_id, "ORDER_HELD", key, facts=notice)])
    uow.audit(
        "orderHold", f"order:{order_id}", {"holds": len(held)}, {"reason": str(reason), "onDeadline": str(action)}
    )
    return OrderChange(order_id, facts.version, changed)


def _deadline(policies: dict[str, Any], reason: HoldReason, now: datetime) -> datetime:
    hours = (policies.get("hold_deadline_hours") or {}).get(reason.value, 72)
    return now + timedelta(hours=float(hours))
