"""Fill rates, kept promises and percentiles with their denominators."""

from datetime import date

import pytest

from core.domain.service_metrics import (
    LineService,
    PromiseOutcome,
    late_days,
    line_fill_rate,
    median,
    percentile,
    promise_kept_rate,
    unit_fill_rate,
)

TODAY = date(2026, 6, 10)
LINES = [LineService(10, 6), LineService(2, 2), LineService(4, 0), LineService(1, 1)]


def test_fill_rates():
    assert unit_fill_rate(LINES) == 9 / 17
    assert line_fill_rate(LINES) == 2 / 4
    assert unit_fill_rate([]) is None
    assert line_fill_rate([]) is None


def test_kept_promises_judge_only_what_can_be_judged():
    outcomes = [
        PromiseOutcome(date(2026, 6, 5), date(2026, 6, 5)),
        PromiseOutcome(date(2026, 6, 5), date(2026, 6, 6)),
        PromiseOutcome(date(2026, 6, 20), date(2026, 6, 8)),
        PromiseOutcome(date(2026, 6, 9), None),
        PromiseOutcome(date(2026, 6, 10), None),
    ]
    assert promise_kept_rate(outcomes, TODAY) == 2 / 4
    assert promise_kept_rate(outcomes[4:], TODAY) is None
    assert [late_days(outcome, TODAY) for outcome in outcomes] == [0, 1, -12, 1, 0]


def test_percentiles():
    assert percentile([5, 1, 4, 2, 3], 0.9) == 5
    assert percentile(list(range(1, 11)), 0.9) == 9
    assert percentile([7], 0) == 7
    assert percentile([], 0.5) is None
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 2, 3]) == 2.5
    assert median([]) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1], 1.1)
