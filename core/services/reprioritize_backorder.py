"""Give a backorder another rank among those that wait."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.ranking import rank_again
from core.domain.records import BackorderFact
from core.domain.states import PromiseReason
from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.orders import find_backorder_order
from core.repositories.priority_facts import set_manual
from core.repositories.save_book import save_books
from core.services.allocate_waiting import serve_books
from core.services.cancel_backorder import BackorderChange, check_backorder_version, open_backorder
from core.services.take_orders import open_orders, take_orders

MAX_SCORE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ReprioritizeBackorder:
    """`score`: higher is served first (tiers are steps of 1,000,000) and wins over what is computed; None: computed again.

    `reason` is kept with the backorder.
    """

    sku_id: int
    backorder_id: int
    score: int | None
    reason: str
    expected_version: int | None = None


async def reprioritize_backorder(uow: Transaction, request: ReprioritizeBackorder) -> BackorderChange:
    """Set the line's priority. It counts from the next unit that comes free; promises given to others stay.

    Raises NotFound, InvalidInput, VersionConflict, and IllegalTransition when the backorder is closed.
    """
    if request.score is not None and not 0 <= request.score <= MAX_SCORE:
        raise InvalidInput(f"A score is between 0 and {MAX_SCORE}.", path=("input", "score"), value=request.score)
    if not request.reason.strip():
        raise InvalidInput("A new rank needs a reason.", path=("input", "reason"), value=request.reason)
    order_id, state = await find_backorder_order(uow, request.sku_id, request.backorder_id)
    taken = await take_orders(uow, [order_id])
    opened = await open_orders(uow, taken)
    backorder = open_backorder(opened, request.sku_id, request.backorder_id, state, "REPRIORITISED")
    check_backorder_version(backorder, request.expected_version)
    book, line = opened.books[request.sku_id], backorder.line
    before = line.priority
    line.is_priority_manual = request.score is not None
    line.priority = before if request.score is None else request.score
    rank_again(book, [line], uow.now)
    backorder.priority = {"reason": request.reason, "by": uow.principal.id, "previous": before}
    backorder.is_changed = line.is_changed = book.is_changed = True
    book.backorder_facts.append(
        BackorderFact(
            backorder,
            "STATE_CHANGED",
            backorder.state,
            backorder.state,
            backorder.quantity,
            PromiseReason.REPRIORITISED,
        )
    )
    await serve_books(uow, [book], taken.network)
    await save_books(uow, opened.books.values())
    await set_manual(uow, request.sku_id, line.id or 0, line.is_priority_manual)
    uow.audit(
        "backorderReprioritize",
        f"backorder:{request.sku_id}:{backorder.id}",
        {"score": before},
        {"score": line.priority, "manual": line.is_priority_manual, "reason": request.reason},
    )
    return BackorderChange(request.sku_id, request.backorder_id, backorder.version, order_id)
