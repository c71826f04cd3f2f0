"""Close purchase order lines short: nothing more of them will come, neither what is still to be sent nor what is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.causes import ShortAnswer, short_by
from core.domain.conclude import conclude
from core.domain.purchasing import BEFORE_SENDING, close_short
from core.domain.records import Line
from core.domain.states import PromiseReason, PurchaseOrderStatus
from core.errors import IllegalTransition, InvalidInput, VersionConflict
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import find_orders, read_lines, refresh_orders, save_lines, sku_ids_of_orders
from core.repositories.save_book import save_books
from core.services.create_purchase_order import PurchaseOrderChange
from core.services.follow_up import request_allocation, request_purchase
from core.services.send_purchase_change import request_change_document


@dataclass(frozen=True, slots=True)
class ClosePurchaseOrder:
    """`lines`: line numbers, None for all that are open. `supplier_id` set: only an order of this supplier."""

    number: str
    reason: str
    lines: Sequence[int] | None = None
    supplier_id: int | None = None
    expected_version: int | None = None


async def close_purchase_order(uow: Transaction, request: ClosePurchaseOrder) -> PurchaseOrderChange:
    """Nothing more of these lines comes: claims on them lose their source, and the course searches for another.

    Who goes short by it has the supplier as its cause. What the supplier closes it has refused (`rejected`), also on its
    scorecard; what we close is `cancelled`, which counts against the supplier from the day on which it was due.
    What arrives all the same is booked as more than was ordered. Raises NotFound, VersionConflict, InvalidInput (no
    reason, a line that does not exist) and IllegalTransition (not sent yet: cancel it; or nothing is open).
    """
    if not request.reason.strip():
        raise InvalidInput("Say why nothing more will come.", path=("input", "reason"), field="reason")
    number, supplier_id = request.number, request.supplier_id
    head = (await find_orders(uow, [number], supplier_id, only_approved=supplier_id is not None))[number]
    versions = await take_gates(uow, await sku_ids_of_orders(uow, [head.id]))
    head = (await find_orders(uow, [number], supplier_id))[number]
    if request.expected_version is not None and request.expected_version != head.version:
        raise VersionConflict("purchase order", number, request.expected_version, head.version)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    rows = await read_lines(uow, [head.id])
    known = {line.line_number for line in rows.values()}
    if unknown := [n for n in request.lines or () if n not in known]:
        raise InvalidInput(
            f"Purchase order {number!r} has no line {unknown[0]}.", path=("input", "lineNumbers"), value=unknown[0]
        )
    chosen = [x for x in rows.values() if (request.lines is None or x.line_number in request.lines) and x.parts.open]
    if head.status in BEFORE_SENDING or not chosen:
        raise IllegalTransition("purchase order", number, head.status, PurchaseOrderStatus.CLOSED)
    cut = {}
    for line in chosen:
        book, losers = books[line.sku_id], []
        for supply in list(book.supplies):
            if supply.purchase_order_line_id == line.id and supply.open:
                losers += book.cancel_supply(supply, supply.open, str(PromiseReason.SUPPLY_LOST))
        cut[str(line.line_number)] = line.parts.open
        before, line.parts = line.parts, close_short(line.parts, by_supplier=supplier_id is not None)
        line.is_changed = True
        touched = conclude(book, network, losers, PromiseReason.SUPPLY_LOST, cause_id=line.id)
        _blame(book, touched, ShortAnswer(line.id, 0, before.open))
    await save_books(uow, books.values())
    await save_lines(uow, chosen)
    after = (await refresh_orders(uow, [head.id]))[head.id]
    uow.audit(
        "purchaseOrderClose",
        f"purchase_order:{head.id}",
        {"status": str(head.status), "open": cut},
        {"status": str(after.status), "reason": request.reason},
    )
    request_change_document(uow, head, after.version, [x.line_number for x in chosen])
    request_allocation(uow, versions)
    request_purchase(uow, versions)
    return PurchaseOrderChange(head.id, number, after.version, str(after.status))


def _blame(book: SkuBook, lines: Sequence[Line], answer: ShortAnswer) -> None:
    """A backorder that opens because of this very change needs no search for its cause."""
    for line in lines:
        backorder = book.backorder_of(line)
        if backorder is not None and backorder.is_new and backorder.cause is None:
            cause = short_by(answer, backorder.quantity)
            backorder.cause, backorder.evidence = cause.kind, cause.evidence
