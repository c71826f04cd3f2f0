"""What quotas leave to a run: never more than they allow, never less than what trying everything finds."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.repromising.pool import Claim, Pool, Step, solve
from core.domain.repromising.rooms import Room, Rooms
from core.domain.repromising.strategies import Reaction, Strategy

WEEKS = [(0, 5), (5, 10), (10, 15)]
LATE = 30


def week_of(day: int) -> int:
    return next(number for number, (first, end) in enumerate(WEEKS) if first <= day < end)


@st.composite
def cases(draw):
    """Lines that are all promised for the last week, free supply before it, and what the quota leaves of each week."""
    supply = draw(st.lists(st.tuples(st.integers(0, 14), st.integers(1, 3)), min_size=1, max_size=3))
    left = [draw(st.integers(0, 3)) for _ in WEEKS]
    claims, own, late = [], {}, 0
    for number in range(draw(st.integers(1, 2))):
        quantity = draw(st.integers(1, 3))
        late += quantity
        claims.append(
            Claim(number, quantity, 0, LATE, number, draw(st.sampled_from([Strategy.IMPROVE, Strategy.REDISTRIBUTE])),
                (Step(12, quantity, 12),), 0, 0, number)
        )  # fmt: skip
        first = draw(st.integers(0, quantity))
        own[number] = [first, min(quantity, first + draw(st.integers(0, 1))), 0]
    return Pool(
        [*supply, (12, late), *((first, 0) for first, _ in WEEKS)], (), {}, Rooms([Room(WEEKS, left, own)])
    ), claims


def curve(parts, day):
    return sum(units for when, units in parts if when <= day)


@settings(max_examples=200, deadline=None)
@given(cases(), st.sampled_from(Reaction))
def test_by_rank_each_line_comes_as_early_as_supply_and_quota_allow(case, reaction):
    pool, claims = case
    assert pool.rooms is not None
    room = pool.rooms.quotas[0].copy()
    outcomes = solve(pool, claims, reaction)
    assert min(pool.rooms.quotas[0].left) >= 0
    days = range(15)
    supply = [sum(units for day, units in pool.events if day <= t) for t in days]
    left, taken = list(room.left), [0] * len(days)
    waiting = {claim.id: claim.quantity for claim in claims}
    for claim in claims:
        del waiting[claim.id]
        best = None
        for parts in itertools.combinations_with_replacement(days, claim.quantity):
            mine = [sum(day <= t for day in parts) for t in days]
            others = [sum(waiting.values()) if t >= 12 else 0 for t in days]  # whoever comes after keeps what it has
            if any(a + b + c > s for a, b, c, s in zip(mine, taken, others, supply, strict=True)):
                continue
            used, spent = 0, []
            for week, (_, end) in enumerate(WEEKS):
                base = (claim.quantity if end > 12 else 0) + room.own[claim.id][week]
                spent.append(max(0, mine[end - 1] - base - used))
                used += spent[-1]
            if all(units <= have for units, have in zip(spent, left, strict=True)) and (best is None or mine > best[0]):
                best = (mine, spent)
        assert best is not None
        found = [curve(outcomes[claim.id].steps, t) for t in days]
        if claim.strategy is Strategy.IMPROVE and all(c.strategy is Strategy.IMPROVE for c in claims):
            assert found == best[0]
        taken = [t + f for t, f in zip(taken, found, strict=True)]
        used = 0
        for week, (_, end) in enumerate(WEEKS):
            base = (claim.quantity if end > 12 else 0) + room.own[claim.id][week]
            more = max(0, found[end - 1] - base - used)
            left[week] -= more
            used += more
        assert min(left) >= 0


def test_two_pools_of_a_sku_share_what_a_week_has_left():
    rooms = Rooms([Room(WEEKS, [2, 0, 0], {7: [1, 1, 0], 8: [0, 0, 0]})])
    late = (Step(12, 3, 12),)
    one = solve(Pool([(1, 9)], (), {}, rooms), [Claim(0, 3, 0, LATE, 0, Strategy.IMPROVE, late, 0, 0, 7)])
    two = solve(Pool([(1, 9), (12, 3)], (), {}, rooms), [Claim(0, 3, 0, LATE, 0, Strategy.IMPROVE, late, 0, 0, 8)])
    assert one[0].steps == ((1, 3),)
    assert two[0].steps == ((12, 3),)
    assert rooms.quotas[0].left == [0, 0, 0]


def test_what_a_line_has_of_its_own_is_given_once_over_all_pools():
    rooms = Rooms([Room(WEEKS, [0, 0, 0], {7: [2, 2, 0]})])
    pool = Pool([(1, 9), (12, 3), (10, 0)], (), {}, rooms)
    claim = Claim(0, 3, 0, LATE, 0, Strategy.IMPROVE, (Step(12, 3, 12),), 0, 0, 7)
    assert solve(pool, [claim])[0].steps == ((1, 2), (10, 1))
    assert solve(pool, [claim])[0].steps == ((10, 3),)


def test_whoever_comes_earlier_leaves_its_place_in_the_later_week_to_the_next():
    first, then = (
        Claim(n, 1, 0, LATE, n, Strategy.REDISTRIBUTE, (Step(day, 1, day),), 0, 0, n) for n, day in ((0, 7), (1, 12))
    )
    room = Room(WEEKS, [1, 0, 0], {0: [0, 0, 0], 1: [0, 0, 0]}, {0: [0, 1, 0], 1: [0, 0, 1]})
    found = solve(Pool([(0, 1), (5, 1), (7, 1), (12, 1)], rooms=Rooms([room])), [first, then])
    assert [found[n].steps for n in (0, 1)] == [((0, 1),), ((5, 1),)]
