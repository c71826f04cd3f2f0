"""Cancel what is still open of a purchase order: lines pegged to it wait for another source."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.conclude import conclude
from core.domain.purchasing import NOT_SHIPPED_PARTS, move
from core.domain.states import PromiseReason, PurchaseOrderStatus
from core.errors import IllegalTransition, InvalidInput, VersionConflict
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.purchase_orders import (
    find_orders,
    lock_order,
    read_lines,
    refresh_orders,
    save_lines,
    sku_ids_of_orders,
)
from core.repositories.save_book import save_books
from core.services.create_purchase_order import PurchaseOrderChange
from core.services.follow_up import request_allocation, request_purchase
from core.services.send_purchase_change import request_change_document


async def cancel_purchase_order(
    uow: Transaction, number: str, lines: Sequence[int] | None = None, expected_version: int | None = None
) -> PurchaseOrderChange:
    """Cancel the unshipped part of these line numbers (default: of all); what is on its way still comes.

    A supplier that has the order by EDI is told by an 860 or ORDCHG after the commit. Raises NotFound, VersionConflict,
    InvalidInput for a line that does not exist, IllegalTransition when nothing is left to cancel.
    """
    head = (await find_orders(uow, [number]))[number]
    versions = await take_gates(uow, await sku_ids_of_orders(uow, [head.id]))
    head = (await find_orders(uow, [number]))[number]
    if expected_version is not None and expected_version != head.version:
        raise VersionConflict("purchase order", number, expected_version, head.version)
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    rows = await read_lines(uow, [head.id])
    known = {line.line_number for line in rows.values()}
    if unknown := [n for n in lines or () if n not in known]:
        raise InvalidInput(f"Purchase order {number!r} has no line {unknown[0]}.", path=("input", "lines"))
    chosen = [x for x in rows.values() if (lines is None or x.line_number in lines) and x.parts.not_shipped]
    if not chosen:
        raise IllegalTransition("purchase order", number, str(head.status), str(PurchaseOrderStatus.CANCELLED))
    for line in chosen:
        book, losers = books[line.sku_id], []
        for supply in list(book.supplies):
            if supply.purchase_order_line_id == line.id and supply.ship_notice_line_id is None and supply.open:
                losers += book.cancel_supply(supply, supply.open, str(PromiseReason.SUPPLY_LOST))
        for part in NOT_SHIPPED_PARTS:
            if quantity := getattr(line.parts, part):
                line.parts = move(line.parts, part, "cancelled", quantity)
        line.is_changed = True
        conclude(book, network, losers, PromiseReason.SUPPLY_LOST, cause_id=line.id)
    await save_books(uow, books.values())
    await save_lines(uow, chosen)
    head = await lock_order(uow, head.id)  # sending takes no gate: what was unsent may have gone out meanwhile
    after = (await refresh_orders(uow, [head.id]))[head.id]
    uow.audit(
        "purchaseOrderCancel",
        f"purchase_order:{head.id}",
        {"status": str(head.status)},
        {"status": str(after.status), "lines": [x.line_number for x in chosen]},
    )
    request_change_document(uow, head, after.version, [x.line_number for x in chosen])
    request_allocation(uow, versions)
    request_purchase(uow, versions)
    return PurchaseOrderChange(head.id, number, after.version, str(after.status))
