"""Coverage of live dates is that of what would have been said: no forecast knows a delivery that came after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("numpy")

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
    assert steady.coverage == {0.5: 192 / 231, 0.8: 192 / 231, 0.95: 1.0}
    assert worse.coverage == {0.5: 179 / 231, 0.8: 179 / 231, 0.95: 1.0}
    assert (steady.days[0.8], worse.days[0.8]) == (0, 5), "from now on it says five days, but it had said none"
    assert not worse.is_drifting


def test_a_supplier_that_was_never_on_time_again_is_a_drift():
    ruined = _measured(1)
    assert ruined.coverage[0.8] == 159 / 231, "a month without a single delivery on its day"
    assert ruined.is_drifting
