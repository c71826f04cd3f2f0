"""A trial is the book again, shares nothing that an operation changes, and leaves the original as it was."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, commit, promise, propose
from core.domain.records import Backorder, Hold, Line, Lot, Peg, StockLevel, Supply, Transfer
from core.domain.states import OrderLineStatus, PromiseReason
from core.domain.trial import Trial

TODAY, NOW = date(2026, 11, 2), datetime(2026, 11, 2, 3, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, R, ZONE = 1, 2, 3
CHANGED = (Backorder, Hold, Line, Lot, Peg, StockLevel, Supply, Transfer)


def network() -> Network:
    kinds = ((A, "A", "dc"), (R, "R", "warehouse"), (ZONE, "Z", "destination"))
    places = {number: Location(number, code, kind, "UTC", time(23), DAILY) for number, code, kind in kinds}
    return Network(places, {(a, b): Lane(a, b, days, DAILY) for a, b, days in ((A, ZONE, 1), (R, A, 2))})


def place(book: SkuBook, number: int, quantity: int) -> Line:
    line = Line(number, 1, number, quantity, open=quantity, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    commit(book, line, propose(book, Demand(quantity, ZONE, None, [A], 20), network(), NOW), PromiseReason.PLACED)
    promise(book, line, network(), NOW, PromiseReason.PLACED, cause_kind=PromiseReason.PLACED)
    book.lines[number] = line
    return line


def rich_book() -> SkuBook:
    """Stock, a transfer, two supplies of which one was split, a hold, and lines with claims of every kind."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, R, ZONE), TODAY))
    book.levels = {A: StockLevel(A, 5), R: StockLevel(R, 4)}
    book.holds = [Hold(1, "g", A, TODAY, 1)]
    first = Supply(1, A, "purchase", 6, TODAY + timedelta(days=4))
    book.add_supply(first)
    book.add_supply(Supply(2, A, "purchase", 3, TODAY + timedelta(days=9), split_from=first))
    for number, quantity in enumerate((3, 6, 7, 9), start=1):
        place(book, number, quantity)
    return book


def records(value: Any, seen: dict[int, Any]) -> dict[int, Any]:
    """Everything reachable that an operation may change, by identity."""
    if isinstance(value, dict | list | set):
        seen[id(value)] = value
        for item in value.values() if isinstance(value, dict) else value:
            records(item, seen)
    elif is_dataclass(value) and not isinstance(value, type) and id(value) not in seen:
        if isinstance(value, CHANGED):
            seen[id(value)] = value
        for field in fields(value):
            if isinstance(value, (SkuBook, *CHANGED)):
                records(getattr(value, field.name), seen)
    return seen


FACTS = ("movements", "promises", "backorder_facts", "line_facts", "_timelines", "protected", "today")


def test_a_trial_is_equal_and_shares_no_record_that_changes() -> None:
    book = rich_book()
    assert {peg.kind for peg in book.pegs} >= {"HARD", "FIRM"}
    assert book.transfers
    tried = Trial(book)
    for field in fields(SkuBook):
        if not field.name.startswith("_"):
            assert getattr(tried.book, field.name) == getattr(book, field.name), field.name
    assert tried.of(book.lines[2]) is tried.book.lines[2]
    kept = {name: getattr(book, name) for name in FACTS}
    of_book, of_trial = (
        records({f.name: getattr(b, f.name) for f in fields(SkuBook) if f.name not in kept}, {})
        for b in (book, tried.book)
    )
    shared = [
        of_book[key] for key in of_book.keys() & of_trial.keys() if not isinstance(of_book[key], dict) or of_book[key]
    ]
    assert [value for value in shared if isinstance(value, CHANGED)] == []
    assert all(peg.line is tried.book.lines[peg.line_id or 0] for peg in tried.book.pegs if peg.line_id and peg.line)


def test_what_is_tried_leaves_the_book_as_it_was() -> None:
    book = rich_book()
    before = copy.deepcopy(book)
    trial = Trial(book).book
    supply = next(supply for supply in trial.supplies if supply.kind == "purchase")
    trial.receive(supply, 4, 1, "goods_receipt", 1)
    place(trial, 9, 5)
    for peg in list(trial.pegs_of(trial.lines[3])):
        trial.drop_peg(peg)
    assert trial != before
    for field in fields(SkuBook):
        if not field.name.startswith("_"):
            assert getattr(book, field.name) == getattr(before, field.name), field.name
