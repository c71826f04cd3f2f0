"""Who gets what has come free: waiting claims without a source, by priority, then age."""

from __future__ import annotations

from datetime import datetime

from core.domain.book import SkuBook
from core.domain.network import Network
from core.domain.pegging import take_unpegged
from core.domain.promising import promise
from core.domain.records import Line, LineFact, Peg
from core.domain.states import BackorderState, OrderLineStatus, PegKind, PromiseReason

NOT_SERVED = frozenset({BackorderState.ON_HOLD, BackorderState.CANCEL_PENDING})


def serve_waiting(book: SkuBook, network: Network, now: datetime) -> list[Line]:
    """Offer free stock, then unpegged dated supply, to the OPEN claims of the book; returns the lines that gained.

    Each claim is served at its own location, never above the ATP there computed without the claims that are served:
    other promises, holds, protected stock and the places of lines that are held stay untouched. A claim that gets
    dated supply keeps its day, so no ATP changes. Lines are settled; a promised day that moves is promised anew
    (ALLOCATED). The book must have been loaded with its waiting lines.
    """
    claims = [peg for peg in book.waiting(PegKind.OPEN) if _may_be_served(book, peg)]
    gained: dict[int, Line] = {}
    curves = {
        place: book.timeline_without(place, [peg for peg in claims if peg.location_id == place])
        for place in {peg.location_id for peg in claims}
    }
    for peg in claims:
        line, place = peg.line, peg.location_id
        assert line is not None
        given = min(peg.quantity, curves[place].atp(), max(book.level(place).available, 0))
        if given > 0:
            curves[place].add(book.today[place], -given)
            book.drop_peg(peg, given)
            book.allocate(line, place, given, "order_line", line.order_id)
            book.line_facts.append(LineFact(line, "ALLOCATED", given))
            gained[id(line)] = line
        if peg.quantity and _date(book, peg):
            gained[id(line)] = line
    for line in gained.values():
        book.settle(line, PromiseReason.ALLOCATED)
        promise(
            book,
            line,
            network,
            now,
            PromiseReason.ALLOCATED,
            cause_kind=PromiseReason.ALLOCATED,
            cause_id=line.order_id,
            only_if_moved=True,
        )
    return list(gained.values())


def _may_be_served(book: SkuBook, peg: Peg) -> bool:
    line = peg.line
    if line is None or line.status == OrderLineStatus.RECEIVED:
        return False
    backorder = book.backorder_of(line)
    return backorder is None or backorder.state not in NOT_SERVED


def _date(book: SkuBook, peg: Peg) -> bool:
    """Give an OPEN claim the dated supply that nobody has pegged and that comes in time; True when there was some."""
    place, line, need_date = peg.location_id, peg.line, peg.need_date
    supplies = [supply for supply in book.supplies if supply.location_id == place]
    shares = take_unpegged(supplies, need_date, peg.quantity, book.today[place])
    for share in shares:
        book.drop_peg(peg, share.quantity)
        book.add_peg(place, need_date, share.quantity, PegKind.FIRM, line=line, supply=share.supply, cause="pegged")
    return bool(shares)
