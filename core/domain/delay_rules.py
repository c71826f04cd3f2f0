"""Rules of a country on late delivery, as dated data: which one holds for a delay, and what it asks for.

The rows come from packs that whoever runs the system loads; we ship one example and make no claim about any law.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DelayRule:
    """`country` None: everywhere without a rule of its own. Days are calendar days; `valid_to` is inclusive.

    `notice_days`: a customer has to hear of a delay within as many days. `consent_needed`: silence for `consent_days`
    means that the customer does not want to wait. `refund_days`: what was paid is given back within as many days.
    """

    pack: str
    code: str
    country: str | None
    valid_from: date
    valid_to: date | None = None
    notice_days: int | None = None
    consent_needed: bool = False
    consent_days: int | None = None
    refund_days: int | None = None


def rule_for(rules: Iterable[DelayRule], country: str | None, day: date) -> DelayRule | None:
    """The rule that holds in `country` on `day`: its own before the general one, the youngest first."""
    holding = [
        rule
        for rule in rules
        if rule.country in (None, country)
        and rule.valid_from <= day
        and (rule.valid_to is None or day <= rule.valid_to)
    ]
    return max(
        holding, key=lambda rule: (rule.country is not None, rule.valid_from, rule.pack, rule.code), default=None
    )
