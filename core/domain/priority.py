"""Who is served first when something is scarce: tier before everything, then a weighted sum of what speaks for a line.

The score is computed when a decision is made (`score`), never kept up to date in between: age and lateness are facts
of the moment. A planner's own score replaces it. Inside a tier nobody waits forever: every time a younger line is
served before an older one, the older one's claim grows, without bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Any, NamedTuple

from msgspec import Struct

from core.errors import InvalidInput

TIER_RANK = {"STRATEGIC": 4, "VIP": 4, "GOLD": 3, "SILVER": 2, "STANDARD": 1, "BASIC": 0}
"""Customer grades, best first; a grade that is not listed counts as STANDARD."""
TIER_STEP = 1_000_000
"""Tiers are lexicographic: no sum of components lifts a line over the next tier."""
SCALE = 1_000
"""One point of the weighted sum, in units of the score."""


class Tier(IntEnum):
    """Why a line stands before others whatever they bring, highest first."""

    REST = 0
    CONTRACT = 1
    AT_RISK = 2
    BREACH = 3


COMPONENTS = ("slack", "contract", "grade", "margin", "preorder", "completion", "age", "bumped", "supplierRisk")
"""Names of what is weighed, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class PriorityWeights:
    """The policy `priority`: how much each component counts, and what makes a tier."""

    weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "slack": 3.0,
            "contract": 10.0,
            "grade": 3.0,
            "margin": 1.0,
            "preorder": 1.0,
            "completion": 1.0,
            "age": 1.0,
            "bumped": 0.5,
            "supplierRisk": 0.5,
        }
    )
    contract_grades: frozenset[str] = frozenset({"STRATEGIC", "VIP", "GOLD"})
    """Grades that stand for a contract."""
    at_risk_days: int = 3
    """A claim that nothing covers is at risk from this many days before its promised day on."""
    breach_days: int = 1
    """A breach is imminent from this many days before it on."""
    slack_days: int = 14
    """With as many days left until a line has to leave, its slack says nothing."""
    age_days: int = 30
    """After as many days of waiting, age counts one."""
    grade_deadline_days: Mapping[str, int] = field(default_factory=dict)
    """By customer grade: days from placing after which the contract is broken."""
    country_deadline_days: Mapping[str, int] = field(default_factory=dict)
    """By country of delivery: days from placing after which a law is broken."""


class PriorityFacts(Struct, frozen=True):
    """What speaks for a line. `margin` and `supplier_risk` are shares from 0 to 1."""

    placed_at: datetime
    grade: str = "STANDARD"
    due: date | None = None
    """The last day to ship that keeps what was asked; today where it was asked for at once."""
    breach_on: date | None = None
    """The day on which a law or a contract is broken if the line still waits."""
    is_at_risk: bool = False
    """Its promise did not hold or does not as things stand: its supply comes later, or none is there and the day is near."""
    margin: float = 0.0
    is_preorder: bool = False
    completes_order: bool = False
    """Nothing else of its order waits."""
    times_bumped: int = 0
    """How often somebody younger was served before it."""
    supplier_risk: float = 0.0
    """The share of what it waits for that has no source, or one that is late already."""
    manual: int | None = None
    """A planner's own score."""
    today: date | None = None
    """The day it is where the line leaves from; None: that of UTC."""


class Standing(Struct, frozen=True):
    """What speaks for a line and does not lie in its book. `margin` is a share of the price."""

    placed_at: datetime
    grade: str = "STANDARD"
    channel: str = ""
    country: str | None = None
    margin: float = 0.0
    is_preorder: bool = False
    completes_order: bool = False


def margin_of(unit_price: int, unit_cost: int) -> float:
    """The share of the price that is earned, 0 where no price is known."""
    return (unit_price - unit_cost) / unit_price if unit_price > 0 else 0.0


class Component(NamedTuple):
    """`value` x `weight` is what it adds to the sum."""

    name: str
    value: float
    weight: float


