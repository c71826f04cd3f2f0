"""Delivery proposals against a small brute-force solver, and the properties of section 1 of the methods."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from core.domain.allowance import Allowance, WaitsFor, room
from core.domain.book import SkuBook
from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.promising import Demand, available_now, commit, propose
from core.domain.records import Hold, Line, Peg, StockLevel, Supply
from core.domain.states import OrderLineStatus, PegKind, PromiseReason

MONDAY = date(2026, 11, 2)
A, B, R, ZONE = 1, 2, 3, 4
LAST = 25
WEEK = WorkCalendar(frozenset({1, 2, 3, 4, 5}))
DAILY = WorkCalendar(frozenset(range(1, 8)))


def network(transit: tuple[int, int, int], *, weekends: bool) -> Network:
    calendar = DAILY if weekends else WEEK
    places = {
        number: Location(number, code, kind, "UTC", time(12), calendar)
        for number, code, kind in ((A, "A", "dc"), (B, "B", "dc"), (R, "R", "warehouse"), (ZONE, "Z", "destination"))
    }
    days = {(A, ZONE): transit[0], (B, ZONE): transit[1], (R, A): transit[2]}
    return Network(places, {(a, b): Lane(a, b, n, calendar) for (a, b), n in days.items()})


quantities = st.integers(1, 9)
offsets = st.integers(-2, 14)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[SkuBook, Network, datetime]:
    today = MONDAY + timedelta(days=draw(st.integers(0, 6)))
    now = datetime.combine(today, time(draw(st.sampled_from((9, 15)))), UTC)
    book = SkuBook(1, "S", 1, now, dict.fromkeys((A, B, R, ZONE), today))
    for place in (A, B, R):
        book.levels[place] = StockLevel(place, draw(st.integers(0, 8)))
    at = st.sampled_from((A, A, B, R))
    for place, day, units in draw(st.lists(st.tuples(at, offsets, quantities), max_size=4)):
        overdue = draw(st.integers(0, 3))
        book.supplies.append(
            Supply(len(book.supplies) + 1, place, "purchase", units, today + timedelta(days=day), overdue_days=overdue)
        )
    for number, (place, day, units) in enumerate(draw(st.lists(st.tuples(at, offsets, quantities), max_size=3))):
        book.pegs.append(Peg(number + 1, place, today + timedelta(days=day), units, PegKind.OPEN, line_id=900 + number))
    for place, day, units in draw(st.lists(st.tuples(at, offsets, quantities), max_size=1)):
        book.holds.append(Hold(1, "g", place, max(today, today + timedelta(days=day)), units))
    for place, day, units in draw(st.lists(st.tuples(at, offsets, st.integers(0, 4)), max_size=2)):
        steps = book.protected.setdefault("", {}).setdefault(place, [])
        steps.append((today + timedelta(days=day), units))
        steps.sort()
    transit = draw(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)))
    return book, network(transit, weekends=draw(st.booleans())), now


def balance(book: SkuBook, place: int, day: date) -> int:
    """P(day) - SS(day), read from the definition."""
    today = book.today[place]
    total = book.level(place).available
    total += sum(s.open for s in book.supplies if s.location_id == place and s.effective_date(today) <= day)
    total -= sum(p.quantity for p in book.pegs if p.location_id == place and p.kind != "HARD" and p.need_date <= day)
    total -= sum(h.quantity for h in book.holds if h.location_id == place and h.need_date <= day)
    return total - book.protected_at(place, "", day)


def atp(book: SkuBook, place: int, day: date) -> int:
    days = [book.today[place] + timedelta(days=n) for n in range(LAST + 10)]
    return max(0, min(balance(book, place, u) for u in days if u >= day))


def brute_complete_day(book: SkuBook, roads: Network, now: datetime, sources: list[int], quantity: int) -> date | None:
    """The first day by which `quantity` can have arrived: every day is tried, every source by its last ship day."""
    for n in range(LAST):
        target, total = book.today[A] + timedelta(days=n), 0
        for place in sources:
            first = roads.first_ship_day(place, now)
            days = [book.today[place] + timedelta(days=k) for k in range(LAST)]
            ships = [d for d in days if d >= first and roads.ship_day_from(place, d) == d]
            ships = [d for d in ships if (roads.delivery_date(place, ZONE, d) or d) <= target]
            total += atp(book, place, max(ships)) if ships else 0
        if A in sources:
            arrives = roads.arrive(roads.lanes[R, A], roads.first_ship_day(R, now))
            ship = roads.ship_day_from(A, arrives)
            if (roads.delivery_date(A, ZONE, ship) or ship) <= target:
                total += min(atp(book, R, book.today[R]), max(0, book.level(R).available))
        if total >= quantity:
            return target
    return None


def complete_day(proposal) -> date:
    return max(part.delivery_date or part.ship_date for part in proposal.slices)


def line_of(quantity: int, number: int = 1) -> Line:
    return Line(number, 1, number, quantity, open=quantity, status=OrderLineStatus.VALIDATED, destination_id=ZONE)


def check_earliest(world, quantity: int, sources: list[int]) -> None:
    book, roads, now = world
    demand = Demand(quantity, ZONE, None, sources, lead_time_days=LAST - 5)
    proposal = propose(book, demand, roads, now)
    assert proposal.quantity == quantity
    again = [(place, roads.ship_day_from(place, book.today[place] + timedelta(days=LAST - 5))) for place in sources]
    anew = min(roads.delivery_date(place, ZONE, day) or day for place, day in again)
    brute = brute_complete_day(book, roads, now, sources, quantity)
    assert complete_day(proposal) == (anew if brute is None else min(brute, anew))


def check_breaks_nothing(world, quantity: int, sources: list[int], requested: int | None = None) -> None:
    book, roads, now = world
    asked = None if requested is None else book.today[A] + timedelta(days=requested)
    days = [book.today[A] + timedelta(days=n) for n in range(LAST + 10)]
    before = {(place, u): balance(book, place, u) for place in (A, B, R) for u in days}
    proposal = propose(book, Demand(quantity, ZONE, asked, sources, lead_time_days=LAST - 5), roads, now)
    commit(book, line_of(quantity), proposal, PromiseReason.PLACED)
    anew = [s for s in proposal.slices if s.kind == "LEAD_TIME"]
    for (place, u), was in before.items():
        unsourced = sum(s.quantity for s in anew if s.location_id == place and s.ship_date <= u)
        assert balance(book, place, u) + unsourced >= min(was, 0), (place, u)


sources = st.sampled_from(([A], [A, B], [B, A], [B]))


@given(worlds(), st.integers(1, 20), sources)
@settings(max_examples=250, deadline=None)
def test_the_proposal_is_the_earliest_complete_one(world, quantity, sources):
    check_earliest(world, quantity, sources)


@given(worlds(), st.integers(1, 20), sources, st.none() | st.integers(0, 18))
@settings(max_examples=250, deadline=None)
def test_no_proposal_breaks_an_existing_promise(world, quantity, sources, requested):
    check_breaks_nothing(world, quantity, sources, requested)


@pytest.mark.long
@given(worlds(), st.integers(1, 25), sources, st.none() | st.integers(0, 18))
@settings(max_examples=6_000, deadline=None)
def test_thousands_of_proposals(world, quantity, sources, requested):
    check_earliest(deepcopy(world), quantity, sources)
    check_breaks_nothing(world, quantity, sources, requested)


@given(worlds(), st.integers(1, 12), sources)
@settings(max_examples=150, deadline=None)
def test_what_is_shown_as_available_is_allocated_at_most(world, quantity, sources):
    book, roads, now = world
    free = available_now(book, sources)
    line = line_of(quantity)
    proposal = propose(book, Demand(quantity, ZONE, None, sources), roads, now)
    commit(book, line, proposal, PromiseReason.PLACED)
    assert line.allocated <= min(quantity, free)
    if all(s.kind == "ON_HAND" for s in proposal.slices):
        assert line.allocated == quantity
    elif proposal.slices and complete_day(proposal) > max(
        roads.delivery_date(place, ZONE, roads.first_ship_day(place, now)) or now.date() for place in sources
    ):
        assert line.allocated == min(quantity, free), "later than any shelf: all stock is taken first"


@given(worlds(), st.integers(0, 12), st.integers(1, 9), st.integers(0, 20), st.sampled_from((A, B)))
@settings(max_examples=150, deadline=None)
def test_adding_supply_never_lowers_and_never_delays(world, when, units, at, place):
    book, roads, now = world
    day = book.today[place] + timedelta(days=at)
    before = book.timeline(place).atp(day)
    early = complete_day(propose(book, Demand(7, ZONE, None, [A, B]), roads, now))
    book.add_supply(Supply(None, place, "purchase", units, book.today[place] + timedelta(days=when)))
    assert book.timeline(place).atp(day) >= before
    assert complete_day(propose(book, Demand(7, ZONE, None, [A, B]), roads, now)) <= early


@given(worlds(), st.integers(0, 12), st.integers(1, 9), st.sampled_from((A, B, R)))
@settings(max_examples=100, deadline=None)
def test_an_expired_hold_restores_the_curve(world, when, units, place):
    book, _, _ = world
    before = book.timeline(place).steps()
    hold = Hold(7, "x", place, book.today[place] + timedelta(days=when), units)
    book.add_hold(hold)
    book.drop_hold(hold)
    assert book.timeline(place).steps() == before


def units_by(proposal, last: date) -> int:
    return sum(part.quantity for part in proposal.slices if (part.delivery_date or part.ship_date) <= last)


@given(worlds(), st.integers(1, 12), st.integers(1, 6), st.integers(1, 12), st.sampled_from((A, B)))
@settings(max_examples=250, deadline=None)
def test_what_the_asker_holds_for_a_later_day_makes_nothing_later(world, quantity, units, at, place):
    """Against the worlds in which nobody holds it and in which somebody else does; no promise breaks."""
    book, roads, now = world
    day = book.today[place] + timedelta(days=at)
    units = min(units, book.timeline(place).atp(day))
    if not units:
        return
    held = Hold(9, "mine", place, day, units)
    other, question = deepcopy(book), Demand(quantity, ZONE, None, [place], lead_time_days=LAST - 5)
    nobody = propose(deepcopy(book), question, roads, now)
    other.add_hold(held)
    foreign = propose(other, question, roads, now)
    own = propose(book, Demand(quantity, ZONE, None, [place], LAST - 5, [held]), roads, now)
    assert own.quantity == quantity
    days = [book.today[place] + timedelta(days=n) for n in range(LAST + 10)]
    for u in days:
        assert units_by(own, u) >= max(units_by(foreign, u), units_by(nobody, u)), u
    before = {u: balance(other, place, u) for u in days}
    commit(book, line_of(quantity), own, PromiseReason.PLACED)
    for u in days:
        unsourced = sum(s.quantity for s in own.slices if s.kind == "LEAD_TIME" and s.ship_date <= u)
        assert balance(book, place, u) + unsourced >= min(before[u], 0), u


@given(worlds(), st.integers(1, 20), st.lists(st.tuples(st.integers(1, 12), st.integers(0, 9)), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_no_claim_is_before_its_quota_allows_it(world, quantity, windows):
    book, roads, now = world
    today = book.today[A]
    steps = [(today + timedelta(days=day - 1), units) for day, units in sorted(windows)]
    quota = Allowance((*steps, (today + timedelta(days=14), None)), WaitsFor.QUOTA)
    proposal = propose(book, Demand(quantity, ZONE, None, [A, B], allowances=[quota]), roads, now)
    assert proposal.quantity == quantity
    claims = [(today if s.kind == "ON_HAND" else s.ship_date, s.quantity) for s in proposal.slices]
    for (start, units), (end, _) in pairwise(((date.min, 0), *quota.steps)):
        assert sum(taken for day, taken in claims if start <= day < end) <= (units or 0)
    free = available_now(book, [A, B], allowances=[quota])
    assert proposal.available_now <= free <= (room([quota], today, []) or 0)


@given(
    worlds(), st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(0, 14), sources), min_size=1, max_size=4)
)
@settings(max_examples=100, deadline=None)
def test_what_is_confirmed_is_never_more_than_what_is_supplied(world, orders):
    """At every location and day, from a start nobody has claimed: claims with a source, against stock and supply by then."""
    book, roads, now = world
    book.pegs.clear()
    book.holds.clear()
    book.protected.clear()
    book.forget_curves()
    for number, (quantity, asked, places) in enumerate(orders, start=1):
        line = line_of(quantity)
        line.id = number
        day = None if asked is None else book.today[A] + timedelta(days=asked)
        commit(book, line, propose(book, Demand(quantity, ZONE, day, places), roads, now), PromiseReason.PLACED)
    for place in (A, B, R):
        today = book.today[place]
        for n in range(LAST):
            until = today + timedelta(days=n)
            supplied = book.level(place).on_hand
            supplied += sum(
                s.open for s in book.supplies if s.location_id == place and s.effective_date(today) <= until
            )
            confirmed = book.level(place).allocated + sum(
                p.quantity for p in book.pegs if p.location_id == place and p.kind == "FIRM" and p.need_date <= until
            )
            assert confirmed <= supplied, (place, until)
