"""Create a purchase order by hand; the approval rule decides whether it goes out without a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain.book_supplies import cover_open
from core.domain.buying import dock_day, lead_time_day
from core.domain.conclude import conclude
from core.domain.eta import usable_date
from core.domain.promising import DEFAULT_LEAD_TIME_DAYS
from core.domain.purchasing import is_approved_by_rule
from core.domain.records import Supply
from core.domain.states import DateBasis, PromiseReason, PurchaseOrderStatus
from core.errors import DateInPast, InvalidInput, NotFound
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import NewPurchaseOrder, insert_orders
from core.repositories.save_book import save_books
from core.repositories.supplying import load_offers, load_policies
from core.services.raise_purchase_requests import APPROVAL_LIMIT


@dataclass(frozen=True, slots=True)
class CreatePurchaseOrder:
    """`lines` are (SKU code, quantity, price in minor units or None for the supplier's price).

    `is_expedited`: at the supplier's expedited lead time, with its fees on top. `cause` is kept with the order.
    `plan_total`: what all orders of one plan cost together, by which each of them is approved.
    """

    supplier: str
    location: str
    lines: Sequence[tuple[str, int, int | None]]
    requested_date: date | None = None
    is_expedited: bool = False
    cause: Mapping[str, Any] | None = None
    plan_total: int | None = None


@dataclass(frozen=True, slots=True)
class PurchaseOrderChange:
    """A purchase order after a change; `outcome` is applied, stale (an older message) or repeated."""

    purchase_order_id: int
    number: str
    version: int
    status: str = ""
    outcome: str = "applied"


async def create_purchase_order(uow: Transaction, request: CreatePurchaseOrder) -> PurchaseOrderChange:
    """Order the lines; lines that wait are pegged to what is ordered at once.

    A price below the supplier's buys no approval: the order is judged, by the limit and by the routes, at the higher of
    the two with all fees. Raises NotFound, UnknownSku, InvalidInput (quantity, price, an SKU the supplier does not
    deliver or is barred for), DateInPast.
    """
    if not request.lines:
        raise InvalidInput("A purchase order needs at least one line.", path=("input", "lines"))
    supplier_id = await uow.sql.fetchval("select id from supplier where code = $1", request.supplier)
    if supplier_id is None:
        raise NotFound("supplier", request.supplier, path=("input", "supplier"))
    location_id = (await location_ids_of(uow, [request.location]))[request.location]
    skus = await sku_ids_of(uow, {sku for sku, _, _ in request.lines})
    offers = await load_offers(uow, supplier_id, skus.values())
    for index, (sku, quantity, price) in enumerate(request.lines):
        if quantity < 1:
            raise InvalidInput(
                "A quantity must be positive.", path=("input", "lines", str(index), "quantity"), value=quantity
            )
        if skus[sku] not in offers:
            raise InvalidInput(
                f"Supplier {request.supplier!r} does not deliver SKU {sku!r}.",
                path=("input", "lines", str(index), "sku"),
                value=sku,
            )
        if not offers[skus[sku]].is_approved:
            raise InvalidInput(
                f"Supplier {request.supplier!r} is barred as a source of SKU {sku!r}.",
                path=("input", "lines", str(index), "sku"),
                value=sku,
            )
        if price is not None and price < 0:
            raise InvalidInput(
                "A price must not be negative.", path=("input", "lines", str(index), "priceMinor"), value=price
            )
    versions = await take_gates(uow, skus.values())
    network = await load_network(uow)
    today = network.today(location_id, uow.now)
    if request.requested_date is not None and request.requested_date < today:
        raise DateInPast("requestedDate", request.requested_date, today, path=("input", "requestedDate"))
    policies = await load_policies(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    receiving_days = int(policies.get("receiving_days", 0))
    rows: list[tuple[int, int, int, date | None]] = []
    supplies: list[tuple[int, Supply]] = []
    total = 0
    for sku, quantity, price in request.lines:
        offer = offers[skus[sku]]
        lead_days, asked_days, extra = offer.lead_time_p80, offer.asked_days, 0
        if request.is_expedited:
            if offer.expedite_days is None:
                raise InvalidInput(
                    f"Supplier {request.supplier!r} does not expedite SKU {sku!r}.", path=("input", "lines"), value=sku
                )
            lead_days, extra = min(lead_days, offer.expedite_days), offer.expedite_unit_fee
            asked_days = min(asked_days, lead_days)
            total += offer.expedite_fee
        usable = lead_time_day(network, location_id, today, lead_days)
        dock = dock_day(network, location_id, lead_time_day(network, location_id, today, asked_days), receiving_days)
        if request.requested_date is not None and request.requested_date > dock:
            dock = request.requested_date
            calendar = network.locations[location_id].calendar
            usable = max(usable, usable_date(dock, DateBasis.LEAD_TIME, 0, receiving_days, calendar))
        cost = (offer.price if price is None else price) + extra
        total += (max(offer.price, cost - extra) + extra) * quantity
        rows.append((skus[sku], quantity, cost, dock))
        supplies.append(
            (
                skus[sku],
                Supply(
                    None,
                    location_id,
                    "purchase",
                    quantity,
                    usable,
                    paper_date=dock,
                    date_basis=str(DateBasis.LEAD_TIME),
                    supplier_id=supplier_id,
                ),
            )
        )
    currency = next(iter(offers.values())).currency
    limit = policies.get(APPROVAL_LIMIT)
    limit = limit.get(currency) if isinstance(limit, dict) else limit
    total = max(total, request.plan_total or 0)
    approved = is_approved_by_rule(total, limit)
    order = NewPurchaseOrder(
        supplier_id,
        location_id,
        PurchaseOrderStatus.APPROVED if approved else PurchaseOrderStatus.AWAITING_APPROVAL,
        currency,
        min(row[3] for row in rows if row[3] is not None),
        rows,
        approval={"rule": APPROVAL_LIMIT, "limit": limit, "total": total} if approved else None,
        cause={"kind": "MANUAL", **(request.cause or {}), "actor": uow.principal.id, "judgedTotal": total},
    )
    await insert_orders(uow, [order])
    for line_id, (sku_id, supply) in zip(order.line_ids, supplies, strict=True):
        supply.purchase_order_line_id = line_id
        books[sku_id].add_supply(supply)
    for sku_id, book in books.items():
        lead = offers[sku_id].lead_time_p80 if sku_id in offers else DEFAULT_LEAD_TIME_DAYS
        gained = cover_open(book, network, lead, str(PromiseReason.SUPPLY_DATED))
        conclude(book, network, (line for line, _ in gained.values()), PromiseReason.SUPPLY_DATED)
    await save_books(uow, books.values())
    uow.audit("purchaseOrderCreate", f"purchase_order:{order.id}", None, {"status": str(order.status), "total": total})
    if approved:
        uow.enqueue(JobRequest("send_purchase_order", str(order.id), {"purchaseOrderId": order.id}))
    return PurchaseOrderChange(order.id, order.number, 1, str(order.status))
