"""The list of business parameters."""

from collections import Counter

import pytest

from core.domain.policies import RULES, check_policy
from core.domain.policy_examples import EXAMPLES, example_of
from core.errors import InvalidInput


def test_every_parameter_is_listed_once():
    assert [code for code, times in Counter(rule.code for rule in RULES).items() if times > 1] == []


def test_every_default_passes_its_own_check():
    for rule in RULES:
        rule.check(rule.default)


def test_every_parameter_shows_a_value_that_it_may_have():
    for rule in RULES:
        check_policy(rule.code, shown := example_of(rule.code, rule.default))
        assert shown not in ({}, None), rule.code
    assert EXAMPLES.keys() <= {rule.code for rule in RULES}


REFUSALS = [
    (
        "backorder_course",
        [{"step": "PURCHASE"}, {"step": "OPTIONS", "waitLongerThanDay": 3}],
        'Entry 2 (OPTIONS) of backorder_course has no setting "waitLongerThanDay". Did you mean waitLongerThanDays? It '
        "takes isOn, maxValue, minAgeHours, minValue, step, tiers, waitLongerThanDays.",
    ),
    (
        "backorder_course",
        [{"step": "BUY"}],
        'step in entry 1 of backorder_course cannot be "BUY": give one of OTHER_SITES, SUBSTITUTE, PURCHASE, OPTIONS, RELEASE.',
    ),
    (
        "backorder_course",
        [{"step": "PURCHASE"}, {"step": "PURCHASE"}],
        'Entry 2 of backorder_course cannot be "PURCHASE": give each step once; PURCHASE stands before it already.',
    ),
    (
        "backorder_options",
        {"deadlineHour": 48},
        'backorder_options has no setting "deadlineHour". Did you mean deadlineHours? It takes chargeDifference, '
        "compensation, deadlineHours, default, kinds.",
    ),
    (
        "backorder_options",
        {"compensation": {"basisPoints": 20000}},
        "basisPoints in compensation of backorder_options cannot be 20000: give a whole number between 0 and 10000 "
        "(hundredths of a percent of the value).",
    ),
    (
        "backorder_options",
        {"kinds": [["WAIT"]]},
        'An entry of kinds of backorder_options cannot be ["WAIT"]: give some of WAIT, PART_SHIP, SUBSTITUTE, CANCEL, '
        "COMPENSATE.",
    ),
    (
        "hold_deadline_hours",
        {"PAYMENT": "a day"},
        'PAYMENT of hold_deadline_hours cannot be "a day": give a number between 0.01 and 8784.',
    ),
    (
        "reservation_ttl",
        {"channels": {"web": {"second": 5}}},
        'web in channels of reservation_ttl has no setting "second". Did you mean seconds? It takes cart, channels, '
        "internal, maximumSeconds, preorder, promotion, quote, seconds.",
    ),
]


@pytest.mark.parametrize(
    ("code", "value", "message"), REFUSALS, ids=lambda x: x if isinstance(x, str) and " " not in x else ""
)
def test_a_refusal_names_the_value_its_place_and_the_way_out(code, value, message):
    with pytest.raises(InvalidInput) as caught:
        check_policy(code, value)
    assert caught.value.message == message
    assert caught.value.path == ("input", "value")
