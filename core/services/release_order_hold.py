"""Release an order from hold; with the last hold gone its lines are validated and get what there is now."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from core.domain.holding import give_up_places, unpark, validate
from core.domain.order_sites import Ask, with_shelves
from core.domain.promising import Demand
from core.domain.quotas import allowances_for
from core.domain.serving import CompleteLines, serve_policy
from core.domain.states import HoldReason, OrderLineStatus, ShipPolicy
from core.errors import IllegalTransition
from core.giving_way import GivingWay
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.holds import LiveHold, live_holds, release_holds
from core.repositories.option_offers import give_time_back
from core.repositories.orders import find_orders, touch_orders
from core.repositories.quotas import askers_of, give_back_uses
from core.repositories.save_book import OrderFacts, save_books
from core.repositories.supplying import load_lead_days, load_policies
from core.services.allocate_waiting import serve_books
from core.services.cancel_order import cut_by_policy, tell_cancelled
from core.services.follow_up import request_purchase, request_shipments
from core.services.take_orders import OpenedOrders, OrderChange, TakenOrders, open_orders, take_orders


async def release_order_hold(uow: Transaction, number: str, reason: HoldReason | str | None = None) -> OrderChange:
    """End the hold with this reason (None: all). While another hold stays the order is still held.

    Raises NotFound, and IllegalTransition when there is no such hold.
    """
    order_id = (await find_orders(uow, [number]))[number]
    taken = await take_orders(uow, [order_id])
    held = (await live_holds(uow, [order_id])).get(order_id, [])
    ending = [hold for hold in held if reason is None or hold.reason == HoldReason(reason)]
    if not ending:
        raise IllegalTransition("order", number, taken.orders[order_id].status, "RELEASED")
    if len(ending) < len(held):
        await release_holds(uow, [hold.id for hold in ending])
        facts = (await touch_orders(uow, [order_id]))[order_id]
        uow.announce(order_event(facts, "RELEASED", reason=ending[0].reason))
        _audit(uow, order_id, ending)
        return OrderChange(order_id, facts.version, [])
    return (await release_taken(uow, taken, {order_id: ending}))[0]


async def release_taken(uow: Transaction, taken: TakenOrders, ending: dict[int, list[LiveHold]]) -> list[OrderChange]:
    """End the last holds of orders this transaction holds; `ending` names them per order."""
    await release_holds(uow, [hold.id for holds in ending.values() for hold in holds])
    return await _release(uow, taken, await open_orders(uow, taken, list(ending)), ending)


async def _release(
    uow: Transaction, taken: TakenOrders, opened: OpenedOrders, ending: dict[int, list[LiveHold]]
) -> list[OrderChange]:
    lead_days = await load_lead_days(uow, opened.books)
    leaves_parts = serve_policy(await load_policies(uow)).complete_lines is CompleteLines.FREE
    validated: set[int] = set()
    askers = await askers_of(uow, ending)
    fresh = [line.id or 0 for o in ending for _, line in opened.lines[o] if line.status == OrderLineStatus.RECEIVED]
    await give_back_uses(uow, opened.books, fresh)
    others = GivingWay()
    for order_id in ending:
        order = taken.orders[order_id]
        sources = taken.network.sources(order.destination_id, order.allowed_locations) or taken.network.sources(None)
        asks: list[Ask] = []
        received = [(book, line) for book, line in opened.lines[order_id] if line.status == OrderLineStatus.RECEIVED]
        for book, line in received:
            give_up_places(book, line)
            demand = Demand(
                line.ordered - line.allocated - line.shipped - line.cancelled,
                order.destination_id,
                line.requested_date,
                sources,
                lead_days[book.sku_id],
                demand_class=line.demand_class,
                allowances=allowances_for(book, askers[order_id], sources),
                min_life=book.min_life(line),
            )
            whole = leaves_parts and (order.ship_complete or line.ship_policy == ShipPolicy.COMPLETE)
            asks.append(Ask(book, demand, must_be_whole=whole))
        for (book, line), demand in zip(received, with_shelves(asks, taken.network, uow.now), strict=True):
            await others.between()
            left = allowances_for(book, askers[order_id], demand.sources)  # an earlier line may have used some
            validate(book, line, replace(demand, allowances=left), taken.network, uow.now)
            validated.add(order_id)
        for book, line in opened.lines[order_id]:
            await others.between()
            if line.status != OrderLineStatus.RECEIVED:
                unpark(book, line, "HOLD_RELEASED")
    await serve_books(uow, opened.books.values(), taken.network)
    orders = await save_books(uow, opened.books.values())
    await give_time_back(uow, ending)
    orders |= await touch_orders(uow, [order_id for order_id in ending if order_id not in orders])
    for order_id, holds in ending.items():
        _announce(uow, orders[order_id], holds, order_id in validated)
    await tell_cancelled(uow, orders, cut_by_policy(opened.books.values()), ShipPolicy.PARTIAL_CANCEL_REST)
    request_purchase(uow, {b.sku_id for lines in opened.lines.values() for b, line in lines if line.backordered})
    request_shipments(uow, ending)
    return [
        OrderChange(order_id, orders[order_id].version, [x.id or 0 for _, x in opened.lines[order_id] if x.is_changed])
        for order_id in ending
    ]


def _announce(uow: Transaction, facts: OrderFacts, holds: Sequence[LiveHold], is_validated: bool) -> None:
    uow.announce(order_event(facts, "RELEASED", reason=holds[0].reason))
    if is_validated:
        uow.announce(order_event(facts, "VALIDATED"))
    if facts.status == "ALLOCATED":
        uow.announce(order_event(facts, "ALLOCATED"))
    _audit(uow, facts.id, holds)


def _audit(uow: Transaction, order_id: int, holds: Sequence[LiveHold]) -> None:
    uow.audit("orderHoldRelease", f"order:{order_id}", {"reasons": [hold.reason for hold in holds]}, None)
