"""Give stock that is free to the lines that wait without a source in time, by rank or by fair shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.domain.allocation import serve_waiting, wanting_claims
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Line
from core.domain.serving import AllocationRule, serve_policy
from core.ports import Transaction
from core.repositories.course_facts import replaceable_by
from core.repositories.follow_course import request_course
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.supplying import allowed_sources, held_orders, load_policies
from core.services.follow_up import request_purchase, request_shipments

MOST_SHOWN = 20
"""Lines that were passed over and are named in the audit entry of a decision."""


@dataclass(frozen=True, slots=True)
class AllocationSummary:
    """Units given and the lines that got them."""

    quantity: int
    line_ids: list[int] = field(default_factory=list)


async def allocate_waiting(uow: Transaction, sku_ids: Iterable[int]) -> AllocationSummary:
    """Serve claims without a source in time, for any number of SKUs in one go; repeating it finds nothing left to give.

    The rule is `core.domain.allocation.serve_waiting`.
    """
    versions = await take_gates(uow, sku_ids)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    given = await serve_books(uow, books.values(), network)
    await save_books(uow, books.values())  # also when nobody gains: a hold that expired here is told
    request_course(uow, await replaceable_by(uow, versions))
    return AllocationSummary(sum(q for _, q in given), sorted({line.id or 0 for line, q in given if q}))


async def serve_books(uow: Transaction, books: Iterable[SkuBook], network: Network) -> list[tuple[Line, int]]:
    """Serve who waits in books that this transaction has changed and will save; asks for what follows.

    Each sharing out is an audit entry: who got how much by which rank, and who was passed over.
    """
    every = list(books)
    wanting = {
        book.sku_id: {peg.line.order_id for peg in wanting_claims(book) if peg.line is not None} for book in every
    }
    changed = [book for book in every if wanting[book.sku_id]]
    waiting = {order_id for orders in wanting.values() for order_id in orders}
    if not waiting:
        return []
    held = await held_orders(uow, waiting)
    allowed = await allowed_sources(uow, waiting)
    policy = serve_policy(await load_policies(uow))
    given: list[tuple[Line, int]] = []
    for book in changed:
        unpegged = {id(supply): supply.unpegged for supply in book.supplies}
        served = serve_waiting(book, network, held, allowed, policy)
        given += served
        if served:
            rule = AllocationRule.FAIR_SHARE if policy.fair(book.sku) else AllocationRule.PRIORITY
            uow.audit("allocateWaiting", f"sku:{book.sku_id}", None, _decision(book, served, rule))
        if any(supply.unpegged > unpegged.get(id(supply), supply.unpegged) for supply in book.supplies):
            request_purchase(uow, [book.sku_id])  # a late supply has lost its claim: others may use it
    request_shipments(uow, {line.order_id for line, quantity in given if quantity})
    return given


def _decision(book: SkuBook, served: list[tuple[Line, int]], rule: AllocationRule) -> dict[str, Any]:
    def ranked(line: Line) -> dict[str, Any]:
        return {"orderLine": line.id, **(line.rank.as_json() if line.rank is not None else {"score": line.priority})}

    return {
        "rule": rule,
        "given": [{**ranked(line), "quantity": quantity} for line, quantity in served],
        "passedOver": [ranked(line) for line in book.bumped[:MOST_SHOWN]],
    }
