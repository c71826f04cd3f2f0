"""The automatic course of a backorder: which steps are taken for it, in which order, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.states import BackorderState, CourseStep
from core.errors import InvalidInput

POLICY = "backorder_course"
DEFAULT_COURSE: list[dict[str, Any]] = [
    {"step": "OTHER_SITES"},
    {"step": "SUBSTITUTE"},
    {"step": "PURCHASE"},
    {"step": "OPTIONS", "waitLongerThanDays": 21},
    {"step": "RELEASE"},
]
"""What holds where no policy is stored: everything on, options only for who waits more than three weeks or is delayed."""

MARK = "COURSE_"
"""Causes of facts that the course itself leaves begin so: they do not call for another run."""

_NUMBERS = ("minAgeHours", "waitLongerThanDays", "minValue", "maxValue")
_FIELDS = frozenset({"step", "isOn", "tiers", *_NUMBERS})


@dataclass(frozen=True, slots=True)
class StepRule:
    """One row of the course. A condition that is None always holds; values are minor units, ages hours."""

    step: CourseStep
    is_on: bool = True
    tiers: frozenset[str] | None = None
    min_age_hours: float | None = None
    wait_longer_than_days: float | None = None
    min_value: float | None = None
    max_value: float | None = None


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """What the conditions are judged by.

    `wait_days`: from the day the customer wanted the goods (without one: from the opening) to the expected day; None
    without any date, which is longer than every limit. `value`: short quantity x unit price, minor units.
    """

    state: BackorderState
    tier: str
    age_hours: float
    wait_days: int | None
    value: int


def read_course(value: Any) -> list[StepRule]:
    """The steps of a stored policy, in their order; a step that is not named is off.

    Raises InvalidInput for anything that is not a list of known steps, each once, with known conditions.
    """
    if not isinstance(value, list):
        raise _wrong("a list of steps", value)
    rules = [_rule(row) for row in value]
    if len({rule.step for rule in rules}) < len(rules):
        raise _wrong("a list in which each step stands once", value)
    return rules


def _rule(row: Any) -> StepRule:
    if not isinstance(row, Mapping) or row.get("step") not in CourseStep.__members__:
        raise _wrong(f"of objects whose `step` is one of {', '.join(CourseStep)}", row)
    if surplus := set(row) - _FIELDS:
        raise _wrong(f"without the field {sorted(surplus)[0]!r}", row)
    if not isinstance(row.get("isOn", True), bool):
        raise _wrong("with a boolean `isOn`", row)
    tiers = row.get("tiers")
    if tiers is not None and (not isinstance(tiers, list) or not all(isinstance(tier, str) for tier in tiers)):
        raise _wrong("with a list of codes as `tiers`", row)
    for name in _NUMBERS:
        number = row.get(name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float) or number < 0):
            raise _wrong(f"with a number from 0 on as `{name}`", row)
    return StepRule(
        CourseStep(row["step"]),
        row.get("isOn", True),
        None if tiers is None else frozenset(tiers),
        row.get("minAgeHours"),
        row.get("waitLongerThanDays"),
        row.get("minValue"),
        row.get("maxValue"),
    )


def _wrong(wanted: str, value: Any) -> InvalidInput:
    return InvalidInput(f"The policy {POLICY} must be {wanted}.", field=POLICY, value=str(value))


def applies(rule: StepRule, facts: CourseFacts) -> bool:
    """Is this step to be taken for such a backorder now? One that is delayed has waited longer than every limit."""
    if not rule.is_on or (rule.tiers is not None and facts.tier not in rule.tiers):
        return False
    if rule.min_age_hours is not None and facts.age_hours < rule.min_age_hours:
        return False
    limit, waits = rule.wait_longer_than_days, facts.wait_days
    if limit is not None and facts.state != BackorderState.DELAYED and waits is not None and waits <= limit:
        return False
    if rule.min_value is not None and facts.value < rule.min_value:
        return False
    return rule.max_value is None or facts.value <= rule.max_value


def rule_of(course: list[StepRule], step: CourseStep) -> StepRule:
    """The rule of one step; off when the course does not name it."""
    return next((rule for rule in course if rule.step is step), StepRule(step, is_on=False))


def is_before(course: list[StepRule], first: CourseStep, second: CourseStep) -> bool:
    """Does `first` stand before `second`? A step that is not named stands nowhere."""
    order = [rule.step for rule in course]
    return first in order and (second not in order or order.index(first) < order.index(second))
