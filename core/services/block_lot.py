"""Recall a lot: none of its units is sold until it is released, and lines that had some are covered anew."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.records import Line, Lot, Movement
from core.domain.states import LotState
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.ports import Transaction
from core.repositories.codes import sku_ids_of
from core.repositories.gates import take_gates
from core.repositories.load_book import load_books
from core.repositories.load_lots import attach_named_lots, blocked_units
from core.repositories.network import load_network
from core.repositories.save_book import save_books
from core.services.follow_up import request_allocation, request_purchase, request_shipments
from core.services.set_aside_lots import set_aside_lots


@dataclass(frozen=True, slots=True)
class ChangeLot:
    """The lot of a SKU with this code, at every location."""

    sku: str
    lot: str
    reason: str


@dataclass(frozen=True, slots=True)
class LotChange:
    """`units` became unsellable (or sellable again); `line_ids` are the lines that had some of them."""

    sku_id: int
    code: str
    units: int
    line_ids: list[int]
    version: int


async def block_lot(uow: Transaction, request: ChangeLot) -> LotChange:
    """Quarantine the lot wherever it is; units of it that arrive later are quarantined on arrival.

    Raises NotFound for a lot that nobody has seen, InvalidInput without a reason, IllegalTransition when it is blocked.
    """
    book, network, lots = await _take(uow, request)
    if all(lot.state == LotState.QUARANTINED for lot in lots):
        raise IllegalTransition("lot", request.lot, LotState.QUARANTINED, LotState.QUARANTINED)
    before = _unsellable(lots)
    lines = await set_aside_lots(uow, book, network, lots, "lot_block", LotState.QUARANTINED)
    return await _save(uow, book, request, "lotBlock", _unsellable(lots) - before, lines)


async def release_lot(uow: Transaction, request: ChangeLot) -> LotChange:
    """Let the units that the recall set aside be sold again; damaged ones stay unsellable, expired ones too.

    Raises NotFound, InvalidInput without a reason, IllegalTransition when the lot is not blocked.
    """
    book, _, lots = await _take(uow, request)
    assert book.lots is not None
    if not any(lot.state == LotState.QUARANTINED for lot in lots):
        raise IllegalTransition("lot", request.lot, lots[0].state, LotState.SELLABLE)
    set_aside = await blocked_units(uow, book.sku_id, [lot.id or 0 for lot in lots])
    total = 0
    for lot in lots:
        if lot.expires_on is not None and lot.expires_on < book.today[lot.location_id]:
            book.lots.mark(lot, LotState.EXPIRED)
            continue
        book.lots.mark(lot, LotState.SELLABLE)
        units = min(set_aside.get(lot.id or 0, 0), lot.unsellable)
        if units:
            book.move(
                Movement(
                    lot.location_id,
                    "unquarantined",
                    unsellable=-units,
                    cause_kind="lot_release",
                    cause_id=lot.id,
                    lot=lot,
                )
            )
        total += units
    book.is_changed = True
    book.lots.blocked.discard(request.lot)
    return await _save(uow, book, request, "lotRelease", total, [])


def _unsellable(lots: list[Lot]) -> int:
    return sum(lot.unsellable for lot in lots)


async def _take(uow: Transaction, request: ChangeLot) -> tuple[SkuBook, Network, list[Lot]]:
    if not request.reason.strip():
        raise InvalidInput("Say why.", path=("input", "reason"))
    sku_id = (await sku_ids_of(uow, [request.sku], ("input", "sku")))[request.sku]
    versions = await take_gates(uow, [sku_id])
    network = await load_network(uow)
    book = (await load_books(uow, versions, network, lines="all"))[sku_id]
    await attach_named_lots(uow, book, [request.lot])
    lots = [lot for lot in book.lots.rows if lot.code == request.lot] if book.lots is not None else []
    if not lots:
        raise NotFound("lot", request.lot, path=("input", "lot"))
    return book, network, lots


async def _save(
    uow: Transaction, book: SkuBook, request: ChangeLot, operation: str, units: int, lines: list[Line]
) -> LotChange:
    await save_books(uow, [book])
    uow.audit(
        operation,
        f"lot:{book.sku_id}:{request.lot}",
        None,
        {"reason": request.reason, "units": units, "orderLines": [line.id for line in lines]},
    )
    if lines:
        request_purchase(uow, [book.sku_id])
        request_shipments(uow, {line.order_id for line in lines})
    else:
        request_allocation(uow, [book.sku_id])
    return LotChange(book.sku_id, request.lot, units, sorted(line.id or 0 for line in lines), book.version)
