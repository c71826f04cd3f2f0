"""Change recorded stock to what is really there; what lines lose by it is taken back first and covered anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.book_supplies import expected_of, free_by_loss, refresh_expected
from core.domain.network import Network
from core.domain.promising import Demand, commit, promise, propose
from core.domain.records import Line
from core.domain.states import PromiseReason
from core.domain.tracking import check_lot
from core.ports import Transaction
from core.repositories.codes import location_ids_of, sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.load_lots import attach_named_lots
from core.repositories.network import load_network
from core.repositories.planned_shipments import planned_at
from core.repositories.save_book import save_books
from core.repositories.serials import SerialChange, take_serials
from core.repositories.supplying import allowed_sources, load_lead_days
from core.services.follow_up import request_allocation, request_purchase, request_shipments


@dataclass(frozen=True, slots=True)
class StockChange:
    """Stock of a SKU at a location after the change; `version` is that of the SKU's gate."""

    sku_id: int
    location_id: int
    on_hand: int
    version: int


async def correct_stock(
    uow: Transaction,
    sku: str,
    location: str,
    change: Callable[[SkuBook, int], int],
    operation: str,
    *,
    lot: str | None = None,
    serials: Callable[[SkuBook, int], Sequence[SerialChange]] | None = None,
    look: Callable[[int, int], Awaitable[None]] | None = None,
) -> StockChange:
    """Load the SKU under its gate and let `change(book, location_id)` move stock.

    `change` is called twice at most: it returns how many units lines must give up first (0: it has made its
    movements). Lines that lost stock take other stock, dated supply, transfers, or wait for a purchase, and are
    promised anew with reason STOCK_CORRECTED. Of a SKU that tracks lots `lot` is the code of the one that changes;
    `serials` says what happens to which serialised units; `look(sku_id, location_id)` reads what `change` has to know.
    """
    sku_id = (await sku_ids_of(uow, [sku], ("input", "sku")))[sku]
    location_id = (await location_ids_of(uow, [location], ("input", "location")))[location]
    versions = await take_gates(uow, [sku_id])
    if look is not None:
        await look(sku_id, location_id)
    network = await load_network(uow)
    book = (await load_books(uow, versions, network, lines="all"))[sku_id]
    check_lot(book, lot, ("input",))
    await attach_named_lots(uow, book, [lot] if lot else [])
    before = book.level(location_id).on_hand
    lost: list[tuple[Line, int]] = []
    needed = change(book, location_id)
    if needed:
        narrowed = book.lots.find(location_id, lot or "") if book.lots is not None else None
        planned = await planned_at(uow, sku_id, location_id)
        lost = free_by_loss(book, location_id, needed, operation, planned, narrowed)
        change(book, location_id)
    if lost:
        lead_days = (await load_lead_days(uow, [sku_id]))[sku_id]
        allowed = await allowed_sources(uow, {line.order_id for line, _ in lost})
        for line, quantity in lost:
            cover_again(book, network, line, quantity, lead_days, allowed.get(line.order_id))
    await save_books(uow, [book])
    await take_serials(uow, serials(book, location_id) if serials is not None else (), operation)
    level = book.level(location_id)
    uow.audit(
        operation,
        f"stock:{sku_id}:{location_id}",
        {"onHand": before},
        {"onHand": level.on_hand, "unsellable": level.unsellable, "allocated": level.allocated},
    )
    if level.on_hand > before or (not lost and book.curve_changed):
        request_allocation(uow, [sku_id])
    if lost:
        request_purchase(uow, [sku_id])
        request_shipments(uow, {line.order_id for line, _ in lost})
    return StockChange(sku_id, location_id, level.on_hand, book.version)


def cover_again(
    book: SkuBook, network: Network, line: Line, quantity: int, lead_days: int, allowed: list[int] | None
) -> None:
    """Find another source for `quantity` units that the line has lost, and promise anew where its day moves."""
    previous = expected_of(book, line)
    demand = Demand(
        quantity,
        line.destination_id,
        line.requested_date,
        network.sources(line.destination_id, allowed) or network.sources(None),
        lead_days,
        demand_class=line.demand_class,
        min_life=book.min_life(line),
    )
    commit(book, line, propose(book, demand, network, book.now), PromiseReason.STOCK_CORRECTED)
    promise(
        book,
        line,
        network,
        book.now,
        PromiseReason.STOCK_CORRECTED,
        cause_kind=str(PromiseReason.STOCK_CORRECTED),
        only_if_moved=True,
    )
    refresh_expected(book, line, network, previous, str(PromiseReason.STOCK_CORRECTED))
