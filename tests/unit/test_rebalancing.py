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
        arrivals=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 90)), max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda p: p.location_id,
)


def runs_out(place: Position) -> int:
    """The first day that ends with less sold than was wanted, sold day by day."""
    for day in range(1, 400):
        if place.free + sum(units for when, units in place.arrivals if when < day) < place.daily_demand * day:
            return day - 1
    return 400


@given(positions, st.randoms())
def test_moves_take_only_excess_and_give_only_what_is_missing(places, shuffler: random.Random):
    moves = propose_moves(GOODS, places, FULL, RULES, NOW)
    at = {p.location_id: p for p in places}
    for place in places:
        out = [m for m in moves if m.from_location_id == place.location_id]
        here = sum(m.quantity for m in moves if m.to_location_id == place.location_id)
        assert not (out and here)
        assert sum(m.quantity for m in out if m.ships_on is None) <= place.free
        leaves = [((m.ships_on - NOW.date()).days if m.ships_on else 0, m.quantity) for m in out]
        last = max([day for day, _ in leaves], default=0)
        for day in range(last + RULES.keep_days + 1) if out else ():  # it can sell on, and has what it sends
            there = place.free + sum(units for when, units in place.arrivals if when < day)
            gone = sum(units for when, units in leaves if when < day)
            assert day <= last or there - gone >= place.daily_demand * day
            arrived = place.free + sum(units for when, units in place.arrivals if when <= day)
            assert arrived >= sum(units for when, units in leaves if when <= day)
        if here:
            assert place.waiting or runs_out(place) < RULES.short_days
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


def test_supply_under_way_counts_on_its_day():
    """L1 sells 2 a day and has 10, 500 come on day 4: it can give 2 now. L2 sells 1 a day and has 3; 90 come on day 9."""
    places = [Position(1, 10, 2.0, arrivals=((4, 500),)), Position(2, 3, 1.0, arrivals=((9, 90),))]
    now, later = propose_moves(GOODS, [*places, Position(3, 9, 0.0)], network(lane(1, 2), lane(3, 2)), RULES, NOW)
    assert [(m.from_location_id, m.quantity, m.ships_on) for m in (now, later)] == [(1, 2, None), (3, 4, None)], (
        "6 are missing until day 9"
    )
    (dated,) = propose_moves(
        GOODS, [Position(1, 2, 2.0, arrivals=((1, 500),)), places[1]], network(lane(1, 2)), RULES, NOW
    )
    assert (dated.ships_on, dated.arrives_on, dated.quantity) == (date(2026, 11, 3), date(2026, 11, 5), 6)
    assert dated.reason["shipsOn"] == "2026-11-03"
    late = [Position(1, 16, 2.0, arrivals=((8, 500),)), places[1]]
    assert propose_moves(GOODS, late, network(lane(1, 2)), RULES, NOW) == [], "its own supply comes before"
    soon = [Position(1, 99, 0.0), Position(2, 3, 1.0, arrivals=((3, 90),))]
    assert propose_moves(GOODS, soon, network(lane(1, 2)), RULES, NOW) == [], "not sold out before"


def test_goods_under_way_leave_the_arrivals_not_the_shelf():
    places = [Position(1, 3, 1.0, arrivals=((3, 100),)), Position(2, 5, 2.0)]
    (move,) = propose_moves(GOODS, places, network(lane(1, 2, days=1)), RULES, NOW)
    assert (move.quantity, move.ships_on) == (move.quantity, date(2026, 11, 5))
    assert move.reason["donorCoverAfter"] == 103.0 - move.quantity


def test_a_second_giver_serves_only_who_still_waits():
    places = [Position(1, 37, 1.0), Position(3, 400, 1.0), Position(2, 0, 2.0, waiting=10)]
    moves = propose_moves(GOODS, places, network(lane(1, 2, days=1), lane(3, 2, days=1)), RULES, NOW)
    told = [(m.from_location_id, m.quantity, m.reason["unitsServed"], m.reason["coverAfter"]) for m in moves]
    assert told == [(1, 7, 7, 0.0), (3, 31, 3, 14.0)]
    assert [m.urgency for m in moves] == [8_000, 4_000]


def test_a_limit_of_nothing_lets_only_free_moves():
    places, rules = [Position(1, 500, 1.0), Position(2, 0, 2.0, waiting=5)], RebalancingRules(max_cost_percent=0)
    assert propose_moves(GOODS, places, network(lane(1, 2)), rules, NOW) == []
    assert len(propose_moves(GOODS, places, network(lane(1, 2, cost=0)), rules, NOW)) == 1
    assert len(propose_moves(Goods(1), places, network(lane(1, 2)), rules, NOW)) == 1, "nobody knows its price"


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


def test_rules_are_read_as_planners_write_them():
    given = {"isOn": False, "shortDays": 0, "targetDays": 5, "keepDays": 3_650, "minUnits": 0, "validDays": 9}
    assert rebalancing_rules(given) == RebalancingRules(False, 0, 5, 3_650, 1, 20, 9)
    assert rebalancing_rules(None) == RebalancingRules()
