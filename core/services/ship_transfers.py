"""Let planned transfers leave their location."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.book_supplies import ship_transfer
from core.domain.late_pegs import Cause, repair
from core.domain.records import Line
from core.domain.states import PromiseReason
from core.errors import IllegalTransition
from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.repositories.supplying import load_policies, move_policy
from core.repositories.transfers import skus_of_transfers
from core.services.follow_up import request_shipments


async def ship_transfers(uow: Transaction, transfer_ids: Sequence[int]) -> list[int]:
    """The units of each transfer leave today; one that leaves later than planned arrives later.

    Returns the ids. Raises NotFound, or IllegalTransition for a transfer that has left or was cancelled.
    """
    skus = await skus_of_transfers(uow, transfer_ids)
    versions = await take_gates(uow, skus.values())
    network = await load_network(uow)
    books = await load_books(uow, versions, network, lines="waiting")
    policy = move_policy(await load_policies(uow))
    touched: list[Line] = []
    for transfer_id in dict.fromkeys(transfer_ids):
        book = books[skus[transfer_id]]
        supply = next((s for s in book.supplies if s.transfer is not None and s.transfer.id == transfer_id), None)
        if supply is None or supply.transfer is None:
            raise IllegalTransition("transfer", str(transfer_id), "received", "in_transit")
        transfer = supply.transfer
        ship_transfer(book, transfer)
        way = transfer.from_location_id, transfer.to_location_id
        if way in network.lanes:
            arrives = network.moved_by(*way, network.today(transfer.from_location_id, uow.now), uow.now)
            if arrives != supply.usable_date:
                book.redate_supply(supply, arrives, "TRANSFER", None)
                cause = Cause(PromiseReason.SUPPLY_DELAYED, id=transfer_id)
                touched += repair(book, network, [supply], cause, policy)
        uow.audit("transferShip", f"transfer:{transfer_id}", None, {"shipped": transfer.quantity})
    await save_books(uow, books.values())
    request_shipments(uow, {line.order_id for line in touched if line.allocated > line.ready})
    return list(dict.fromkeys(transfer_ids))
