"""How free stock is shared out among those who wait: the policies of serving, as planners write them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.fair_share import ShareClaim, fair_share
from core.domain.records import Line, Peg
from core.errors import InvalidInput


class CompleteLines(StrEnum):
    """What a line that ships complete does with units that do not make it whole."""

    HOLD = "HOLD"
    FREE = "FREE"


class AllocationRule(StrEnum):
    """Who gets how much of what does not suffice."""

    PRIORITY = "PRIORITY"
    FAIR_SHARE = "FAIR_SHARE"


class ShareGroup(StrEnum):
    """Among whom a fair share is shared."""

    CUSTOMER = "CUSTOMER"
    CHANNEL = "CHANNEL"
    GRADE = "GRADE"


@dataclass(frozen=True, slots=True)
class Redistribution:
    """When stock of another location is moved for a waiting line."""

    is_on: bool = True
    max_cost: int | None = None
    """Minor units per unit on the lane; None: any."""
    max_days: int | None = None
    """Days until the units can leave from where the line waits; None: any."""
    rescue_late: bool = True
    """A claim whose supply comes too late is served like one that has none."""


@dataclass(frozen=True, slots=True)
class FairShares:
    """The fair share of a SKU: groups with weight and floor (1 and 0 where not named), packs and least gift."""

    group_by: ShareGroup = ShareGroup.CUSTOMER
    weights: Mapping[str, float] = field(default_factory=dict)
    floors: Mapping[str, int] = field(default_factory=dict)
    pack: int = 1
    minimum: int = 0

    @property
    def is_by_units(self) -> bool:
        """Can every single unit be given? Then nothing is left over by packs and least gifts."""
        return self.pack == 1 and self.minimum <= 1

    def group_of(self, line: Line) -> str:
        """The group a line belongs to, as text; '' for lines of nobody known."""
        if self.group_by is ShareGroup.CUSTOMER:
            return str(line.customer_id or "")
        standing = line.standing
        if standing is None:
            return ""
        return standing.channel if self.group_by is ShareGroup.CHANNEL else standing.grade.upper()

    def budgets(
        self,
        supply: int,
        claims: Sequence[Peg],
        had: Mapping[str, int] | None = None,
        full: Collection[str] = (),
    ) -> dict[str, int]:
        """Units per group, with what it `had` already, when `supply` more are shared by what its claims still ask for.

        Groups that are `full` can use no more than they had (`fair_share`).
        """
        had = had or {}
        demand: dict[str, int] = dict(had)
        for peg in claims:
            if peg.line is not None:
                group = self.group_of(peg.line)
                demand[group] = demand.get(group, 0) + peg.quantity
        return fair_share(
            supply,
            [
                ShareClaim(
                    group,
                    had.get(group, 0) if group in full else units,
                    self.weights.get(group, 1.0),
                    self.floors.get(group, 0),
                    pack=self.pack,
                    minimum=self.minimum,
                )
                for group, units in demand.items()
            ],
            had=had,
        )

    def sendable(self, units: int, had: int) -> int:
        """As many of `units` more as make whole packs and, with what the group `had`, no less than the least gift."""
        units -= units % self.pack
        return units if had + units >= self.minimum else 0


@dataclass(frozen=True, slots=True)
class ServePolicy:
    """All that planners decide about serving who waits."""

    complete_lines: CompleteLines = CompleteLines.HOLD
    redistribution: Redistribution = field(default_factory=Redistribution)
    rule: AllocationRule = AllocationRule.PRIORITY
    rules: Mapping[str, AllocationRule] = field(default_factory=dict)
    """By SKU code."""
    shares: FairShares = field(default_factory=FairShares)

    def fair(self, sku: str) -> FairShares | None:
        """How the SKU is shared, None when by priority alone."""
        return self.shares if self.rules.get(sku, self.rule) is AllocationRule.FAIR_SHARE else None


def serve_policy(policies: Mapping[str, Any]) -> ServePolicy:
    """The policies `complete_lines`, `redistribution` and `allocation`. Raises InvalidInput for what cannot be."""
    moving: Mapping[str, Any] = policies.get("redistribution") or {}
    sharing: Mapping[str, Any] = policies.get("allocation") or {}
    try:
        return ServePolicy(
            CompleteLines(policies.get("complete_lines", CompleteLines.HOLD)),
            Redistribution(
                bool(moving.get("isOn", True)),
                _whole(moving.get("maxCostPerUnit")),
                _whole(moving.get("maxDays")),
                bool(moving.get("rescueLate", True)),
            ),
            AllocationRule(sharing.get("default", AllocationRule.PRIORITY)),
            {str(sku): AllocationRule(rule) for sku, rule in (sharing.get("skus") or {}).items()},
            FairShares(
                ShareGroup(sharing.get("groupBy", ShareGroup.CUSTOMER)),
                {str(group): _weight(value) for group, value in (sharing.get("weights") or {}).items()},
                {str(group): _whole(value) or 0 for group, value in (sharing.get("floors") or {}).items()},
                max(_whole(sharing.get("pack")) or 1, 1),
                _whole(sharing.get("minimum")) or 0,
            ),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"The policy cannot be: {error}.", path=("input", "value")) from error


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no whole number from 0 on")
    return value


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"{value!r} is no weight above 0")
    return float(value)
