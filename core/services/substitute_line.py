"""Send another SKU in place of the short part of a line: a new line of the same order, both balanced."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.offering import give_up_for_substitute
from core.domain.promising import Demand, commit, promise, propose
from core.domain.quotas import allowances_for
from core.domain.records import Backorder, Line, LineFact
from core.domain.states import OrderLineStatus, PromiseReason, SkuStatus
from core.errors import DomainError, IllegalTransition, InsufficientStock, SkuNotSellable
from core.ports import Transaction
from core.repositories.course_facts import note_refused
from core.repositories.orders import find_backorder_order
from core.repositories.quotas import askers_of
from core.repositories.save_book import OrderFacts, save_books
from core.repositories.shipments import take_off
from core.repositories.supplying import load_lead_days
from core.services.allocate_waiting import serve_books
from core.services.cancel_backorder import open_backorder
from core.services.follow_up import request_shipments
from core.services.take_orders import OpenedOrders, TakenOrders, book_of, open_orders, take_orders


@dataclass(frozen=True, slots=True)
class SubstituteLine:
    """A substitution that needs nobody's consent, for `quantity` short units of the backorder."""

    sku_id: int
    backorder_id: int
    substitute_sku_id: int
    quantity: int


async def substitute_line(uow: Transaction, request: SubstituteLine) -> int | None:
    """Carry out a substitution that the course has asked for; returns the new line's id.

    None, which the course remembers, when it is no longer what was asked for: another quantity, ended, on hold, or too
    little of the other SKU.
    """
    order_id, state = await find_backorder_order(uow, request.sku_id, request.backorder_id)
    taken = await take_orders(uow, [order_id], more_skus=[request.substitute_sku_id])
    opened = await open_orders(uow, taken)
    done = await _substitute(uow, taken, opened, request, state)
    if done is None:
        await note_refused(uow, request.sku_id, request.backorder_id)
        return None
    line, ratio = done
    uow.audit(
        "backorderSubstitute",
        f"backorder:{request.sku_id}:{request.backorder_id}",
        {"quantity": request.quantity},
        {"substituteSkuId": request.substitute_sku_id, "ratio": ratio, "lineId": line.id},
    )
    return line.id


async def _substitute(
    uow: Transaction, taken: TakenOrders, opened: OpenedOrders, request: SubstituteLine, state: str
) -> tuple[Line, int] | None:
    try:
        backorder = open_backorder(opened, request.sku_id, request.backorder_id, state, "SUBSTITUTED")
        if backorder.quantity != request.quantity:
            return None
        ratio = await uow.sql.fetchval(
            """select ratio from substitute where sku_id = $1 and substitute_sku_id = $2 and not needs_consent""",
            request.sku_id,
            request.substitute_sku_id,
        )
        if ratio is None or not backorder.line.substitutes_allowed or backorder.line.kit is not None:
            return None
        line, _ = await replace_short_part(
            uow, taken, opened, backorder, request.substitute_sku_id, ratio, "COURSE_SUBSTITUTE"
        )
    except DomainError:
        return None
    return line, ratio


async def replace_short_part(
    uow: Transaction,
    taken: TakenOrders,
    opened: OpenedOrders,
    backorder: Backorder,
    substitute_sku_id: int,
    ratio: int,
    reason: str,
) -> tuple[Line, dict[int, OrderFacts]]:
    """Walk 9 of the data model: the short part is cancelled, `ratio` units of the substitute per unit take its place.

    The gates of all SKUs are held. Raises SkuNotSellable for a substitute that was blocked since, InsufficientStock unless
    all of it is there now, IllegalTransition for a backorder that cannot become SUBSTITUTED; then nothing of the books may be saved.
    """
    if backorder.closed_at is not None:
        raise IllegalTransition("backorder", str(backorder.id), backorder.state, "SUBSTITUTED")
    substitute = await uow.sql.fetchrow("select code, status from sku where id = $1", substitute_sku_id)
    if substitute is None or substitute["status"] != SkuStatus.ACTIVE:
        code, status = (substitute_sku_id, "UNKNOWN") if substitute is None else substitute
        raise SkuNotSellable(str(code), str(status))
    old = backorder.line
    order = taken.orders[old.order_id]
    book = next(b for b in opened.books.values() if backorder in b.backorders)
    other = await book_of(uow, taken, opened, substitute_sku_id)
    units = backorder.quantity * ratio
    sources = taken.network.sources(order.destination_id, order.allowed_locations) or taken.network.sources(None)
    lead = (await load_lead_days(uow, [substitute_sku_id]))[substitute_sku_id]
    line = _new_line(old, units, 1 + max(x.line_number for _, x in opened.lines[old.order_id]))
    asker = (await askers_of(uow, [old.order_id]))[old.order_id]
    demand = Demand(
        units,
        order.destination_id,
        old.requested_date,
        sources,
        lead,
        demand_class=old.demand_class,
        min_life=other.min_life(line),
        allowances=allowances_for(other, asker, sources),
    )
    proposal = propose(other, demand, taken.network, uow.now)
    if proposal.available_now < units:
        raise InsufficientStock(other.sku, units, proposal.available_now)
    planned = opened.planned_by_line.get(old.id or 0, {})
    off = give_up_for_substitute(book, backorder, planned, reason)
    promise(
        book,
        old,
        taken.network,
        uow.now,
        PromiseReason.SUBSTITUTED,
        cause_kind=PromiseReason.SUBSTITUTED,
        cause_id=old.order_id,
        only_if_moved=True,
    )
    other.new_lines.append(line)
    commit(other, line, proposal, PromiseReason.SUBSTITUTED)
    promise(
        other,
        line,
        taken.network,
        uow.now,
        PromiseReason.SUBSTITUTED,
        cause_kind=PromiseReason.SUBSTITUTED,
        cause_id=old.id,
        evidence={"replaces": {"lineId": old.id, "sku": book.sku, "quantity": units // ratio, "ratio": ratio}},
    )
    other.line_facts.append(LineFact(line, "LINE_CHANGED", units, reason=str(PromiseReason.SUBSTITUTED)))
    await serve_books(uow, [book], taken.network)
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, {(old.id or 0, place): taken_off for place, taken_off in off.items()})
    request_shipments(uow, [old.order_id])
    return line, orders


def _new_line(old: Line, units: int, number: int) -> Line:
    return Line(
        None,
        old.order_id,
        number,
        units,
        customer_id=old.customer_id,
        channel=old.channel,
        open=units,
        requested_date=old.requested_date,
        ship_policy=old.ship_policy,
        min_life_days=old.min_life_days,
        priority=old.priority,
        status=OrderLineStatus.VALIDATED,
        destination_id=old.destination_id,
        demand_class=old.demand_class,
        substituted_for_line_id=old.id,
        is_new=True,
    )
