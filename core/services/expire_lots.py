"""Take expired lots out of sale, once their last day is over at their location."""

from __future__ import annotations

from core.domain.states import LotState
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.load_lots import skus_with_expired_lots
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.follow_up import request_purchase, request_shipments
from core.services.set_aside_lots import set_aside_lots


async def find_expired(uow: Transaction) -> list[int]:
    """SKUs that have something to do for `expire_lots`."""
    return await skus_with_expired_lots(uow)


async def expire_lots(uow: Transaction, sku_id: int) -> int:
    """Quarantine the expired lots of a SKU (cause `expiry`) and cover the lines that had units of them anew.

    Returns the units that became unsellable; repeating it finds none. A lot that is blocked stays so.
    """
    versions = await take_gates(uow, [sku_id])
    network = await load_network(uow)
    book = (await load_books(uow, versions, network, lines="all"))[sku_id]
    if book.lots is None:
        return 0
    lots = [
        lot
        for lot in book.lots.rows
        if lot.expires_on is not None and lot.expires_on < book.today[lot.location_id] and lot.on_hand > lot.unsellable
    ]
    before = sum(lot.unsellable for lot in lots)
    blocked = [lot for lot in lots if lot.state == LotState.QUARANTINED]
    lines = await set_aside_lots(uow, book, network, lots, "expiry", LotState.EXPIRED)
    for lot in blocked:
        book.lots.mark(lot, LotState.QUARANTINED)
    await save_books(uow, [book])
    units = sum(lot.unsellable for lot in lots) - before
    if lots:
        uow.audit(
            "lotsExpire",
            f"sku:{sku_id}",
            None,
            {"lots": [lot.code for lot in lots], "units": units, "orderLines": [line.id for line in lines]},
        )
    if lines:
        request_purchase(uow, [sku_id])
        request_shipments(uow, {line.order_id for line in lines})
    return units
