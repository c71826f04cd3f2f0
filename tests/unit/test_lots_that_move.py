"""Lots that are held for a day or moved elsewhere live long enough for it, and are taken from nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.lots import Lots
from core.domain.network import Lane, Location, Network
from core.domain.promising import available_now
from core.domain.rebalancing import Goods, RebalancingRules, propose_moves
from core.domain.records import Line, Movement
from core.domain.reserving import split_hold
from core.domain.shelf_life import movable
from core.domain.states import LotState, OrderLineStatus, PegKind
from core.services.propose_rebalancing import positions
from core.services.set_aside_lots import change_transfers

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, R, ZONE = 1, 2, 3
KINDS = {A: "dc", R: "warehouse", ZONE: "destination"}
NETWORK = Network(
    {n: Location(n, kind, kind, "UTC", time(23), DAILY) for n, kind in KINDS.items()},
    {(a, b): Lane(a, b, days, DAILY) for a, b, days in ((A, ZONE, 1), (R, A, 2))},
)


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def book_with(place: int, lots: dict[str, tuple[int, int]], min_life: int = 5) -> SkuBook:
    """Lots by code: (units, days of life)."""
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys(KINDS, TODAY))
    book.lots = Lots("S", True, min_life, NETWORK, NOW)
    for code, (units, life) in lots.items():
        lot = book.lots.open(place, code, day(life))
        book.move(Movement(place, "adjusted", on_hand=units, cause_kind="test", lot=lot))
    return book


def test_a_hold_counts_only_what_lives_on_its_day() -> None:
    book = book_with(A, {"OLD": (4, 12), "NEW": (3, 60)})
    assert split_hold(book, 9, [A], None) == [(A, 7)]
    assert split_hold(book, 9, [A], day(8)) == [(A, 3)], "OLD has four days left then, five are asked for"
    assert split_hold(book, 9, [A], None, min_life=20) == [(A, 3)], "this customer asks for more life"
    assert split_hold(book, 9, [A], day(8), min_life=0) == [(A, 7)]


def test_the_way_to_the_customer_counts_as_life_that_is_gone() -> None:
    """A day under way: five days of life at delivery are six on the shelf; the line asks for its own, never for less."""
    book = book_with(A, {"SIX": (4, 6), "TEN": (3, 10)})
    asks = {None: 7, 0: 7, 5: 7, 6: 3, 9: 3, 10: 0}
    for own, units in asks.items():
        line = Line(1, 1, 1, 9, destination_id=ZONE, min_life_days=own)
        assert book.shelf(A, line) == units, own
        assert available_now(book, [A], destination_id=ZONE, min_life=book.min_life(line)) == units, own


def test_stock_is_moved_in_lots_that_can_be_sold_where_they_go() -> None:
    """Two days on the way and five of life: what lives six days is not moved although it expires first."""
    book = book_with(R, {"OLD": (4, 6), "NEW": (3, 7)})
    arrives = day(2)
    assert movable(book, R, A, arrives) == 3
    book.plan_transfer(R, A, 3, arrives, "stockTransfer")
    assert {peg.lot.code for peg in book.pegs if peg.transfer is not None and peg.lot is not None} == {"NEW"}


def test_only_lots_that_can_be_sold_elsewhere_are_proposed_to_move() -> None:
    book = book_with(R, {"OLD": (4, 6), "NEW": (3, 40)})
    book.add_peg(A, day(9), 6, PegKind.OPEN, line_id=900)
    places = positions(book, NETWORK, {}, RebalancingRules())
    (move,) = propose_moves(Goods(1, 100, 1_000), places, NETWORK, RebalancingRules(), NOW)
    assert (move.from_location_id, move.to_location_id, move.quantity) == (R, A, 3)


def test_what_others_need_is_not_moved() -> None:
    book = book_with(R, {"NEW": (5, 60)})
    book.add_peg(R, day(9), 3, PegKind.OPEN, line_id=900)
    assert movable(book, R, A, day(2)) == 2


def test_a_transfer_that_loses_its_lot_takes_none_that_others_need_or_that_is_too_old() -> None:
    book = book_with(R, {"L1": (6, 40)})
    assert book.lots is not None
    book.plan_transfer(R, A, 6, day(2), "stockTransfer")
    for code, life in (("OLD", 6), ("NEW", 50)):
        book.move(Movement(R, "adjusted", on_hand=4, cause_kind="test", lot=book.lots.open(R, code, day(life))))
    line = Line(1, 1, 1, 3, open=3, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    book.add_peg(R, day(9), 3, PegKind.OPEN, line=line)
    lot = book.lots.find(R, "L1")
    assert lot is not None
    book.lots.mark(lot, LotState.QUARANTINED)
    change_transfers(book, lot)
    held = {peg.lot.code: peg.quantity for peg in book.pegs if peg.transfer is not None and peg.lot is not None}
    assert held == {"L1": 5, "NEW": 1}
