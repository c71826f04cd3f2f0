"""The rule of re-promising: its bounds, a brute force, the array path against the step-by-step one, and its promises."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.repromising.arrays import solve_arrays
from core.domain.repromising.columns import Claims, Events, Market, sorted_with_order, stable_order
from core.domain.repromising.pool import Claim, Outcome, Pool, Step, present_promise, promised, solve
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.strategies import CODE, Reaction, Strategy, bounds, confirm

TODAY, END = 0, 12
FALLBACK = 10


def curve(parts, days=range(END + 1)):
    return [sum(units for day, units, *_ in parts if day <= t) for t in days]


@st.composite
def pools(draw, strategies=tuple(Strategy), *, has_classes=True):
    """A pool whose present confirmations have sources; some sources have slipped since."""
    stock = draw(st.integers(0, 6))
    supplies = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), max_size=4))
    left = [[TODAY, TODAY, stock], *[[day, draw(st.sampled_from([day, day, day, day + 2])), q] for day, q in supplies]]
    claims = []
    ranks = draw(st.permutations(range(5)))
    for number in range(draw(st.integers(1, 5))):
        quantity = draw(st.integers(1, 5))
        wanted = draw(st.sampled_from([TODAY, TODAY, 3, 6]))
        steps, rest = [], quantity
        for _ in range(draw(st.integers(0, 2))):
            source = left[draw(st.integers(0, len(left) - 1))]
            units = min(rest, source[2], draw(st.integers(0, 5)))
            if units:
                source[2] -= units
                rest -= units
                steps.append(Step(max(source[0], draw(st.sampled_from([source[0], wanted]))), units, source[1]))
        open_day = draw(st.sampled_from([max(wanted, FALLBACK), max(wanted, 5), -1])) if rest else 0
        fallback = open_day if rest and open_day >= TODAY else max(wanted, FALLBACK)
        strategy = draw(st.sampled_from(strategies))
        of_class = draw(st.integers(0, 2))
        claims.append(
            Claim(number, quantity, wanted, fallback, ranks[number], strategy, tuple(steps), open_day, of_class)
        )
    kept_back, released = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    reserved = [(draw(st.integers(0, 4)), kept_back), (draw(st.integers(4, 8)), -min(kept_back, released))]
    events = [(TODAY, stock), *((now, q) for (_, now, _), (_, q) in zip(left[1:], supplies, strict=True))]
    classed = {}
    if has_classes and draw(st.booleans()):  # class 1 may have protected stock of its own, class 2 has none
        own = draw(st.integers(0, 4))
        classed[1] = [(draw(st.integers(0, 6)), own), *((day, -units) for day, units in reserved)]
    return Pool(events, reserved, classed), [c if c.of_class in classed else replace(c, of_class=0) for c in claims]


def as_arrays(cases):
    """Several pools as the array path takes them, and the claim behind each row."""
    claims, steps, events, reserved = [], [], [], []
    for number, (pool, mine) in enumerate(cases):
        events += [(number, *event) for event in pool.events]
        reserved += [(number, *event) for event in pool.reserved]
        for claim in mine:
            steps += [(len(claims), s.day, s.quantity, s.source_day) for s in claim.steps]
            claims.append((number, claim))

    def column(rows, index):
        return np.array([row[index] for row in rows], np.int64)

    facts = [
        (n, c.quantity, c.wanted, c.fallback, c.open_day if c.open else c.fallback, CODE[c.strategy]) for n, c in claims
    ]
    arrays = Claims(
        *(column(facts, i) for i in range(5)),
        column(facts, 5).astype(np.int8),
        *(column(steps, i) for i in range(4)),
    )
    ranks = np.array([c.rank for _, c in claims], np.int64)
    return (
        arrays,
        Market(
            len(cases),
            Events(*(column(events, i) for i in range(3))),
            Events(*(column(reserved, i) for i in range(3))),
        ),
        lambda rows: ranks[rows],
        claims,
    )


def is_same(claim: Claim, outcome: Outcome) -> bool:
    if claim.is_late and not outcome.is_kept:
        return False
    return by_day(promised(claim, outcome)) == by_day(present_promise(claim))


def by_day(parts) -> dict[int, int]:
    found: dict[int, int] = {}
    for day, units, _ in parts:
        found[day] = found.get(day, 0) + units
    return found


@settings(max_examples=400, deadline=None)
@given(st.lists(pools(has_classes=False), min_size=1, max_size=4), st.sampled_from(Reaction))
def test_both_paths_give_one_answer(cases, reaction):
    arrays, market, rank, claims = as_arrays(cases)
    answer = solve_arrays(arrays, market, rank, reaction)
    expected, exceptions = {}, []
    for number, (pool, mine) in enumerate(cases):
        outcomes = solve(pool, mine, reaction)
        for row, (n, claim) in enumerate(claims):
            if n == number:
                outcome = outcomes[claim.id]
                if not is_same(claim, outcome):
                    expected[row] = list(outcome.steps)
                if outcome.is_exception:
                    exceptions.append(row)
    assert answer.steps() == expected
    assert answer.exceptions.tolist() == sorted(exceptions)


@settings(max_examples=300, deadline=None)
@given(pools(), st.sampled_from(Reaction))
def test_what_each_strategy_guarantees(case, reaction):
    pool, claims = case
    outcomes = solve(pool, claims, reaction)
    for claim in claims:
        outcome = outcomes[claim.id]
        old, new = curve(present_promise(claim)), curve(promised(claim, outcome))
        present, confirmed = curve([(s.day, s.quantity) for s in claim.steps]), curve(outcome.steps)
        requested = [claim.quantity if day >= claim.wanted else 0 for day in range(END + 1)]
        lower, upper = bounds(claim.strategy, present, requested)
        assert sum(units for _, units, _ in promised(claim, outcome)) == claim.quantity
        if claim.strategy is Strategy.SKIP or (outcome.is_exception and reaction is Reaction.KEEP):
            assert promised(claim, outcome) == present_promise(claim)
            continue
        assert all(c <= u for c, u in zip(confirmed, upper, strict=True))
        if claim.strategy is Strategy.LOSE:
            assert outcome.steps == ()
        if claim.strategy is Strategy.WIN and not outcome.is_exception:
            assert all(c >= b for c, b in zip(confirmed, lower, strict=True))
        if claim.strategy is Strategy.GAIN and not outcome.is_exception:
            assert all(c >= b for c, b in zip(confirmed, lower, strict=True))
            if claim.open_day >= TODAY:
                assert all(a >= b for a, b in zip(new, old, strict=True))


@settings(max_examples=300, deadline=None)
@given(pools(), st.sampled_from(Reaction))
def test_never_more_is_confirmed_than_arrives(case, reaction):
    pool, claims = case
    outcomes = solve(pool, claims, reaction)
    skipped = [c for c in claims if outcomes[c.id].is_kept]
    fixed = [(max(s.day, s.source_day), s.quantity) for c in skipped for s in c.steps]
    confirmed = [step for c in claims if c not in skipped for step in outcomes[c.id].steps]
    supply = curve([*pool.events, *((day, -units) for day, units in fixed)])
    taken = curve(confirmed)
    assert all(t <= s for t, s in zip(taken, supply, strict=True))
    assert sum(units for _, units in confirmed) <= supply[-1]


def publish(claims, outcomes):
    """The same claims with what they were given, as a second run would find them."""
    found = []
    for claim in claims:
        outcome = outcomes[claim.id]
        if outcome.is_kept:
            found.append(claim)
            continue
        steps = tuple(Step(day, units, day) for day, units in outcome.steps)
        after = replace(claim, steps=steps, open_day=claim.fallback)
        fallback = claim.fallback if after.open else max(claim.wanted, FALLBACK)
        found.append(replace(after, fallback=fallback, open_day=claim.fallback if after.open else 0))
    return found


@settings(max_examples=400, deadline=None)
@given(pools(), st.sampled_from(Reaction))
def test_a_second_run_proposes_nothing(case, reaction):
    pool, claims = case
    again = publish(claims, solve(pool, claims, reaction))
    outcomes = solve(pool, again, reaction)
    assert [c.id for c in again if not is_same(c, outcomes[c.id])] == []


@st.composite
def small(draw):
    supplies = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2)), min_size=1, max_size=3))
    claims = [
        Claim(n, draw(st.integers(1, 2)), draw(st.sampled_from([0, 0, 2])), 9, n, Strategy.REDISTRIBUTE, (), 9)
        for n in range(draw(st.integers(1, 3)))
    ]
    return Pool(supplies), claims


@settings(max_examples=100, deadline=None)
@given(small())
def test_redistribute_is_what_trying_everything_finds(case):
    """By rank each line has as much as possible on every day, whatever the others leave."""
    pool, claims = case
    days = range(4)
    supply = curve(pool.events, days)
    options = [
        [
            parts
            for parts in itertools.product([*days, None], repeat=claim.quantity)
            if parts == tuple(sorted(parts, key=lambda d: 99 if d is None else d))
            and all(d is None or d >= claim.wanted for d in parts)
        ]
        for claim in claims
    ]

    def taken(choice):
        return [sum(d is not None and d <= t for parts in choice for d in parts) for t in days]

    feasible = [
        choice
        for choice in itertools.product(*options)
        if all(a <= b for a, b in zip(taken(choice), supply, strict=True))
    ]
    best = max(feasible, key=lambda choice: [taken([parts]) for parts in choice])
    outcomes = solve(pool, claims)
    assert [curve(outcomes[c.id].steps, days) for c in claims] == [taken([parts]) for parts in best]


def line(number, quantity, strategy, *steps, wanted=TODAY, open_day=FALLBACK):
    confirmed = sum(s.quantity for s in steps)
    return Claim(
        number, quantity, wanted, open_day if confirmed < quantity else FALLBACK, number, strategy, steps, open_day
    )


def test_table_of_strategies():
    """One late line of each strategy with free stock beside it."""
    at = Step(8, 4, 8)
    for strategy, steps in {
        Strategy.WIN: ((0, 4),),
        Strategy.GAIN: ((0, 4),),
        Strategy.IMPROVE: ((0, 4),),
        Strategy.REDISTRIBUTE: ((0, 4),),
        Strategy.FILL: ((8, 4),),
        Strategy.LOSE: (),
        Strategy.SKIP: ((8, 4),),
    }.items():
        found = solve(Pool([(0, 5), (8, 4)]), [line(0, 4, strategy, at)])
        assert found[0].steps == steps, strategy


def test_a_win_takes_from_everybody_but_skip_and_gain_is_told():
    claims = [
        line(0, 3, Strategy.WIN),
        line(1, 3, Strategy.GAIN, Step(0, 3, 0)),
        line(2, 2, Strategy.SKIP, Step(0, 2, 0)),
    ]
    found = solve(Pool([(0, 5), (6, 3)]), claims, Reaction.BEST_EFFORT)
    assert [found[n].steps for n in range(3)] == [((0, 3),), ((6, 3),), ((0, 2),)]
    assert [found[n].is_exception for n in range(3)] == [False, True, False]
    kept = solve(Pool([(0, 5), (6, 3)]), claims, Reaction.KEEP)
    assert [kept[n].steps for n in range(3)] == [(), ((0, 3),), ((0, 2),)]
    assert [kept[n].is_exception for n in range(3)] == [True, True, False]


def test_what_an_exempt_class_takes_is_not_taken_from_those_who_keep_off_it():
    """Two on the shelf, one of them protected; the clinic wins the protected one and the shop keeps its own."""
    shop = line(0, 1, Strategy.IMPROVE, Step(0, 1, 0))
    clinic, other_shop = replace(line(1, 1, Strategy.WIN), of_class=1), line(2, 1, Strategy.WIN)
    pool = Pool([(0, 2), (5, 9)], [(0, 1)], {1: [(0, -1)]})
    found = solve(pool, [shop, clinic])
    assert [found[n].steps for n in (0, 1)] == [((0, 1),), ((0, 1),)]
    found = solve(pool, [shop, other_shop])  # of the same class: it takes the shop's place, not the protected unit
    assert [found[n].steps for n in (0, 2)] == [((5, 1),), ((0, 1),)]


def test_what_gain_has_comes_before_what_improve_has_whatever_the_rank():
    """Two units were promised for today and one has slipped: the line that may lose nothing keeps the other."""
    improve, gain = line(0, 1, Strategy.IMPROVE, Step(0, 1, 0)), line(1, 1, Strategy.GAIN, Step(0, 1, 4))
    found = solve(Pool([(0, 1), (4, 1)]), [improve, gain])
    assert [found[n].steps for n in (0, 1)] == [((4, 1),), ((0, 1),)]


def test_a_line_whose_source_has_slipped_takes_another_for_the_same_day():
    """Both ways: free stock covers what was promised for the fifth day, so the day stays and the claim moves."""
    late = line(0, 4, Strategy.GAIN, Step(5, 4, 9), wanted=5)
    arrays, market, rank, _ = as_arrays([(Pool([(0, 4), (9, 4)]), [late])])
    for solver in (solve_arrays, solve_steps):
        answer = solver(arrays, market, rank)
        assert answer.steps() == {0: [(5, 4)]}
        assert answer.exceptions.tolist() == []


def test_many_claims_of_one_pool_are_split_into_blocks(monkeypatch):
    monkeypatch.setattr("core.domain.repromising.blocks.MAX_CELLS", 8)
    cases = [(Pool([(0, 2), (4, 3)]), [line(n, 2, Strategy.REDISTRIBUTE) for n in range(3)]) for _ in range(5)]
    arrays, market, rank, _ = as_arrays(cases)
    answer = solve_arrays(arrays, market, rank)
    assert answer.active_pools == 5
    found = answer.steps()
    assert [found[n] for n in range(15) if n in found] == [[(0, 2)], [(4, 2)], [(4, 1)]] * 5


def test_few_claims_among_many_pools_are_decided_as_if_there_were_no_others():
    cases = [(Pool([(0, 2), (4, n)]), [line(n * 2 + k, 2, Strategy.REDISTRIBUTE) for k in (0, 1)]) for n in range(3)]
    arrays, market, rank, _ = as_arrays(cases)
    pool, day, units = market.supply.pool, market.supply.day, market.supply.quantity
    far = Events(np.append(pool, [40, 90]), np.append(day, [0, 0]), np.append(units, [7, 7]))
    arrays.pool = np.where(arrays.pool == 1, 70, arrays.pool)
    far.pool = np.where(far.pool == 1, 70, far.pool)
    found = solve_arrays(arrays, Market(100, far, market.reserved), rank)
    assert found.steps() == {0: [(0, 2)], 2: [(0, 2)], 3: [(4, 1)], 4: [(0, 2)], 5: [(4, 2)]}


def test_sums_beyond_32_bits_are_exact():
    many = 2_000_000_000
    arrays, market, rank, _ = as_arrays(
        [(Pool([(0, many), (4, many)]), [line(0, many, Strategy.REDISTRIBUTE), line(1, many - 1, Strategy.WIN)])]
    )
    for solver in (solve_arrays, solve_steps):
        assert solver(arrays, market, rank, Reaction.BEST_EFFORT).steps() == {
            0: [(0, 1), (4, many - 1)],
            1: [(0, many - 1)],
        }


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9)), st.sampled_from([1, 1 << 40, (1 << 58) - 1]))
def test_the_fast_sorts_are_stable_sorts(numbers, scale):
    values = np.array(numbers, np.int64) * scale
    order = np.argsort(values, kind="stable")
    key, places = sorted_with_order(values)
    assert (key.tolist(), places.tolist()) == (values[order].tolist(), order.tolist())
    assert stable_order(values).tolist() == order.tolist()
    assert stable_order(-values).tolist() == np.argsort(-values, kind="stable").tolist()


def test_after_the_day_of_ordering_anew_only_what_is_there_already_is_kept():
    upper, present, atp = [3, 3, 3], [0, 0, 1], [1, 2, 3]
    assert [confirm(upper, present, atp, last) for last in (2, 1, 0, -1)] == [
        [1, 2, 3],
        [1, 2, 2],
        [1, 1, 1],
        [0, 0, 1],
    ]
