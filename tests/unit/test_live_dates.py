"""Coverage of live dates is that of what would have been said: no forecast knows a delivery that came after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

pytest.importorskip("numpy")

from core.domain.date_parts import DateQuantiles, quantiles_of
from core.queries.date_spreads import spread_of
from ml.live_dates import MONTH, SpreadRow, measure_spreads, supply_facts

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
PER_MONTH = 40


def _measured(late_in_last_month: int) -> SpreadRow:
    """A year of forty deliveries a month: every sixth is five days late, in the last month every `late_in_last_month`-th."""
    rows = []
    for number in range(12 * PER_MONTH):
        ago = 1 + number * MONTH // PER_MONTH
        every = late_in_last_month if ago <= MONTH else 6
        stated = AT.date() - timedelta(days=ago + 6)
        came = stated + timedelta(days=0 if number % every else 5)
        rows.append({"basis": "CARRIER", "supplier_id": 7, "location_id": 1, "stated": stated, "came": came})
    (row,) = [row for row in measure_spreads("SUPPLY", supply_facts(rows), AT) if row.path == "SUPPLY|CARRIER|7"]
    return row


def test_coverage_is_of_what_was_said_before_it_was_known():
    steady, worse = _measured(6), _measured(2)
    assert (steady.judged, worse.judged) == (231, 231), "what is stated for the last days has not come yet"
    assert steady.coverage == pytest.approx({0.5: 192 / 231, 0.8: 192 / 231, 0.95: 1.0})
    assert worse.coverage == pytest.approx({0.5: 179 / 231, 0.8: 179 / 231, 0.95: 1.0})
    assert (steady.days[0.8], worse.days[0.8]) == (0, 5), "from now on it says five days, but it had said none"
    assert not worse.is_drifting


def test_a_supplier_that_was_never_on_time_again_is_seen_by_what_is_overdue():
    """What was overdue when the last month began already said so: its P80 held, which its P50 could not."""
    ruined = _measured(1)
    assert ruined.coverage == pytest.approx({0.5: 159 / 231, 0.8: 190 / 231, 0.95: 1.0})
    assert ruined.drifts == []


def _supplied(*lines: tuple[int, int | None, int]) -> SpreadRow:
    """Lines as (number, delay or None for still open, stated days ago)."""
    rows = []
    for count, delay, ago in lines:
        stated = AT.date() - timedelta(days=ago)
        came = None if delay is None else stated + timedelta(days=delay)
        rows += [{"basis": "CARRIER", "supplier_id": 7, "location_id": 1, "stated": stated, "came": came}] * count
    return next(row for row in measure_spreads("SUPPLY", supply_facts(rows), AT) if row.path == "SUPPLY|CARRIER|7")


def test_what_never_came_is_no_kept_day():
    """Sixty came on their day, forty of the same months are open long after it: .60, not all of what came."""
    waited = _supplied((100, 0, 300), (60, 0, 100), (40, None, 100))
    assert (waited.coverage[0.8], waited.judged) == (pytest.approx(0.6), 100)
    assert waited.drifts == [0.8, 0.95]
    assert waited.days[0.8] > 0, "and from now on a later day is said"


def test_a_level_that_no_day_holds_is_an_alarm():
    """Eight in a hundred never came: nine in ten of the last half-year kept their day, and no day holds .95."""
    waited = _supplied((40, 0, 200), (100, 0, 100), (10, None, 100))
    assert (waited.coverage[0.95], waited.days[0.95]) == (pytest.approx(10 / 11), 730)
    assert (waited.untold, waited.drifts) == ([0.95], [0.95])


def _shown(row: SpreadRow) -> DateQuantiles:
    """What a date says of a supply stated for day 1000, as ordinal days."""
    kept = {"days": row.support, "shares": row.shares, "observations": row.observations, "coverage": row.coverage[0.8]}
    return quantiles_of([spread_of(kept).shifted(1000)])


@pytest.mark.parametrize(
    ("lines", "untold", "told", "expected"),
    [
        (((140, 0, 100), (10, None, 100)), [0.95], [0, 0, None], 0),
        (((140, 0, 100), (30, None, 100)), [0.8, 0.95], [0, None, None], 0),
        (((140, 3, 100), (60, None, 100)), [0.8, 0.95], [3, None, None], 3),
        (((140, 3, 100),), [], [3, 3, 3], 3),
    ],
)
def test_a_date_shows_no_day_for_a_level_that_is_an_alarm(
    lines: tuple[tuple[int, int | None, int], ...], untold: list[float], told: list[int | None], expected: int
):
    """From the deliveries by the row that is kept to the date that is shown."""
    measured = _supplied(*lines)
    shown = _shown(measured)
    assert measured.untold == untold
    assert [day and day.toordinal() - 1000 for day in (shown.p50, shown.p80, shown.p95)] == told
    assert shown.expected(date.fromordinal(1000)).toordinal() - 1000 == expected


def test_one_unusual_season_does_not_move_the_median_that_is_shown():
    """Half a year ago they came on their day; since then a week late: the median is the promise. In the first half-year it is
    what was seen, and what is late for longer than half a year is no season."""
    season, young, always = (
        _supplied(*lines) for lines in (((90, 0, 300), (200, 7, 60)), ((200, 7, 60),), ((90, 7, 300), (90, 7, 60)))
    )
    assert [(row.days[0.5], row.days[0.8]) for row in (season, young, always)] == [(0, 7), (7, 7), (7, 7)]


@pytest.mark.parametrize(
    "lines",
    [
        ((90, 0, 300), (200, 7, 60)),
        ((90, 0, 300), (200, -4, 60)),
        ((30, 0, 200), (60, 3, 130), (45, 11, 90), (9, 40, 80), (25, None, 70)),
        ((50, 2, 200), (20, -6, 100), (80, None, 100)),
        ((60, 9, 220), (30, -9, 150), (30, 0, 100), (40, None, 2)),
    ],
)
def test_a_date_shows_the_days_that_are_judged(lines: tuple[tuple[int, int | None, int], ...]):
    """What the API reads is one distribution, and its quantiles are those whose coverage is measured."""
    measured = _supplied(*lines)
    shown = _shown(measured)
    told = [None if level in measured.untold else day for level, day in measured.days.items()]
    assert [day and day.toordinal() - 1000 for day in (shown.p50, shown.p80, shown.p95)] == told
    assert measured.shares == sorted(measured.shares)


def test_what_may_still_come_by_its_day_has_no_say():
    waited = _supplied((100, 5, 300), (50, 5, 100), (50, None, 3))
    assert (waited.coverage[0.8], waited.judged) == (pytest.approx(1.0), 50)


def test_only_a_day_later_than_need_be_drifts_upwards():
    punctual, early = _supplied((100, 0, 300), (50, 0, 100)), _supplied((100, 5, 300), (50, 0, 100))
    assert (punctual.coverage[0.8], punctual.drifts) == (1.0, [])
    assert (early.coverage[0.8], early.drifts) == (1.0, [0.5, 0.8])


def test_what_was_forgotten_long_ago_is_no_delivery_that_never_comes():
    forgotten = _supplied((90, 2, 200), (30, None, 200), (90, 2, 20))
    assert (forgotten.days, forgotten.drifts) == ({0.5: 2, 0.8: 2, 0.95: 2}, [])
