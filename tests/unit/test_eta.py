"""Quantiles with a finite-sample guarantee, usable dates and hysteresis."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.calendars import WorkCalendar
from core.domain.date_parts import UNKNOWN, DatePart, DateQuantiles, SupplyDates, part_spread, quantiles_of
from core.domain.eta import (
    Spread,
    last_of,
    lead_time_p80,
    one_after_another,
    quantile,
    ship_notice_arrival,
    should_move,
    usable_date,
)
from core.domain.network import Lane, Location, Network
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


WEEK = Spread((0, 2, 9), (0.5, 0.9, 1.0), 40, 0.81)


def test_a_spread_knows_its_days_and_what_is_left_once_it_is_late():
    assert [WEEK.quantile(level) for level in (0.5, 0.51, 0.9, 0.95)] == [0, 2, 2, 9]
    assert (WEEK.below(-1), WEEK.below(1), WEEK.below(9)) == (0.0, 0.5, 1.0)
    late = WEEK.given_late(0)
    assert (late.days, late.shares) == ((2, 9), pytest.approx((0.8, 1.0)))
    assert WEEK.given_late(9) == Spread((10,), (1.0,), 40, 0.81)
    assert WEEK.not_before(1) == Spread((1, 2, 9), (0.5, 0.9, 1.0), 40, 0.81)
    assert WEEK.not_before(30) == Spread((30,), (1.0,), 40, 0.81)


def test_stages_add_up_and_the_later_of_two_supplies_decides():
    both = one_after_another(WEEK, Spread((1, 3), (0.5, 1.0), 25, 0.7))
    assert both.days == (1, 3, 5, 10, 12)
    assert both.shares == pytest.approx((0.25, 0.7, 0.9, 0.95, 1.0))
    assert (both.observations, both.coverage) == (25, 0.7)
    whole = last_of([WEEK, Spread((1, 3), (0.5, 1.0), 25, None)])
    assert (whole.days, whole.shares) == ((1, 2, 3, 9), pytest.approx((0.25, 0.45, 0.9, 1.0)))
    assert (whole.observations, whole.coverage) == (25, None)
    with pytest.raises(ValueError, match="nothing to wait for"):
        last_of([])


NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)


def test_no_day_holds_a_level_above_what_ever_comes():
    """Of a hundred ten never come; of those that are not here after day 0, a fifth; of those not here after day 2, all."""
    first, third = date(2026, 6, 1), date(2026, 6, 3)
    today = first.toordinal()
    lossy = Spread((0, 2), (0.5, 0.9), 40, 0.81).shifted(today)
    assert quantiles_of([lossy]) == DateQuantiles(first, third, None, 0.81, 40, third)
    assert lossy.given_late(today).shares == pytest.approx((0.8,))
    assert quantiles_of([lossy.given_late(today), lossy]).p80 is None
    assert one_after_another(lossy, lossy).shares[-1] == last_of([lossy, lossy]).shares[-1] == pytest.approx(0.81)
    lost = lossy.given_late(today + 2)
    assert quantiles_of([lost]) == DateQuantiles(None, None, None, 0.81, 40, date(2026, 6, 4))
    assert quantiles_of([lost, lossy]).p50 is quantiles_of([one_after_another(lost, lossy)]).p50 is None
    assert lossy.not_before(today + 9) == Spread((today + 9,), (0.9,), 40, 0.81)


def test_the_worse_the_supplier_the_later_the_day_that_is_expected():
    """On the day half come; a fifth never does, or a quarter: then no day holds .80, and what still comes takes two days."""
    kept, lossy = (Spread((0, 2), (0.5, ever), 40).shifted(DAY.toordinal()) for ever in (0.8, 0.75))
    assert [quantiles_of([one]).p80 for one in (kept, lossy)] == [DAY + timedelta(2), None]
    assert [quantiles_of([one]).expected(DAY) for one in (kept, lossy)] == [DAY + timedelta(2)] * 2
    assert (
        quantiles_of([lossy]).expected(DAY + timedelta(5)) == DAY + timedelta(5) == UNKNOWN.expected(DAY + timedelta(5))
    )


PUNCTUAL = Spread((0,), (1.0,), 60, 0.8)
NETWORK = Network({7: Location(7, "A", "dc", "UTC", time(15), WorkCalendar(frozenset(range(1, 8))))}, {})


def test_a_date_is_shown_with_what_its_stages_make_of_it():
    supply = SupplyDates(DAY, DAY + timedelta(2), WEEK)
    leaves = DatePart(DAY + timedelta(2), 7, (1, 5))
    told = quantiles_of([part_spread(leaves, supply, {}, NOW, NETWORK)])
    assert told == DateQuantiles(DAY, DAY + timedelta(2), DAY + timedelta(9), 0.81, 40, DAY + timedelta(9))
    tomorrow = NOW + timedelta(1)
    assert quantiles_of([part_spread(leaves, supply, {}, tomorrow, NETWORK)]).p50 == DAY + timedelta(2), (
        "it has not come by yesterday"
    )
    wanted_later = DatePart(DAY + timedelta(5), 7, (1, 5))
    assert quantiles_of([part_spread(wanted_later, supply, {}, NOW, NETWORK)]).p80 == DAY + timedelta(5)
    road = {"CARRY|ALL": Spread((0, 1), (0.5, 1.0), 19, None), "SHIP|ALL|7": WEEK}
    arrives = DatePart(DAY, 7, None, timedelta(2))
    assert quantiles_of([part_spread(arrives, None, road, NOW, NETWORK)]) == DateQuantiles(None, None, None, None, 19)
    assert quantiles_of([part_spread(leaves, SupplyDates(DAY, DAY, None), {}, NOW, NETWORK)]) == UNKNOWN
    on_hand = part_spread(DatePart(DAY, 7, None), None, {}, NOW, NETWORK)
    assert quantiles_of([on_hand]) == UNKNOWN, "nothing was measured"
    assert quantiles_of([on_hand, part_spread(leaves, supply, {}, NOW, NETWORK)]).p95 == DAY + timedelta(9)


@pytest.mark.parametrize(("usable", "comes"), [(-2, 0), (3, 3)])
def test_what_moves_between_our_own_places_comes_as_planned_while_nobody_measures_it(usable: int, comes: int):
    today = NOW.date()
    supply = SupplyDates(today, today + timedelta(usable), None, is_own=True)
    spread = part_spread(DatePart(None, 7, (1, 5)), supply, {}, NOW, NETWORK)
    assert spread is not None
    assert [date.fromordinal(day) for day in spread.days] == [today + timedelta(comes)]


def test_closed_days_receiving_cut_off_and_lanes_are_part_of_the_quantiles():
    """10 June 2026 is a Wednesday; the dock works Monday to Friday, the carrier on Saturdays too."""
    lane = Lane(7, 9, 2, WorkCalendar(frozenset(range(1, 7))))
    network = Network({7: Location(7, "A", "dc", "Asia/Seoul", time(15), PLAIN)}, {(7, 9): lane})
    thursday, friday, saturday, monday, tuesday, wednesday = (DAY + timedelta(days) for days in (1, 2, 3, 5, 6, 7))

    def shown(part: DatePart, supply: SupplyDates, known: dict[str, Spread], now: datetime = NOW) -> dict[date, float]:
        told = part_spread(part, supply, known, now, network)
        assert told is not None
        return {date.fromordinal(day): share for day, share in zip(told.days, told.shares, strict=True)}

    at_dock = Spread((0, 2, 3), (0.4, 0.7, 1.0), 40, 0.8)  # Wednesday, Friday, Saturday
    supply = SupplyDates(DAY, thursday, at_dock, receiving_days=1)
    assert shown(DatePart(None, 7, (1, 5)), supply, {}) == {thursday: 0.4, monday: 0.7, tuesday: 1.0}
    picked = {"SHIP|ALL": Spread((-1, 0, 1), (0.1, 0.5, 1.0), 30, 0.8)}
    left = shown(DatePart(thursday, 7, (1, 5)), supply, picked)
    assert left == pytest.approx({thursday: 0.2, friday: 0.4, monday: 0.55, tuesday: 0.85, wednesday: 1.0})
    arrives = DatePart(thursday, 7, (1, 5), timedelta(4), 9)
    came = shown(arrives, supply, {"CARRY|ALL": PUNCTUAL})
    assert came == {saturday: 0.4, wednesday: 0.7, wednesday + timedelta(1): 1.0}, "not the four days of the plan"
    on_time = replace(supply, usable_date=DAY, late=PUNCTUAL, receiving_days=0)
    half_past_three = datetime(2026, 6, 10, 6, 30, tzinfo=UTC)
    today = DatePart(DAY, 7, (1, 5))
    assert shown(today, on_time, {}, half_past_three - timedelta(hours=1)) == {DAY: 1.0}
    assert shown(today, on_time, {}, half_past_three) == {thursday: 1.0}, "after the cut-off"
    assert shown(DatePart(None, 7, (1, 5)), on_time, {}, NOW.replace(hour=16)) == {thursday: 1.0}, "midnight of Seoul"


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
