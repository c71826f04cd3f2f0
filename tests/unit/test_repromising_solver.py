"""Every strategy against a solver that tries everything: all ways of giving every unit a day, or none, are listed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.repromising.pool import Claim, Pool, Step, solve
from core.domain.repromising.strategies import Reaction, Strategy

SOON = range(4)
FAR = 9
"""A day after all supply: ordering anew never comes first."""
DAYS = (*SOON, FAR)


def curve(parts):
    """Units by day of (day, units)."""
    return tuple(sum(units for day, units in parts if day <= t) for t in DAYS)


def has(claim):
    return curve([(step.day, step.quantity) for step in claim.steps])


@st.composite
def tiny(draw, strategy):
    """Up to three lines of up to two units, the first of the given strategy; some sources have slipped."""
    supplies = draw(st.lists(st.tuples(st.sampled_from(SOON), st.integers(1, 2)), max_size=3))
    left = [[day, min(SOON[-1], day + draw(st.sampled_from([0, 0, 0, 1]))), units] for day, units in supplies]
    claims = []
    ranks = draw(st.permutations(range(3)))
    for number in range(draw(st.integers(1, 3))):
        quantity, wanted, steps = draw(st.integers(1, 2)), draw(st.sampled_from([0, 0, 1, 2])), []
        for source in draw(st.permutations(left))[:2]:
            units = min(quantity - sum(s.quantity for s in steps), source[2], draw(st.integers(0, 2)))
            if units:
                source[2] -= units
                steps.append(Step(max(source[0], draw(st.sampled_from([0, wanted]))), units, source[1]))
        mine = strategy if number == 0 else draw(st.sampled_from(tuple(Strategy)))
        anew = draw(st.sampled_from([FAR, FAR, max(2, wanted)]))
        claims.append(Claim(number, quantity, wanted, anew, ranks[number], mine, tuple(steps), anew))
    kept_back = draw(st.lists(st.tuples(st.sampled_from(SOON), st.integers(1, 2)), max_size=1))
    return Pool([(now, units) for (_, now, _), (_, units) in zip(left, supplies, strict=True)], kept_back), claims


def offers(claim):
    """All curves the line may be given at all: each unit on some day or none, within the bounds of its strategy."""
    present = has(claim)
    for days in itertools.combinations_with_replacement([*SOON, None], claim.quantity):
        given = curve([(day, 1) for day in days if day is not None])
        asked = [claim.quantity if day >= claim.wanted else 0 for day in DAYS]
        upper = {Strategy.FILL: present, Strategy.LOSE: (0,) * len(DAYS)}.get(
            claim.strategy, tuple(max(pair) for pair in zip(present, asked, strict=True))
        )
        by_anew = max((units for day, units in zip(DAYS, given, strict=True) if day <= claim.fallback), default=0)
        if all(
            units <= most and (day <= claim.fallback or units <= max(by_anew, before))
            for day, units, most, before in zip(DAYS, given, upper, present, strict=True)
        ):
            yield given


def available(pool, moved, skipped):
    """What there is for those who may move, less what is kept back as far as nobody has it now."""
    gaps = [step for claim in skipped for step in claim.steps if step.source_day > step.day]
    taken = [(max(step.day, step.source_day), step.quantity) for claim in skipped for step in claim.steps]
    kept_back = [
        *pool.reserved,
        *((step.day, step.quantity) for step in gaps),
        *((step.source_day, -step.quantity) for step in gaps),
        *((claim.open_day, claim.open) for claim in skipped),
    ]
    there = [a - b for a, b in zip(curve(pool.events), curve(taken), strict=True)]
    spare = [a - sum(has(c)[at] for c in moved) for at, a in enumerate(there)]
    return [a - min(max(0, s), k) for a, s, k in zip(there, spare, curve(kept_back), strict=True)]


def best(pool, claims):
    """The curves of the reference procedure by its order of aims: the largest of all that are possible."""
    moved = [claim for claim in claims if claim.strategy is not Strategy.SKIP]
    there = available(pool, moved, [claim for claim in claims if claim.strategy is Strategy.SKIP])
    by_rank = sorted(range(len(moved)), key=lambda at: moved[at].rank)

    def of(*strategies):
        return [at for at in by_rank if moved[at].strategy in strategies]

    improving = of(Strategy.GAIN, Strategy.IMPROVE, Strategy.REDISTRIBUTE)

    def aims(choice):
        back = [
            tuple(min(pair) for pair in zip(choice[at], has(moved[at]), strict=True))
            for kind in (Strategy.GAIN, Strategy.IMPROVE)
            for at in of(kind)
        ]
        return [
            *(choice[at] for at in of(Strategy.WIN)),
            *back,
            *(choice[at] for at in [*improving, *of(Strategy.FILL)]),
        ]

    possible = (
        choice
        for choice in itertools.product(*(list(offers(claim)) for claim in moved))
        if all(sum(units) <= max(0, most) for *units, most in zip(*choice, there, strict=True))
    )
    return dict(zip((claim.id for claim in moved), max(possible, key=aims), strict=True))


def not_kept(claim, given):
    """Win that is not full and on time, Gain that is worse."""
    if claim.strategy is Strategy.WIN:
        return any(units < claim.quantity for day, units in zip(DAYS, given, strict=True) if day >= claim.wanted)
    return claim.strategy is Strategy.GAIN and any(a < b for a, b in zip(given, has(claim), strict=True))


def try_everything(pool, claims, reaction):
    """(curves of those that were decided, ids of the exceptions)."""
    broken: set[int] = set()
    while True:
        found = best(pool, claims)
        new = {claim.id for claim in claims if claim.id in found and not_kept(claim, found[claim.id])}
        broken |= new
        if not new or reaction is Reaction.BEST_EFFORT:
            return found, broken
        claims = [replace(claim, strategy=Strategy.SKIP) if claim.id in new else claim for claim in claims]


@pytest.mark.parametrize("strategy", Strategy)
def test_each_strategy_is_what_trying_everything_finds(strategy):
    @settings(max_examples=60, deadline=None)
    @given(tiny(strategy), st.sampled_from(Reaction))
    def holds(case, reaction):
        pool, claims = case
        expected, broken = try_everything(pool, claims, reaction)
        outcomes = solve(pool, claims, reaction)
        assert {number for number, outcome in outcomes.items() if outcome.is_exception} == broken
        decided = {number: curve(outcome.steps) for number, outcome in outcomes.items() if not outcome.is_kept}
        assert decided == expected
        for claim in claims:
            if outcomes[claim.id].is_kept:
                assert curve(outcomes[claim.id].steps) == has(claim)

    holds()
