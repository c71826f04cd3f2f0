"""Stock that expires: losses and ATP are those of a first-expired-first-out simulation, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from core.domain.availability import Step, Timeline, losses

TODAY = date(2026, 11, 2)
LAST = 12
"""Days that are simulated; nothing happens later."""

days = st.integers(0, LAST - 2)
steps = st.lists(st.tuples(days, st.integers(1, 9)), max_size=5)


def dated(found: list[tuple[int, int]]) -> list[Step]:
    return [(TODAY + timedelta(days=n), units) for n, units in found]


def simulate(
    lots: list[tuple[int, int]], supplies: list[tuple[int, int]], claims: list[tuple[int, int]]
) -> tuple[list[int], list[int]]:
    """(units lost by each day, balance at the end of each day); unmet claims wait and take what comes.

    `lots` are units by the first day on which they can no longer serve. Each day: spoil, receive, serve FEFO.
    """
    shelf = [[day, units] for day, units in sorted(lots)]
    fresh = short = gone = 0
    lost, balance = [], []
    for today in range(LAST):
        for lot in shelf:
            if lot[0] <= today:
                gone, lot[1] = gone + lot[1], 0
        fresh += sum(units for day, units in supplies if day == today)
        short += sum(units for day, units in claims if day == today)
        for lot in shelf:
            taken = min(short, lot[1])
            lot[1], short = lot[1] - taken, short - taken
        taken = min(short, fresh)
        fresh, short = fresh - taken, short - taken
        lost.append(gone)
        balance.append(sum(lot[1] for lot in shelf) + fresh - short)
    return lost, balance


def curve(lots: list[tuple[int, int]], supplies: list[tuple[int, int]], claims: list[tuple[int, int]]) -> Timeline:
    line = Timeline(TODAY)
    line.add(TODAY, sum(units for _, units in lots))
    for day, units in dated(supplies):
        line.add(day, units)
    for day, units in dated(claims):
        line.add(day, -units)
    line.expire(dated(lots), dated(claims))
    return line


def free_by_trial(
    lots: list[tuple[int, int]], supplies: list[tuple[int, int]], claims: list[tuple[int, int]], day: int
) -> int:
    """The most units that one more claim on `day` may take without making any day short that was not, or shorter."""
    _, before = simulate(lots, supplies, claims)
    units = 0
    while True:
        _, after = simulate(lots, supplies, [*claims, (day, units + 1)])
        if any(after[u] < min(0, before[u]) for u in range(day, LAST)):
            return units
        units += 1


@settings(max_examples=400, deadline=None)
@given(lots=steps, claims=steps)
def test_losses_are_those_of_the_simulation(lots: list[tuple[int, int]], claims: list[tuple[int, int]]) -> None:
    found = losses(dated(lots), dated(claims), TODAY)
    lost, _ = simulate(lots, [], claims)
    for day in range(LAST):
        level = max((units for when, units in found if when <= TODAY + timedelta(days=day)), default=0)
        assert level == lost[day]


@settings(max_examples=400, deadline=None)
@given(lots=steps, supplies=steps, claims=steps)
def test_atp_is_what_one_more_claim_may_take(
    lots: list[tuple[int, int]], supplies: list[tuple[int, int]], claims: list[tuple[int, int]]
) -> None:
    line = curve(lots, supplies, claims)
    for day in range(LAST):
        assert line.atp(TODAY + timedelta(days=day)) == free_by_trial(lots, supplies, claims, day)


@settings(max_examples=200, deadline=None)
@given(lots=steps, supplies=steps, claims=steps, day=days, part=st.integers(0, 100))
def test_a_claim_within_the_atp_makes_nobody_shorter(
    lots: list[tuple[int, int]], supplies: list[tuple[int, int]], claims: list[tuple[int, int]], day: int, part: int
) -> None:
    line = curve(lots, supplies, claims)
    when = TODAY + timedelta(days=day)
    units = line.atp(when) * part // 100
    before = line.atp(when)
    line.add(when, -units)
    assert line.atp(when) == before - units
    assert line.steps() == curve(lots, supplies, [*claims, (day, units)]).steps()


def test_units_that_expire_can_be_sold_until_then_and_not_after() -> None:
    line = curve([(5, 10)], [(7, 4)], [])
    assert line.steps() == [(TODAY, 10), (TODAY + timedelta(days=5), 0), (TODAY + timedelta(days=7), 4)]
    sold = line.keeping(dated([(5, 10)]), taken=10)
    assert sold.steps() == [(TODAY, 0), (TODAY + timedelta(days=7), 4)]


@pytest.mark.parametrize(("keep", "free"), [(0, 10), (4, 10), (5, 0)])
def test_who_needs_life_at_delivery_sees_less(keep: int, free: int) -> None:
    line = curve([(5, 10)], [], [])
    assert line.keeping([(TODAY + timedelta(days=5 - keep), 10)]).atp() == free
