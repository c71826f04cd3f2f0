"""Change how much of a line is wanted, or when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from core.domain.allowance import WaitsFor
from core.domain.book import SkuBook
from core.domain.cancelling import close_cancelled, give_up
from core.domain.holding import cancel_rest
from core.domain.kit_groups import refuse_kit_change
from core.domain.network import Network
from core.domain.promising import Demand, Proposal, commit, promise, propose
from core.domain.quotas import allowances_for
from core.domain.records import Line, LineFact, Supply
from core.domain.states import OrderLineStatus, PegKind, PromiseReason, ShipPolicy
from core.errors import DateInPast, IllegalTransition, InvalidInput, NotFound, QuantityExceeded
from core.ports import Transaction
from core.repositories.orders import find_orders
from core.repositories.quotas import askers_of, give_back_latest, use_again
from core.repositories.save_book import save_books
from core.repositories.shipments import take_off
from core.repositories.supplying import load_lead_days
from core.services.allocate_waiting import serve_books
from core.services.cancel_order import cut_by_policy, tell_cancelled
from core.services.follow_up import request_purchase, request_shipments
from core.services.take_orders import OpenedOrders, OrderChange, TakenOrders, check_version, open_orders, take_orders

MAX_QUANTITY = 1_000_000
_OVER = frozenset({OrderLineStatus.SHIPPED, OrderLineStatus.DELIVERED, OrderLineStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class ChangeOrderLine:
    """`quantity`: units wanted from now on, with those that have left and without those cancelled; None keeps it.

    `requested_date` is the day of delivery at the customer; None keeps it.
    """

    number: str
    line_number: int
    quantity: int | None = None
    requested_date: date | None = None
    expected_version: int | None = None
    ship_policy: ShipPolicy | None = None
    substitutes_allowed: bool | None = None


async def change_order_line(uow: Transaction, request: ChangeOrderLine) -> OrderChange:
    """Fewer units free the least certain claims first; more are promised as a new line would be.

    A line that from now on cancels its rest gives up what waits at once.

    Another day is tried for better coverage; what the line has is kept unless the line comes earlier. Raises NotFound,
    VersionConflict, InvalidInput, DateInPast, QuantityExceeded (fewer than have left) and IllegalTransition (the line
    is shipped or cancelled).
    """
    order_id = (await find_orders(uow, [request.number]))[request.number]
    taken = await take_orders(uow, [order_id])
    order = taken.orders[order_id]
    check_version(order, request.expected_version)
    opened = await open_orders(uow, taken)
    book, line = _find(opened, order_id, request)
    _check(line, request, taken.network.earliest_day(uow.now, order.allowed_locations))
    before = {"quantity": line.ordered - line.cancelled, "requestedDate": _iso(line.requested_date)}
    sources = taken.network.sources(order.destination_id, order.allowed_locations) or taken.network.sources(None)
    lead_days = (await load_lead_days(uow, [book.sku_id]))[book.sku_id]

    asker = (await askers_of(uow, [order_id]))[order_id]

    def demand(quantity: int = 0) -> Demand:
        return Demand(
            quantity,
            order.destination_id,
            line.requested_date,
            sources,
            lead_days,
            demand_class=line.demand_class,
            min_life=book.min_life(line),
            allowances=allowances_for(book, asker, sources),
        )

    off: dict[int, int] = {}
    if request.substitutes_allowed is not None:
        line.substitutes_allowed = request.substitutes_allowed
    if request.ship_policy is not None:
        line.ship_policy = request.ship_policy
    if request.requested_date is not None and request.requested_date != line.requested_date:
        line.requested_date = request.requested_date
        await _redate(book, line, demand, taken.network, uow)
    more = 0 if request.quantity is None else request.quantity - (line.ordered - line.cancelled)
    if more < 0:
        off = give_up(book, line, -more, opened.planned_by_line.get(line.id or 0, {}), "order_change")
        line.ordered += more
        close_cancelled(book, line, "orderLineChange")
        book.settle(line, "orderLineChange")
    elif more > 0:
        _enlarge(book, line, propose(book, demand(more), taken.network, uow.now))
    if request.ship_policy == ShipPolicy.PARTIAL_CANCEL_REST and line.status != OrderLineStatus.RECEIVED:
        _cancel_waiting(book, line)
    return await _save(uow, taken, opened, (book, line), off, before)


def _find(opened: OpenedOrders, order_id: int, request: ChangeOrderLine) -> tuple[SkuBook, Line]:
    for book, line in opened.lines[order_id]:
        if line.line_number == request.line_number:
            return book, line
    raise NotFound("order line", f"{request.number}/{request.line_number}", path=("input", "lineNumber"))


def _check(line: Line, request: ChangeOrderLine, today: date) -> None:
    if line.status in _OVER:
        raise IllegalTransition("order line", f"{request.number}/{request.line_number}", line.status, "CHANGED")
    refuse_kit_change(line, ("input", "lineNumber"))
    quantity = request.quantity
    if quantity is not None and not 0 < quantity <= MAX_QUANTITY:
        raise InvalidInput(
            f"The quantity {quantity} is not between 1 and {MAX_QUANTITY}; to want none, cancel the line.",
            path=("input", "quantity"),
            value=quantity,
        )
    if quantity is not None and quantity < line.shipped:
        raise QuantityExceeded(
            "may still be given up",
            line.ordered - line.cancelled - quantity,
            line.ordered - line.cancelled - line.shipped,
            path=("input", "quantity"),
        )
    if request.requested_date is not None and request.requested_date < today:
        raise DateInPast("requestedDate", request.requested_date, today, path=("input", "requestedDate"))


async def _redate(book: SkuBook, line: Line, ask: Callable[[int], Demand], network: Network, uow: Transaction) -> None:
    """Judge the line by its new day; cover its waiting part anew if that brings it earlier, as far as quotas allow."""
    demand = ask(0)
    home = line.location_id or (demand.sources[0] if demand.sources else None)
    assert line.requested_date is not None
    line.ship_by = (
        line.requested_date
        if home is None
        else network.latest_ship_day(home, demand.destination_id, line.requested_date)
    )
    validated = line.status != OrderLineStatus.RECEIVED
    waiting = [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD]
    old: list[tuple[int, date, int, PegKind, Supply | None, str | None]] = [
        (peg.location_id, peg.need_date, peg.quantity, peg.kind, peg.supply, peg.cause) for peg in waiting
    ]
    last = max((peg.need_date for peg in waiting), default=None)
    if last is not None and validated:
        quantity = sum(peg.quantity for peg in waiting)
        for peg in waiting:
            book.drop_peg(peg)
        uses = await give_back_latest(uow, book, line, line.ordered - line.cancelled - quantity)
        proposal = propose(book, ask(quantity), network, uow.now)
        if max((part.ship_date for part in proposal.slices), default=last) < last:
            commit(book, line, proposal, PromiseReason.LINE_CHANGED)
            return
        use_again(book, uses)
        for place, need_date, units, kind, supply, cause in old:
            kept = cause if cause == WaitsFor.QUOTA else "kept"
            book.add_peg(place, need_date, units, kind, line=line, supply=supply, cause=kept)
    book.settle(line, "orderLineChange")


def _enlarge(book: SkuBook, line: Line, proposal: Proposal) -> None:
    validated = line.status != OrderLineStatus.RECEIVED
    line.ordered += sum(part.quantity for part in proposal.slices)
    if line.ship_policy == ShipPolicy.PARTIAL_CANCEL_REST and validated:
        proposal = cancel_rest(book, line, proposal)
    commit(book, line, proposal, PromiseReason.LINE_CHANGED, validated=validated)


def _cancel_waiting(book: SkuBook, line: Line) -> None:
    """Give up what has no stock, as a fact that the policy names."""
    rest = line.open + line.backordered
    if rest:
        give_up(book, line, rest, {}, str(ShipPolicy.PARTIAL_CANCEL_REST))
        line.cancelled += rest
        close_cancelled(book, line, str(ShipPolicy.PARTIAL_CANCEL_REST))
        book.settle(line, str(ShipPolicy.PARTIAL_CANCEL_REST))
        book.line_facts.append(LineFact(line, "CANCELLED", rest, reason=str(ShipPolicy.PARTIAL_CANCEL_REST)))


async def _save(
    uow: Transaction,
    taken: TakenOrders,
    opened: OpenedOrders,
    changed: tuple[SkuBook, Line],
    off: dict[int, int],
    before: dict,
) -> OrderChange:
    book, line = changed
    book.line_facts.append(LineFact(line, "LINE_CHANGED", line.ordered - line.cancelled))
    line.is_changed = book.is_changed = True
    await serve_books(uow, [book], taken.network)
    reason = PromiseReason.LINE_CHANGED
    promise(book, line, taken.network, uow.now, reason, cause_kind=reason, cause_id=line.order_id, only_if_moved=True)
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, {(line.id or 0, place): units for place, units in off.items()})
    await tell_cancelled(uow, orders, cut_by_policy([book]), ShipPolicy.PARTIAL_CANCEL_REST)
    after = {"quantity": line.ordered - line.cancelled, "requestedDate": _iso(line.requested_date)}
    uow.audit("orderLineChange", f"order:{line.order_id}", before, after)
    if line.backordered:
        request_purchase(uow, [book.sku_id])
    if line.allocated > line.ready or line.open + line.backordered:
        request_shipments(uow, [line.order_id])  # what has to leave whole may go now, or must wait again
    return OrderChange(line.order_id, orders[line.order_id].version, [line.id or 0])


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
