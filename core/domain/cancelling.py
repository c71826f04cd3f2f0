"""What a line gives up when less of it is wanted: the least certain claim first, planned shipments last."""

from __future__ import annotations

from core.domain.backorder import path
from core.domain.book import SkuBook
from core.domain.records import BackorderFact, Line
from core.domain.states import BackorderState, OrderLineStatus, PegKind

Planned = dict[int, int]
"""Units of one line on planned shipments, by location."""


def late_quantity(book: SkuBook, line: Line) -> int:
    """Units that wait and are late; 0 for a line that is not validated."""
    if line.status == OrderLineStatus.RECEIVED:
        return 0
    return sum(peg.quantity for peg in book.pegs_of(line) if peg.kind != PegKind.HARD and book.is_late(line, peg))


def give_up(book: SkuBook, line: Line, quantity: int, planned: Planned, cause: str) -> Planned:
    """Free `quantity` units of the line's claims; returns what has to come off planned shipments, by location.

    Late claims go first, then the latest day, then stock that is on no shipment, then stock on planned shipments.
    The caller says what became of the units (cancelled, or no longer ordered) and settles the line; `quantity` is at
    most open + backordered + allocated.
    """
    waiting = [peg for peg in book.pegs_of(line) if peg.kind != PegKind.HARD]
    waiting.sort(key=lambda peg: (book.is_late(line, peg), peg.need_date, peg.kind == PegKind.OPEN), reverse=True)
    for peg in waiting:
        given = min(quantity, peg.quantity)
        if given > 0:
            book.drop_peg(peg, given)
            quantity -= given
    off: Planned = {}
    left = dict(planned)
    hard = [peg for peg in book.pegs_of(line) if peg.kind == PegKind.HARD]
    for peg in hard:
        bound = min(left.get(peg.location_id, 0), peg.quantity)
        left[peg.location_id] = left.get(peg.location_id, 0) - bound
        given = min(quantity, peg.quantity - bound)
        if given > 0:
            book.release(peg, given, cause, line.order_id)
            quantity -= given
    for peg in hard:
        given = min(quantity, peg.quantity)
        if given > 0:
            place = peg.location_id
            book.release(peg, given, cause, line.order_id)
            off[place] = off.get(place, 0) + given
            line.ready -= given
            quantity -= given
    return off


def close_cancelled(book: SkuBook, line: Line, reason: str) -> None:
    """End the backorder of a line whose late part was given up, not filled. Call it before `settle`."""
    backorder = book.backorder_of(line)
    if backorder is None or late_quantity(book, line):
        return
    backorder.quantity = 0
    name = str(backorder.id or "of this line")
    for state in path(name, backorder.state, BackorderState.CANCELLED, backorder.held_from_state):
        kind = "CLOSED" if state == BackorderState.CANCELLED else "STATE_CHANGED"
        book.backorder_facts.append(BackorderFact(backorder, kind, backorder.state, state, 0, reason))
        backorder.state = state
    backorder.held_from_state = backorder.delayed_from = None
    backorder.closed_at = book.now
    backorder.is_changed = line.is_changed = book.is_changed = True
