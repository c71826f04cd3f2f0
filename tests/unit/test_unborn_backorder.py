"""A shortage that opens and closes in one change was never told to anybody."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from core.domain.allocation import serve_waiting
from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, commit, propose
from core.domain.records import Line, Movement
from core.domain.states import OrderLineStatus, PromiseReason

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, ZONE = 1, 2


def test_opened_and_filled_in_one_change_it_leaves_no_trace():
    places = {n: Location(n, c, k, "UTC", time(23), DAILY) for n, c, k in ((A, "A", "dc"), (ZONE, "Z", "destination"))}
    network = Network(places, {(A, ZONE): Lane(A, ZONE, 1, DAILY)})
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, ZONE), TODAY))
    lines = [Line(n, n, 1, 4, open=4, status=OrderLineStatus.VALIDATED, destination_id=ZONE) for n in (1, 2)]
    for line in lines:
        commit(book, line, propose(book, Demand(4, ZONE, None, [A], 14), network, NOW), PromiseReason.HOLD_RELEASED)
    book.move(Movement(A, "adjusted", on_hand=4, cause_kind="test"))
    assert [(line.id, units) for line, units in serve_waiting(book, network)] == [(1, 4)]
    assert [(b.line.id, b.quantity) for b in book.backorders] == [(1, 0), (2, 4)]
    book.forget_unborn()
    assert [(b.line.id, b.quantity) for b in book.backorders] == [(2, 4)]
    assert {fact.backorder.line.id for fact in book.backorder_facts} == {2}
