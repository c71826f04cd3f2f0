"""A run on a book of one SKU with classes, quotas, holds and slipped supply: carried out, a second one moves nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.domain.book import SkuBook
from core.domain.promising import commit, promise, propose
from core.domain.records import Hold, Quota, Supply
from core.domain.repromising.books import raw_of_books
from core.domain.repromising.effects import Effect
from core.domain.repromising.plan import make_plan
from core.domain.repromising.publish import CAUSE, apply, moved_parts
from core.domain.repromising.segments import Facts
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.strategies import Reaction, Strategy
from core.domain.repromising.variant import Budget, Segment, Sorter, SortField, Variant
from core.domain.states import OrderLineStatus, PegKind, PromiseReason
from tests.unit.test_promise_solver import CLASSES, LEAD, ask, markets
from tests.unit.test_promising_properties import A, B, R, line_of, network

PLACES = np.array([A, B, R, 4])


@st.composite
def worlds_of_lines(draw):
    """A market in which a few lines were promised, and what came after them: stock, supply, a supply that slips."""
    book, roads, now = draw(markets())
    order = draw(st.permutations(range(1, 5)))
    for number in range(1, draw(st.integers(2, 4)) + 1):
        units, sources = draw(st.integers(1, 6)), draw(st.sampled_from(([A], [B], [A, B])))
        line = line_of(units, order[number - 1])
        line.demand_class, line.order_id = draw(st.sampled_from(CLASSES)), line.id or 0
        wanted = draw(st.sampled_from([None, None, 3, 9]))
        demand = ask(book, units, sources, line.demand_class)
        if wanted is not None:
            line.requested_date = now.date() + timedelta(days=wanted)
            demand = replace(demand, requested_date=line.requested_date)
        book.lines[line.id or 0] = line
        proposal = propose(book, demand, roads, now)
        commit(book, line, proposal, PromiseReason.PLACED)
        promise(book, line, roads, now, PromiseReason.PLACED, cause_kind="PLACED")
    for place, units in draw(st.lists(st.tuples(st.sampled_from((A, B)), st.integers(1, 6)), max_size=1)):
        book.level(place).on_hand += units
    for supply in book.supplies:
        if draw(st.sampled_from([False, False, True])):
            supply.usable_date += timedelta(days=draw(st.integers(-6, 6)))
    book.forget_curves()
    return book, roads


def raw_of(book: SkuBook):
    lines = [book.lines[key] for key in sorted(book.lines)]

    def days(values):
        return np.array([0 if day is None else day.toordinal() for day in values], np.int64)

    zeros = np.zeros(len(lines), np.int64)
    facts = Facts(
        np.array([line.id for line in lines]),
        np.array([line.order_id for line in lines]),
        None,
        days(line.ship_by for line in lines),
        days(line.requested_date for line in lines),
        days(line.promised for line in lines),
        zeros,
        np.zeros(len(lines), bool),
        {"class": np.array([CLASSES.index(line.demand_class) for line in lines])},
        {"class": list(CLASSES)},
        book.today[A].toordinal(),
        np.ones(len(lines), bool),
    )
    where = np.array([int(np.flatnonzero(line.location_id == PLACES)[0]) for line in lines])
    return raw_of_books({1: book}, facts, PLACES, where, zeros + 4, {1: LEAD})


def plan(book: SkuBook, roads, variant: Variant):
    raw = raw_of(book)
    found = make_plan(raw, variant, roads, solver=solve_steps).changes(raw, variant)
    return [change for change in found if change.effect is not Effect.EXCEPTION]


STRATEGY = st.sampled_from([s for s in Strategy if s is not Strategy.LOSE])
VARIANTS = st.builds(
    lambda strategy, reaction: Variant(
        (Segment("all", strategy),), (Sorter(SortField.PLACED),), Budget(None, None), reaction
    ),
    STRATEGY,
    st.sampled_from(Reaction),
)


def carry_out(book: SkuBook, roads, variant: Variant) -> None:
    changes = plan(book, roads, variant)
    moves = {change.line_id: moved_parts(change.before, change.after) for change in changes}
    why = {change.line_id: {"effect": str(change.effect), "why": str(change.why)} for change in changes}
    apply(book, roads, 1, moves, why, reallocates=variant.reallocates)


def told(book: SkuBook) -> Counter[tuple]:
    """What every line has or is promised, by place and day."""
    found: Counter[tuple] = Counter()
    for peg in book.pegs:
        if peg.line is not None:
            found[peg.line.id, peg.location_id, peg.need_date, peg.kind == PegKind.HARD] += peg.quantity
    return found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(worlds_of_lines(), VARIANTS)
def test_a_second_run_moves_nothing(world, variant):
    book, roads = world
    carry_out(book, roads, variant)
    anew = book.today[A] + timedelta(days=LEAD)
    assume(
        all(p.need_date >= anew for p in book.pegs if p.kind == PegKind.OPEN and p.cause == CAUSE)
    )  # all found units
    before, promises = told(book), len(book.promises)
    carry_out(book, roads, variant)
    assert told(book) == before
    assert len(book.promises) == promises


def test_who_comes_earlier_leaves_its_week_to_those_before_it_too():
    """Three units a week. The second line has all of next week and goes out today: the first then has a place in it.

    It takes the unit that is there on Monday, which the second had been given on top of two: one run settles both.
    """
    today = date(2026, 11, 6)
    monday, later = today + timedelta(days=3), today + timedelta(days=10)
    book = SkuBook(1, "S", 1, datetime(2026, 11, 6, 3, tzinfo=UTC), dict.fromkeys((A, B, R, 4), today), {})
    book.level(A).on_hand = 6
    book.holds.append(Hold(1, "cart", A, today + timedelta(days=5), 5))
    book.quotas.append(Quota(1, None, None, None, "WEEK", date(2026, 11, 5), None, 3))
    book.quota_used = {(1, monday): 3, (1, later): 2}
    book.quota_shares = {(1, 2): {monday: 3, later: 1}, (1, 1): {later: 1}}
    for number, (day, units) in enumerate(((monday, 1), (monday, 1), (later - timedelta(days=2), 10)), start=1):
        book.supplies.append(Supply(number, A, "purchase", units, day, paper_date=day))
    for number, units, parts in ((1, 1, [(later, 1)]), (2, 4, [(monday, 3), (later, 1)])):
        line = line_of(units, number)
        line.order_id, line.location_id, line.promised = number, A, later
        line.status, line.backordered = OrderLineStatus.BACKORDERED, units
        book.lines[number] = line
        for day, part in parts:
            book.peg_dated(line, A, day, part, "PLACED")
    book.lines[1].requested_date = book.lines[1].ship_by = monday
    variant = Variant((Segment("all", Strategy.REDISTRIBUTE),), (Sorter(SortField.PLACED),), Budget(None, None))
    roads = network((1, 1, 1), weekends=True)
    carry_out(book, roads, variant)
    before = told(book)
    assert before[1, A, monday, False] == 1
    carry_out(book, roads, variant)
    assert told(book) == before
