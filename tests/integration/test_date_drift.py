"""Dates of a supplier that no longer hold what was said of them raise one alarm, and another when it happens again."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy")

from core.services.keep_date_spreads import keep_date_spreads
from ml.live_dates import SpreadRow

pytestmark = pytest.mark.anyio


def _row(coverage: float | None, judged: int) -> SpreadRow:
    kept = {0.5: coverage, 0.8: coverage, 0.95: coverage}
    days = {0.5: 0, 0.8: 1, 0.95: 2}
    return SpreadRow("SUPPLY|CARRIER|1", "SUPPLY", "CARRIER", 1, 90, "x", days, [0], [1.0], kept, judged, 0.0, 0.0)


async def test_an_alarm_is_raised_when_coverage_begins_to_drift(world):
    told = []
    for coverage, judged in ((0.6, 29), (0.71, 30), (0.6, 30), (0.6, 31), (0.8, 32), (0.95, 33), (None, 0)):
        await world.do(lambda uow, row=_row(coverage, judged): keep_date_spreads(uow, [row]))
        told.append(await world.value("select count(*) from outbox where topic = 'alarm' and kind = 'DATE_COVERAGE'"))
    assert told == [0, 0, 1, 1, 1, 2, 2]
    facts = await world.rows("select payload from outbox where kind = 'DATE_COVERAGE' order by id")
    assert facts[0]["payload"] == {"path": "SUPPLY|CARRIER|1", "coverage": 0.6, "judged": 30, "supplierId": 1}
    (kept,) = await world.rows("select coverage, coverage_p50, coverage_p95, judged, is_drifting from date_spread")
    assert kept == {"coverage": None, "coverage_p50": None, "coverage_p95": None, "judged": 0, "is_drifting": False}
