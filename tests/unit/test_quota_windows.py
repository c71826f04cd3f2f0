"""Quotas of the future, and what a claim may get before the window it was promised for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.allocation import serve_waiting
from core.domain.allowance import WaitsFor, room
from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.late_pegs import Cause, MovePolicy, repair
from core.domain.network import Lane, Location, Network
from core.domain.order_sites import Ask, with_shelves
from core.domain.promising import Demand, commit, promise, propose
from core.domain.quotas import Asker, allowance_of, allowances_for, binds, may_serve, move_use
from core.domain.records import Hold, Line, Movement, Quota, Supply
from core.domain.repromising.rooms import counts_as, rooms_of
from core.domain.sourcing import SiteSearch
from core.domain.states import OrderLineStatus, PegKind, PromiseReason
from core.services.correct_stock import cover_again

MONDAY = date(2026, 11, 2)
NOW = datetime.combine(MONDAY, time(9), UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
A, B, ZONE = 1, 2, 4
NETWORK = Network(
    {n: Location(n, str(n), kind, "UTC", time(12), DAILY) for n, kind in ((A, "dc"), (B, "dc"), (ZONE, "destination"))},
    {(place, ZONE): Lane(place, ZONE, 1, DAILY) for place in (A, B)},
)


def week(quantity: int, since: date = MONDAY, until: date | None = None, period: str = "WEEK") -> Quota:
    return Quota(1, None, None, None, period, since, until, quantity)


def book_with(quota: Quota, stock: int = 0) -> SkuBook:
    book = SkuBook(1, "S", 1, NOW, dict.fromkeys((A, B, ZONE), MONDAY), quotas=[quota])
    if stock:
        book.move(Movement(A, "adjusted", on_hand=stock, cause_kind="test"))
    return book


def placed(book: SkuBook, quantity: int, number: int = 1, asked: date | None = None) -> Line:
    """A line that was placed in an earlier change: its row and its uses are known."""
    line = Line(number, number, 1, quantity, open=quantity, status=OrderLineStatus.VALIDATED, destination_id=ZONE)
    line.requested_date = asked
    book.lines[number] = line
    demand = Demand(quantity, ZONE, asked, [A], 14, allowances=allowances_for(book, Asker(), [A]))
    commit(book, line, propose(book, demand, NETWORK, NOW), PromiseReason.PLACED)
    promise(book, line, NETWORK, NOW, PromiseReason.PLACED, cause_kind="PLACED")
    return line


def given_in(book: SkuBook, first: date, last: date) -> int:
    return sum(units for (_, day), units in book.quota_used.items() if first <= day <= last)


def test_a_quota_of_the_future_binds_what_is_claimed_for_its_days() -> None:
    """From Wednesday of next week on four a week: until then all, then the rest of that week, then whole weeks."""
    wednesday = MONDAY + timedelta(days=9)
    allowance = allowance_of(week(4, wednesday), {wednesday: 1, MONDAY: 50}, MONDAY)
    assert allowance is not None
    assert allowance.steps[:3] == ((MONDAY, None), (wednesday, 3), (MONDAY + timedelta(days=14), 4))
    book = book_with(week(4, wednesday), stock=20)
    line = placed(book, 9, asked=wednesday + timedelta(days=2))
    late = [p for p in book.pegs_of(line) if wednesday <= p.need_date < wednesday + timedelta(days=5)]
    assert sum(p.quantity for p in late) <= 4


def test_days_outside_a_window_use_nothing_of_it() -> None:
    friday = MONDAY + timedelta(days=4)
    allowance = allowance_of(week(5, MONDAY, friday, "WINDOW"), {MONDAY: 2, friday + timedelta(days=1): 9}, MONDAY)
    assert allowance is not None
    assert room([allowance], MONDAY, ()) == 3


def test_places_that_live_in_an_earlier_day_are_not_forgotten() -> None:
    book = book_with(week(5))
    book.today = {A: MONDAY, B: MONDAY - timedelta(days=1), ZONE: MONDAY}
    (allowance,) = allowances_for(book, Asker(), [A, B]) or (None,)
    assert allowance is not None
    assert room([allowance], MONDAY - timedelta(days=1), ()) is None, "it begins on Monday"
    book.quotas = [week(5, MONDAY - timedelta(days=30))]
    assert room(allowances_for(book, Asker(), [A, B]), MONDAY - timedelta(days=1), ()) == 5


def _later_claim(quota: int = 5, wanted: int = 5) -> tuple[SkuBook, Line, Supply]:
    """Five a week; the first order of this week takes all five, the other's five come with a supply of next week."""
    book = book_with(week(quota), stock=5)
    placed(book, 5)
    supply = book.add_supply(Supply(1, A, "purchase", wanted, MONDAY + timedelta(days=9)))
    line = placed(book, wanted, number=2)
    assert given_in(book, MONDAY, MONDAY + timedelta(days=6)) == 5
    return book, line, supply


