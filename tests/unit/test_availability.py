"""Cumulative ATP with look-ahead: the published table, the definition, and the properties that follow from it."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.availability import Timeline
from core.domain.records import Supply

D0 = date(2026, 11, 2)


def day(n: int) -> date:
    return D0 + timedelta(days=n)


def test_published_table():
    """On hand 20, -3 d1, +10 d3, -15 d4, +1 d5, +3 d6 gives 12, 12, 12, 12, 13, 16, 16 for d1 to d7."""
    curve = Timeline(day(1), [(day(1), 20), (day(1), -3), (day(3), 10), (day(4), -15), (day(5), 1), (day(6), 3)])
    assert [curve.atp(day(n)) for n in range(1, 8)] == [12, 12, 12, 12, 13, 16, 16]
    assert curve.steps() == [(day(1), 12), (day(5), 13), (day(6), 16)]
    assert curve.earliest(13) == day(5)
    assert curve.earliest(17) is None
    assert curve.binding(day(1)) == day(4)


def test_the_look_ahead_does_not_end():
    """A promise far away keeps its supply: the horizon bounds what is answered, not what is looked at."""
    curve = Timeline(D0, [(day(10), 5), (day(400), -5)])
    assert curve.atp(day(10)) == 0
    assert curve.steps() == [(D0, 0)]


def test_what_is_overdue_counts_today():
    curve = Timeline(D0, [(day(-5), -3), (day(2), 9), (day(-1), 7)])
    assert curve.steps() == [(D0, 4), (day(2), 13)], "no step lies in the past"
    assert (curve.atp(), curve.earliest(4), curve.binding(D0)) == (4, D0, D0)


def test_supply_counts_on_its_day_and_slides_once_that_has_passed():
    supply = Supply(1, 1, "purchase", 5, D0, overdue_days=3)
    assert [supply.effective_date(day(n)) for n in (-4, 0, 1, 9)] == [D0, D0, day(4), day(12)]


events = st.lists(st.tuples(st.integers(-3, 40), st.integers(-30, 30)), max_size=25)


def by_definition(entries: list[tuple[int, int]], at: int) -> int:
    """ATP(t) read day by day from the formula."""
    last = max([n for n, _ in entries] + [at, 0])
    balances = [sum(q for n, q in entries if max(n, 0) <= u) for u in range(at, last + 1)]
    return max(0, min(balances))


@given(events, st.integers(0, 45))
@settings(max_examples=300)
def test_equals_the_definition(entries, at):
    curve = Timeline(D0, [(day(n), q) for n, q in entries])
    assert curve.atp(day(at)) == by_definition(entries, at)


@given(events)
def test_never_negative_and_never_falling(entries):
    steps = Timeline(D0, [(day(n), q) for n, q in entries]).steps()
    values = [quantity for _, quantity in steps]
    assert min(values) >= 0
    assert values == sorted(values)
    assert [d for d, _ in steps] == sorted({d for d, _ in steps})


@given(events, st.integers(0, 40), st.integers(1, 30), st.integers(0, 45))
def test_more_supply_never_lowers_any_answer(entries, when, quantity, at):
    curve = Timeline(D0, [(day(n), q) for n, q in entries])
    before = curve.atp(day(at))
    curve.add(day(when), quantity)
    assert curve.atp(day(at)) >= before


@given(events, st.integers(0, 40), st.integers(0, 45), st.data())
def test_booking_lowers_by_exactly_that_from_its_day_on(entries, when, at, data):
    curve = Timeline(D0, [(day(n), q) for n, q in entries])
    quantity = data.draw(st.integers(0, curve.atp(day(when))))
    before = curve.atp(day(at))
    curve.add(day(when), -quantity)
    lost = before - curve.atp(day(at))
    assert lost == quantity if at >= when else 0 <= lost <= quantity


@given(events, st.integers(0, 40), st.integers(1, 20))
def test_releasing_a_hold_restores_the_curve(entries, when, quantity):
    curve = Timeline(D0, [(day(n), q) for n, q in entries])
    before = curve.steps()
    curve.add(day(when), -quantity)
    curve.add(day(when), quantity)
    assert curve.steps() == before


@given(events, st.integers(0, 20), st.integers(1, 20))
@settings(max_examples=300)
def test_a_claim_moves_forward_as_far_as_no_day_between_needs_it(entries, at, further):
    """What is short from its old day on anyway binds nobody."""
    curve, until = Timeline(D0, [(day(n), q) for n, q in entries]), at + further
    balances = [sum(q for n, q in entries if max(n, 0) <= u) for u in range(at, until)]
    assert curve.free_until(day(at), day(until)) == max(0, min(balances))


def test_others_who_wait_take_all_that_they_may_the_ones_who_keep_off_most_first():
    """Ten: one class wants eight and leaves five, another wants three and leaves nothing. Five and three are taken."""
    line = Timeline(day(0), [(day(0), 10)])
    for name, units, floor in (("keeps", 8, 5), ("takes", 3, 0)):
        line.wait(name, day(0), units)
        line.keep_from(name, day(0), floor)
    assert line.atp() == 2


def test_what_is_overdue_is_believed_to_come_so_many_days_from_today():
    overdue = Supply(1, 1, "purchase", 4, day(-5), overdue_days=3)
    assert [overdue.effective_date(day(n)) for n in (-6, -5, -4, 0)] == [day(-5), day(-5), day(-1), day(3)]
