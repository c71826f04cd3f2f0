"""Options as one object: pure, complete, with exactly one default; never more than a policy or a rule allows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from core.domain.course import CourseFacts, applies, is_before, read_course, rule_of
from core.domain.delay_rules import DelayRule, rule_for
from core.domain.options import (
    DEFAULT_POLICY,
    OptionFacts,
    OptionPolicy,
    SubstituteOffer,
    compensation,
    make_options,
    read_policy,
)
from core.domain.policies import RULES, check_policy
from core.domain.states import BackorderState, CourseStep, ResolutionKind
from core.errors import InvalidInput

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAY = date(2026, 11, 20)
CONSENT = DelayRule("T", "c", None, date(2020, 1, 1), consent_needed=True, consent_days=4)

offers = st.builds(
    SubstituteOffer,
    st.integers(2, 5),
    st.integers(1, 3),
    st.integers(0, 500),
    st.sampled_from(["KRW", "USD"]),
    st.integers(0, 60),
    st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 1)),
    st.booleans(),
    st.integers(1, 3),
)
facts = st.builds(
    OptionFacts,
    st.integers(1, 20),
    st.integers(0, 400),
    st.just("KRW"),
    st.just(NOW),
    st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 1)),
    st.none() | st.integers(0, 60),
    st.integers(0, 5),
    st.lists(offers, max_size=3).map(tuple),
    st.sampled_from([None, CONSENT]),
)
policies = st.fixed_dictionaries(
    {
        "deadlineHours": st.integers(1, 200),
        "default": st.sampled_from(["WAIT", "CANCEL"]),
        "kinds": st.sets(st.sampled_from(list(ResolutionKind))).map(lambda kinds: [*{*kinds, "WAIT", "CANCEL"}]),
        "chargeDifference": st.booleans(),
        "compensation": st.none() | st.fixed_dictionaries({"basisPoints": st.integers(0, 10_000)}),
    }
)


@given(facts, policies)
def test_a_set_has_one_default_and_only_what_may_be(given_facts: OptionFacts, value: dict):
    policy = read_policy(value)
    made = make_options(given_facts, policy)
    assert made == make_options(given_facts, policy)
    assert made is not None
    kinds = [option.kind for option in made.options]
    assert len(kinds) == len(set(kinds)) >= 2
    assert sum(option.is_default for option in made.options) == 1
    needs_consent = given_facts.rule is not None
    assert made.default.kind == ("CANCEL" if needs_consent else value["default"])
    assert made.deadline - NOW == (timedelta(days=4) if needs_consent else timedelta(hours=value["deadlineHours"]))
    for option in made.options:
        assert option.kind in policy.kinds or needs_consent
        assert option.price >= 0
        assert option.compensation is None or option.compensation > 0
        if option.kind is ResolutionKind.SUBSTITUTE:
            (offer,) = {
                o
                for o in given_facts.substitutes
                if o.sku_id == option.substitute_sku_id
                and o.ratio == option.ratio
                and o.expected == option.expected
                and o.free >= given_facts.quantity * o.ratio
                and given_facts.quantity * (o.ratio * o.unit_price - given_facts.unit_price) == option.price_difference
            } or {None}
            assert offer is not None
            assert given_facts.expected is None or offer.expected <= given_facts.expected
        if option.kind is ResolutionKind.PART_SHIP:
            assert option.quantity == given_facts.withheld > 0


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"x": 1},
        {"deadlineHours": True},
        {"default": "SUBSTITUTE"},
        {"kinds": []},
        {"kinds": ["NAP"]},
        {"kinds": ["WAIT"], "default": "CANCEL"},
        {"chargeDifference": 1},
        {"compensation": {"basisPoints": 10_001}},
        {"compensation": {"maximum": {"KRW": -1}}},
    ],
)
def test_a_policy_that_cannot_be_is_refused(value):
    with pytest.raises(InvalidInput):
        read_policy(value)


def test_every_default_passes_its_own_check():
    for rule in RULES:
        if rule.default is not None:
            check_policy(rule.code, rule.default)
    assert read_policy(DEFAULT_POLICY).kinds == frozenset(ResolutionKind)


def test_conditions_of_a_step():
    (rule,) = read_course(
        [
            {
                "step": "OPTIONS",
                "tiers": ["VIP"],
                "minAgeHours": 2,
                "waitLongerThanDays": 5,
                "minValue": 10,
                "maxValue": 90,
            }
        ]
    )

    def due(state="PEGGED", tier="VIP", age=3.0, wait: int | None = 6, value=50):
        return applies(rule, CourseFacts(BackorderState(state), tier, age, wait, value))

    assert due()
    assert due(wait=None)
    assert due(state="DELAYED", wait=0)
    assert [due(tier="GOLD"), due(age=1.0), due(wait=5), due(value=9), due(value=91)] == [False] * 5
    assert [due(age=2.0), due(value=10), due(value=90)] == [True] * 3, "limits are within"


def test_steps_keep_their_order_and_what_is_not_named_is_off():
    course = read_course([{"step": "PURCHASE"}, {"step": "SUBSTITUTE", "isOn": False}])
    assert is_before(course, CourseStep.PURCHASE, CourseStep.SUBSTITUTE)
    assert not is_before(course, CourseStep.OPTIONS, CourseStep.PURCHASE)
    assert is_before(course, CourseStep.SUBSTITUTE, CourseStep.OPTIONS), "what is not named comes after all"
    assert [rule_of(course, step).is_on for step in map(CourseStep, ("PURCHASE", "SUBSTITUTE", "OPTIONS"))] == [
        True,
        False,
        False,
    ]


def test_the_rule_of_a_country_and_a_day():
    general = DelayRule("P", "g", None, date(2020, 1, 1))
    old = DelayRule("P", "o", "KR", date(2020, 1, 1), date(2024, 12, 31))
    new = DelayRule("P", "n", "KR", date(2025, 1, 1))
    rules = [general, old, new]
    assert rule_for(rules, "KR", date(2024, 12, 31)) is old
    assert rule_for(rules, "KR", DAY) is new
    assert rule_for(rules, "DE", DAY) is general
    assert rule_for(rules, None, date(2019, 1, 1)) is None


@pytest.mark.parametrize(
    ("days", "maximum", "amount"), [(4, {}, 0), (5, {}, 49), (None, {}, 49), (5, {"KRW": 30}, 30), (5, {"USD": 1}, 49)]
)
def test_waiting_is_compensated_from_the_day_on_that_the_policy_says(days, maximum, amount):
    policy = OptionPolicy(basis_points=500, min_wait_days=5, maximum=maximum)
    facts = OptionFacts(3, 333, "KRW", NOW, wait_days=days)  # 5 % of 999, rounded down
    assert compensation(facts, policy) == amount
    for is_compensated, offered in ((False, amount > 0), (True, False)):
        made = make_options(replace(facts, is_compensated=is_compensated), policy)
        assert made is not None
        assert (ResolutionKind.COMPENSATE in [option.kind for option in made.options]) == offered


@pytest.mark.parametrize(
    ("unit_price", "charges", "told"),
    [(70, False, (0, 160, None)), (70, True, (160, 160, None)), (40, True, (0, -80, 80)), (50, True, (0, 0, None))],
)
def test_a_dearer_substitute_is_charged_only_by_policy_and_a_cheaper_one_gives_back(unit_price, charges, told):
    offer = SubstituteOffer(2, 2, unit_price, "KRW", 8, DAY)
    made = make_options(
        OptionFacts(4, 2 * 50, "KRW", NOW, DAY, substitutes=(offer,)), OptionPolicy(charge_difference=charges)
    )
    assert made is not None
    (option,) = [option for option in made.options if option.kind is ResolutionKind.SUBSTITUTE]
    assert (option.price, option.price_difference, option.compensation) == told


def test_days_of_consideration_are_those_of_a_rule_that_asks_for_consent():
    for rule, wait in ((CONSENT, timedelta(days=4)), (replace(CONSENT, consent_needed=False), timedelta(hours=72))):
        made = make_options(OptionFacts(4, 100, "KRW", NOW, DAY, rule=rule), OptionPolicy())
        assert made is not None
        assert made.deadline - NOW == wait
