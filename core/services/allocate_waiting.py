"""Give stock that is free to the lines that wait without a source, by priority then age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.domain.allocation import serve_waiting
from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Line
from core.domain.states import PegKind
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.supplying import allowed_sources, held_orders
from core.services.follow_up import request_shipments


@dataclass(frozen=True, slots=True)
class AllocationSummary:
    """Units given and the lines that got them."""

    quantity: int
    line_ids: list[int] = field(default_factory=list)


async def allocate_waiting(uow: Transaction, sku_ids: Iterable[int]) -> AllocationSummary:
    """Allocate free stock to OPEN pegs, for any number of SKUs in one go; repeating it finds nothing left to give.

    The rule is `core.domain.allocation.serve_waiting`.
    """
    versions = await take_gates(uow, sku_ids)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    given = await serve_books(uow, books.values(), network)
    await save_books(uow, books.values())  # also when nobody gains: a hold that expired here is told
    return AllocationSummary(sum(q for _, q in given), sorted({line.id or 0 for line, q in given if q}))


async def serve_books(uow: Transaction, books: Iterable[SkuBook], network: Network) -> list[tuple[Line, int]]:
    """Serve who waits in books that this transaction has changed and will save; asks for the shipments that follow."""
    changed = list(books)
    waiting = {p.line.order_id for book in changed for p in book.pegs if p.kind == PegKind.OPEN and p.line is not None}
    if not waiting:
        return []
    held = await held_orders(uow, waiting)
    allowed = await allowed_sources(uow, waiting)
    given = [pair for book in changed for pair in serve_waiting(book, network, held, allowed)]
    request_shipments(uow, {line.order_id for line, quantity in given if quantity})
    return given
