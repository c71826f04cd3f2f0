"""Take whole lots out of sale: what lines and transfers held of them is covered from elsewhere, or runs short."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.book import SkuBook
from core.domain.book_supplies import free_by_loss
from core.domain.network import Network
from core.domain.proposals import Demand
from core.domain.records import Line, Lot, Movement, Supply
from core.domain.shelf_life import detour, on_hand
from core.domain.states import BackorderCause, LotState, PegKind
from core.ports import Transaction
from core.repositories.planned_shipments import planned_at
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
            planned = await planned_at(uow, book.sku_id, place)
            for line, units in free_by_loss(book, place, lot.available + held, cause, planned, lot):
                lost[id(line)] = (line, lost.get(id(line), (line, 0))[1] + units)
        _quarantine(book, lot, cause)
        evidence.append({"lot": lot.code, "locationId": place, "quantity": held, "reason": cause})
    for lot in lots:
        change_transfers(book, lot)
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


def _others(book: SkuBook, place: int, supply: Supply, quantity: int) -> list[tuple[Lot, int]]:
    """Units of other lots for a transfer: for the line that is pegged to it, else for sale where it goes."""
    assert book.lots is not None
    line = next((p.line for p in book.pegs if p.supply is supply and p.line is not None), None)
    asker = Demand(0, None)
    if line is not None:
        asker = Demand(0, line.destination_id, demand_class=line.demand_class, min_life=book.min_life(line))
    more_days = detour(book, place, supply.location_id, supply.usable_date, asker)
    free = min(quantity, on_hand(book, place, asker, more_days))
    keep = book.lots.keep_days(place, asker.destination_id, book.lots.min_life if line is None else asker.min_life or 0)
    return book.lots.pick(place, free, keep + more_days)


def change_transfers(book: SkuBook, lot: Lot) -> None:
    """Planned transfers that hold the lot take units of others that nobody needs and that live to be sold there."""
    assert book.lots is not None
    place = lot.location_id
    for peg in [p for p in book.pegs if p.kind == PegKind.HARD and p.lot is lot and p.transfer is not None]:
        supply = next(s for s in book.supplies if s.transfer is peg.transfer)
        for other, units in _others(book, place, supply, peg.quantity):
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