class Priority(Struct, frozen=True):
    """A line's rank at one moment, with what it is made of."""

    tier: Tier
    score: int
    values: tuple[float, ...]
    """What each of COMPONENTS was worth."""
    weights: Mapping[str, float]
    times_bumped: int = 0
    is_manual: bool = False

    @property
    def components(self) -> tuple[Component, ...]:
        """What was weighed; made when it is asked for, which is for few of the lines that are ranked."""
        return tuple(
            Component(name, value, float(self.weights.get(name, 0.0)))
            for name, value in zip(COMPONENTS, self.values, strict=True)
        )

    def as_json(self) -> dict[str, Any]:
        """As it is kept with a decision."""
        return {
            "score": self.score,
            "tier": self.tier.name,
            "timesBumped": self.times_bumped,
            "manual": self.is_manual,
            "components": [{"name": c.name, "value": c.value, "weight": c.weight} for c in self.components],
        }


def score(facts: PriorityFacts, weights: PriorityWeights, now: datetime) -> Priority:
    """The rank of a line at `now`; higher is served first.

    score = tier x 1,000,000 + 1,000 x sum of value x weight (at most 999,999). Every value lies between 0 and 1 but two
    that grow without bound: age (1 per `age_days`) and times bumped (1 each).
    """
    today = now.date()
    tier = _tier(facts, weights, today)
    slack = 0.0
    if facts.due is not None:
        slack = round(1 - min(max((facts.due - (facts.today or today)).days / max(weights.slack_days, 1), 0), 1), 6)
    grade = facts.grade.upper()
    values = (
        slack,
        float(grade in weights.contract_grades),
        TIER_RANK.get(grade, 1) / 4,
        round(min(max(facts.margin, 0.0), 1.0), 6),
        float(facts.is_preorder),
        float(facts.completes_order),
        round(max((now - facts.placed_at).total_seconds(), 0) / 86_400 / max(weights.age_days, 1), 6),
        float(facts.times_bumped),
        round(min(max(facts.supplier_risk, 0.0), 1.0), 6),
    )
    given = weights.weights
    total = sum([value * given.get(name, 0.0) for name, value in zip(COMPONENTS, values, strict=True) if value])
    computed = tier * TIER_STEP + min(max(int(total * SCALE), 0), TIER_STEP - 1)
    manual = facts.manual
    return Priority(
        tier, computed if manual is None else manual, values, given, facts.times_bumped, is_manual=manual is not None
    )


def _tier(facts: PriorityFacts, weights: PriorityWeights, today: date) -> Tier:
    if facts.breach_on is not None and (facts.breach_on - today).days <= weights.breach_days:
        return Tier.BREACH
    if facts.is_at_risk:
        return Tier.AT_RISK
    return Tier.CONTRACT if facts.grade.upper() in weights.contract_grades else Tier.REST


def serve_order(points: int, promised: date | None, line_id: int | None) -> tuple[int, date, int]:
    """Sort key: the highest score first, then the earliest promise, then the oldest line."""
    return (-points, promised or date.max, line_id or 1 << 62)


def priority_weights(policy: Mapping[str, Any] | None) -> PriorityWeights:
    """The policy `priority` as planners write it; what it does not say stays as it is by default.

    Raises InvalidInput for a weight that is no number, below 0, unknown, or 0 for `bumped` (somebody would starve).
    """
    value, default = policy or {}, PriorityWeights()
    given: Mapping[str, Any] = value.get("weights") or {}
    for name, weight in given.items():
        wrong = isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 100
        if wrong or name not in COMPONENTS or (name == "bumped" and weight * SCALE < 1):
            raise InvalidInput(
                f"The weight {weight!r} of {name!r} cannot be: weights lie between 0 and 100, that of 'bumped' above 0, "
                f"and there are {', '.join(COMPONENTS)}.",
                path=("input", "value", "weights", name),
                value=weight,
            )
    deadlines: Mapping[str, Any] = value.get("deadlineDays") or {}
    return PriorityWeights(
        weights={**default.weights, **{name: float(weight) for name, weight in given.items()}},
        contract_grades=frozenset(str(g).upper() for g in value.get("contractGrades", default.contract_grades)),
        at_risk_days=int(value.get("atRiskDays", default.at_risk_days)),
        breach_days=int(value.get("breachDays", default.breach_days)),
        slack_days=int(value.get("slackDays", default.slack_days)),
        age_days=int(value.get("ageDays", default.age_days)),
        grade_deadline_days={str(k).upper(): int(v) for k, v in (deadlines.get("grades") or {}).items()},
        country_deadline_days={str(k).upper(): int(v) for k, v in (deadlines.get("countries") or {}).items()},
    )
