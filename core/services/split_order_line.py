"""Let part of a line come on another day: a line of its own in the same order, promised as a new one; both balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.domain.book import SkuBook
from core.domain.cancelling import close_cancelled, give_up
from core.domain.promising import Demand, commit, promise, propose
from core.domain.quotas import allowances_for
from core.domain.records import Line, LineFact
from core.domain.states import OrderLineStatus, PromiseReason, ShipPolicy
from core.errors import DateInPast, IllegalTransition, NotFound, QuantityExceeded
from core.ports import Transaction
from core.repositories.orders import find_orders
from core.repositories.quotas import askers_of, give_back_latest
from core.repositories.save_book import save_books
from core.repositories.shipments import take_off
from core.repositories.supplying import load_lead_days
from core.services.allocate_waiting import serve_books
from core.services.cancel_order import cancellable
from core.services.follow_up import request_shipments
from core.services.take_orders import OpenedOrders, OrderChange, check_version, open_orders, take_orders

REASON = "orderLineSplit"


@dataclass(frozen=True, slots=True)
class SplitOrderLine:
    """`quantity` units become a line of their own, wanted on `requested_date` (None: as the line)."""

    number: str
    line_number: int
    quantity: int
    requested_date: date | None = None
    expected_version: int | None = None


async def split_order_line(uow: Transaction, request: SplitOrderLine) -> OrderChange:
    """The line gives up its least certain claims; the new line gets what there is for its day.

    Raises NotFound, VersionConflict, DateInPast, QuantityExceeded (some units have to stay, what has left cannot go)
    and IllegalTransition (a part of a kit, or nothing of the line is left).
    """
    order_id = (await find_orders(uow, [request.number]))[request.number]
    taken = await take_orders(uow, [order_id])
    order = taken.orders[order_id]
    check_version(order, request.expected_version)
    opened = await open_orders(uow, taken)
    book, old = _find(opened, order_id, request)
    _check(old, request, taken.network.earliest_day(uow.now, order.allowed_locations))
    off = give_up(book, old, request.quantity, opened.planned_by_line.get(old.id or 0, {}), REASON)
    await give_back_latest(uow, book, old, old.ordered - old.cancelled - request.quantity)
    old.ordered -= request.quantity
    close_cancelled(book, old, REASON)
    book.settle(old, REASON)
    book.line_facts.append(LineFact(old, "LINE_CHANGED", old.ordered - old.cancelled, reason=REASON))
    reason = PromiseReason.LINE_CHANGED
    promise(book, old, taken.network, uow.now, reason, cause_kind=reason, cause_id=order_id, only_if_moved=True)
    new = _new_line(old, request, 1 + max(x.line_number for _, x in opened.lines[order_id]))
    book.new_lines.append(new)
    sources = taken.network.sources(order.destination_id, order.allowed_locations) or taken.network.sources(None)
    demand = Demand(
        request.quantity,
        order.destination_id,
        new.requested_date,
        sources,
        (await load_lead_days(uow, [book.sku_id]))[book.sku_id],
        demand_class=new.demand_class,
        min_life=book.min_life(new),
        allowances=allowances_for(book, (await askers_of(uow, [order_id]))[order_id], sources),
    )
    is_validated = old.status != OrderLineStatus.RECEIVED
    proposal = propose(book, demand, taken.network, uow.now)
    commit(book, new, proposal, reason, validated=is_validated)
    evidence = {"splitFrom": old.id}
    promise(book, new, taken.network, uow.now, reason, cause_kind=reason, cause_id=order_id, evidence=evidence)
    book.line_facts.append(LineFact(new, "LINE_CHANGED", request.quantity, reason=REASON))
    await serve_books(uow, [book], taken.network)
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, {(old.id or 0, place): units for place, units in off.items()})
    uow.audit(
        REASON,
        f"order:{order_id}",
        {"line": old.line_number, "quantity": old.ordered + request.quantity},
        {"line": new.line_number, "quantity": request.quantity},
    )
    request_shipments(uow, [order_id])
    return OrderChange(order_id, orders[order_id].version, [old.id or 0, new.id or 0])


def _find(opened: OpenedOrders, order_id: int, request: SplitOrderLine) -> tuple[SkuBook, Line]:
    for book, line in opened.lines[order_id]:
        if line.line_number == request.line_number:
            return book, line
    raise NotFound("order line", f"{request.number}/{request.line_number}", path=("input", "lineNumber"))


def _check(line: Line, request: SplitOrderLine, today: date) -> None:
    most = min(cancellable(line), line.ordered - line.cancelled - 1)
    if line.kit is not None or most < 1:
        raise IllegalTransition("order line", f"{request.number}/{request.line_number}", line.status, "SPLIT")
    if not 0 < request.quantity <= most:
        raise QuantityExceeded("may be split off", request.quantity, most, path=("input", "quantity"))
    if request.requested_date is not None and request.requested_date < today:
        raise DateInPast("requestedDate", request.requested_date, today, path=("input", "requestedDate"))


def _new_line(old: Line, request: SplitOrderLine, number: int) -> Line:
    policy = old.ship_policy
    if policy == ShipPolicy.PARTIAL_CANCEL_REST:  # who asks for another day does not want it cancelled
        policy = ShipPolicy.PARTIAL_BACKORDER_REST
    return Line(
        None,
        old.order_id,
        number,
        request.quantity,
        customer_id=old.customer_id,
        channel=old.channel,
        open=request.quantity,
        requested_date=request.requested_date or old.requested_date,
        ship_policy=policy,
        substitutes_allowed=old.substitutes_allowed,
        min_life_days=old.min_life_days,
        priority=old.priority,
        status=old.status if old.status == OrderLineStatus.RECEIVED else OrderLineStatus.VALIDATED,
        destination_id=old.destination_id,
        demand_class=old.demand_class,
        is_new=True,
    )
