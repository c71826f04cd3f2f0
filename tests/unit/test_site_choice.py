"""Choosing locations for an order: against every possible assignment, and whatever the order of the input."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain import site_choice
from core.domain.site_choice import Leg, Want, choose_sites

Free = dict[tuple[int, int], int]


@st.composite
def instances(
    draw: st.DrawFn, sites: int = 3, lines: int = 3, units: int = 3
) -> tuple[list[Want], Free, frozenset[int]]:
    places = range(1, draw(st.integers(1, sites)) + 1)
    figure = st.integers(0, 2)
    wants = []
    for key in range(1, draw(st.integers(1, lines)) + 1):
        legs = {
            site: Leg(draw(figure), draw(figure), draw(figure), draw(figure), rank=site)
            for site in places
            if draw(st.integers(0, 5))
        }
        wants.append(Want(key, draw(st.integers(1, 2)), draw(st.integers(1, units)), legs, draw(st.integers(1, 3))))
    free = {(sku, site): draw(st.integers(0, units)) for sku in (1, 2) for site in places}
    return wants, free, frozenset(site for site in places if not draw(st.integers(0, 4)))


def objective(wants: list[Want], free: Free, shares: dict[int, dict[int, int]], opened: frozenset[int]) -> tuple:
    """The objective by its definition, written apart from the solver."""
    rows = [(w, site, units) for w in wants for site, units in shares.get(w.key, {}).items() if units]
    useful = {
        site for (sku, site), units in free.items() if units and any(w.sku_id == sku and site in w.legs for w in wants)
    }
    used = {site for _, site, _ in rows} - (opened & useful)
    return (
        sum(w.weight * (w.quantity - sum(shares.get(w.key, {}).values())) for w in wants),
        sum(units * w.legs[site].late_days for w, site, units in rows),
        len(used),
        sum(units * w.legs[site].days for w, site, units in rows),
        sum(units * w.legs[site].cost for w, site, units in rows) + sum(site * 2 for site in used),
        sum(units * w.legs[site].carbon for w, site, units in rows),
        sum(units * (1_000_000 // free[w.sku_id, site]) for w, site, units in rows),
        sum(units * w.legs[site].rank for w, site, units in rows),
    )


def every_assignment(wants: list[Want], free: Free):
    """All ways to give each line 0 to all of its units from each location."""
    options = []
    for want in wants:
        ranges = [range(min(want.quantity, free.get((want.sku_id, site), 0)) + 1) for site in want.legs]
        options.append([dict(zip(want.legs, units, strict=True)) for units in itertools.product(*ranges)])
        options[-1] = [share for share in options[-1] if sum(share.values()) <= want.quantity]
    for combination in itertools.product(*options):
        taken: dict[tuple[int, int], int] = {}
        for want, share in zip(wants, combination, strict=True):
            for site, units in share.items():
                taken[want.sku_id, site] = taken.get((want.sku_id, site), 0) + units
        if all(units <= free[key] for key, units in taken.items() if units):
            yield {want.key: share for want, share in zip(wants, combination, strict=True)}


COSTS = {1: 2, 2: 4, 3: 6, 4: 8}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances())
def test_no_assignment_of_all_is_better(instance):
    wants, free, opened = instance
    found = choose_sites(wants, free, shipment_costs=COSTS, opened=opened)
    best = min(objective(wants, free, shares, opened) for shares in every_assignment(wants, free))
    assert objective(wants, free, found.shares, opened) == best
    assert found.objective.as_tuple() == best


@settings(deadline=None)
@given(instances(sites=4, lines=4, units=6), st.randoms())
def test_the_order_of_lines_and_stock_does_not_matter(instance, shuffler: random.Random):
    wants, free, opened = instance
    rows, stock = list(wants), list(free.items())
    shuffler.shuffle(rows)
    shuffler.shuffle(stock)
    rows = [Want(w.key, w.sku_id, w.quantity, dict(reversed(w.legs.items())), w.weight) for w in rows]
    assert choose_sites(rows, dict(stock), opened=opened) == choose_sites(wants, free, opened=opened)


@settings(deadline=None)
@given(instances(sites=4, lines=4, units=6))
def test_the_search_fills_and_dates_as_well_as_the_exact_way(instance):
    wants, free, opened = instance
    exact = choose_sites(wants, free, shipment_costs=COSTS, opened=opened).objective
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_choice, "EXACT_SITES", 0)
        searched = choose_sites(wants, free, shipment_costs=COSTS, opened=opened).objective
    assert (searched.unfilled, searched.late_days) == (exact.unfilled, exact.late_days)
    assert searched.as_tuple() >= exact.as_tuple()
    assert searched.shipments <= exact.shipments + 1


def plain(key: int, quantity: int, *sites: int, sku: int = 1) -> Want:
    return Want(key, sku, quantity, {site: Leg(rank=i) for i, site in enumerate(sites)})


def test_the_next_location_gives_the_remaining_quantity():
    """13 from 10 + 15 where nothing covers all alone is 10 + 3 (here another line needs 2 of the 15)."""
    found = choose_sites([plain(1, 13, 1, 2), plain(2, 12, 1, 2)], {(1, 1): 10, (1, 2): 15})
    assert sum(found.shares[1].values()) == 13
    assert sum(found.shares[1].values()) + sum(found.shares[2].values()) == 25
    assert choose_sites([plain(1, 13, 1, 2)], {(1, 1): 10, (1, 2): 15}).shares == {1: {2: 13}}
    assert choose_sites([plain(1, 13, 1, 2)], {(1, 1): 10, (1, 2): 12}).shares in (
        {1: {2: 12, 1: 1}},
        {1: {1: 10, 2: 3}},
    )


def test_all_lines_of_an_order_are_seen_together():
    """Alone, line 1 would ship from 1 and line 2 from 2; together both come from 3."""
    wants = [plain(1, 5, 1, 3), plain(2, 5, 2, 3, sku=2)]
    found = choose_sites(wants, {(1, 1): 5, (1, 3): 5, (2, 2): 5, (2, 3): 5})
    assert found.shares == {1: {3: 5}, 2: {3: 5}}
    assert found.objective.shipments == 1


def test_being_in_time_goes_before_fewer_shipments():
    late = {1: Leg(), 2: Leg(late_days=2)}
    found = choose_sites([Want(1, 1, 5, late), Want(2, 2, 5, late)], {(1, 1): 5, (1, 2): 5, (2, 2): 5})
    assert found.shares == {1: {1: 5}, 2: {2: 5}}


def test_a_location_that_ships_anyway_costs_no_shipment():
    assert choose_sites([plain(1, 5, 1, 2)], {(1, 1): 5, (1, 2): 5}).shares == {1: {1: 5}}
    assert choose_sites([plain(1, 5, 1, 2)], {(1, 1): 5, (1, 2): 5}, opened=[2]).shares == {1: {2: 5}}


def test_many_locations_and_lines_are_searched():
    dice = random.Random(7)
    wants = [plain(key, dice.randint(1, 30), *range(1, 21), sku=key) for key in range(1, 40)]
    free = {(want.sku_id, site): dice.randint(0, 20) for want in wants for site in range(1, 21)}
    found = choose_sites(wants, free)
    for want in wants:
        have = sum(free[want.sku_id, site] for site in range(1, 21))
        assert sum(found.shares[want.key].values()) == min(want.quantity, have)


def test_equal_lines_are_told_apart_by_their_key_not_by_their_place():
    one, other = plain(1, 1, 1, 2), plain(2, 1, 1, 2)
    free = {(1, 1): 1, (1, 2): 1}
    assert choose_sites([one, other], free) == choose_sites([other, one], free)


def test_many_locations_are_searched_for_one_that_does_as_well_and_is_nearer():
    """The first that a greedy cover takes has most of all, but is far; with eleven more that have nothing of use."""
    near, far = Leg(0, 1, 1, 1), Leg(0, 5, 5, 5)
    wants = [
        Want(1, 1, 6, {1: far, 2: near, **dict.fromkeys(range(4, 16), near)}, 1),
        Want(2, 2, 6, {1: far, 3: near}, 1),
    ]
    free = {(1, 1): 5, (2, 1): 6, (1, 2): 6, (2, 3): 6, **{(1, n): 1 for n in range(4, 16)}}
    assert choose_sites(wants, free).shares == {1: {2: 6}, 2: {3: 6}}


A, B, C = 1, 2, 3


def test_lines_that_go_the_same_way_are_served_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    legs = {A: Leg(rank=0), B: Leg(rank=1), C: Leg(rank=2)}
    wants = [Want(n, 1, 1 + n % 3, legs, weight=40 - n) for n in range(40)]
    free = {(1, A): 7, (1, B): 30, (1, C): 11}
    one_by_one = choose_sites(wants, free)
    monkeypatch.setattr(site_choice._Problem, "_are_alike", lambda self, wants: False)
    assert choose_sites(wants, free) == one_by_one
    monkeypatch.undo()
    monkeypatch.setattr(site_choice, "_cheapest_flow", None)  # thousands of lines would take it their number squared
    assert choose_sites(wants, free) == one_by_one


def test_lines_that_go_different_ways_are_seen_together() -> None:
    """The first would take the nearest stock that is the only cheap one for the second."""
    wants = [Want(0, 1, 2, {A: Leg(), B: Leg(cost=1)}, weight=2), Want(1, 1, 2, {A: Leg(), B: Leg(cost=9)})]
    assert choose_sites(wants, {(1, A): 2, (1, B): 2}).shares == {0: {B: 2}, 1: {A: 2}}
    wants = [Want(0, 1, 2, {A: Leg(), B: Leg(cost=1)}, weight=2), Want(1, 1, 2, {A: Leg()})]
    assert choose_sites(wants, {(1, A): 2, (1, B): 2}).shares == {0: {B: 2}, 1: {A: 2}}


def test_who_weighs_more_comes_first_whatever_the_order() -> None:
    legs = {A: Leg()}
    found = choose_sites([Want(0, 1, 2, legs, weight=1), Want(1, 1, 2, legs, weight=5)], {(1, A): 2})
    assert found.shares == {0: {}, 1: {A: 2}}
