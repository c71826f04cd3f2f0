"""Dates of a supplier that no longer hold what was said of them raise one alarm, and another when it happens again."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy")

from core.services.keep_date_spreads import keep_date_spreads
from ml.live_dates import SpreadRow

pytestmark = pytest.mark.anyio


def _row(coverage: float | None, judged: int, of_p95: float | None = 0.95) -> SpreadRow:
    kept = {0.5: 0.5, 0.8: coverage, 0.95: of_p95}
    days = {0.5: 0, 0.8: 1, 0.95: 2}
    return SpreadRow("SUPPLY|CARRIER|1", "SUPPLY", "CARRIER", 1, 90, "x", days, [0], [1.0], kept, judged, 0.0, 0.0)


async def test_an_alarm_is_raised_when_coverage_begins_to_drift(world):
    told = []
    said = (
        _row(0.6, 29),
        _row(0.71, 30),
        _row(0.6, 30),
        _row(0.6, 31),
        _row(0.8, 32),
        _row(0.8, 33, 0.87),
        _row(None, 0),
    )
    for row in said:
        await world.do(lambda uow, row=row: keep_date_spreads(uow, [row]))
        told.append(await world.value("select count(*) from outbox where topic = 'alarm' and kind = 'DATE_COVERAGE'"))
    assert told == [0, 0, 1, 1, 1, 2, 2]
    facts = await world.rows("select payload from outbox where kind = 'DATE_COVERAGE' order by id")
    assert [one["payload"] for one in facts] == [
        {"path": "SUPPLY|CARRIER|1", "level": 80, "coverage": 0.6, "judged": 30, "untold": False, "supplierId": 1},
        {"path": "SUPPLY|CARRIER|1", "level": 95, "coverage": 0.87, "judged": 33, "untold": False, "supplierId": 1},
    ]
    (kept,) = await world.rows("select coverage, coverage_p50, coverage_p95, judged, is_drifting from date_spread")
    assert kept == {"coverage": None, "coverage_p50": 0.5, "coverage_p95": 0.95, "judged": 0, "is_drifting": False}
