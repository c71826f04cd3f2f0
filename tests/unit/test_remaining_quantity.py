"""Thirteen wanted from ten and fifteen: whoever shares out asks each further place only for what is still missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.domain.allocation import serve_waiting
from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.order_sites import Ask, with_shelves
from core.domain.promising import Demand, propose
from core.domain.rebalancing import Goods, Position, RebalancingRules, propose_moves
from core.domain.records import Line, Movement
from core.domain.reserving import split_hold
from core.domain.site_choice import Leg, Want, choose_sites
from core.domain.sourcing import SiteSearch
from core.domain.states import OrderLineStatus, PegKind

TODAY = date(2026, 11, 2)
NOW = datetime.combine(TODAY, time(9), UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, B, R, Q, ZONE = 1, 2, 3, 4, 5
KINDS = {A: "dc", B: "dc", R: "warehouse", Q: "warehouse", ZONE: "destination"}
NETWORK = Network(
    {n: Location(n, str(n), kind, "UTC", time(12), DAILY) for n, kind in KINDS.items()},
    {(a, b): Lane(a, b, 1, DAILY) for a, b in ((A, ZONE), (B, ZONE), (R, A), (Q, A))},
)
"""A and B ship to the customer; R and Q reach it over A."""


def book_of(first: int, second: int, places: tuple[int, int]) -> SkuBook:
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys(KINDS, TODAY))
    for place, units in zip(places, (first, second), strict=True):
        if units:
            book.move(Movement(place, "adjusted", on_hand=units, cause_kind="test"))
    return book


def waiting(book: SkuBook, wanted: int) -> Line:
    line = Line(1, 1, 1, wanted, open=wanted, status=OrderLineStatus.VALIDATED, destination_id=ZONE, location_id=A)
    book.lines[1] = line
    book.add_peg(A, TODAY + timedelta(days=30), wanted, PegKind.OPEN, line=line)
    book.settle(line, "test")
    return line


def by_placing(wanted: int, first: int, second: int) -> dict[int, int]:
    """One line, no choice of locations for an order."""
    slices = propose(book_of(first, second, (A, B)), Demand(wanted, ZONE, None, [A, B]), NETWORK, NOW).slices
    return {part.location_id: part.quantity for part in slices if part.kind == "ON_HAND"}


def by_placing_several_lines(wanted: int, first: int, second: int) -> dict[int, int]:
    book, other = book_of(first, second, (A, B)), book_of(1, 1, (A, B))
    other.sku_id = 2
    asks = [Ask(book, Demand(wanted, ZONE, None, [A, B])), Ask(other, Demand(1, ZONE, None, [A, B]))]
    return dict(with_shelves(asks, NETWORK, NOW)[0].shelf or {})


def by_transfers_when_placing(wanted: int, first: int, second: int) -> dict[int, int]:
    slices = propose(book_of(first, second, (R, Q)), Demand(wanted, ZONE, None, [A]), NETWORK, NOW).slices
    return {part.donor_id or 0: part.quantity for part in slices if part.kind == "TRANSFER"}


def by_serving_who_waits(wanted: int, first: int, second: int) -> dict[int, int]:
    book = book_of(first, second, (A, B))
    waiting(book, wanted)
    serve_waiting(book, NETWORK)
    return {peg.location_id: peg.quantity for peg in book.pegs if peg.kind == PegKind.HARD}


def by_moving_for_who_waits(wanted: int, first: int, second: int) -> dict[int, int]:
    book = book_of(first, second, (R, Q))
    waiting(book, wanted)
    serve_waiting(book, NETWORK)
    return {transfer.from_location_id: transfer.quantity for transfer in book.transfers}


def by_searching_other_sites(wanted: int, first: int, second: int) -> dict[int, int]:
    book = book_of(first, second, (A, B))
    SiteSearch(book, NETWORK).search(waiting(book, wanted), Demand(0, ZONE, None, [A, B]))
    return {peg.location_id: peg.quantity for peg in book.pegs if peg.kind == PegKind.HARD}


def by_reserving(wanted: int, first: int, second: int) -> dict[int, int]:
    return dict(split_hold(book_of(first, second, (A, B)), wanted, [A, B], None))


def by_choosing_sites(wanted: int, first: int, second: int) -> dict[int, int]:
    free = {(1, A): first, (1, B): second}
    return choose_sites([Want(0, 1, wanted, {A: Leg(rank=0), B: Leg(rank=1)})], free).shares[0]


def by_rebalancing(wanted: int, first: int, second: int) -> dict[int, int]:
    places = [Position(A, 0, 0.0, wanted), Position(R, first, 0.0), Position(Q, second, 0.0)]
    moves = propose_moves(Goods(1, 100, 1_000), places, NETWORK, RebalancingRules(), NOW)
    return {move.from_location_id: move.quantity for move in moves}


PATHS = [
    by_placing,
    by_placing_several_lines,
    by_transfers_when_placing,
    by_serving_who_waits,
    by_moving_for_who_waits,
    by_searching_other_sites,
    by_reserving,
    by_choosing_sites,
    by_rebalancing,
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
@settings(max_examples=25, deadline=None)
@example(wanted=13, first=10, second=15)
@given(wanted=st.integers(1, 30), first=st.integers(0, 15), second=st.integers(0, 15))
def test_all_that_is_there_and_no_unit_twice(path, wanted: int, first: int, second: int) -> None:
    """As much as there is, never more than is wanted, from no place more than it has."""
    shares = path(wanted, first, second)
    have = dict(zip((R, Q) if shares.keys() & {R, Q} else (A, B), (first, second), strict=True))
    assert all(units <= have[place] for place, units in shares.items())
    if path is not by_reserving or wanted <= first + second:
        assert sum(shares.values()) == min(wanted, first + second)


def test_what_a_line_lacks_joins_the_shipment_of_its_order():
    """B has all of the one and some of the other: what the other lacks is asked of B before A, which sends nothing."""
    whole, part = book_of(0, 2, (A, B)), book_of(0, 1, (A, B))
    part.sku_id = 2
    asks = [Ask(whole, Demand(2, ZONE, None, [A, B])), Ask(part, Demand(3, ZONE, None, [A, B]))]
    found = with_shelves(asks, NETWORK, NOW)
    assert [(demand.sources, dict(demand.shelf or {})) for demand in found] == [([B, A], {B: 2}), ([B, A], {B: 1})]
