"""The automatic course of a backorder: which steps are taken for it, in which order, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.policy_words import unknown_name, unusable
from core.domain.states import BackorderState, CourseStep

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
        raise unusable(POLICY, 'a list of steps, such as [{"step": "OTHER_SITES"}, {"step": "PURCHASE"}]', value)
    rules = [_rule(number, row) for number, row in enumerate(value, start=1)]
    steps = [rule.step for rule in rules]
    for number, step in enumerate(steps, start=1):
        if step in steps[: number - 1]:
            raise unusable(POLICY, f"each step once; {step} stands before it already", str(step), f"Entry {number}")
    return rules


def _rule(number: int, row: Any) -> StepRule:
    place = f"Entry {number}"
    if not isinstance(row, Mapping):
        raise unusable(POLICY, 'an object with a step, such as {"step": "OTHER_SITES"}', row, place)
    if not isinstance(row.get("step"), str) or row["step"] not in CourseStep.__members__:
        raise unusable(POLICY, f"one of {', '.join(CourseStep)}", row.get("step"), f"step in entry {number}")
    place = f"Entry {number} ({row['step']})"
    if surplus := set(row) - _FIELDS:
        raise unknown_name(POLICY, sorted(surplus)[0], _FIELDS, place)
    if not isinstance(row.get("isOn", True), bool):
        raise unusable(POLICY, "true or false", row["isOn"], f"isOn in entry {number} ({row['step']})")
    tiers = row.get("tiers")
    if tiers is not None and (not isinstance(tiers, list) or not all(isinstance(tier, str) for tier in tiers)):
        wanted = 'a list of customer grades, such as ["VIP", "GOLD"], or null for all'
        raise unusable(POLICY, wanted, tiers, f"tiers in entry {number} ({row['step']})")
    for name in _NUMBERS:
        figure = row.get(name)
        if figure is not None and (isinstance(figure, bool) or not isinstance(figure, int | float) or figure < 0):
            wanted = "a number from 0 on, or null for no limit"
            raise unusable(POLICY, wanted, figure, f"{name} in entry {number} ({row['step']})")
    return StepRule(
        CourseStep(row["step"]),
        row.get("isOn", True),
        None if tiers is None else frozenset(tiers),
        row.get("minAgeHours"),
        row.get("waitLongerThanDays"),
        row.get("minValue"),
        row.get("maxValue"),
    )


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
