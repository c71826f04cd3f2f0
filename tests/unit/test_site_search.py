"""The search of other places for many lines at once finds what a search for each alone finds, with little of its work."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import sourcing
from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand
from core.domain.records import Line, Movement, Supply
from core.domain.sourcing import SiteSearch
from core.domain.states import OrderLineStatus, PegKind
from core.domain.trial import Trial

TODAY = date(2026, 11, 2)
NOW = datetime.combine(TODAY, time(9), UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, B, ZONE = 1, 2, 3
NETWORK = Network(
    {n: Location(n, str(n), "dc" if n != ZONE else "destination", "UTC", time(12), DAILY) for n in (A, B, ZONE)},
    {(A, ZONE): Lane(A, ZONE, 1, DAILY), (B, ZONE): Lane(B, ZONE, 2, DAILY), (B, A): Lane(B, A, 2, DAILY)},
)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def book_of(stock: dict[int, int], supplies: list[tuple[int, int, int]], wanted: list[tuple[int, int]]) -> SkuBook:
    """Supplies as (place, day, units), lines that wait as (units, day), on a supply of that day where there is one."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, B, ZONE), TODAY))
    for place, units in stock.items():
        if units:
            book.move(Movement(place, "adjusted", on_hand=units, cause_kind="test"))
    for number, (place, on, units) in enumerate(supplies, start=1):
        book.add_supply(Supply(number, place, "purchase", units, day(on), paper_date=day(on)))
    for number, (units, on) in enumerate(wanted, start=1):
        line = Line(number, number, 1, units, open=units, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
        line.location_id = A
        book.lines[number] = line
        own = next(
            (s for s in book.supplies if s.location_id == A and s.unpegged >= units and s.paper_date == day(on)), None
        )
        book.add_peg(A, day(on), units, PegKind.FIRM if own else PegKind.OPEN, line=line, supply=own)
        book.settle(line, "test")
    return book


def asked(line: Line) -> Demand:
    return Demand(0, ZONE, line.requested_date, [A, B], demand_class=line.demand_class)


def told(book: SkuBook) -> list[tuple[object, ...]]:
    found = [
        (p.line_id, p.location_id, p.need_date, p.quantity, str(p.kind), p.supply.id if p.supply else None)
        for p in book.pegs
    ]
    return sorted(found, key=str)


@given(
    st.dictionaries(st.sampled_from([A, B]), st.integers(0, 6)),
    st.lists(st.tuples(st.sampled_from([A, B]), st.integers(1, 20), st.integers(1, 6)), max_size=4),
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([3, 9, 14])), min_size=1, max_size=7),
    st.integers(0, 6),
)
def test_a_search_for_all_finds_what_a_search_for_each_finds(stock, supplies, wanted, protected) -> None:
    together, alone = (book_of(stock, supplies, wanted) for _ in range(2))
    for book in (together, alone):
        book.protected = {"": {B: [(TODAY, protected)]}}
    search = SiteSearch(together, NETWORK)
    gains = [search.search(line, asked(line)) for line in together.lines.values()]
    assert gains == [SiteSearch(alone, NETWORK).search(line, asked(line)) for line in alone.lines.values()]
    assert told(together) == told(alone)


def test_what_a_find_gives_up_is_there_for_who_asks_the_same_later() -> None:
    book = book_of({B: 1}, [(A, 9, 1), (A, 20, 2)], [(1, 20), (1, 9), (1, 20)])
    book.protected = {"": {B: [(TODAY, 1)]}, "vip": {B: [(TODAY, 0)]}}
    book.lines[2].demand_class = "vip"  # may have the unit at B, and leaves its supply then
    search = SiteSearch(book, NETWORK)
    assert [search.search(line, asked(line)) for line in book.lines.values()] == [0, 1, 1]


def test_what_another_can_wait_for_is_found_where_only_later_goods_are_free() -> None:
    book = book_of({}, [(A, 5, 2), (A, 18, 2)], [(2, 9)])
    patient = Line(7, 7, 1, 2, open=2, status=OrderLineStatus.VALIDATED, destination_id=ZONE, location_id=A)
    book.add_peg(A, day(19), 2, PegKind.FIRM, line=patient, supply=book.supplies[0])
    book.settle(patient, "test")
    line = book.lines[1]
    assert SiteSearch(book, NETWORK).search(line, asked(line)) == 2
    assert [(p.kind, p.need_date) for p in book.pegs_of(line)] == [(PegKind.FIRM, day(5))]
    assert [(p.need_date, p.supply and p.supply.id) for p in book.pegs_of(patient)] == [(day(19), 2)]


def test_what_was_asked_in_vain_is_not_tried_for_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    copies, questions = 0, 0

    class Counted(Trial):
        def __init__(self, original: SkuBook) -> None:
            nonlocal copies
            copies += 1
            super().__init__(original)

    def proposed(*given):
        nonlocal questions
        questions += 1
        return propose(*given)

    propose = sourcing.propose
    monkeypatch.setattr(sourcing, "Trial", Counted)
    monkeypatch.setattr(sourcing, "propose", proposed)
    book = book_of({B: 5}, [], [(1 + n % 3, 9) for n in range(60)])
    book.protected = {"": {B: [(TODAY, 5)]}}  # stock that nobody may have
    before = told(book)
    search = SiteSearch(book, NETWORK)
    assert sum(search.search(line, asked(line)) for line in book.lines.values()) == 0
    assert (copies, questions) == (1, 3)
    assert told(book) == before
