"""Sharing out: whole use, floors, monotony, and no influence of the order in which claims are named."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.domain.fair_share import ShareClaim, fair_share

weights = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 7.0])


@st.composite
def claim_lists(draw: st.DrawFn, packs: bool = False) -> list[ShareClaim]:
    claims = []
    for number in range(draw(st.integers(1, 7))):
        demand = draw(st.integers(0, 60))
        claims.append(
            ShareClaim(
                f"c{number}",
                demand,
                draw(weights),
                floor=draw(st.integers(0, 20)),
                cap=draw(st.none() | st.integers(0, 50)),
                pack=draw(st.integers(1, 6)) if packs else 1,
                minimum=draw(st.integers(0, 8)) if packs else 0,
                tier=draw(st.integers(0, 2)),
            )
        )
    return claims


@given(st.integers(0, 300), claim_lists())
def test_everything_is_used_and_nobody_gets_more_than_it_can_take(supply, claims):
    given = fair_share(supply, claims)
    assert sum(given.values()) == min(supply, sum(c.most for c in claims))
    assert all(0 <= given[c.key] <= c.most for c in claims)


@given(st.integers(0, 300), claim_lists())
def test_more_supply_lowers_nobody(supply, claims):
    before, after = fair_share(supply, claims), fair_share(supply + 1, claims)
    assert all(after[key] >= before[key] for key in before)


@given(st.integers(0, 300), claim_lists(packs=True), st.randoms(), st.sampled_from(["", "run:1", "run:2"]))
def test_the_order_of_the_claims_does_not_matter(supply, claims, shuffler: random.Random, seed):
    shuffled = list(claims)
    shuffler.shuffle(shuffled)
    assert fair_share(supply, claims, seed=seed) == fair_share(supply, shuffled, seed=seed)


@given(st.integers(0, 300), claim_lists())
def test_nobody_is_below_its_floor_while_another_is_above_its_own(supply, claims):
    given = fair_share(supply, claims)
    poor = [c for c in claims if given[c.key] < min(c.floor, c.most)]
    rich = [c for c in claims if given[c.key] > min(c.floor, c.most)]
    assert not (poor and rich)
    for low in poor:  # floors of a higher tier are filled first
        assert all(given[c.key] == 0 for c in claims if c.tier < low.tier)


@given(st.integers(0, 300), claim_lists())
def test_nobody_is_more_than_a_unit_below_the_level_of_another(supply, claims):
    """Who has more than its floor took each unit at a level that nobody with room left was below (max-min)."""
    given = fair_share(supply, claims)
    if any(given[c.key] < min(c.floor, c.most) for c in claims):
        return
    rich = [c for c in claims if given[c.key] > min(c.floor, c.most)]
    room = [c for c in claims if given[c.key] < c.most]
    for high in rich:
        for low in room:
            taken = (Fraction(given[high.key]) - Fraction(1, 2)) / Fraction(high.weight)
            offered = (Fraction(given[low.key]) + Fraction(1, 2)) / Fraction(low.weight)
            assert taken <= offered


@given(st.integers(0, 300), claim_lists(packs=True))
@example(5, [ShareClaim("a", 10, pack=4), ShareClaim("b", 10, minimum=6)])
def test_packs_are_whole_and_small_shipments_are_not_sent(supply, claims):
    given = fair_share(supply, claims)
    assert sum(given.values()) <= supply
    for claim in claims:
        units = given[claim.key]
        assert units % claim.pack == 0
        assert units == 0 or units >= claim.minimum
        left = supply - sum(given.values())
        if units and units < claim.most:
            assert left < claim.pack


@settings(max_examples=30)
@given(st.integers(1_000, 100_000), claim_lists())
def test_large_quantities_give_what_unit_by_unit_gives(supply, claims):
    """The jump to a sure level changes no result: the same claims times 1,000, unit by unit, by the definition."""
    large = [ShareClaim(c.key, c.demand * 50, c.weight, c.floor * 50, None, tier=c.tier) for c in claims]
    given = fair_share(supply, large)
    x = {c.key: 0 for c in large}
    left = min(supply, sum(c.most for c in large))
    turns = [(0, -c.tier, j, c) for c in large for j in range(min(c.floor, c.most))]
    turns += [(1, 0, j, c) for c in large for j in range(min(c.floor, c.most), c.most)]
    turns.sort(key=lambda t: (t[0], t[1], (Fraction(t[2]) + Fraction(1, 2)) / Fraction(t[3].weight), t[3].key))
    for _, _, _, claim in turns[:left]:
        x[claim.key] += 1
    assert given == x


def test_a_worked_example():
    """20 units: A asks 30 at weight 2, B 30 at weight 1, C only 2; C is filled, A gets twice B."""
    claims = [ShareClaim("A", 30, 2), ShareClaim("B", 30, 1), ShareClaim("C", 2, 1)]
    assert fair_share(20, claims) == {"A": 12, "B": 6, "C": 2}


@st.composite
def small_packs(draw: st.DrawFn) -> tuple[int, list[ShareClaim]]:
    """At most four claims in packs of one size, with floors that the supply can meet."""
    pack = draw(st.integers(1, 3))
    claims = [
        ShareClaim(
            f"c{number}",
            draw(st.integers(0, 9)),
            draw(weights),
            floor=draw(st.integers(0, 3)),
            cap=draw(st.none() | st.integers(0, 9)),
            pack=pack,
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    least = sum(floor_of(c) for c in claims)
    return draw(st.integers(least, least + 20)), claims


def floor_of(claim: ShareClaim) -> int:
    return min(-(-min(claim.floor, claim.most) // claim.pack) * claim.pack, claim.most)


@settings(max_examples=150)
@given(small_packs())
@example((5, [ShareClaim("a", 9), ShareClaim("b", 9, 7.0)]))
def test_no_other_sharing_is_fairer(case):
    """Of all sharings in whole packs within floors and caps that use as much, ours has the least sum of x^2 / weight."""
    supply, claims = case
    shares = fair_share(supply, claims)
    choices = [range(floor_of(c), c.most + 1, c.pack) for c in claims]
    feasible = [xs for xs in itertools.product(*choices) if sum(xs) <= supply]
    most = max(sum(xs) for xs in feasible)
    assert sum(shares.values()) == most

    def unfairness(xs: Sequence[int]) -> Fraction:
        return sum((Fraction(x * x) / Fraction(c.weight) for x, c in zip(xs, claims, strict=True)), Fraction(0))

    ours = unfairness([shares[c.key] for c in claims])
    assert ours == min(unfairness(xs) for xs in feasible if sum(xs) == most)


@given(st.integers(0, 60), st.integers(0, 60), claim_lists(packs=True))
def test_sharing_goes_on_from_what_everybody_has(first, more, claims):
    """Nobody gives back; in single units, two sharings in a row give what one of both together gives."""
    had = fair_share(first, claims)
    left = first - sum(had.values())
    after = fair_share(left + more, claims, had=had)
    assert all(after[key] >= had[key] for key in had)
    assert sum(after.values()) <= first + more
    assert all(after[c.key] % c.pack == 0 and (after[c.key] >= c.minimum or not after[c.key]) for c in claims)
    if all(c.pack == 1 and c.minimum <= 1 for c in claims):
        assert after == fair_share(first + more, claims)
