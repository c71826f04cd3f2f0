"""Quantiles with a finite-sample guarantee, usable dates and hysteresis."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.calendars import WorkCalendar
from core.domain.eta import (
    DateEstimate,
    complete_estimate,
    estimate_date,
    lead_time_p80,
    quantile,
    ship_notice_arrival,
    should_move,
    usable_date,
)
from core.domain.states import DateBasis

PLAIN = WorkCalendar()
DAY = date(2026, 6, 10)


def test_quantile_is_the_conformal_order_statistic():
    assert quantile(list(range(1, 21)), 0.8) == 17  # ceil(21 * 0.8)
    assert quantile(list(range(20, 0, -1)), 0.95) == 20
    assert quantile(list(range(1, 100)), 0.07) == 7
    assert quantile([5, 5, 5], 0.8) is None  # ceil(4 * 0.8) = 4 > 3: three cases cannot promise 80 %
    assert quantile([], 0.5) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1], 1.0)


@given(st.lists(st.integers(-30, 60), min_size=5, max_size=60), st.sampled_from([0.5, 0.8]))
def test_leaving_one_out_keeps_the_coverage(days: list[int], q: float):
    kept = sum((low := quantile(days[:i] + days[i + 1 :], q)) is None or day <= low for i, day in enumerate(days))
    assert kept >= q * len(days)


def test_lead_time_falls_back_while_observations_are_few():
    assert lead_time_p80([10] * 19, 14) == 14
    assert lead_time_p80([10] * 15 + [21] * 5, 14) == 21
    assert lead_time_p80([10] * 18 + [21] * 2, 14) == 10


def test_estimate_shows_quantiles_only_from_twenty_observations():
    few = estimate_date(DAY, [3] * 19, "Asia/Seoul", DateBasis.CONFIRMED_ORDER, promised=DAY)
    assert (few.p50, few.p80, few.p95, few.expected, few.observations) == (None, None, None, DAY, 19)
    many = estimate_date(DAY, [0] * 10 + [2] * 8 + [9] * 2, "Asia/Seoul", DateBasis.CONFIRMED_ORDER)
    assert (many.p50, many.p80, many.p95) == (DAY + timedelta(2), DAY + timedelta(2), DAY + timedelta(9))
    assert many.expected == many.p80
    with pytest.raises(ValueError, match="19 observations are too few"):
        DateEstimate(DAY, DAY, DAY, None, None, "UTC", DateBasis.LEAD_TIME, None, 19)


def test_the_latest_part_binds_the_whole():
    early = estimate_date(DAY, [], "UTC", DateBasis.ON_HAND)
    late = estimate_date(DAY + timedelta(5), [], "UTC", DateBasis.LEAD_TIME)
    assert complete_estimate([late, early]) is late


def test_usable_date_adds_lateness_then_receiving():
    assert usable_date(DAY, DateBasis.ON_HAND, 5, 2, PLAIN) == DAY
    assert usable_date(DAY, DateBasis.SHIP_NOTICE, 0, 0, PLAIN) == DAY
    assert usable_date(DAY, DateBasis.SHIP_NOTICE, 0, 1, PLAIN) == date(2026, 6, 11)
    assert usable_date(DAY, DateBasis.CONFIRMED_ORDER, 3, 1, PLAIN) == date(2026, 6, 16)  # Saturday, Monday, Tuesday
    assert usable_date(DAY, DateBasis.LEAD_TIME, 3, 1, PLAIN) == date(2026, 6, 11)
    assert usable_date(DAY, DateBasis.CARRIER, -4, 0, PLAIN) == DAY


def test_ship_notice_states_its_date_or_gets_transit():
    stated = date(2026, 6, 18)
    assert ship_notice_arrival(DAY, stated, 2, PLAIN) == stated
    assert ship_notice_arrival(DAY, None, 2, PLAIN) == date(2026, 6, 12)
    assert ship_notice_arrival(DAY, date(2026, 6, 9), 2, PLAIN) == date(2026, 6, 12)


@pytest.mark.parametrize(
    ("new_in_days", "certain", "moves"),
    [(0, True, False), (1, True, True), (1, False, False), (2, False, True), (-2, False, True)],
)
def test_hysteresis_holds_back_noise_but_not_facts(new_in_days: int, certain: bool, moves: bool):
    assert should_move(DAY, DAY + timedelta(new_in_days), 2, certain) is moves


def test_a_date_that_appears_or_is_lost_always_moves():
    assert should_move(None, DAY, 5, certain=False)
    assert should_move(DAY, None, 5, certain=False)
    assert not should_move(None, None, 0, certain=True)
