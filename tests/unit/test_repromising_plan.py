"""A run decides what a snapshot says: each claim with its own units, none lost or made, and equal answers by both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.calendars import WorkCalendar
from core.domain.network import Location, Network
from core.domain.repromising.columns import Classed, Events
from core.domain.repromising.plan import make_plan
from core.domain.repromising.proposal import Change
from core.domain.repromising.rooms import NEVER, Room, Rooms
from core.domain.repromising.segments import Facts
from core.domain.repromising.snapshot import DATED, HARD, OPEN, Raw, build
from core.domain.repromising.stepwise import solve_steps
from core.domain.repromising.strategies import CODE, Reaction, Strategy
from core.domain.repromising.variant import Budget, Segment, Sorter, SortField, Variant

TODAY = date(2026, 11, 2).toordinal()
SKUS, PLACES, LINES = 2, 2, 5
LEAD_DAYS = 12
NETWORK = Network(
    {n: Location(n, f"L{n}", "dc", "UTC", time(15), WorkCalendar(frozenset({1, 2, 3, 4, 5, 6}))) for n in (1, 2)}, {}
)


def column(rows, index=None) -> Any:
    return np.array([row if index is None else row[index] for row in rows], np.int64)


def events(rows):
    return Events(column(rows, 0), column(rows, 1), column(rows, 2))


@st.composite
def snapshots(draw):
    """Lines of two SKUs with claims of any kind at two places, in any order; sources arrive as they are claimed."""
    small = st.integers(0, 3)
    sku = column([draw(st.integers(0, SKUS - 1)) for _ in range(LINES)])
    wanted = column([draw(st.sampled_from([0, TODAY, TODAY + 4])) for _ in range(LINES)])
    pegs, supply = [], []
    for _ in range(draw(st.integers(1, 12))):
        line, place, kind = draw(st.integers(0, LINES - 1)), draw(st.integers(0, PLACES - 1)), draw(st.integers(0, 2))
        need, units = TODAY + draw(st.sampled_from([-1, 0, 2, 7, 20])), draw(st.integers(1, 4))
        need = TODAY if kind == HARD else need
        usable = max(TODAY, need + draw(st.sampled_from([-2, 0, 0, 3]))) if kind == DATED else 0
        pegs.append((line, place, need, units, kind, usable))
        if kind == DATED:
            supply.append((int(sku[line]) * PLACES + place, usable, units))
    pools = st.integers(0, SKUS * PLACES - 1)
    supply += draw(st.lists(st.tuples(pools, st.sampled_from([TODAY, TODAY + 3, TODAY + 9]), small), max_size=4))
    reserved = draw(st.lists(st.tuples(pools, st.just(TODAY), small), max_size=2))
    classed = draw(st.lists(st.tuples(pools, st.just(1), st.just(TODAY), small), max_size=1))
    rooms = {}
    if draw(st.booleans()):
        own = {line: [draw(small), draw(small)] for line in range(1, LINES + 1) if draw(st.booleans())}
        windows = [(TODAY, TODAY + 5), (TODAY + 5, NEVER)]
        rooms[0] = Rooms([Room(windows, [draw(small), draw(small)], own)])
    zeros = np.zeros(LINES, np.int64)
    facts = Facts(
        np.arange(1, LINES + 1),
        column([draw(st.integers(1, LINES)) for _ in range(LINES)]),
        None,
        wanted,
        wanted,
        zeros,
        zeros,
        np.zeros(LINES, bool),
        {"class": column([draw(st.integers(0, 1)) for _ in range(LINES)])},
        {"class": ["", "clinic"]},
        TODAY,
        np.array([draw(st.sampled_from([True, True, True, False])) for _ in range(LINES)]),
    )
    is_fixed = np.array([draw(st.sampled_from([False, False, False, True])) for _ in pegs])
    return Raw(
        np.arange(SKUS) + 10,
        np.ones(SKUS, np.int64),
        np.array([1, 2]),
        facts,
        sku,
        zeros,
        zeros,
        column(pegs, 0),
        column(pegs, 1),
        column(pegs, 2),
        column(pegs, 3),
        column(pegs, 4),
        column(pegs, 5),
        is_fixed,
        events([(pool, TODAY, units) for pool, units in draw(st.lists(st.tuples(pools, small), max_size=2))]),
        events(supply),
        events([]),
        events(reserved),
        Classed(column(classed, 0), column(classed, 1), column(classed, 2), column(classed, 3)),
        rooms,
        np.full(SKUS, LEAD_DAYS),
        np.full(PLACES, TODAY),
        np.zeros(SKUS, np.int64),
    )


def movable(raw: Raw) -> dict[tuple[int, int], list[int]]:
    """By line and location of its claims: units that a run that may reallocate decides on, and those without a source."""
    found: dict[tuple[int, int], list[int]] = {}
    for line, place, units, kind, fixed in zip(
        raw.peg_line, raw.peg_location, raw.peg_quantity, raw.peg_kind, raw.peg_is_fixed, strict=True
    ):
        if not fixed:
            have = found.setdefault((int(line), int(place)), [0, 0])
            have[0] += int(units)
            have[1] += int(units) if kind == OPEN else 0
    return found


@settings(max_examples=60, deadline=None)
@given(snapshots())
def test_every_claim_has_the_units_of_its_own_pegs(raw):
    every = np.full(LINES, CODE[Strategy.REDISTRIBUTE], np.int8)
    problem = build(raw, every, NETWORK, reallocates=True)
    claims = problem.claims
    keys = zip(problem.claim_line.tolist(), (claims.pool % PLACES).tolist(), strict=True)
    found = {key: [int(q), int(o)] for key, q, o in zip(keys, claims.quantity, claims.open, strict=True)}
    assert found == movable(raw)
    assert np.array_equal(raw.line_sku[problem.claim_line], claims.pool // PLACES)
    with_source = np.bincount(claims.step_claim, claims.step_quantity, len(claims.pool))
    assert np.array_equal(with_source, claims.quantity - claims.open)
    assert np.array_equal(problem.claim_line[claims.step_claim], problem.step_line)


def by_place(change: Change) -> Change:
    """Parts of one day have no order among themselves."""
    return replace(change, before=sorted(change.before), after=sorted(change.after))


VARIANTS = st.builds(
    Variant,
    st.sampled_from(tuple(Strategy)).map(lambda strategy: (Segment("all", strategy),)),
    st.just((Sorter(SortField.PLACED),)),
    st.builds(Budget, st.sampled_from([None, 0.3]), st.sampled_from([None, 0, 2, 9])),
    st.sampled_from(Reaction),
    reallocates=st.booleans(),
)


@settings(max_examples=120, deadline=None)
@given(snapshots(), VARIANTS, st.sets(st.integers(1, LINES), max_size=2))
def test_a_plan_neither_loses_nor_makes_units_and_both_ways_agree(raw, variant, spared):
    orders = np.array(sorted(spared), np.int64)
    plan = make_plan(raw, variant, NETWORK, spared_orders=orders, seed=7)
    changes = plan.changes(raw, variant)
    for change in changes:
        before, after = (sum(part[2] for part in parts) for parts in (change.before, change.after))
        assert before == after > 0
    again = make_plan(raw, variant, NETWORK, spared_orders=orders, seed=7, solver=solve_steps)
    assert [by_place(change) for change in again.changes(raw, variant)] == [by_place(change) for change in changes]
