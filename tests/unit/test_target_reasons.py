"""Reasons of stock targets have words in every language, with their figures."""

from __future__ import annotations

from api.schema.stock_targets import TargetReasonCode
from core.domain.risk_reasons import LANGUAGES
from core.domain.target_reasons import REASONS, say_target


def test_every_reason_has_words_in_every_language():
    facts = {"position": 3, "reorderPoint": 12, "expected": 7.5, "leadDays": 14.0, "chanceShort": 0.9}
    assert {*REASONS} == {code.value for code in TargetReasonCode}
    assert {tuple(words) for words in REASONS.values()} == {LANGUAGES}
    assert say_target("STOCKOUT_RISK", facts) == (
        "3 free and inbound are less than the 7.5 expected until new goods come, in 14 days."
    )
    assert say_target("AGEING", {"position": 3, "idleWeeks": 30}) == (
        "Nobody has asked for it in 30 weeks; 3 are there or inbound."
    )
    assert say_target("AGEING", {"position": 3}).startswith("Nobody has asked for it in ? weeks"), (
        "kept before it was told"
    )
    for code in REASONS:
        for language in LANGUAGES:
            assert "{" not in say_target(code, facts | {"units": 4}, language)
