"""The list of business parameters."""

from collections import Counter

from core.domain.policies import RULES


def test_every_parameter_is_listed_once():
    assert [code for code, times in Counter(rule.code for rule in RULES).items() if times > 1] == []


def test_every_default_passes_its_own_check():
    for rule in RULES:
        rule.check(rule.default)
