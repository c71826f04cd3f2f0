"""The rank of a line: tiers before sums, shares that are named, and no line that waits forever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.priority import (
    COMPONENTS,
    SCALE,
    TIER_RANK,
    TIER_STEP,
    PriorityFacts,
    PriorityWeights,
    Tier,
    margin_of,
    priority_weights,
    score,
    serve_order,
)
from core.errors import InvalidInput

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
TODAY = NOW.date()
WEIGHTS = PriorityWeights()

facts = st.builds(
    PriorityFacts,
    placed_at=st.integers(0, 4_000).map(lambda days: NOW - timedelta(days=days)),
    grade=st.sampled_from(["VIP", "GOLD", "SILVER", "STANDARD", "BASIC", "unheard of"]),
    due=st.none() | st.integers(-30, 30).map(lambda days: TODAY + timedelta(days=days)),
    breach_on=st.none() | st.integers(-5, 5).map(lambda days: TODAY + timedelta(days=days)),
    is_at_risk=st.booleans(),
    margin=st.floats(-2, 2),
    is_preorder=st.booleans(),
    completes_order=st.booleans(),
    times_bumped=st.integers(0, 5_000),
    supplier_risk=st.floats(0, 1),
)


@given(facts, facts)
def test_no_sum_lifts_a_line_over_the_next_tier(one, other):
    first, second = score(one, WEIGHTS, NOW), score(other, WEIGHTS, NOW)
    assert first.tier * TIER_STEP <= first.score < (first.tier + 1) * TIER_STEP
    if first.tier > second.tier:
        assert first.score > second.score


@given(facts)
def test_the_components_explain_the_score(one):
    found = score(one, WEIGHTS, NOW)
    assert [c.name for c in found.components] == list(COMPONENTS)
    total = sum(c.value * c.weight for c in found.components)
    assert found.score - found.tier * TIER_STEP == min(int(total * SCALE), TIER_STEP - 1)
    assert found.as_json()["components"][0] == {"name": "slack", "value": found.components[0].value, "weight": 3.0}


def test_tiers_follow_from_facts():
    plain = PriorityFacts(NOW)
    assert score(plain, WEIGHTS, NOW).tier is Tier.REST
    assert score(PriorityFacts(NOW, grade="vip"), WEIGHTS, NOW).tier is Tier.CONTRACT
    assert score(PriorityFacts(NOW, is_at_risk=True), WEIGHTS, NOW).tier is Tier.AT_RISK
    tomorrow, later = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    assert score(PriorityFacts(NOW, breach_on=tomorrow), WEIGHTS, NOW).tier is Tier.BREACH
    assert score(PriorityFacts(NOW, breach_on=later), WEIGHTS, NOW).tier is Tier.REST


def test_a_planners_score_wins_and_keeps_the_explanation():
    found = score(PriorityFacts(NOW, grade="BASIC", manual=5 * TIER_STEP), WEIGHTS, NOW)
    assert (found.score, found.is_manual, found.tier) == (5 * TIER_STEP, True, Tier.REST)
    assert found.components[1].value == 0.0


@given(facts, facts, st.integers(0, 400))
def test_waiting_alone_never_turns_two_claims_around(one, other, days):
    """Without dates that come near, the order of two lines is the same on every later day."""
    first = PriorityFacts(one.placed_at, one.grade, times_bumped=one.times_bumped)
    second = PriorityFacts(other.placed_at, other.grade, times_bumped=other.times_bumped)
    then = NOW + timedelta(days=days)
    today = score(first, WEIGHTS, NOW).score - score(second, WEIGHTS, NOW).score
    later = score(first, WEIGHTS, then).score - score(second, WEIGHTS, then).score
    if min(score(f, WEIGHTS, t).score % TIER_STEP for f in (first, second) for t in (NOW, then)) < TIER_STEP - 1:
        assert today * later >= 0 or abs(today - later) <= 2  # cut to whole points


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=6),
    st.sampled_from([0.02, 0.1, 0.5]),
    st.booleans(),
)
def test_endless_newcomers_of_a_higher_weight_starve_nobody(units, bumped, aging):
    """One unit comes per round and a better newcomer with it; still every old line of the tier is served."""
    weights = PriorityWeights(
        {**WEIGHTS.weights, "bumped": bumped, "age": 1.0 if aging else 0.0, "grade": 3.0}, contract_grades=frozenset()
    )
    old = [(number, quantity) for number, quantity in enumerate(units)]
    waiting = {number: [quantity, 0, "BASIC", NOW] for number, quantity in old}
    number, rounds = len(old), 0
    most = sum(units) + int(20 / bumped) * (len(units) + 1)
    while any(n in waiting for n, _ in old):
        at = NOW + timedelta(hours=rounds)
        waiting[number] = [1, 0, "VIP", at]
        number += 1
        ranked = sorted(
            waiting,
            key=lambda n: serve_order(
                score(
                    PriorityFacts(
                        waiting[n][3], waiting[n][2], times_bumped=waiting[n][1], margin=float(n >= len(old))
                    ),
                    weights,
                    at,
                ).score,
                None,
                n,
            ),
        )[:1]
        (winner,) = ranked
        for n, row in waiting.items():
            row[1] += n < winner
        waiting[winner][0] -= 1
        if not waiting[winner][0]:
            del waiting[winner]
        for n in [n for n in waiting if n >= len(old) and n < number - 3]:
            del waiting[n]  # newcomers that gave up: there are always some, never more
        rounds += 1
        assert rounds <= most, "an old line starves"


def test_policies_are_read_as_planners_write_them():
    read = priority_weights(
        {
            "weights": {"margin": 4, "bumped": 2},
            "contractGrades": ["gold"],
            "atRiskDays": 5,
            "deadlineDays": {"grades": {"vip": 5}, "countries": {"us": 30}},
        }
    )
    assert (read.weights["margin"], read.weights["bumped"], read.weights["slack"]) == (4.0, 2.0, 3.0)
    assert read.contract_grades == frozenset({"GOLD"})
    assert (read.at_risk_days, read.breach_days) == (5, 1)
    assert (read.grade_deadline_days, read.country_deadline_days) == ({"VIP": 5}, {"US": 30})
    assert priority_weights(None) == PriorityWeights()


@pytest.mark.parametrize(("name", "weight"), [("bumped", 0), ("margin", -1), ("luck", 1), ("margin", "much")])
def test_a_weight_that_cannot_be_is_refused(name, weight):
    with pytest.raises(InvalidInput):
        priority_weights({"weights": {name: weight}})


def test_ties_go_to_the_earliest_promise_then_to_the_oldest_line():
    day = date(2026, 11, 5)
    keys = [serve_order(7, None, 1), serve_order(7, day, 3), serve_order(7, day, 2), serve_order(8, None, 9)]
    assert sorted(keys) == [keys[3], keys[2], keys[1], keys[0]]


def test_grades_rank_in_their_order_and_a_margin_needs_a_price():
    ranks = [TIER_RANK[grade] for grade in ("BASIC", "STANDARD", "SILVER", "GOLD", "VIP", "STRATEGIC")]
    assert ranks == [0, 1, 2, 3, 4, 4]
    assert [margin_of(*pair) for pair in ((4, 1), (1, 0), (0, 1))] == [0.75, 1.0, 0.0]


def test_a_line_that_leaves_today_has_no_slack_left_whatever_day_it_is_elsewhere():
    eight_in_seoul = datetime(2026, 11, 9, 23, tzinfo=UTC)
    tenth = date(2026, 11, 10)
    here = score(PriorityFacts(eight_in_seoul, due=tenth, today=tenth), WEIGHTS, eight_in_seoul)
    assert here.values[0] == 1.0
    assert score(PriorityFacts(eight_in_seoul, due=tenth), WEIGHTS, eight_in_seoul).values[0] == round(13 / 14, 6)
