"""Exchange goods: units come back and others go out, as a line of their own in the same order; the old line stays as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.domain.book import SkuBook
from core.domain.promising import Demand, commit, promise, propose
from core.domain.quotas import allowances_for
from core.domain.records import Line, LineFact
from core.domain.states import OrderLineStatus, PromiseReason, ShipPolicy, SkuStatus
from core.errors import DateInPast, InvalidInput, SkuNotSellable
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.orders import find_orders, replacement_of
from core.repositories.quotas import askers_of
from core.repositories.save_book import save_books
from core.repositories.supplying import load_lead_days
from core.services.allocate_waiting import serve_books
from core.services.change_order_line import MAX_QUANTITY
from core.services.follow_up import request_purchase, request_shipments
from core.services.return_goods import ReturnGoods, book_return, known_return, write_return
from core.services.take_orders import OpenedOrders, TakenOrders, book_of, open_orders, take_orders

_SOLD = (SkuStatus.ACTIVE, SkuStatus.PREORDER)


@dataclass(frozen=True, slots=True)
class ExchangeGoods:
    """What comes back, and what goes out: `sku` (None: the same) in `quantity` (None: as many), by `requested_date`."""

    back: ReturnGoods
    sku: str | None = None
    quantity: int | None = None
    requested_date: date | None = None


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    """The return document, its order, and the line that goes out."""

    return_id: int
    return_number: str
    order_id: int
    version: int
    sku_id: int
    line_id: int


async def exchange_goods(uow: Transaction, request: ExchangeGoods) -> ExchangeResult:
    """Book the units back in and promise the replacement as a new line would be; short of it opens a backorder.

    Raises what `return_goods` does, UnknownSku, SkuNotSellable, DateInPast and InvalidInput (a quantity that cannot be,
    a kit: its components are exchanged one by one).
    """
    back = request.back
    order_id = (await find_orders(uow, [back.number]))[back.number]
    more = [] if request.sku is None else [(await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]]
    taken = await take_orders(uow, [order_id], more_skus=more)
    if (known := await known_return(uow, back, order_id)) is not None:
        return await _again(uow, taken, back, order_id, known)
    _check(request, taken.network.earliest_day(uow.now, taken.orders[order_id].allowed_locations))
    opened = await open_orders(uow, taken)
    booked = await book_return(uow, taken, opened, order_id, back)
    other = booked.book if not more else await book_of(uow, taken, opened, more[0])
    await _must_be_sold(uow, other)
    line = await _send(uow, taken, opened, other, booked.line, request)
    evidence = {"exchangeFor": {"lineId": booked.line.id, "return": booked.number, "quantity": back.quantity}}
    reason = PromiseReason.LINE_CHANGED
    promise(other, line, taken.network, uow.now, reason, cause_kind=reason, cause_id=booked.line.id, evidence=evidence)
    other.line_facts.append(LineFact(line, "LINE_CHANGED", line.ordered, reason="EXCHANGED"))
    await serve_books(uow, {booked.book.sku_id: booked.book, other.sku_id: other}.values(), taken.network)
    orders = await save_books(uow, opened.books.values())
    await write_return(uow, booked, back, (other.sku_id, line.id or 0))
    request_shipments(uow, [order_id])
    if line.backordered:
        request_purchase(uow, [other.sku_id])
    return ExchangeResult(booked.id, booked.number, order_id, orders[order_id].version, other.sku_id, line.id or 0)


async def _again(
    uow: Transaction, taken: TakenOrders, back: ReturnGoods, order_id: int, return_id: int
) -> ExchangeResult:
    """A repeat under a return number that is there. Raises InvalidInput when nothing was sent for it."""
    replacement = await replacement_of(uow, return_id)
    if replacement is None:
        raise InvalidInput(
            f"The return {back.return_number!r} was booked without an exchange.",
            path=("input", "returnNumber"),
            value=back.return_number,
        )
    return ExchangeResult(return_id, back.return_number or "", order_id, taken.orders[order_id].version, *replacement)


def _check(request: ExchangeGoods, today: date) -> None:
    if request.quantity is not None and not 0 < request.quantity <= MAX_QUANTITY:
        raise InvalidInput(
            f"The quantity {request.quantity} of the replacement is not between 1 and {MAX_QUANTITY}.",
            path=("input", "replacementQuantity"),
            value=request.quantity,
        )
    if request.requested_date is not None and request.requested_date < today:
        raise DateInPast("requestedDate", request.requested_date, today, path=("input", "requestedDate"))


async def _must_be_sold(uow: Transaction, book: SkuBook) -> None:
    row = await uow.sql.fetchrow(
        "select status, exists (select from kit_component where kit_sku_id = sku.id) as is_kit from sku where id = $1",
        book.sku_id,
    )
    if row["is_kit"]:
        raise InvalidInput(
            f"{book.sku!r} is a kit: exchange its components one by one.", path=("input", "sku"), value=book.sku
        )
    if row["status"] not in _SOLD:
        raise SkuNotSellable(book.sku, row["status"], path=("input", "sku"))


async def _send(
    uow: Transaction, taken: TakenOrders, opened: OpenedOrders, book: SkuBook, old: Line, request: ExchangeGoods
) -> Line:
    """The new line, covered as far as there is something."""
    order = taken.orders[old.order_id]
    units = request.quantity or request.back.quantity
    line = Line(
        None,
        old.order_id,
        1 + max(x.line_number for _, x in opened.lines[old.order_id]),
        units,
        customer_id=old.customer_id,
        channel=old.channel,
        open=units,
        requested_date=request.requested_date,
        ship_policy=ShipPolicy.PARTIAL_BACKORDER_REST,
        substitutes_allowed=old.substitutes_allowed,
        min_life_days=old.min_life_days,
        priority=old.priority,
        status=OrderLineStatus.VALIDATED,
        destination_id=order.destination_id,
        demand_class=old.demand_class,
        is_new=True,
    )
    book.new_lines.append(line)
    sources = taken.network.sources(order.destination_id, order.allowed_locations) or taken.network.sources(None)
    asker = (await askers_of(uow, [old.order_id]))[old.order_id]
    demand = Demand(
        units,
        order.destination_id,
        request.requested_date,
        sources,
        (await load_lead_days(uow, [book.sku_id]))[book.sku_id],
        demand_class=line.demand_class,
        min_life=book.min_life(line),
        allowances=allowances_for(book, asker, sources),
    )
    commit(book, line, propose(book, demand, taken.network, uow.now), PromiseReason.LINE_CHANGED)
    return line
