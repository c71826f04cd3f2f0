"""The policy `risk`: how far ahead a shortage counts, when acting pays, and when a change is worth telling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput

POLICY = "risk"


@dataclass(frozen=True, slots=True)
class RiskRules:
    """`act_above` is what acting costs over what a backorder costs: from this chance on acting is cheaper than waiting."""

    horizon_days: int = 14
    """A SKU "goes short" when an order line does within so many days."""
    test_days: int = 28
    """The newest days of outcomes that a new model is judged on."""
    act_above: float = 0.2
    tell_above: float = 0.05
    """A chance has to move by so much before `riskChanged` says so; crossing `act_above` is always told."""
    retrain_days: int = 7


_BOUNDS = {
    "horizonDays": ("horizon_days", 1, 90),
    "testDays": ("test_days", 7, 365),
    "actAbove": ("act_above", 0.0, 1.0),
    "tellAbove": ("tell_above", 0.0, 1.0),
    "retrainDays": ("retrain_days", 1, 365),
}


def risk_rules(value: Mapping[str, Any] | None) -> RiskRules:
    """The policy as planners write it. Raises InvalidInput for figures that cannot be."""
    given: dict[str, Any] = {}
    for name, figure in (value or {}).items():
        if name not in _BOUNDS:
            raise InvalidInput(f"There is no {name!r} in this policy.", path=("input", "value"), value=name)
        field, low, high = _BOUNDS[name]
        kinds = (int,) if isinstance(low, int) else (int, float)
        if isinstance(figure, bool) or not isinstance(figure, kinds) or not low <= figure <= high:
            raise InvalidInput(f"{figure!r} cannot be {name}.", path=("input", "value", name), value=str(figure))
        given[field] = figure
    return RiskRules(**given)
