"""What becomes of waiting claims when the release day of a pre-order moves, or the SKU is put on sale."""

from __future__ import annotations

from datetime import date

from core.domain.book import SkuBook, claim_order
from core.domain.network import Network
from core.domain.quotas import may_serve, move_use
from core.domain.records import Line, Peg
from core.domain.states import PegKind, PromiseReason


def move_release(book: SkuBook, network: Network, before: date | None) -> list[Line]:
    """Bring the claims of the book's lines in step with the release day it has now; `before` is the one it had.

    A later day moves every claim without stock that stands before it; what is allocated stays. An earlier day, or none,
    lets claims that stood on the old one, by rank, come as early as their source, their order, their quota and the
    promises of others allow. Returns the lines whose claims may have moved; conclude them.
    """
    touched: dict[int, Line] = {}
    for peg in sorted((p for p in book.pegs if p.kind != PegKind.HARD), key=claim_order):
        if peg.line is None:
            continue
        day = _day(book, network, peg, before)
        if day is not None:
            move_claim(book, peg, day, str(PromiseReason.RELEASE_MOVED))
        touched[id(peg.line)] = peg.line
    for line in touched.values():
        judge_by_day(book, network, line)
    return list(touched.values())


def _release(book: SkuBook, network: Network, location_id: int) -> date:
    """The first day on which units may leave a location, as far as the release goes."""
    if book.available_from is not None and book.is_preorder(location_id):
        return network.ship_day_from(location_id, book.available_from)
    return network.first_ship_day(location_id, book.now)


def _day(book: SkuBook, network: Network, peg: Peg, before: date | None) -> date | None:
    """The day that a claim takes now; None: it keeps its own."""
    place, line = peg.location_id, peg.line
    assert line is not None
    earliest = _release(book, network, place)
    if peg.need_date < earliest:
        return earliest
    if before is None or (book.available_from is not None and book.available_from >= before):
        return None
    if peg.supply is not None:
        earliest = max(earliest, network.ship_day_from(place, peg.supply.effective_date(book.today[place])))
    if line.requested_date is not None:
        last = network.latest_ship_day(place, line.destination_id, line.requested_date)
        earliest = max(earliest, network.locations[place].calendar.previous_working_day(last))
    if earliest >= peg.need_date or book.waits_for_quota(peg) or may_serve(book, peg, earliest) < peg.quantity:
        return None
    free = book.timeline(place, line.demand_class).free_until(earliest, peg.need_date)
    return earliest if free >= peg.quantity else None


def move_claim(book: SkuBook, peg: Peg, day: date, why: str) -> None:
    """Let a claim of a line without stock take another day; what waits for its quota goes on waiting for it."""
    line, supply, quantity, cause = peg.line, peg.supply, peg.quantity, peg.cause
    assert line is not None
    book.drop_peg(peg)
    kept = cause if book.waits_for_quota(peg) else why
    book.add_peg(peg.location_id, day, quantity, peg.kind, line=line, supply=supply, cause=kept)
    move_use(book, line, day)


def judge_by_day(book: SkuBook, network: Network, line: Line) -> None:
    """The last day to ship in time: what was asked for, but for a pre-order no earlier than its release."""
    place = line.location_id
    if place is None:
        return
    line.ship_by = None
    if line.requested_date is not None:
        line.ship_by = network.latest_ship_day(place, line.destination_id, line.requested_date)
    if book.is_preorder(place):
        line.ship_by = max(line.ship_by or date.min, _release(book, network, place))