def test_what_arrives_before_its_week_waits_for_it() -> None:
    book, line, supply = _later_claim()
    book.receive(supply, 5, 0, "receipt", 1)
    book.settle(line, "test")
    assert line.allocated == 0
    assert [(p.kind, p.cause, p.quantity) for p in book.pegs_of(line)] == [(PegKind.OPEN, str(WaitsFor.QUOTA), 5)]


@pytest.mark.parametrize("quota", [5, 7])
def test_stock_that_comes_free_is_given_early_only_as_far_as_the_week_has_room(quota: int) -> None:
    book, line, supply = _later_claim(quota)
    book.redate_supply(supply, MONDAY + timedelta(days=30), "SUPPLIER", None)  # late: it may be rescued
    book.move(Movement(A, "adjusted", on_hand=20, cause_kind="test"))
    serve_waiting(book, NETWORK)
    assert line.allocated == quota - 5
    assert given_in(book, MONDAY, MONDAY + timedelta(days=6)) == quota, "what was given early counts now"
    assert sum(book.quota_shares[1, 2].values()) == 5


def test_the_search_of_other_places_and_a_late_supply_obey_the_week() -> None:
    book, line, supply = _later_claim()
    book.move(Movement(B, "adjusted", on_hand=20, cause_kind="test"))
    assert SiteSearch(book, NETWORK).search(line, Demand(0, ZONE, None, [A, B], 14)) == 0
    book.move(Movement(A, "adjusted", on_hand=20, cause_kind="test"))
    book.redate_supply(supply, MONDAY + timedelta(days=20), "SUPPLIER", None)
    repair(book, NETWORK, [supply], Cause(PromiseReason.SUPPLY_DELAYED), MovePolicy())
    assert line.allocated == 0


def test_supply_that_comes_earlier_pulls_nothing_into_a_week_that_is_full() -> None:
    book, line, supply = _later_claim()
    book.redate_supply(supply, MONDAY + timedelta(days=2), "SUPPLIER", None)
    repair(book, NETWORK, [supply], Cause(PromiseReason.SUPPLY_ADVANCED), MovePolicy(pull_in_days=1))
    assert [p.need_date >= MONDAY + timedelta(days=7) for p in book.pegs_of(line)] == [True]


def test_a_claim_of_the_last_day_of_a_window_may_be_served_from_its_first() -> None:
    friday = MONDAY + timedelta(days=4)
    book = book_with(week(5, MONDAY, friday, "WINDOW"))
    book.add_supply(Supply(1, A, "purchase", 5, friday))
    line = placed(book, 5)
    (peg,) = book.pegs_of(line)
    assert (peg.need_date, may_serve(book, peg, MONDAY)) == (friday, 5)


def test_a_claim_whose_day_was_moved_keeps_its_share_of_the_week_it_missed() -> None:
    book = book_with(week(5))
    supply = book.add_supply(Supply(1, A, "purchase", 5, MONDAY + timedelta(days=2)))
    line = placed(book, 5)
    book.redate_supply(supply, MONDAY + timedelta(days=12), "SUPPLIER", None)
    repair(book, NETWORK, [supply], Cause(PromiseReason.SUPPLY_DELAYED), MovePolicy())
    assert {p.need_date for p in book.pegs_of(line)} == {MONDAY + timedelta(days=12)}
    book.move(Movement(A, "adjusted", on_hand=5, cause_kind="test"))
    serve_waiting(book, NETWORK)
    assert line.allocated == 5
    assert given_in(book, MONDAY, MONDAY + timedelta(days=6)) == 5


@given(
    quota=st.integers(1, 6),
    orders=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    stock=st.integers(0, 12),
    late=st.integers(0, 12),
    supply_day=st.integers(1, 20),
)
def test_no_week_gives_more_than_its_quota(
    quota: int, orders: list[int], stock: int, late: int, supply_day: int
) -> None:
    """Place, then let stock come free in this week: what this week has given never exceeds its quota."""
    book = book_with(week(quota), stock)
    if late:
        book.add_supply(Supply(1, A, "purchase", late, MONDAY + timedelta(days=supply_day)))
    lines = [placed(book, units, number) for number, units in enumerate(orders, start=1)]
    book.move(Movement(A, "adjusted", on_hand=20, cause_kind="test"))
    serve_waiting(book, NETWORK)
    for supply in list(book.supplies):
        book.receive(supply, supply.open, 0, "receipt", 1)
    assert sum(line.allocated for line in lines) <= quota
    assert sum(book.quota_used.values()) == sum(orders)
    assert all(units >= 0 for units in book.quota_used.values())


def test_what_a_line_has_lost_is_covered_again_without_asking_the_quota() -> None:
    """The week is full, but the line's five were counted when they were promised: they are taken elsewhere."""
    book = book_with(week(5), stock=5)
    line = placed(book, 5)
    book.move(Movement(B, "adjusted", on_hand=5, cause_kind="test"))
    for peg in book.pegs_of(line):
        book.release(peg, 2, "count")
    book.move(Movement(A, "adjusted", on_hand=-2, cause_kind="test"))
    cover_again(book, NETWORK, line, 2, 14, [A, B])
    assert (line.allocated, given_in(book, MONDAY, MONDAY + timedelta(days=6))) == (5, 5)


