"""Availability over a network and of kits: sums and minima of curves, never a look-ahead over a sum."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.domain.availability import Timeline
from core.services.answer_availability import LocationAnswer, SkuAvailability
from core.services.answer_kits import combine

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
events = st.lists(st.tuples(st.integers(0, 20), st.integers(-9, 12)), max_size=6)


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


def answer(sku_id: int, *curves: list[tuple[int, int]]) -> SkuAvailability:
    places = []
    for number, moves in enumerate(curves, start=1):
        curve = Timeline(TODAY, [(day(n), units) for n, units in moves])
        places.append(LocationAnswer(number, 0, 0, 0, 0, 0, curve.atp(), curve))
    free = sum(place.available_now for place in places)
    return SkuAvailability(sku_id, 1, NOW, NOW, "IN_STOCK", free, None, places, None)


def level(steps: list[tuple[date, int]], at: date) -> int:
    return next(units for since, units in reversed(steps) if since <= at)


@given(events, events, st.integers(0, 25))
def test_the_network_is_the_sum_of_its_locations(first, second, at):
    both = answer(1, first, second)
    found = level(both.atp(30), day(at))
    assert found == sum(place.curve.atp(day(at)) for place in both.locations)


def test_a_location_that_is_short_is_not_hidden():
    """Two here and twelve claimed on day 5, ten there: the ten can be promised, although all of it sums to nothing."""
    assert answer(1, [(0, 10)], [(0, 2), (5, -12)]).atp(30) == [(TODAY, 10)]


@given(events, events, events, st.integers(1, 3), st.integers(1, 3), st.integers(0, 25))
def test_kits_are_the_least_of_their_components(one, other, third, units, more, at):
    """Components may come from different locations: each is summed over the network by itself."""
    parts = [(answer(1, one, other), units), (answer(2, third, []), more)]
    kit = combine(answer(3), parts)
    free = [sum(place.curve.atp(day(at)) for place in part.locations) // n for part, n in parts]
    assert level(kit.atp(30), day(at)) == min(free)
    for number, place in enumerate(kit.locations):
        here = min(part.locations[number].curve.atp(day(at)) // n for part, n in parts)
        assert place.curve.atp(day(at)) == level(place.steps(30), day(at)) == here
