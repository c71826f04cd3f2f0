"""Serve claims whose day has come: pre-orders on their release day and quotas with a new window, by priority."""

from __future__ import annotations

from collections.abc import Iterable

from core.domain.conclude import conclude
from core.domain.states import OrderLineStatus, PromiseReason
from core.ports import Transaction
from core.repositories.due_claims import due_claim_skus
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.allocate_waiting import serve_books
from core.services.follow_up import request_purchase


async def find_due_claims(uow: Transaction) -> list[int]:
    """SKUs with such claims."""
    return await due_claim_skus(uow)


async def serve_due_claims(uow: Transaction, sku_ids: Iterable[int]) -> int:
    """Give stock to them, then judge every waiting line: what a released pre-order still lacks is backordered.

    Returns the units given. Repeating it finds nothing left to give.
    """
    versions = await take_gates(uow, sku_ids)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    given = await serve_books(uow, books.values(), network)
    for book in books.values():
        waiting = [x for x in book.lines.values() if x.status != OrderLineStatus.RECEIVED and x.open + x.backordered]
        conclude(book, network, waiting, PromiseReason.ALLOCATED)
    await save_books(uow, books.values())
    short = {book.sku_id for book in books.values() if any(line.backordered for line in book.lines.values())}
    if short:
        request_purchase(uow, short)
    return sum(units for _, units in given)
