"""Classes of SKUs by value and by regularity, the service each is owed, and what a stock position means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidInput

POLICY = "replenishment"
A_SHARE, B_SHARE = 0.80, 0.95
"""The SKUs that make up so much of the yearly value are A, up to the next bound B, the rest C."""
X_BELOW, Y_BELOW = 0.5, 1.0
"""Coefficient of variation of weekly demand: X is steady, Y varies, Z is lumpy."""
SERVICE: dict[str, float] = {
    "AX": 0.98, "AY": 0.97, "AZ": 0.95, "BX": 0.97, "BY": 0.95, "BZ": 0.93, "CX": 0.95, "CY": 0.93, "CZ": 0.90,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReplenishmentRules:
    """Money in minor units; `holding_rate` is the yearly cost of a unit as a share of its cost."""

    is_automatic: bool = False
    """Reorder points and quantities of SKUs follow the targets; purchases then go the way of the daily review."""
    service: Mapping[str, float] = field(default_factory=lambda: SERVICE)
    order_cost: int = 2_000
    holding_rate: float = 0.2
    overstock_weeks: int = 26
    ageing_weeks: int = 26
    budget_percent: int | None = None
    """Of the stock that planners' own reorder rules would tie up; service levels then follow from it instead of classes."""


def replenishment_rules(value: Mapping[str, Any] | None) -> ReplenishmentRules:
    """The policy as planners write it. Raises InvalidInput for figures that cannot be."""
    value = dict(value or {})
    service = value.pop("serviceLevels", {})
    names = {
        "isAutomatic": ("is_automatic", bool, 0, 1),
        "orderCost": ("order_cost", int, 0, 10**12),
        "holdingRate": ("holding_rate", float, 0.001, 10.0),
        "overstockWeeks": ("overstock_weeks", int, 1, 520),
        "ageingWeeks": ("ageing_weeks", int, 1, 520),
        "budgetPercent": ("budget_percent", int, 10, 1_000),
    }
    given: dict[str, Any] = {}
    for name, figure in value.items():
        if name == "budgetPercent" and figure is None:
            continue
        if name not in names:
            raise InvalidInput(f"There is no {name!r} in this policy.", path=("input", "value"), value=name)
        attribute, kind, low, high = names[name]
        fits = (
            isinstance(figure, bool)
            if kind is bool
            else isinstance(figure, int | float) and not isinstance(figure, bool)
        )
        if not fits or (kind is int and not isinstance(figure, int)) or not low <= figure <= high:
            raise InvalidInput(f"{figure!r} cannot be {name}.", path=("input", "value", name), value=str(figure))
        given[attribute] = figure
    if not isinstance(service, Mapping):
        raise InvalidInput("serviceLevels is an object.", path=("input", "value", "serviceLevels"), value=str(service))
    for name, level in service.items():
        if (
            name not in SERVICE
            or isinstance(level, bool)
            or not isinstance(level, int | float)
            or not 0.5 <= level <= 0.999
        ):
            raise InvalidInput(
                f"{name}: {level!r} cannot be a service level.", path=("input", "value"), value=str(level)
            )
    return ReplenishmentRules(service={**SERVICE, **service}, **given)


def abc_classes(yearly_values: Sequence[float]) -> list[str]:
    """A, B or C per SKU, by its share of the whole value; all C without any value."""
    total = sum(yearly_values)
    order = sorted(range(len(yearly_values)), key=lambda place: -yearly_values[place])
    found, reached = ["C"] * len(yearly_values), 0.0
    for place in order:
        if total > 0 and yearly_values[place] > 0:
            found[place] = "A" if reached < A_SHARE * total else "B" if reached < B_SHARE * total else "C"
        reached += yearly_values[place]
    return found


def xyz_class(mean: float, sd: float) -> str:
    """X, Y or Z by the coefficient of variation; Z without demand."""
    if mean <= 0:
        return "Z"
    return "X" if sd / mean < X_BELOW else "Y" if sd / mean < Y_BELOW else "Z"


def stock_flags(
    rules: ReplenishmentRules,
    *,
    on_hand: int,
    position: int,
    reorder_point: int,
    weekly_mean: float,
    protected_mean: float,
    idle_weeks: int,
) -> list[str]:
    """What stands out: REPLENISH, STOCKOUT_RISK (less than what is expected until goods come), OVERSTOCK, AGEING."""
    flags: list[str] = []
    if reorder_point > 0 and position <= reorder_point:
        flags.append("REPLENISH")
    if protected_mean > 0 and position < protected_mean:
        flags.append("STOCKOUT_RISK")
    if on_hand > 0 and weekly_mean > 0 and on_hand > weekly_mean * rules.overstock_weeks + reorder_point:
        flags.append("OVERSTOCK")
    if on_hand > 0 and idle_weeks >= rules.ageing_weeks:
        flags.append("AGEING")
    return flags
