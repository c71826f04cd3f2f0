"""A part of a line that takes another day or place is told, also where the day on which all is there stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from core.domain.book import SkuBook
from core.domain.book_supplies import move_need
from core.domain.calendars import EVERY_DAY
from core.domain.conclude import conclude
from core.domain.network import Lane, Location, Network
from core.domain.records import Line, Peg
from core.domain.states import OrderLineStatus, PegKind, PromiseReason

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
TODAY = date(2026, 3, 2)
NETWORK = Network(
    {
        1: Location(1, "A", "dc", "UTC", time(18), EVERY_DAY),
        9: Location(9, "KR", "destination", "UTC", time(18), EVERY_DAY),
    },
    {(1, 9): Lane(1, 9, 1, EVERY_DAY)},
)


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def stored_book() -> tuple[SkuBook, Line]:
    """A line of six as it was read: three promised for day 5, three for day 9, all of it there on day 10."""
    book = SkuBook(7, "S", 1, NOW, dict.fromkeys(NETWORK.locations, TODAY), {})
    line = Line(1, 1, 1, 6, backordered=6, destination_id=9, location_id=1, promise_sequence=1, promised=day(10))
    line.status = OrderLineStatus.BACKORDERED
    book.lines[1] = line
    book.pegs = [Peg(n, 1, day(when), 3, PegKind.OPEN, line_id=1, line=line) for n, when in enumerate((5, 9), start=1)]
    return book, line


def told(book: SkuBook) -> list[list[tuple[str, int]]]:
    return [[(part["shipDate"], part["quantity"]) for part in promise.slices] for promise in book.promises]


def test_a_part_that_moves_is_promised_anew_without_a_notice() -> None:
    book, line = stored_book()
    move_need(book, book.pegs[0], day(7), "moved")
    conclude(book, NETWORK, [line], PromiseReason.SUPPLY_DELAYED)
    assert told(book) == [[(day(7).isoformat(), 3), (day(9).isoformat(), 3)]]
    assert (line.promise_sequence, line.promised) == (2, day(10))
    assert [fact.kind for fact in book.line_facts] == []
    conclude(book, NETWORK, [line], PromiseReason.SUPPLY_DELAYED)
    assert len(book.promises) == 1, "it has been told"
    move_need(book, book.pegs_of(line)[-1], day(5), "moved back")
    conclude(book, NETWORK, [line], PromiseReason.SUPPLY_DELAYED)
    assert len(book.promises) == 2, "what was told before is told no more"


def test_another_source_of_the_same_day_is_nothing_to_tell() -> None:
    book, line = stored_book()
    move_need(book, book.pegs[0], day(5), "another source")
    move_need(book, next(peg for peg in book.pegs if peg.need_date == day(9)), day(9), "another source")
    conclude(book, NETWORK, [line], PromiseReason.SUPPLY_DELAYED)
    assert told(book) == []
