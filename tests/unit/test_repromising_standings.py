"""The live priority of many lines at once is that of `core.domain.priority.score`, figure by figure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.priority import PriorityFacts, PriorityWeights, margin_of, score
from core.domain.repromising.standings import EPOCH, Standings, scores

NOW = datetime(2026, 11, 2, 3, 17, 5, 123456, tzinfo=UTC)
TODAY = NOW.date()
GRADES = ["", "VIP", "standard", "Gold", "OTHER"]
COUNTRIES = ["", "DE", "KR"]

WEIGHTS = st.builds(
    PriorityWeights,
    st.fixed_dictionaries(
        {
            name: st.sampled_from([0.0, 0.5, 1.0, 2.7, 10.0])
            for name in (
                "slack",
                "contract",
                "grade",
                "margin",
                "preorder",
                "completion",
                "age",
                "bumped",
                "supplierRisk",
            )
        }
    ),
    slack_days=st.integers(0, 20),
    age_days=st.integers(0, 40),
    breach_days=st.integers(0, 3),
    grade_deadline_days=st.sampled_from([{}, {"VIP": 2}, {"STANDARD": 5, "GOLD": 3}]),
    country_deadline_days=st.sampled_from([{}, {"DE": 4}]),
)
LINE = st.tuples(
    st.one_of(st.timedeltas(timedelta(days=-1), timedelta(days=6)), st.timedeltas(timedelta(0), timedelta(days=900))),
    st.integers(0, len(GRADES) - 1),
    st.integers(0, len(COUNTRIES) - 1),
    st.one_of(st.none(), st.integers(-5, 30)),
    st.booleans(),
    st.booleans(),
    st.one_of(st.integers(0, 4_000_000), st.integers(-60, -1)),
    st.integers(0, 2),
)


@settings(max_examples=300, deadline=None)
@given(
    WEIGHTS,
    st.lists(LINE, min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 3_000_000), st.booleans()), min_size=3, max_size=3),
)
def test_scores_are_those_of_the_rule(weights, lines, skus):
    ages, grades, countries, due, risk, completes, given_, sku = zip(*lines, strict=True)
    placed = [NOW - age for age in ages]
    since = datetime(2000, 1, 1, tzinfo=UTC)
    standings = Standings(
        NOW,
        weights,
        np.array(given_),
        np.array([(at - since) // timedelta(microseconds=1) for at in placed]),
        np.array(grades),
        [name or "STANDARD" for name in GRADES],
        np.array(countries) if weights.country_deadline_days else None,
        COUNTRIES,
        np.array(completes),
        np.zeros(len(lines), bool),
        np.array([margin_of(price, cost) for price, cost, _ in skus]),
        np.array([is_preorder for _, _, is_preorder in skus]),
    )
    ship_by = [0 if days is None else (TODAY + timedelta(days=days)).toordinal() for days in due]
    here = TODAY.toordinal() + np.arange(len(lines)) % 2  # on the other side of midnight
    found = scores(standings, np.arange(len(lines)), np.array(sku), np.array(ship_by), np.array(risk), here)
    for row in range(len(lines)):
        grade = GRADES[grades[row]] or "STANDARD"
        limits = [
            weights.grade_deadline_days.get(grade.upper()),
            weights.country_deadline_days.get(COUNTRIES[countries[row]]),
        ]
        days = [limit for limit in limits if limit is not None]
        price, cost, is_preorder = skus[sku[row]]
        facts = PriorityFacts(
            placed_at=placed[row],
            grade=grade,
            due=date.fromordinal(ship_by[row]) if ship_by[row] else date.fromordinal(int(here[row])),
            breach_on=(placed[row] + timedelta(days=min(days))).date() if days else None,
            is_at_risk=risk[row],
            margin=margin_of(price, cost),
            is_preorder=is_preorder,
            completes_order=completes[row],
            times_bumped=max(0, -1 - given_[row]),
            manual=given_[row] if given_[row] >= 0 else None,
            today=date.fromordinal(int(here[row])),
        )
        assert found[row] == score(facts, weights, NOW).score, facts


def test_days_begin_where_the_database_counts_from():
    assert date.fromordinal(EPOCH) == date(2000, 1, 1)
