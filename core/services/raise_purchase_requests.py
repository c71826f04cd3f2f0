"""Buy what waits without a source and what falls below its reorder point: consolidated, approved by rule, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.domain import exchange
from core.domain.awaited_moves import awaited_units
from core.domain.book import SkuBook
from core.domain.book_supplies import cover_open
from core.domain.buying import Need, dock_day, lead_time_day, needs, peg_new_supplies
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.purchasing import is_approved_by_rule, order_quantity
from core.domain.records import Line, Peg, Supply
from core.domain.states import DateBasis, PromiseReason, PurchaseOrderStatus
from core.domain.supplier_choice import Need as Wanted
from core.events import JobRequest
from core.ports import Transaction
from core.queries.rebalancing import awaited_moves
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import NewPurchaseOrder, insert_orders
from core.repositories.save_book import save_books
from core.repositories.sourcing import Source, load_sources, selling_prices
from core.repositories.supplying import Terms, load_policies, load_terms, move_policy
from core.services.allocate_waiting import serve_books
from core.services.choose_sources import POLICY as SOURCING
from core.services.choose_sources import choose, comparable, costs_of, refill_weight
from core.services.may_purchase import not_to_buy_for

APPROVAL_LIMIT = "purchase_approval_limit"


@dataclass(slots=True)
class _Basket:
    """What goes to one supplier for one location."""

    lines: list[tuple[SkuBook, Need, Terms, date]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(need.quantity * terms.price for _, need, terms, _ in self.lines)


async def raise_purchase_requests(uow: Transaction, sku_ids: Iterable[int]) -> list[int]:
    """Order what unpegged inbound and free stock do not cover, for any number of SKUs; returns the new orders' ids.

    Free stock, then unpegged inbound is given to waiting lines first. One order per supplier and location; up to the
    approval limit it is APPROVED and a job sends it, else it waits for approval. Waiting lines are pegged to the new
    supplies by priority then age. Running it again finds every need covered.
    """
    versions = await take_gates(uow, sku_ids)
    if not versions:
        return []
    terms = await load_terms(uow, versions)
    policies = await load_policies(uow)
    points = {
        r["id"]: (r["reorder_point"], r["reorder_quantity"])
        for r in await uow.sql.fetch(
            "select id, reorder_point, reorder_quantity from sku where id = any($1::bigint[])", list(versions)
        )
    }
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    await serve_books(uow, books.values(), network)
    touched: dict[int, list[Line]] = defaultdict(list)
    baskets: dict[tuple[int, int, str], _Basket] = defaultdict(_Basket)
    receiving_days = int(policies.get("receiving_days", 0))
    left_out = await not_to_buy_for(uow, books.values(), policies)
    sources = await load_sources(uow.sql, versions, uow.now)
    prices = await selling_prices(uow.sql, versions)
    moves = await awaited_moves(uow.sql, list(versions), uow.now)
    for sku_id, book in books.items():
        offer = terms.get(sku_id)
        lead = offer.lead_time_p80 if offer is not None else DEFAULT_LEAD_TIME_DAYS
        gained = cover_open(book, network, lead, str(PromiseReason.SUPPLY_DATED))
        touched[sku_id] += [line for line, _ in gained.values()]
        if offer is None:
            continue
        main = _main_location(network, offer)
        choices = sources.get(sku_id, [])
        moq, multiple = (1, 1) if len(choices) > 1 else (offer.moq, offer.order_multiple)
        awaited = awaited_units(book, network, moves.get(sku_id, ()), lead, left_out)
        for need in needs(book, main, *points[sku_id], moq, multiple, left_out, awaited):
            for part, from_offer in _parts(book, need, offer, choices, policies, prices.get(sku_id)):
                today = book.today[need.location_id]
                usable = lead_time_day(network, need.location_id, today, from_offer.lead_time_p80)
                key = from_offer.supplier_id, need.location_id, from_offer.currency
                baskets[key].lines.append((book, part, from_offer, usable))
    orders = [_order(network, *key, basket, policies, receiving_days) for key, basket in sorted(baskets.items())]
    await insert_orders(uow, orders)
    bought: dict[int, tuple[SkuBook, list[Peg], list[Supply]]] = {}
    for order, (_, basket) in zip(orders, sorted(baskets.items()), strict=True):
        for book, need, supply in _supplies(network, order, basket, receiving_days):
            bought.setdefault(id(need.pegs), (book, need.pegs, []))[2].append(supply)
    for book, pegs, supplies in bought.values():
        touched[book.sku_id] += peg_new_supplies(book, network, supplies, pegs, move_policy(policies))
    for sku_id, lines in touched.items():
        book = books[sku_id]
        lost = {id(x): x for x in lines if any(p.cause == PromiseReason.SUPPLY_LOST for p in book.pegs_of(x))}
        conclude(book, network, lost.values(), PromiseReason.SUPPLY_LOST)  # the day moves because of what was lost
        conclude(book, network, [line for line in lines if id(line) not in lost], PromiseReason.SUPPLY_DATED)
    await save_books(uow, books.values())
    for order in orders:
        uow.audit("purchaseOrderRaise", f"purchase_order:{order.id}", None, {"status": str(order.status)})
        if order.status == PurchaseOrderStatus.APPROVED:
            uow.enqueue(JobRequest("send_purchase_order", str(order.id), {"purchaseOrderId": order.id}))
    return [order.id for order in orders]


def _parts(
    book: SkuBook,
    need: Need,
    preferred: Terms,
    sources: Sequence[Source],
    policies: Mapping[str, Any],
    price: tuple[int, str] | None,
) -> list[tuple[Need, Terms]]:
    """From whom the need is bought: from the only source there is, else as the choice between them says.

    Units that lines wait for are wanted on their days, the rest when the preferred supplier's lead time is over. Nothing
    is expedited without a person.
    """
    rates = policies.get(exchange.POLICY)
    usable = comparable(sources, rates) if sources else []
    if len(usable) < 2 or price is None:
        quantity = order_quantity(need.quantity, preferred.moq, preferred.order_multiple)
        return [(Need(need.location_id, quantity, need.waiting, need.pegs), preferred)]
    today, left = book.today[need.location_id], need.quantity
    wanted: list[Wanted] = []
    for peg in need.pegs:
        units = min(left, peg.quantity)
        if units:
            wanted.append(Wanted((peg.need_date - today).days, units))
        left -= units
    if left:
        wanted.append(Wanted(preferred.lead_time_p80, left, refill_weight(policies.get(SOURCING))))
    costs = costs_of(policies.get(SOURCING), *price, usable, rates)
    plan = choose(book.sku_id, usable, wanted, costs, expedited=False).plan
    if plan is None:  # hints say that nobody has so much: the preferred supplier is asked all the same
        quantity = order_quantity(need.quantity, preferred.moq, preferred.order_multiple)
        return [(Need(need.location_id, quantity, need.waiting, need.pegs), preferred)]
    found, waiting = [], need.waiting
    by_code = {source.code: source for source in usable}
    for part in plan.parts:
        source = by_code[part.offer.code]
        terms = Terms(
            source.supplier_id,
            source.price_at(part.quantity),
            source.currency,
            source.moq,
            source.multiple,
            source.p80,
            source.location_id,
            agreed_p80=source.agreed_p80,
        )
        mine = min(waiting, part.quantity)
        waiting -= mine
        found.append((Need(need.location_id, part.quantity, mine, need.pegs), terms))
    return found


def _main_location(network: Network, offer: Terms) -> int:
    """Where stock for no order in particular goes: nearest to the supplier, distribution centres first."""
    places = [place for place in network.locations.values() if place.holds_stock]
    ranking = {"dc": 0, "warehouse": 1, "store": 2}

    def rank(place: Any) -> tuple:
        lane = network.lanes.get((offer.supplier_location_id or 0, place.id))
        return (ranking[place.kind], lane is None, lane.transit_days if lane is not None else 0, place.id)

    return min(places, key=rank).id


def _order(
    network: Network,
    supplier_id: int,
    location_id: int,
    currency: str,
    basket: _Basket,
    policies: dict[str, Any],
    receiving_days: int,
) -> NewPurchaseOrder:
    docks = [_asked(network, location_id, book, terms, receiving_days) for book, _, terms, _ in basket.lines]
    limit = policies.get(APPROVAL_LIMIT)
    if isinstance(limit, dict):
        limit = limit.get(currency)
    approved = is_approved_by_rule(basket.total, limit)
    waiting = sum(need.waiting for _, need, _, _ in basket.lines)
    late = [found for book, need, _, _ in basket.lines if (found := _comes_later(book, need)) is not None]
    return NewPurchaseOrder(
        supplier_id,
        location_id,
        PurchaseOrderStatus.APPROVED if approved else PurchaseOrderStatus.AWAITING_APPROVAL,
        currency,
        min(docks),
        [
            (book.sku_id, need.quantity, offer.price, dock)
            for (book, need, offer, _), dock in zip(basket.lines, docks, strict=True)
        ],
        approval={"rule": APPROVAL_LIMIT, "limit": limit, "total": basket.total} if approved else None,
        cause={
            "kind": "BACKORDER" if waiting else "REORDER_POINT",
            "waiting": waiting,
            "comesLater": sum(units for units, _ in late),
            "comesLaterFrom": min((day.isoformat() for _, day in late), default=None),
        },
    )


def _comes_later(book: SkuBook, need: Need) -> tuple[int, date] | None:
    """What is on order already and claimed by nobody (units, from which day), where it comes too late for those who wait."""
    today = book.today[need.location_id]
    found = [s for s in book.supplies if s.location_id == need.location_id and s.unpegged > 0] if need.waiting else []
    return (sum(s.unpegged for s in found), min(s.effective_date(today) for s in found)) if found else None


def _asked(network: Network, location_id: int, book: SkuBook, terms: Terms, receiving_days: int) -> date:
    """The day on which goods are asked to be at the dock: what was agreed, while `usable` is what is likely."""
    usable = lead_time_day(network, location_id, book.today[location_id], terms.asked_days)
    return dock_day(network, location_id, usable, receiving_days)


def _supplies(
    network: Network, order: NewPurchaseOrder, basket: _Basket, receiving_days: int
) -> Iterable[tuple[SkuBook, Need, Supply]]:
    """What was ordered, in the books."""
    for line_id, (book, need, terms, usable) in zip(order.line_ids, basket.lines, strict=True):
        supply = Supply(
            None,
            need.location_id,
            "purchase",
            need.quantity,
            usable,
            paper_date=_asked(network, need.location_id, book, terms, receiving_days),
            date_basis=str(DateBasis.LEAD_TIME),
            supplier_id=order.supplier_id,
            purchase_order_line_id=line_id,
        )
        yield book, need, book.add_supply(supply)
