"""Choosing sources: against every split there is, and the cases in which one source or two are better."""

import itertools
import math
import random

import pytest

from core.domain import supplier_choice
from core.domain.supplier_choice import Costs, Need, Offer, cheapest_plan, single_plan


def brute(offers, needs, costs):
    """Every order quantity of every offer, every unit served by any of them: nothing is assumed of who serves whom."""
    units = [(need.days, need.weight) for need in needs for _ in range(need.quantity)]
    choices = []
    for offer in offers:
        top = max(len(units), offer.moq, *(start for start, _ in offer.breaks)) + offer.multiple
        bound = top if offer.most is None else min(top, offer.most)
        choices.append([0, *(q for q in range(1, bound + 1) if q % offer.multiple == 0 and q >= offer.moq)])
    late = [[offer.late_days(day) * weight * costs.late_unit_day for day, weight in units] for offer in offers]
    best = math.inf
    for quantities in itertools.product(*choices):
        prices = [offer.unit_price(q) for offer, q in zip(offers, quantities, strict=True)]
        kept = [(1 - costs.surplus_share) * min(price, costs.worth) for price in prices]
        spare = [price - worth for price, worth in zip(prices, kept, strict=True)]
        paid = sum(o.fee + q * p for o, q, p in zip(offers, quantities, spare, strict=True) if q)
        if sum(quantities) >= len(units) and paid < best:
            best = min(
                best,
                paid
                + served(quantities, [[late[o][u] + kept[o] for u in range(len(units))] for o in range(len(offers))]),
            )
    return best


def served(quantities, costs):
    """The cheapest way to give each unit to an offer that has one left."""
    cheapest = {tuple(quantities): 0.0}
    for unit in range(len(costs[0])):
        found: dict = {}
        for left, total in cheapest.items():
            for offer, has in enumerate(left):
                if has:
                    after = (*left[:offer], has - 1, *left[offer + 1 :])
                    found[after] = min(found.get(after, math.inf), total + costs[offer][unit])
        cheapest = found
    return min(cheapest.values())


def chance(rng):
    offers = [
        Offer(
            f"S{n}",
            ((1, rng.randint(5, 40)), (rng.randint(3, 6), rng.randint(5, 30)))
            if rng.random() < 0.6
            else ((1, rng.randint(5, 40)),),
            p50 := rng.randint(1, 20),
            p50 + rng.randint(0, 9),
            moq=rng.choice((1, 1, 4)),
            multiple=rng.choice((1, 1, 2, 3)),
            reliability=rng.choice((1.0, 0.9, 0.6)),
            fee=rng.choice((0, 0, 30)),
            most=rng.choice((None, None, 4)),
        )
        for n in range(rng.randint(1, 3))
    ]
    needs = [Need(rng.randint(-2, 25), rng.randint(1, 3), rng.choice((1.0, 0.25))) for _ in range(rng.randint(1, 2))]
    units = sum(need.quantity for need in needs)
    costs = Costs(rng.choice((0.0, 0.5, 3.0)), rng.choice((0.1, 1.0)), min(offer.unit_price(units) for offer in offers))
    return offers, needs, costs


def test_no_split_is_cheaper_than_the_one_chosen():
    rng = random.Random(7)
    for _ in range(120):
        offers, needs, costs = chance(rng)
        found, wanted = cheapest_plan(offers, needs, costs), brute(offers, needs, costs)
        if found is None:
            assert wanted == math.inf
            continue
        assert found.total == pytest.approx(wanted, abs=1e-6), (offers, needs, costs)
        assert found.covered == sum(need.quantity for need in needs)


def test_cutting_only_where_something_ends_loses_nothing_without_multiples(monkeypatch):
    rng = random.Random(11)
    for _ in range(60):
        offers, needs, costs = chance(rng)
        offers = [Offer(o.code, o.breaks, o.p50, o.p80, o.moq, 1, o.reliability, o.fee, most=o.most) for o in offers]
        fine = cheapest_plan(offers, needs, costs)
        with monkeypatch.context() as patched:
            patched.setattr(supplier_choice, "FINEST_GRID", 0)
            coarse = cheapest_plan(offers, needs, costs)
        assert (fine is None) == (coarse is None)
        if fine is not None and coarse is not None:
            assert coarse.total <= fine.total * 1.05 + 1e-6


