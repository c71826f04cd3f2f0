"""Moves between locations: only real excess, only where it is short, nothing twice, whatever the order of the input."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.calendars import WorkCalendar
from core.domain.network import Lane, Location, Network
from core.domain.rebalancing import Goods, Position, RebalancingRules, daily_demand, propose_moves, rebalancing_rules
from core.errors import InvalidInput

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
DAILY = WorkCalendar(frozenset(range(1, 8)))
RULES = RebalancingRules()
GOODS = Goods(1, weight_g=500, unit_price=1_000)


def network(*lanes: Lane, places: int = 4) -> Network:
    locations = {i: Location(i, f"L{i}", "dc", "UTC", time(18), DAILY) for i in range(1, places + 1)}
    return Network(locations, {(lane.from_location_id, lane.to_location_id): lane for lane in lanes})


def lane(origin: int, target: int, days: int = 2, cost: int = 50, carbon: int = 100) -> Lane:
    return Lane(origin, target, days, DAILY, cost, carbon)


FULL = network(*(lane(a, b, days=1 + (a + b) % 3, cost=20 * a) for a in range(1, 5) for b in range(1, 5) if a != b))

positions = st.lists(
    st.builds(
        Position,
        location_id=st.integers(1, 4),
        free=st.integers(0, 200),
        daily_demand=st.sampled_from([0.0, 0.1, 1.0, 2.5, 7.0]),
        waiting=st.integers(0, 20),
        inbound=st.integers(0, 30),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda p: p.location_id,
)


@given(positions, st.randoms())
def test_moves_take_only_excess_and_give_only_what_is_missing(places, shuffler: random.Random):
    moves = propose_moves(GOODS, places, FULL, RULES, NOW)
    at = {p.location_id: p for p in places}
    for place in places:
        away = sum(m.quantity for m in moves if m.from_location_id == place.location_id)
        here = sum(m.quantity for m in moves if m.to_location_id == place.location_id)
        assert not (away and here)
        if away:
            assert place.free - away >= ceil(RULES.keep_days * place.daily_demand)
        if here:
            assert place.waiting or (place.free + place.inbound) / place.daily_demand < RULES.short_days
            assert here <= place.waiting + ceil(RULES.target_days * place.daily_demand)
    assert len({(m.from_location_id, m.to_location_id) for m in moves}) == len(moves)
    assert all(m.quantity > 0 and m.cost == at[m.from_location_id].location_id * 20 * m.quantity for m in moves)
    shuffled = list(places)
    shuffler.shuffle(shuffled)
    assert propose_moves(GOODS, shuffled, FULL, RULES, NOW) == moves


def test_a_worked_example():
    """L1 sells 1 a day and has 100: 70 are beyond 30 days. L2 sells 2 a day, has 4 (2 days) and 3 wait: 24 + 3 come."""
    places = [Position(1, 100, 1.0), Position(2, 4, 2.0, waiting=3), Position(3, 10, 1.0)]
    (move,) = propose_moves(GOODS, places, network(lane(1, 2)), RULES, NOW)
    assert (move.from_location_id, move.to_location_id, move.quantity) == (1, 2, 24)
    assert (move.cost, move.carbon_g, move.arrives_on) == (1_200, 1_200, date(2026, 11, 4))
    assert move.reason == {
        "kind": "WAITING",
        "waiting": 3,
        "unitsServed": 3,
        "dailyDemand": 2.0,
        "coverBefore": 2.0,
        "coverAfter": 12.5,
        "donorFree": 100,
        "donorDailyDemand": 1.0,
        "donorCoverAfter": 76.0,
    }


def test_without_a_lane_or_for_too_much_money_nothing_moves():
    places = [Position(1, 100, 0.0), Position(2, 0, 1.0)]
    assert propose_moves(GOODS, places, network(), RULES, NOW) == []
    assert propose_moves(GOODS, places, network(lane(2, 1)), RULES, NOW) == []
    assert propose_moves(GOODS, places, network(lane(1, 2, cost=201)), RULES, NOW) == []
    assert len(propose_moves(GOODS, places, network(lane(1, 2, cost=200)), RULES, NOW)) == 1
    assert len(propose_moves(Goods(1), places, network(lane(1, 2, cost=201)), RULES, NOW)) == 1  # no price is known


def test_who_waits_comes_before_who_may_run_out():
    places = [Position(1, 10, 0.0), Position(2, 0, 1.0), Position(3, 0, 0.0, waiting=8)]
    moves = propose_moves(GOODS, places, FULL, RULES, NOW)
    assert [(m.to_location_id, m.quantity) for m in moves] == [(3, 8), (2, 2)]
    assert moves[0].urgency > moves[1].urgency


def test_last_year_says_how_demand_goes_on():
    assert daily_demand(56, 28) == 2.0
    assert daily_demand(56, 28, same_weeks=100, next_weeks=150) == 3.0
    assert daily_demand(56, 28, same_weeks=100, next_weeks=900) == 4.0
    assert daily_demand(56, 28, same_weeks=100, next_weeks=0) == 1.0
    assert daily_demand(56, 28, same_weeks=19, next_weeks=900) == 2.0


@pytest.mark.parametrize("value", [{"shortDays": 20}, {"keepDays": -1}, {"minUnits": "few"}, {"luck": 1}])
def test_rules_that_cannot_be_are_refused(value):
    with pytest.raises(InvalidInput):
        rebalancing_rules(value)
