"""Place orders: validate, allocate, promise, open backorders; a lone order is a batch of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from core.domain.book import SkuBook
from core.domain.holding import cancel_rest
from core.domain.network import Network
from core.domain.order_sites import Ask, with_shelves
from core.domain.placing import OrderRequest
from core.domain.priority import PriorityWeights, Standing, margin_of, priority_weights
from core.domain.promising import Demand, Proposal, commit, promise, propose
from core.domain.quotas import Asker, allowances_for
from core.domain.ranking import rank_again
from core.domain.records import Line
from core.domain.reserving import Held, HoldUse, close_use, may_use, take_own, use_up
from core.domain.shipping import ReadyPart, ReleaseGate, mark_ready, release, release_gate
from core.domain.states import OrderLineStatus, OrderStatus, PromiseReason, ShipPolicy, SkuStatus
from core.events import JobRequest
from core.giving_way import GivingWay
from core.ports import Transaction
from core.repositories.announce_changes import order_event
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.place_orders import (
    Known,
    check_statuses,
    insert_holds,
    insert_orders,
    load_known,
    lock_numbers,
)
from core.repositories.priority_facts import POLICY
from core.repositories.reservations import live_holds
from core.repositories.save_book import OrderFacts, save_books
from core.repositories.write_stock import draw_ids
from core.services.accept_orders import Accepted, OrderResult, accept_orders, policy
from core.services.cancel_order import cut_by_policy, tell_cancelled
from core.services.close_reservations import close_reservations
from core.services.plan_shipments import write_plan


async def place_orders(uow: Transaction, orders: Sequence[OrderRequest]) -> list[OrderResult]:
    """Place a batch first come first served; one result per order, in order, and none harms its neighbours.

    What is wrong with a request refuses that order; what may be put right (payment, address, a SKU that is not
    sellable, a likely double) holds it with a deadline. Each accepted line has its promise when this returns.
    """
    requests = list(orders)
    await lock_numbers(uow, requests)
    known = await load_known(uow, requests)
    network = await load_network(uow)
    results, accepted = await accept_orders(uow, requests, known, network)
    sku_ids = {known.skus[line.sku]["id"] for order in accepted for line in order.request.lines}
    groups = [o.request.group_id for o in accepted if o.request.group_id in known.reserved]
    sku_ids.update(sku_id for group in groups for sku_id in known.reserved[group or ""])
    versions = await take_gates(uow, sku_ids)
    live = await live_holds(uow, [g for g in groups if g])
    ids = await draw_ids(uow, "sales_order", len(accepted))
    for order, order_id in zip(accepted, ids, strict=True):
        order.order_id = order_id
    await _place(uow, accepted, known, network, versions, live)
    for order in accepted:
        results[order.position] = OrderResult(
            "placed",
            order.order_id,
            order.number,
            backorder_ids=[
                (book.sku_id, b.id or 0) for book, line in order.lines if (b := book.backorder_of(line)) is not None
            ],
            reservation_expired=order.request.group_id is not None and not order.has_hold,
        )
    return [results[i] for i in range(len(requests))]


async def _place(
    uow: Transaction,
    batch: list[Accepted],
    known: Known,
    network: Network,
    versions: dict[int, int],
    live: dict[str, Held],
) -> None:
    """`live` are reservations that no order has used up yet: until its turn each counts against everybody else."""
    wanted = {known.skus[line.sku]["id"] for order in batch for line in order.request.lines}
    books = await load_books(uow, {sku_id: versions[sku_id] for sku_id in wanted}, network)
    await check_statuses(uow, known, books)
    uses: list[HoldUse] = []
    whole_only = policy(known, "complete_lines", "HOLD") == "FREE"
    others = GivingWay()
    for order in batch:
        held = live.get(order.request.group_id or "")
        if held is not None and not may_use(held.kind, held.customer_id, order.customer_id, uow.principal.role):
            held = None
        order.has_hold = held is not None
        own = take_own(books, held) if held is not None else {}
        demand_class = known.channels[order.request.channel]["protected_class"]
        asker = Asker(order.request.channel, order.customer_id, order.tier)
        asks: list[Ask] = []
        for number, request in enumerate(order.request.lines, start=1):
            sku = known.skus[request.sku]
            book = books[sku["id"]]
            line = Line(
                None,
                order.order_id,
                number,
                request.quantity,
                customer_id=order.customer_id,
                open=request.quantity,
                requested_date=request.requested_date,
                ship_policy=request.ship_policy,
                substitutes_allowed=request.substitutes_allowed,
                min_life_days=request.min_life_days,
                kit=request.kit,
                standing=_standing(order, known, sku, uow.now),
                status=OrderLineStatus.RECEIVED if order.holds else OrderLineStatus.VALIDATED,
                destination_id=order.destination_id,
                channel=order.request.channel,
                demand_class=demand_class,
                is_new=True,
            )
            book.new_lines.append(line)
            order.lines.append((book, line))
            demand = Demand(
                request.quantity,
                order.destination_id,
                request.requested_date,
                order.sources,
                sku["lead_time"],
                own.get(book.sku_id, []),
                demand_class,
                allowances=allowances_for(book, asker, order.sources),
                min_life=book.min_life(line),
            )
            whole = whole_only and (order.request.ship_complete or request.ship_policy == ShipPolicy.COMPLETE)
            asks.append(Ask(book, demand, must_be_whole=whole, weight_g=sku["weight_g"]))
        demands = with_shelves(asks, network, uow.now)
        for (book, line), demand in zip(order.lines, demands, strict=True):
            await others.between()
            left = allowances_for(book, asker, demand.sources)  # an earlier line may have used some
            if left != demand.allowances:
                demand = replace(demand, allowances=left)
            proposal = propose(book, demand, network, uow.now)
            use_up(demand.held, [(part.location_id, part.quantity) for part in proposal.slices])
            _cover(book, line, proposal, network, uow.now, validated=not order.holds)
        if held is not None:
            uses += close_use(books, held, own, order.order_id)
            if not held.rows:
                live.pop(held.group_id)
    _rank(batch, books.values(), priority_weights(policy(known, POLICY, None)), uow.now)
    at_once = policy(known, "release_to_warehouse", "BY_JOB") == "AT_ONCE"
    ready = _release(batch, release_gate(policy(known, "release_gate", None))) if at_once else {}
    await insert_orders(uow, [_row(order, known, uow.now) for order in batch])
    await _hold(uow, batch, known)
    facts = {
        order.order_id: OrderFacts(
            order.order_id, order.number, order.request.channel, order.customer_id, str(order.status), 1
        )
        for order in batch
    }
    for order in batch:
        _announce(uow, order, facts[order.order_id])
    await save_books(uow, books.values(), facts)
    await close_reservations(uow, versions, uses)
    await tell_cancelled(uow, facts, cut_by_policy(books.values()), ShipPolicy.PARTIAL_CANCEL_REST)
    if ready:
        await write_plan(uow, network, ready, {o.order_id: o.customer_id for o in batch}, {})
        for order_id, parts in ready.items():
            units = sum(part.quantity for part in parts)
            uow.announce(order_event(facts[order_id], "READY_TO_SHIP", quantity=units))
    _enqueue(uow, batch, released=at_once)


def _standing(order: Accepted, known: Known, sku: Any, now: datetime) -> Standing:
    return Standing(
        order.request.placed_at or now,
        order.tier,
        order.request.channel,
        order.request.ship_to.country,
        margin_of(sku["unit_price"], sku["unit_cost"]),
        sku["status"] == SkuStatus.PREORDER,
    )


def _rank(batch: list[Accepted], books: Iterable[SkuBook], weights: PriorityWeights, now: datetime) -> None:
    """Rank the new lines, now that all of an order is covered as far as it can be."""
    for order in batch:
        short = [line for _, line in order.lines if line.open + line.backordered]
        if len(short) == 1 and short[0].standing is not None:
            short[0].standing = replace(short[0].standing, completes_order=True)
    for book in books:
        book.weights = weights
        rank_again(book, book.new_lines, now)


def _release(batch: list[Accepted], gate: ReleaseGate) -> dict[int, list[ReadyPart]]:
    """What of each order may leave at once, counted as ready on its lines."""
    ready: dict[int, list[ReadyPart]] = {}
    for order in batch:
        parts = release(
            order.lines, {}, is_held=bool(order.holds), ship_complete=order.request.ship_complete, gate=gate
        )
        if parts:
            mark_ready(parts, "READY_TO_SHIP")
            ready[order.order_id] = parts
    return ready


def _cover(book: SkuBook, line: Line, proposal: Proposal, network: Network, now: datetime, *, validated: bool) -> None:
    """Commit the proposal as the line's ship policy wants it, and make the first promise."""
    if line.ship_policy == ShipPolicy.PARTIAL_CANCEL_REST and validated:
        proposal = cancel_rest(book, line, proposal)
    commit(book, line, proposal, PromiseReason.PLACED, validated=validated)
    promise(
        book,
        line,
        network,
        now,
        PromiseReason.PLACED,
        cause_kind=PromiseReason.PLACED,
        cause_id=line.order_id,
    )