def test_what_was_promised_before_there_was_a_quota_counts_nowhere() -> None:
    """Five were allocated, then a quota of two a week was set and the line enlarged by three: two now, one next week."""
    book = book_with(week(2), stock=20)
    quotas, book.quotas = book.quotas, []
    line = placed(book, 5)
    book.quotas = quotas
    line.ordered += 3
    demand = Demand(3, ZONE, None, [A], 14, allowances=allowances_for(book, Asker(), [A]))
    commit(book, line, propose(book, demand, NETWORK, NOW), PromiseReason.LINE_CHANGED)
    move_use(book, line, MONDAY)
    assert line.allocated == 7
    assert book.quota_shares[1, 1] == {MONDAY: 2, MONDAY + timedelta(days=7): 1}


def test_what_a_run_may_pull_into_a_week() -> None:
    """Seven a week, five of them used by the first line; the second was promised when there was no quota."""
    book = book_with(week(7), stock=5)
    first, second = placed(book, 5), Line(2, 2, 1, 4)
    book.lines[2] = second
    rooms = rooms_of(book)
    assert rooms is not None
    ((room,), monday) = rooms.quotas, MONDAY.toordinal()
    assert (room.windows[0], room.left[:2], list(room.own)) == ((monday, monday + 7), [2, 7], [1])
    days = [MONDAY + timedelta(days=n) for n in (0, 6, 7)]
    assert [counts_as(book, first, day, MONDAY) for day in days] == [True, True, False]
    assert [counts_as(book, second, day, MONDAY) for day in days] == [True] * 3, "nothing binds it"
    book.quotas = [week(7, MONDAY + timedelta(days=7))]
    assert counts_as(book, first, days[2], MONDAY), "today nothing is limited yet"
    del book.quota_shares[1, 1]
    assert rooms_of(book) is None


def test_a_line_that_is_rationed_is_not_bound_to_the_shelf_of_its_order() -> None:
    """Six of six lie at A, two may be claimed today: where the others come from, the answer for the line alone says."""
    books = [book_with(week(2), stock=6), book_with(week(9), stock=6)]
    for book in books:
        book.move(Movement(B, "adjusted", on_hand=3, cause_kind="test"))
    books[1].sku_id = 2
    asks = [
        Ask(book, Demand(6, ZONE, None, [A, B], 14, allowances=allowances_for(book, Asker(), [A, B]))) for book in books
    ]
    assert [demand.shelf for demand in with_shelves(asks, NETWORK, NOW)] == [None, {A: 6}]


def test_the_last_day_of_a_quota_is_one_of_its_days():
    quota = week(5, until=MONDAY + timedelta(days=2))
    allowance = allowance_of(quota, {MONDAY + timedelta(days=2): 2, MONDAY + timedelta(days=3): 9}, MONDAY)
    assert allowance is not None
    assert [allowance.left(MONDAY + timedelta(days=n), ()) for n in (0, 2, 3)] == [3, 3, None]


@pytest.mark.parametrize(
    ("names", "is_bound"),
    [
        ((None, None, None), True),
        (("web", None, None), True),
        (("app", None, None), False),
        ((None, 7, None), True),
        ((None, 8, None), False),
        (("web", None, "VIP"), True),
        (("web", 7, "GOLD"), False),
    ],
)
def test_a_quota_binds_who_is_all_that_it_names(names, is_bound):
    quota = Quota(1, *names, "WEEK", MONDAY, None, 3)
    assert binds(quota, Asker("web", 7, "VIP")) is is_bound


def test_who_ships_on_a_sunday_claims_the_week_that_ends_with_it():
    """Two a week: what is ordered anew is there on Sunday, and A, which ships from Monday on, is as near as B."""
    book = book_with(week(2))
    closed = Location(A, "1", "dc", "UTC", time(12), WorkCalendar(frozenset({1, 2, 3, 4, 5})))
    roads = Network(
        {**NETWORK.locations, A: closed}, {(A, ZONE): Lane(A, ZONE, 1, DAILY), (B, ZONE): Lane(B, ZONE, 2, DAILY)}
    )
    demand = Demand(4, ZONE, None, [A, B], 6, allowances=allowances_for(book, Asker(), [A, B]))
    found = propose(book, demand, roads, NOW)
    assert sorted((p.location_id, p.quantity, (p.ship_date - MONDAY).days) for p in found.slices) == [
        (A, 2, 7),
        (B, 2, 6),
    ]


def test_what_is_held_for_a_later_week_uses_that_week():
    book = book_with(week(2))
    for number, days in ((1, 7), (2, 8)):
        book.add_supply(Supply(number, A, "purchase", 2, MONDAY + timedelta(days=days)))
    held = [Hold(9, "mine", A, MONDAY + timedelta(days=7), 2)]
    demand = Demand(4, ZONE, None, [A], 14, held, allowances=allowances_for(book, Asker(), [A]))
    found = propose(book, demand, NETWORK, NOW)
    assert [(p.quantity, (p.ship_date - MONDAY).days) for p in found.slices] == [(2, 7), (2, 14)]
