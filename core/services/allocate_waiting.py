"""Give stock that is free to the lines that wait without a source, by priority then age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.domain.availability import Timeline
from core.domain.book import SkuBook
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.records import Line, LineFact, Peg
from core.domain.states import OrderLineStatus, PegKind, PromiseReason
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

    Never more than the ATP without the demand that is being served: protected stock, holds, later promises and the
    places of orders on hold stay untouched. A line's own location serves first, then every location that ships
    straight to its destination.
    """
    versions = await take_gates(uow, sku_ids)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    waiting = {
        peg.line.order_id
        for book in books.values()
        for peg in book.pegs
        if peg.kind == PegKind.OPEN and peg.line is not None
    }
    if not waiting:
        return AllocationSummary(0)
    held = await held_orders(uow, waiting)
    allowed = await allowed_sources(uow, waiting)
    given: list[tuple[Line, int]] = []
    for book in books.values():
        given += _serve(book, network, held, allowed)
    if not given:
        return AllocationSummary(0)
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line, _ in given})
    return AllocationSummary(sum(q for _, q in given), sorted({line.id or 0 for line, _ in given}))


def _serve(
    book: SkuBook, network: Network, held: set[int], allowed: dict[int, list[int] | None]
) -> list[tuple[Line, int]]:
    pegs = [p for p in book.waiting(PegKind.OPEN) if _may_be_served(p, held)]
    if not pegs:
        return []
    timelines: dict[int, Timeline] = {}
    given: list[tuple[Line, int]] = []
    for peg in pegs:
        line = peg.line
        assert line is not None
        others = network.sources(line.destination_id, allowed.get(line.order_id))
        total = 0
        for location_id in [peg.location_id, *(x for x in others if x != peg.location_id)]:
            if location_id not in timelines:
                timelines[location_id] = book.timeline_without(location_id, pegs)
            quantity = min(peg.quantity, timelines[location_id].atp())
            if quantity > 0:
                timelines[location_id].add(book.today[location_id], -quantity)
                book.drop_peg(peg, quantity)
                book.allocate(line, location_id, quantity, "allocate_waiting")
                total += quantity
            if not peg.quantity:
                break
        if total:
            given.append((line, total))
            book.line_facts.append(LineFact(line, "ALLOCATED", total))
    conclude(book, network, (line for line, _ in given), PromiseReason.ALLOCATED)
    return given


def _may_be_served(peg: Peg, held: set[int]) -> bool:
    line = peg.line
    return line is not None and line.status != OrderLineStatus.RECEIVED and line.order_id not in held
