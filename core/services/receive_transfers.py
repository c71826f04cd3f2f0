"""Take in what arrived of transfers: waiting lines get it first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.book import SkuBook
from core.domain.book_supplies import lose_transfer, receive_transfer
from core.domain.conclude import conclude
from core.domain.records import Line, Lot, Supply
from core.domain.states import PromiseReason
from core.domain.tracking import check_serials
from core.errors import IllegalTransition, InvalidInput
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.load_lots import attach_named_lots, lots_under_way
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.serials import SerialChange, take_serials
from core.repositories.transfers import skus_of_transfers
from core.services.follow_up import request_allocation, request_purchase, request_shipments
from core.services.receive_goods import ReceiptLine, split_by_lot


async def receive_transfers(uow: Transaction, arrivals: Sequence[tuple[int, int]]) -> list[int]:
    """Book (transfer id, units arrived); what is missing may still come. Returns the SKUs that gained stock.

    Raises NotFound, IllegalTransition before a transfer was shipped, QuantityExceeded for more than is under way.
    """
    return await _apply(uow, arrivals)


async def lose_transfers(
    uow: Transaction, losses: Sequence[tuple[int, int]], serials: Mapping[int, Sequence[str]] | None = None
) -> list[int]:
    """Book (transfer id, units that will never arrive): lines pegged to them wait for another source.

    `serials` names the lost units by transfer id where the SKU tracks serial numbers: they are scrapped. Raises as
    `receive_transfers`, and InvalidInput when serial numbers are missing, too many, or not at the source.
    """
    return await _apply(uow, losses, {} if serials is None else serials)


async def _apply(
    uow: Transaction, rows: Sequence[tuple[int, int]], losing: Mapping[int, Sequence[str]] | None = None
) -> list[int]:
    """`losing` (also an empty one) says that the units are lost, and which serial numbers with them."""
    lost = losing is not None
    if any(quantity < 1 for _, quantity in rows):
        raise InvalidInput("A quantity must be positive.", path=("input", "quantity"))
    named = [transfer_id for transfer_id, _ in rows]
    if losing and (len({*named}) < len(named) or losing.keys() - {*named}):
        raise InvalidInput("Serial numbers are named for a transfer that is lost once.", path=("input", "serials"))
    skus = await skus_of_transfers(uow, [transfer_id for transfer_id, _ in rows])
    versions = await take_gates(uow, skus.values())
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    touched: list[Line] = []
    left_from: dict[int, int] = {}
    reason = PromiseReason.SUPPLY_LOST if lost else PromiseReason.ALLOCATED
    for transfer_id, quantity in rows:
        book = books[skus[transfer_id]]
        supply = next((s for s in book.supplies if s.transfer is not None and s.transfer.id == transfer_id), None)
        if supply is None:
            raise IllegalTransition("transfer", str(transfer_id), "received", "received")
        assert supply.transfer is not None
        left_from[transfer_id] = supply.transfer.from_location_id
        if losing is not None:
            check_serials(book, losing.get(transfer_id, ()), quantity, ("input",))
            lines = lose_transfer(book, supply, quantity, str(reason))
        else:
            lines = []
            for part, lot in await _by_lot(uow, book, supply, quantity):
                lines += receive_transfer(book, supply, part.quantity, part.damaged, lot)
        touched += conclude(book, network, lines, reason, cause_id=transfer_id)
        name = "transferLose" if lost else "transferReceive"
        uow.audit(name, f"transfer:{transfer_id}", None, {"quantity": quantity})
    await save_books(uow, books.values())
    for transfer_id, codes in (losing or {}).items():
        gone = [
            SerialChange(skus[transfer_id], code, "scrapped", None, from_location_id=left_from[transfer_id])
            for code in codes
        ]
        await take_serials(uow, gone, "transfer", transfer_id)
    if lost:
        request_purchase(uow, versions)
    request_allocation(uow, versions)
    request_shipments(uow, {line.order_id for line in touched})
    return sorted(versions)


async def _by_lot(
    uow: Transaction, book: SkuBook, supply: Supply, quantity: int
) -> list[tuple[ReceiptLine, Lot | None]]:
    arrived = ReceiptLine(book.sku, quantity)
    if book.lots is None or supply.transfer is None or supply.transfer.state != "in_transit":
        return [(arrived, None)]
    under_way = await lots_under_way(uow, book.sku_id, supply.transfer.id or 0)
    await attach_named_lots(uow, book, under_way)
    return list(split_by_lot(book, under_way, arrived, supply.location_id, ("input",)))
