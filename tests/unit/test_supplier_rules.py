"""Rules of the work with suppliers: scorecards, observed lead times, deadlines, approval routes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from core.domain.approval_routes import Absence, RouteStep, decide, in_place_of, read_routes, step_for
from core.domain.lead_times import Agreed, calibrate
from core.domain.scorecards import LineFacts, LineReceipt, LineStep, OpenPart, Rate, scorecard
from core.domain.supplier_deadlines import (
    Times,
    acknowledgement_times,
    deadline_rules,
    ship_notice_times,
    state_at,
    steps_to,
)
from core.domain.supplier_states import DeadlineState
from core.errors import Forbidden, InvalidInput

D = date(2026, 3, 1)


def day(n: int) -> date:
    return D + timedelta(days=n)


def at(n: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC) + timedelta(days=n)


def line(sent=0, ordered=10, price=100, steps=(), receipts=(), sku=1, requested=20):
    said = [LineStep(day(n), at(n, 6), None if p is None else day(p), 0, c) for n, p, c in steps]
    return LineFacts(sku, at(sent), day(sent), ordered, price, day(requested), said, list(receipts))


def came(n, units, bad=0, paper=None, usable=None):
    return LineReceipt(
        day(n), units, bad, None if paper is None else day(paper), None if usable is None else day(usable)
    )


CARD = [
    line(steps=[(1, 10, 0)], receipts=[came(9, 6, paper=10, usable=11), came(10, 4, bad=1, paper=10, usable=11)]),
    line(steps=[(2, 10, 0), (8, 14, 0)], receipts=[came(14, 10, paper=14, usable=14)], price=110),
    line(steps=[(1, 12, 0), (11, 12, 4)], receipts=[came(12, 6, paper=12, usable=13)], sku=2),
    line(requested=15),
]


def test_a_card_counts_lines_against_the_first_promise_and_what_was_not_cancelled():
    card = scorecard(CARD, day(0), day(20))
    assert card.on_time == Rate(0.5, 4)
    assert (round(card.in_full.value or 0, 4), card.in_full.count) == (0.7222, 36)
    assert (card.date_changes, card.changed_lines) == (1, Rate(1 / 3, 3))
    assert (card.acknowledgement_hours.count, card.unacknowledged) == (3, 1)
    assert card.acknowledgement_hours.p50 == 30
    assert card.lead_time_days == {9: 1, 10: 1, 12: 1, 14: 1}
    assert (card.lead_time.p50, card.lead_time.p80, card.lead_time.count) == (12, 14, 4)
    assert card.quality == Rate(1 - 1 / 26, 26)
    assert (card.dates.bias, card.dates.spread) == (0, 1)
    assert (card.dates.coverage, card.dates.believed) == (Rate(1, 4), Rate(1, 4))


def test_a_card_of_a_past_day_knows_nothing_of_later_days_and_is_restated_by_late_facts():
    early = scorecard([*CARD, line(sent=12, requested=10)], day(0), day(11))
    assert (early.on_time, early.date_changes, early.lead_time.count) == (Rate(0.5, 2), 1, 2)
    late = [*CARD[:3], line(requested=11, receipts=[came(11, 10)])]
    assert scorecard(late, day(0), day(11)).on_time == Rate(2 / 3, 3)
    empty = scorecard([], day(0), day(11))
    assert (empty.on_time, empty.lead_time.p50, empty.quality) == (Rate(None, 0), None, Rate(None, 0))
    assert empty.dates.bias is None


def test_a_change_before_the_window_and_a_line_that_we_cancelled_are_not_counted():
    card = scorecard(CARD, day(9), day(20))
    assert (card.date_changes, card.changed_lines) == (0, Rate(0, 3))
    ours = scorecard([line(steps=[(3, None, 10)])], day(0), day(9))
    assert (ours.acknowledgement_hours.count, ours.unacknowledged) == (0, 1)


def test_what_was_cancelled_after_its_day_was_late_all_the_same():
    closed = line(ordered=100, steps=[(1, 9, 0), (19, 9, 60)], receipts=[came(8, 40)])
    card = scorecard([closed], day(0), day(30))
    assert (card.on_time, card.in_full) == (Rate(0.0, 1), Rate(0.4, 100))
    in_time = line(ordered=100, steps=[(1, 9, 0), (9, 9, 60)], receipts=[came(8, 40)])
    card = scorecard([in_time], day(0), day(30))
    assert (card.on_time, card.in_full) == (Rate(1.0, 1), Rate(1.0, 40))


def test_what_has_not_come_by_its_stated_day_is_a_miss():
    lost = replace(line(steps=[(1, 10, 0)]), missing=[OpenPart(day(10), day(12))])
    soon = replace(line(steps=[(1, 20, 0)]), missing=[OpenPart(day(20), day(21))])
    later = line(steps=[(1, 18, 0)], receipts=[came(25, 10, paper=18, usable=22)])
    card = scorecard([*CARD, lost, soon, later], day(0), day(20))
    assert (card.dates.coverage, card.dates.believed) == (Rate(4 / 6, 6), Rate(4 / 5, 5))
    assert (card.dates.bias, card.dates.spread) == (0, 11)
    assert scorecard([lost], day(0), day(10)).dates.coverage == Rate(None, 0)


def test_prices_are_compared_with_the_window_before_by_sku():
    lines = [line(-10, price=100), line(3, price=120), line(3, price=50, sku=2), line(-11, price=1)]
    drift = scorecard(lines, day(0), day(9)).price_drift
    assert (round(drift.value or 0, 9), drift.count) == (0.2, 1)


def test_observed_lead_times_are_drawn_to_what_was_agreed_while_there_are_few():
    agreed = {1: Agreed(10, 14), 2: Agreed(10, 14)}
    assert calibrate(agreed, {1: [20] * 4}) == {}
    few = calibrate(agreed, {1: [20] * 5})
    many = calibrate(agreed, {1: [20] * 500})
    assert 14 < few[1].p80 < many[1].p80 == 20
    assert 14 < few[2].p80 < many[2].p80, "another SKU of a slow supplier is slow too"
    assert (many[1].count, many[2].count, many[2].supplier_count) == (500, 0, 500)
    quick = calibrate(agreed, {1: [4] * 500})
    assert (quick[1].p50, quick[1].p80) == (5, 5)
    wide = calibrate({1: Agreed(1, 1), 2: Agreed(3_650, 3_650)}, {1: [366] * 500})
    assert (wide[2].p50, wide[2].p80) == (3_650, 3_650)


def test_deadlines_warn_breach_and_escalate_by_the_clock_alone():
    rules = deadline_rules({"acknowledgementHours": 40, "suppliers": {"SLOW": {"acknowledgementHours": 80}}}, "ANY")
    times = acknowledgement_times(rules, at(0))
    assert times is not None
    assert (times.warn_at, times.due_at, times.escalate_at) == (at(1, 6), at(1, 16), at(2, 16))
    s = DeadlineState
    seen = [state_at(s.OPEN, times, now, False, True) for now in (at(1, 5), at(1, 6), at(1, 16), at(3))]
    assert seen == [s.OPEN, s.WARNED, s.BREACHED, s.ESCALATED]
    assert state_at(s.ESCALATED, times, at(3), True, True) is s.MET
    assert state_at(s.MET, times, at(3), False, True) is s.MET
    assert state_at(s.WARNED, times, at(1, 7), False, False) is s.DROPPED
    slow = acknowledgement_times(deadline_rules({"suppliers": {"SLOW": {"acknowledgementHours": 80}}}, "SLOW"), at(0))
    assert slow is not None
    assert slow.due_at == at(3, 8)
    assert deadline_rules({}, "", {"acknowledgement_hours": 12}).acknowledgement_hours == 12
    assert steps_to(s.OPEN, s.ESCALATED, times) == [s.WARNED, s.BREACHED, s.ESCALATED]
    assert steps_to(s.WARNED, s.BREACHED, times) == [s.BREACHED]
    assert [steps_to(s.BREACHED, then, times) for then in (s.OPEN, s.MET)] == [[s.OPEN], [s.MET]]
    assert steps_to(s.MET, s.WARNED, times) == [s.WARNED]
    assert steps_to(s.OPEN, s.ESCALATED, Times(at(0), at(0), at(0))) == [s.ESCALATED]
    none = deadline_rules({"acknowledgementHours": None, "shipNoticeHoursBefore": None})
    assert (acknowledgement_times(none, at(0)), ship_notice_times(none, at(0), day(9), "UTC")) == (None, None)
    notice = ship_notice_times(rules, at(0), day(9), "Asia/Seoul")
    assert notice is not None
    assert notice.due_at == at(7, 15)
    clocks_change = ship_notice_times(rules, datetime(2026, 10, 1, tzinfo=UTC), date(2026, 11, 2), "America/New_York")
    assert clocks_change is not None
    assert clocks_change.due_at == datetime(2026, 11, 1, 5, tzinfo=UTC), "24 hours, of which one is there twice"
    for wrong in ([], {"x": 1}, {"warnShare": 2}, {"suppliers": {"S": {"suppliers": {}}}}, {"escalateHours": None}):
        with pytest.raises(InvalidInput):
            deadline_rules(wrong)


ROUTES = {
    "isOn": True,
    "steps": [
        {"upTo": None, "approvers": ["head", "finance"], "needed": 2},
        {"upTo": 1000, "approvers": ["buyer"]},
        {"upTo": 5000, "currency": "KRW", "approvers": ["lead"]},
    ],
}


STEP = {"approvers": ["a"]}


def test_the_amount_chooses_the_step():
    steps = read_routes(ROUTES)
    assert steps is not None
    found = [step_for(steps, total, currency) for total, currency in ((1000, "EUR"), (1001, "KRW"), (1001, "EUR"))]
    assert [step.approvers[0] for step in found if step] == ["buyer", "lead", "head"]
    assert step_for(steps[:1], 1001, "EUR") is None
    assert read_routes({"isOn": False, "steps": []}) is None
    assert read_routes({"isOn": True, "steps": [STEP | {"upTo": 0}]}) == [RouteStep(0, None, ("a",), 1)]
    for wrong in (
        {"steps": [{"approvers": []}]},
        {"steps": [{"approvers": ["a"], "needed": 2}]},
        {"on": True},
        "x",
        {"steps": [STEP | {"needed": 0}]},
        {"steps": [STEP | {"upTo": -1}]},
        {"steps": [STEP | {"upTo": "1"}]},
    ):
        with pytest.raises(InvalidInput):
            read_routes(wrong)


def test_substitutes_decide_for_the_absent_and_nobody_for_itself():
    steps = read_routes(ROUTES)
    assert steps is not None
    step = steps[0]
    away = [Absence("buyer", "lead", day(1), day(3)), Absence("lead", "head", day(3), day(3))]
    assert in_place_of("buyer", step, away, day(0)) == ["buyer"]
    assert (in_place_of("buyer", step, away, day(1)), in_place_of("lead", step, away, day(1))) == ([], ["buyer"])
    assert (in_place_of("lead", step, away, day(3)), in_place_of("head", step, away, day(3))) == ([], ["buyer"])
    both = [*away, Absence("buyer", "finance", day(2), day(2))]
    for order in (both, both[::-1]):
        assert (in_place_of("finance", step, order, day(2)), in_place_of("lead", step, order, day(2))) == (
            ["buyer"],
            [],
        )
    circle = [Absence("buyer", "lead", day(1), day(3)), Absence("lead", "buyer", day(1), day(3))]
    assert (in_place_of("lead", step, circle, day(1)), in_place_of("buyer", step, circle, day(1))) == ([], [])
    assert decide("lead", "maker", step, away, day(1), {}) == ("buyer", True)
    for person, maker, given in (("buyer", "buyer", {}), ("lead", "maker", {}), ("buyer", "m", {"buyer": "buyer"})):
        with pytest.raises(Forbidden):
            decide(person, maker, step, [], day(0), given)
    both = steps[-1]
    assert decide("head", "maker", both, [], day(0), {}) == ("head", False)
    assert decide("finance", "maker", both, [], day(0), {"head": "head"}) == ("finance", True)
    with pytest.raises(Forbidden):
        decide("head", "maker", both, [Absence("finance", "head", day(0), day(9))], day(0), {"head": "head"})
    with pytest.raises(Forbidden):
        decide("head", "maker", None, [], day(0), {})