def test_urgent_units_are_expedited_and_the_rest_comes_cheap():
    slow = Offer("SLOW", ((1, 100),), 20, 25)
    fast = Offer("SLOW", ((1, 130),), 3, 4, fee=50, is_expedited=True)
    plan = cheapest_plan([slow, fast], [Need(5, 4), Need(60, 20)], Costs(10))
    assert plan is not None
    assert [(p.offer.is_expedited, p.quantity) for p in plan.parts] == [(True, 4), (False, 20)]
    whole = single_plan(slow, [Need(5, 4), Need(60, 20)], Costs(10))
    assert whole is not None
    assert plan.total < whole.total


def test_a_cheap_unreliable_source_loses_when_late_units_are_dear():
    cheap = Offer("CHEAP", ((1, 90),), 10, 30, reliability=0.7)
    sure = Offer("SURE", ((1, 100),), 10, 11)
    needs = [Need(14, 10)]
    for dear, wanted in ((0.1, ["CHEAP"]), (20, ["SURE"])):
        plan = cheapest_plan([cheap, sure], needs, Costs(dear))
        assert plan is not None
        assert plan.suppliers == wanted


def test_expected_lateness_is_that_of_the_distribution():
    offer = Offer("S", ((1, 1),), 10, 14)
    rng = random.Random(3)
    sigma = math.log(1.4) / 0.8416212335729143
    drawn = [rng.lognormvariate(math.log(10), sigma) for _ in range(60_000)]
    for days in (0, 6, 10, 20):
        assert offer.late_days(days) == pytest.approx(sum(max(0, x - days) for x in drawn) / len(drawn), rel=0.05)


def test_a_need_of_thousands_is_covered_within_bounds():
    offers = [
        Offer(f"S{n}", ((1, 100 + n), (500, 95 + n)), 5 + 3 * n, 9 + 3 * n, multiple=7, moq=50, most=4_000)
        for n in range(4)
    ]
    plan = cheapest_plan(offers, [Need(3, 900), Need(20, 8_000)], Costs(2))
    assert plan is not None
    assert plan.covered == 8_900
    assert all(part.quantity <= 4_000 and part.quantity % 7 == 0 for part in plan.parts)


def test_however_many_wait_for_however_much_the_cuts_stay_few(monkeypatch):
    rng = random.Random(3)
    offers = [
        Offer(
            f"S{n}",
            ((1, 100 + n), (40 + n, 97), (333 + n, 95)),
            5 + 3 * n,
            9 + 3 * n,
            moq=7 + n,
            multiple=1 + n,
            most=most,
        )
        for n, most in enumerate((6_011, 7_013, 8_017, None))
    ]
    needs = [Need(rng.randint(-3, 90), rng.randint(1, 200)) for _ in range(200)]
    units = sum(need.quantity for need in needs)
    points = supplier_choice._points(offers, supplier_choice._merged(needs), units)
    assert len(points) == supplier_choice.MOST_POINTS
    assert {0, units, 6_011, 7_013, 6_011 + 7_013, units - 8_017} <= set(points)
    plan = cheapest_plan(offers, needs, Costs(2))
    alone = single_plan(offers[3], needs, Costs(2))
    assert plan is not None
    assert alone is not None
    assert plan.covered == units
    assert plan.total <= alone.total


def test_needs_of_a_day_are_one_need(monkeypatch):
    seen = []
    points = supplier_choice._points
    monkeypatch.setattr(
        supplier_choice, "_points", lambda offers, needs, units: seen.extend(needs) or points(offers, needs, units)
    )
    offers = [Offer("A", ((1, 100), (9, 80)), 5, 9), Offer("B", ((1, 90),), 15, 19)]
    many = cheapest_plan(offers, [Need(9, 3), Need(2, 1), Need(9, 5), Need(9, 2, 0.5)], Costs(2))
    assert seen == [Need(9, 8), Need(2, 1), Need(9, 2, 0.5)]
    assert many == cheapest_plan(offers, [Need(2, 1), Need(9, 8), Need(9, 2, 0.5)], Costs(2))
