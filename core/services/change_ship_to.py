"""Send the rest of an order to another address: its lines are judged by the new way and covered anew where they must."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from core.domain.book import SkuBook
from core.domain.holding import cancel_rest
from core.domain.network import Network
from core.domain.placing import ShipTo
from core.domain.promising import Demand, commit, promise, propose
from core.domain.quotas import allowances_for
from core.domain.records import Line, LineFact, Peg
from core.domain.states import HoldReason, OrderLineStatus, OrderStatus, PegKind, PromiseReason, ShipPolicy
from core.errors import IllegalTransition, InvalidInput
from core.ports import Transaction
from core.repositories.holds import live_holds
from core.repositories.orders import OrderRow, find_orders, touch_orders
from core.repositories.quotas import askers_of, give_back_latest
from core.repositories.save_book import save_books
from core.repositories.shipments import take_off
from core.repositories.supplying import load_lead_days
from core.services.allocate_waiting import serve_books
from core.services.cancel_order import cut_by_policy, tell_cancelled
from core.services.follow_up import request_purchase, request_shipments
from core.services.release_order_hold import release_order_hold
from core.services.take_orders import OrderChange, check_version, open_orders, take_orders

REASON = "orderShipToChange"
_OVER = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.CANCELLED})
_DONE = frozenset({OrderLineStatus.SHIPPED, OrderLineStatus.DELIVERED, OrderLineStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class ChangeShipTo:
    """Where what has not left goes from now on."""

    number: str
    ship_to: ShipTo
    expected_version: int | None = None


async def change_ship_to(uow: Transaction, request: ChangeShipTo) -> OrderChange:
    """What has left keeps its way; planned shipments are withdrawn and planned anew with the new address.

    In another delivery zone a line keeps the stock and the claims that can go there, the others are covered anew, and
    its day is promised by the new way. An order that was held because nothing ships to its old address goes on. Raises
    NotFound, VersionConflict, InvalidInput (no country of two letters, nothing ships there) and IllegalTransition.
    """
    order_id = (await find_orders(uow, [request.number]))[request.number]
    taken = await take_orders(uow, [order_id])
    order, network = taken.orders[order_id], taken.network
    check_version(order, request.expected_version)
    if order.status in _OVER:
        raise IllegalTransition("order", order.number, order.status, "SENT_ELSEWHERE")
    destination_id = _destination(network, order, request.ship_to)
    opened = await open_orders(uow, taken)
    live = [(book, line) for book, line in opened.lines[order_id] if line.status not in _DONE]
    off = {
        (line.id or 0, place): units
        for _, line in live
        for place, units in opened.planned_by_line.get(line.id or 0, {}).items()
    }
    for book, line in live:
        if line.ready:
            line.ready = 0
            book.settle(line, REASON)
    if destination_id != order.destination_id:
        sources = network.sources(destination_id, order.allowed_locations)
        asker = (await askers_of(uow, [order_id]))[order_id]
        lead_days = await load_lead_days(uow, {book.sku_id for book, _ in live})
        for book, line in live:
            line.destination_id = destination_id
            demand = Demand(
                0,
                destination_id,
                line.requested_date,
                sources,
                lead_days[book.sku_id],
                demand_class=line.demand_class,
                min_life=book.min_life(line),
                allowances=allowances_for(book, asker, sources),
            )
            await _reroute(uow, network, book, line, demand)
    for book, line in live:
        book.line_facts.append(LineFact(line, "LINE_CHANGED", line.ordered - line.cancelled, reason=REASON))
        line.is_changed = book.is_changed = True
    await _write(uow, order_id, request.ship_to, destination_id)
    books = list({book.sku_id: book for book, _ in live}.values())
    await serve_books(uow, books, network)
    for book, line in live:
        reason = PromiseReason.LINE_CHANGED
        promise(book, line, network, uow.now, reason, cause_kind=reason, cause_id=order_id, only_if_moved=True)
    orders = await save_books(uow, opened.books.values())
    await take_off(uow, opened.planned, off)
    await tell_cancelled(uow, orders, cut_by_policy(books), ShipPolicy.PARTIAL_CANCEL_REST)
    facts = orders.get(order_id) or (await touch_orders(uow, [order_id]))[order_id]
    uow.audit(REASON, f"order:{order_id}", {"destination": order.destination_id}, {"destination": destination_id})
    request_purchase(uow, {book.sku_id for book, line in live if line.backordered})
    request_shipments(uow, [order_id])
    change = OrderChange(order_id, facts.version, [line.id or 0 for _, line in live])
    return await _let_go_on(uow, network, order, change)


def _destination(network: Network, order: OrderRow, to: ShipTo) -> int | None:
    if len(to.country.strip()) != 2:
        raise InvalidInput(
            f"The country {to.country!r} is not a two-letter code (ISO 3166).",
            path=("input", "shipTo", "country"),
            value=to.country,
        )
    destination_id = network.destination(to.country, to.postal_code)
    if not _has_route(network, destination_id, order.allowed_locations):
        raise InvalidInput(
            f"Nothing ships to {to.country.upper()} {to.postal_code}".rstrip() + ": no location has a lane to there.",
            path=("input", "shipTo"),
            value=f"{to.country.upper()} {to.postal_code}".rstrip(),
        )
    return destination_id


def _has_route(network: Network, destination_id: int | None, allowed: list[int] | None) -> bool:
    return bool(network.sources(destination_id, allowed)) and (destination_id is not None or not network.zones)


async def _reroute(uow: Transaction, network: Network, book: SkuBook, line: Line, demand: Demand) -> None:
    """Give up what cannot reach the new address (no lane, or too old on arrival) and cover it anew."""
    lost = 0
    for peg in [peg for peg in book.pegs_of(line) if not _reaches(book, line, peg, demand.sources)]:
        lost += peg.quantity
        if peg.kind == PegKind.HARD:
            book.release(peg, peg.quantity, REASON, line.order_id)
        else:
            book.drop_peg(peg)
    home = line.location_id if line.location_id in demand.sources else demand.sources[0]
    if line.requested_date is not None:
        line.ship_by = network.latest_ship_day(home, demand.destination_id, line.requested_date)
    if not lost:
        book.settle(line, REASON)
        return
    await give_back_latest(uow, book, line, line.ordered - line.cancelled - lost)
    validated = line.status != OrderLineStatus.RECEIVED
    proposal = propose(book, replace(demand, quantity=lost), network, uow.now)
    if line.ship_policy == ShipPolicy.PARTIAL_CANCEL_REST and validated:
        proposal = cancel_rest(book, line, proposal)
    commit(book, line, proposal, PromiseReason.LINE_CHANGED, validated=validated)


def _reaches(book: SkuBook, line: Line, peg: Peg, sources: Collection[int]) -> bool:
    if peg.location_id not in sources:
        return False
    lots, lot = book.lots, peg.lot
    if lots is None or lot is None or lot.expires_on is None:
        return True
    today = book.today[peg.location_id]
    return (lot.expires_on - today).days >= lots.keep_of(peg.location_id, line)


async def _write(uow: Transaction, order_id: int, ship_to: ShipTo, destination_id: int | None) -> None:
    await uow.sql.execute(
        "update sales_order set ship_to = $2, destination_id = $3, updated_at = $4 where id = $1",
        order_id,
        ship_to.as_json(),
        destination_id,
        uow.now,
    )


async def _let_go_on(uow: Transaction, network: Network, order: OrderRow, change: OrderChange) -> OrderChange:
    """End the ADDRESS hold of an order that had no route: its cause is gone."""
    if _has_route(network, order.destination_id, order.allowed_locations):
        return change
    held: dict[int, Any] = await live_holds(uow, [order.id])
    if not any(hold.reason == HoldReason.ADDRESS for hold in held.get(order.id, ())):
        return change
    return await release_order_hold(uow, order.number, HoldReason.ADDRESS)
