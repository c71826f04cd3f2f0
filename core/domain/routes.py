"""What becomes of claims and promises when a lane, a calendar or a cut-off changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from core.domain.book import SkuBook, claim_order
from core.domain.book_supplies import expected_of, mark_delayed, refresh_expected
from core.domain.eta import should_move
from core.domain.late_pegs import MovePolicy
from core.domain.network import Network
from core.domain.promises import complete_date, promise, slices_of
from core.domain.quotas import may_serve
from core.domain.records import Line, Peg
from core.domain.release_days import judge_by_day, move_claim
from core.domain.states import OrderLineStatus, PegKind, PromiseReason

REASON = PromiseReason.ROUTE_CHANGED


def rejudge(book: SkuBook, network: Network, places: Collection[int], policy: MovePolicy) -> list[Line]:
    """Bring claims and promises of lines that are served from `places` in step with the ways as they are now.

    A claim on a day that is not worked any more takes the next one; one that would be late by the new way comes
    earlier, by rank, as far as its source, its quota and the promises of others allow. A promise that would be broken
    moves later at once: that is certain, not an estimate; earlier only as the policy `promise_pull_in_days` says.
    Returns the lines it has looked at.
    """
    lines: dict[int, tuple[Line, date | None]] = {}
    for peg in sorted((p for p in book.pegs if p.location_id in places), key=claim_order):
        line = peg.line
        if line is None:
            continue
        if id(line) not in lines:
            lines[id(line)] = (line, expected_of(book, line))
            judge_by_day(book, network, line)
        day = peg.need_date if peg.kind == PegKind.HARD else _day(book, network, peg, line)
        if day != peg.need_date:
            move_claim(book, peg, day, str(REASON))
    for line, expected in lines.values():
        book.settle(line, str(REASON))
        if line.status != OrderLineStatus.RECEIVED:
            _tell(book, network, line, expected, policy)
    return [line for line, _ in lines.values()]


def _day(book: SkuBook, network: Network, peg: Peg, line: Line) -> date:
    """The day that a claim without stock takes now."""
    place, today = peg.location_id, book.today[peg.location_id]
    if peg.need_date < today:
        return peg.need_date
    day = network.ship_day_from(place, peg.need_date)
    if peg.supply is None or line.requested_date is None:
        return day
    last = network.latest_ship_day(place, line.destination_id, line.requested_date)
    earliest = network.ship_day_from(place, peg.supply.effective_date(today))
    earliest = max(earliest, network.first_ship_day(place, book.now))
    better = max(earliest, network.locations[place].calendar.previous_working_day(last))
    if day <= last or better >= peg.need_date or may_serve(book, peg, better) < peg.quantity:
        return day
    free = book.timeline(place, line.demand_class).free_until(better, peg.need_date)
    return better if free >= peg.quantity else day


def _tell(book: SkuBook, network: Network, line: Line, expected: date | None, policy: MovePolicy) -> None:
    told, due = line.promised, complete_date(slices_of(book, line, network, book.now)[0])
    if due is None:
        return
    is_later = told is None or due > told
    is_earlier = (
        told is not None and policy.pull_in_days is not None and (told - due).days >= max(1, policy.pull_in_days)
    )
    if (is_later and should_move(told, due, policy.hysteresis_days, certain=True)) or is_earlier:
        promise(book, line, network, book.now, REASON, cause_kind=REASON, only_if_moved=True)
        if is_later:
            mark_delayed(book, line, str(REASON), told)
    refresh_expected(book, line, network, expected, str(REASON))
