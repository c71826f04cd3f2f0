"""What is not bought while planners may still accept a transfer: only what loses nothing by the wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from core.domain.awaited_moves import AwaitedMove, awaited_units
from core.domain.book import SkuBook
from core.domain.buying import needs
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.records import Line, Movement, Peg
from core.domain.states import OrderLineStatus, PegKind

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
EXPIRES = NOW + timedelta(days=3)
LEAD = 14
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, B, R = 1, 2, 3
NETWORK = Network(
    {n: Location(n, str(n), "dc", "UTC", time(23), DAILY) for n in (A, B, R)},
    {(R, to): Lane(R, to, days, DAILY) for to, days in ((A, 2), (B, 30))},
)
LAST = 3 + 1 + LEAD
"""Days from today for which goods come in time that are bought when the proposal is closed."""


def book_with(*waiting: tuple[int, int, int], shelf: int = 50) -> tuple[SkuBook, list[Peg]]:
    """(place, units, day) that wait there, served in this order; `shelf` units lie at R."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, B, R), TODAY))
    book.move(Movement(R, "adjusted", on_hand=shelf, cause_kind="test"))
    pegs = []
    for number, (place, units, days) in enumerate(waiting, start=1):
        line = Line(number, number, 1, units, backordered=units, status=OrderLineStatus.VALIDATED, location_id=place)
        book.lines[number] = line
        peg = book.add_peg(place, TODAY + timedelta(days=days), units, PegKind.OPEN, line=line)
        assert peg is not None
        pegs.append(peg)
    return book, pegs


def awaited(book: SkuBook, pegs: list[Peg], *moves: tuple[int, int], left_out: tuple[int, ...] = ()) -> list[int]:
    """Units per peg that are not bought, for moves from R: (to, units)."""
    given = [AwaitedMove(R, to, units, EXPIRES) for to, units in moves]
    found = awaited_units(book, NETWORK, given, LEAD, left_out)
    return [found.get(id(peg), 0) for peg in pegs]


def test_a_promise_that_a_purchase_after_the_answer_would_miss_awaits_nothing() -> None:
    book, pegs = book_with((A, 4, LAST - 1), (A, 4, LAST))
    assert awaited(book, pegs, (A, 8)) == [0, 4], "who is served first has no share: it is bought for"
    need = needs(book, A, 0, 0, 1, 1, awaited=awaited_units(book, NETWORK, [AwaitedMove(R, A, 8, EXPIRES)], LEAD))
    assert [(n.quantity, n.waiting, n.pegs) for n in need] == [(4, 4, pegs)]


def test_a_move_that_is_accepted_at_the_last_moment_comes_in_time_too() -> None:
    book, pegs = book_with((B, 4, 32), (B, 4, 33))
    assert awaited(book, pegs, (B, 8)) == [0, 4], "three days until the answer, thirty on the way"


def test_the_giver_can_part_with_it_now_and_only_once() -> None:
    book, pegs = book_with((A, 4, 40), (B, 4, 40), shelf=6)
    assert awaited(book, pegs, (A, 4), (B, 4)) == [4, 2]
    empty, pegs = book_with((A, 4, 40), shelf=0)
    assert awaited(empty, pegs, (A, 4)) == [0]


def test_what_a_line_gets_that_is_not_bought_for_serves_nobody_else() -> None:
    book, pegs = book_with((A, 4, 5), (A, 4, 40))
    assert awaited(book, pegs, (A, 6), left_out=(1,)) == [0, 2]


def test_what_is_bought_goes_to_who_awaits_nothing() -> None:
    book, pegs = book_with((A, 4, 40), (A, 3, 5))
    found = awaited_units(book, NETWORK, [AwaitedMove(R, A, 3, EXPIRES)], LEAD)
    (need,) = needs(book, A, 0, 0, 1, 1, awaited=found)
    assert (need.quantity, need.pegs) == (4, [pegs[1], pegs[0]]), "three of the second and the one that is not moved"
