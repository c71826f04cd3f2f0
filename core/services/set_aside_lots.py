"""Take whole lots out of sale: what lines and transfers held of them is covered from elsewhere, or runs short."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.book import SkuBook
from core.domain.book_supplies import free_by_loss
from core.domain.network import Network
from core.domain.records import Line, Lot, Movement
from core.domain.states import BackorderCause, LotState, PegKind
from core.ports import Transaction
from core.repositories.planned_shipments import planned_at, shrink_planned_shipments
from core.repositories.supplying import allowed_sources, load_lead_days
from core.services.correct_stock import cover_again


async def set_aside_lots(
    uow: Transaction, book: SkuBook, network: Network, lots: Sequence[Lot], cause: str, state: LotState
) -> list[Line]:
    """Quarantine every sellable unit of the lots and give them `state`; returns the lines that lost units.

    First all of the lots are set aside, then the lines are covered again, so that none gets a unit of another of them.
    A backorder that opens here has the cause QUALITY. Planned transfers take other lots where there are any; what they
    keep is quarantined when it arrives. The book is loaded with `lines="all"`; the caller saves it.
    """
    assert book.lots is not None
    lost: dict[int, tuple[Line, int]] = {}
    evidence = []
    for lot in lots:
        book.lots.mark(lot, state)
    for lot in lots:
        place = lot.location_id
        held = sum(p.quantity for p in book.pegs if p.kind == PegKind.HARD and p.lot is lot and p.line is not None)
        if held:
            ready = {id(line): line.ready for line in book.lines.values()}
            planned = await planned_at(uow, book.sku_id, place)
            for line, units in free_by_loss(book, place, lot.available + held, cause, planned, lot):
                lost[id(line)] = (line, lost.get(id(line), (line, 0))[1] + units)
            off = [(x.id or 0, ready[id(x)] - x.ready) for x in book.lines.values() if ready[id(x)] > x.ready]
            await shrink_planned_shipments(uow, book.sku_id, place, off)
        _quarantine(book, lot, cause)
        evidence.append({"lot": lot.code, "locationId": place, "quantity": held, "reason": cause})
    for lot in lots:
        _change_transfers(book, lot)
        _quarantine(book, lot, cause)
    lines = [line for line, _ in lost.values()]
    lead_days = (await load_lead_days(uow, [book.sku_id]))[book.sku_id]
    allowed = await allowed_sources(uow, {line.order_id for line in lines})
    for line, units in sorted(lost.values(), key=lambda pair: (-pair[0].priority, pair[0].id or 0)):
        cover_again(book, network, line, units, lead_days, allowed.get(line.order_id))
        backorder = book.backorder_of(line)
        if backorder is not None and backorder.is_new and backorder.cause is None:
            backorder.cause = BackorderCause.QUALITY
            backorder.evidence = {
                "shortage": backorder.quantity,
                "explained": min(units, backorder.quantity),
                "lots": [row for row in evidence if row["quantity"]],
            }
    return lines


def _quarantine(book: SkuBook, lot: Lot, cause: str) -> None:
    if units := lot.available:
        book.move(
            Movement(lot.location_id, "quarantined", unsellable=units, cause_kind=cause, cause_id=lot.id, lot=lot)
        )


def _change_transfers(book: SkuBook, lot: Lot) -> None:
    """Planned transfers that hold the lot take units of others, as far as there are any."""
    assert book.lots is not None
    place = lot.location_id
    for peg in [p for p in book.pegs if p.kind == PegKind.HARD and p.lot is lot and p.transfer is not None]:
        for other, units in book.lots.pick(place, peg.quantity, 0):
            book.drop_peg(peg, units)
            for sign, moved in ((-1, lot), (1, other)):
                book.move(
                    Movement(
                        place,
                        "released" if sign < 0 else "allocated",
                        allocated=sign * units,
                        cause_kind="lot_changed",
                        transfer=peg.transfer,
                        lot=moved,
                    )
                )
            book.add_peg(
                place, peg.need_date, units, PegKind.HARD, transfer=peg.transfer, lot=other, cause="lot_changed"
            )
