"""Who gets what has come free: waiting claims without a source, by priority, then age."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from core.domain.availability import Timeline
from core.domain.book import SkuBook
from core.domain.conclude import conclude
from core.domain.network import Network
from core.domain.pegging import take_unpegged
from core.domain.records import Line, LineFact, Peg
from core.domain.states import BackorderState, OrderLineStatus, PegKind, PromiseReason

_NOT_SERVED = frozenset({BackorderState.ON_HOLD, BackorderState.CANCEL_PENDING})


def serve_waiting(
    book: SkuBook,
    network: Network,
    held: Collection[int] = (),
    allowed: Mapping[int, Sequence[int] | None] | None = None,
) -> list[tuple[Line, int]]:
    """Offer free stock, then unpegged dated supply, to the OPEN claims of a book; returns (line, units of stock).

    A claim is served at its own location first, then from every place that ships straight to its destination
    (`allowed` narrows per order id). Never above the stock that is there nor the ATP computed without the claims that
    are served: later promises, holds, protected stock and the places of orders on hold (`held`) stay untouched. A
    claim that gets dated supply keeps its day, so no ATP changes. Lines are concluded; load the book with its waiting
    lines.
    """
    claims = [peg for peg in book.waiting(PegKind.OPEN) if _may_be_served(book, peg, held)]
    curves: dict[int, dict[str, Timeline]] = {}
    gained: dict[int, tuple[Line, int]] = {}
    for peg in claims:
        line, total = peg.line, 0
        assert line is not None
        others = network.sources(line.destination_id, _list((allowed or {}).get(line.order_id)))
        for place in [peg.location_id, *(other for other in others if other != peg.location_id)]:
            of_place, protection = curves.setdefault(place, {}), book.protection_class(place, line.demand_class)
            if protection not in of_place:
                of_place[protection] = book.timeline_without(place, claims, protection)
            given = min(peg.quantity, of_place[protection].atp(), book.shelf(place, line))
            if given > 0:
                for curve in of_place.values():
                    curve.add(book.today[place], -given)
                book.drop_peg(peg, given)
                book.allocate(line, place, given, "allocate_waiting")
                total += given
            if not peg.quantity:
                break
        if total:
            book.line_facts.append(LineFact(line, "ALLOCATED", total))
        if (peg.quantity and _date(book, peg)) or total:
            gained[id(line)] = (line, gained.get(id(line), (line, 0))[1] + total)
    conclude(book, network, (line for line, _ in gained.values()), PromiseReason.ALLOCATED)
    return list(gained.values())


def _list(places: Sequence[int] | None) -> list[int] | None:
    return None if places is None else list(places)


def _may_be_served(book: SkuBook, peg: Peg, held: Collection[int]) -> bool:
    line = peg.line
    if line is None or line.status == OrderLineStatus.RECEIVED or line.order_id in held:
        return False
    backorder = book.backorder_of(line)
    return backorder is None or backorder.state not in _NOT_SERVED


def _date(book: SkuBook, peg: Peg) -> bool:
    """Give an OPEN claim the dated supply that nobody has pegged and that comes in time; True when there was some."""
    place, line, need_date = peg.location_id, peg.line, peg.need_date
    supplies = [supply for supply in book.supplies if supply.location_id == place]
    shares = take_unpegged(supplies, need_date, peg.quantity, book.today[place])
    for share in shares:
        book.drop_peg(peg, share.quantity)
        book.add_peg(place, need_date, share.quantity, PegKind.FIRM, line=line, supply=share.supply, cause="pegged")
    return bool(shares)
