"""Cancel an order, one line of it, or some units of a line; what becomes free goes to who waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.cancelling import close_cancelled, give_up
from core.domain.kit_groups import check_kit_quantity, in_whole_kits
from core.domain.promising import promise
from core.domain.records import Line, LineFact
from core.domain.states import OrderStatus, PromiseReason, ShipPolicy
from core.errors import IllegalTransition, InvalidInput, NotFound, QuantityExceeded
from core.giving_way import GivingWay
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.customer_notices import NoticeDraft, put_notices
from core.repositories.holds import live_holds, release_holds
from core.repositories.orders import OrderRow, find_orders
from core.repositories.save_book import OrderFacts, save_books
from core.repositories.shipments import take_off
from core.services.allocate_waiting import serve_books
from core.services.follow_up import request_shipments
from core.services.take_orders import OpenedOrders, OrderChange, TakenOrders, check_version, open_orders, take_orders


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Without a line number the whole order; `quantity` (base units) only together with one."""

    number: str
    line_number: int | None = None
    quantity: int | None = None
    reason: str = ""
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Units to cancel of one line."""

    book: SkuBook
    line: Line
    quantity: int


async def cancel_order(uow: Transaction, request: CancelOrder) -> OrderChange:
    """Free the stock and the pegs of what is cancelled; units on a planned shipment come off it.

    Goods that have left cannot be cancelled: of a part-shipped order the rest is. Raises NotFound, VersionConflict,
    QuantityExceeded (more than has not left) and IllegalTransition (nothing left to cancel).
    """
    if request.quantity is not None and (request.line_number is None or request.quantity <= 0):
        raise InvalidInput(
            "A quantity to cancel is above 0 and goes with a line number.",
            path=("input", "quantity"),
            value=request.quantity,
        )
    order_id = (await find_orders(uow, [request.number]))[request.number]
    taken = await take_orders(uow, [order_id])
    order = taken.orders[order_id]
    check_version(order, request.expected_version)
    opened = await open_orders(uow, taken)
    cuts = _cuts(order, opened.lines[order_id], request)
    orders = await carry_out(uow, taken, opened, cuts, request.reason or "orderCancel")
    facts = orders[order_id]
    uow.audit(
        "orderCancel",
        f"order:{order_id}",
        {"version": order.version},
        {"cut": [[cut.line.line_number, cut.quantity] for cut in cuts], "reason": request.reason},
    )
    return OrderChange(order_id, facts.version, [cut.line.id or 0 for cut in cuts])


def cancellable(line: Line) -> int:
    """Units of a line that have not left and are not cancelled yet."""
    return line.open + line.backordered + line.allocated


def _cuts(order: OrderRow, lines: Sequence[tuple[SkuBook, Line]], request: CancelOrder) -> list[Cut]:
    chosen = [(b, x) for b, x in lines if request.line_number in (None, x.line_number)]
    if not chosen:
        raise NotFound("order line", f"{order.number}/{request.line_number}", path=("input", "lineNumber"))
    cuts = [Cut(b, x, cancellable(x) if request.quantity is None else request.quantity) for b, x in chosen]
    cuts = [cut for cut in cuts if cut.quantity]
    if not any(cancellable(line) for _, line in chosen):
        if request.line_number is None:
            raise IllegalTransition("order", order.number, order.status, OrderStatus.CANCELLED)
        raise IllegalTransition(
            "order line", f"{order.number}/{request.line_number}", chosen[0][1].status, OrderStatus.CANCELLED
        )
    for cut in cuts:
        if request.quantity is not None:
            check_kit_quantity(cut.line, request.quantity, ("input", "quantity"))
        if cut.quantity > cancellable(cut.line):
            raise QuantityExceeded(
                f"of line {order.number}/{cut.line.line_number} have not left",
                cut.quantity,
                cancellable(cut.line),
                path=("input", "quantity"),
            )
    return cuts


async def carry_out(
    uow: Transaction, taken: TakenOrders, opened: OpenedOrders, cuts: Sequence[Cut], reason: str
) -> dict[int, OrderFacts]:
    """Cancel the cuts, offer what is freed, save, and tell everybody. Returns the facts of every order touched.

    Of a kit whole kits are cancelled. Raises InvalidInput when nothing is left to cut, because parts of each have left.
    """
    cuts = _in_whole_kits(opened, cuts)
    off: dict[tuple[int, int], int] = {}
    others = GivingWay()
    for cut in cuts:
        await others.between()
        line = cut.line
        freed = give_up(cut.book, line, cut.quantity, opened.planned_by_line.get(line.id or 0, {}), "order_cancel")
        off.update({((line.id or 0), place): units for place, units in freed.items()})
        line.cancelled += cut.quantity
        close_cancelled(cut.book, line, reason)
        cut.book.settle(line, reason)
        cut.book.line_facts.append(LineFact(line, "CANCELLED", cut.quantity, reason=reason))
        promise(
            cut.book,
            line,
            taken.network,
            uow.now,
            PromiseReason.LINE_CHANGED,
            cause_kind=PromiseReason.LINE_CHANGED,
            cause_id=line.order_id,
            only_if_moved=True,
        )
    await serve_books(uow, _books_of(cuts), taken.network)
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, off)
    await tell_cancelled(uow, orders, cuts, reason)
    # what waited only because it has to leave whole may leave now
    request_shipments(
        uow,
        {
            order_id
            for order_id in {cut.line.order_id for cut in cuts}
            if any(line.allocated > line.ready for _, line in opened.lines[order_id])
        },
    )
    return orders


def _in_whole_kits(opened: OpenedOrders, cuts: Sequence[Cut]) -> list[Cut]:
    if not any(cut.line.kit is not None for cut in cuts):
        return list(cuts)
    whole: list[Cut] = []
    for order_id in dict.fromkeys(cut.line.order_id for cut in cuts):
        lines = opened.lines[order_id]
        units = in_whole_kits(lines, {id(cut.line): cut.quantity for cut in cuts if cut.line.order_id == order_id})
        whole += [Cut(book, line, units[id(line)]) for book, line in lines if id(line) in units]
    if not whole:
        raise InvalidInput("A part of each of these kits has left: nothing can be cancelled.", path=("input",))
    return whole


def _books_of(cuts: Sequence[Cut]) -> list[SkuBook]:
    return list({cut.book.sku_id: cut.book for cut in cuts}.values())


def cut_by_policy(books: Iterable[SkuBook]) -> list[Cut]:
    """What lines that cancel their rest have given up in these books (`core.domain.holding.cancel_rest`)."""
    return [Cut(book, fact.line, fact.quantity or 0) for book in books for fact in book.line_facts if _is_rest(fact)]


def _is_rest(fact: LineFact) -> bool:
    return fact.kind == "CANCELLED" and fact.reason == ShipPolicy.PARTIAL_CANCEL_REST


async def tell_cancelled(uow: Transaction, orders: dict[int, OrderFacts], cuts: Sequence[Cut], reason: str) -> None:
    """Announce orders that are cancelled whole, end their holds and tell the customers. Call it after the saving."""
    if not cuts:
        return
    touched = {cut.line.order_id for cut in cuts}
    ended = [orders[order_id] for order_id in sorted(touched) if orders[order_id].status == OrderStatus.CANCELLED]
    holds = await live_holds(uow, [facts.id for facts in ended])
    await release_holds(uow, [hold.id for found in holds.values() for hold in found])
    for facts in ended:
        uow.announce(order_event(facts, "CANCELLED", reason=reason))
    over = {facts.id for facts in ended}
    whole = [
        NoticeDraft(
            facts.customer_id,
            facts.id,
            "ORDER_CANCELLED",
            f"ORDER_CANCELLED:{facts.id}",
            facts={"orderNumber": facts.number, "quantity": None, "skuName": None},
        )
        for facts in ended
    ]
    parts = [
        NoticeDraft(
            cut.line.customer_id,
            cut.line.order_id,
            "ORDER_CANCELLED",
            f"ORDER_CANCELLED:{cut.line.order_id}:{cut.line.id}:{cut.line.version}",
            cut.book.sku_id,
            {
                "orderNumber": orders[cut.line.order_id].number,
                "lineNumber": cut.line.line_number,
                "quantity": cut.quantity,
            },
        )
        for cut in cuts
        if cut.line.order_id not in over
    ]
    await put_notices(uow, [*whole, *parts])