def _row(order: Accepted, known: Known, now: datetime) -> dict[str, Any]:
    request = order.request
    return {
        "id": order.order_id,
        "number": order.number,
        "external_number": request.external_number,
        "channel": request.channel,
        "customer_id": order.customer_id,
        "status": str(order.status),
        "ship_to": request.ship_to.as_json(),
        "ship_complete": request.ship_complete,
        "payment_state": request.payment_state,
        "destination_id": order.destination_id,
        "currency": known.skus[request.lines[0].sku]["currency"],
        "placed_at": request.placed_at or now,
    }


async def _hold(uow: Transaction, batch: list[Accepted], known: Known) -> None:
    hours: dict[str, Any] = policy(known, "hold_deadline_hours", {})
    actions: dict[str, Any] = policy(known, "hold_deadline_action", {})
    rows = []
    for order in batch:
        for reason in order.holds:
            deadline = uow.now + timedelta(hours=float(hours.get(reason, 72)))
            rows.append((order.order_id, str(reason), deadline, str(actions.get(reason, "CANCEL"))))
    await insert_holds(uow, rows)


def _announce(uow: Transaction, order: Accepted, facts: OrderFacts) -> None:
    uow.announce(order_event(facts, "PLACED"))
    if order.holds:
        uow.announce(order_event(facts, "HELD", reason=str(order.holds[0])))
    else:
        uow.announce(order_event(facts, "VALIDATED"))
        if order.status in (OrderStatus.ALLOCATED, OrderStatus.SHIPMENT_RESERVED):
            uow.announce(order_event(facts, "ALLOCATED"))
    done = {"number": order.number, "lines": len(order.lines)}
    uow.audit("orderPlace", f"order:{order.order_id}", None, done, order.request.request_id)


def _enqueue(uow: Transaction, batch: list[Accepted], *, released: bool) -> None:
    """After the commit: release what is whole. What is short has asked for the course of its backorder by itself."""
    ready = [o.order_id for o in batch if not o.holds and any(line.allocated for _, line in o.lines)]
    if ready and not released:
        uow.enqueue(JobRequest("plan_shipments", f"order:{ready[0]}:{len(ready)}", {"orderIds": ready}))
