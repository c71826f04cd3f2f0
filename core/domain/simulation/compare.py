"""What a scenario changes: its figures beside those of the baseline, and whom it moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from core.domain.simulation.projection import LineOutcome, Outcome

MOST_LISTED = 200
"""Customers' lines that a result lists by name; the counts are of all."""


@dataclass(slots=True)
class Totals:
    """Sums over SKUs. `unit_fill_rate` is the share of new demand given from stock at once; units per day are sums."""

    skus: int = 0
    demand_units: int = 0
    demand_lines: int = 0
    filled_at_once_units: int = 0
    filled_at_once_lines: int = 0
    lines_gone_short: int = 0
    late_unit_days: int = 0
    bought_units: int = 0
    backordered_by_day: list[int] = field(default_factory=list)
    free_stock_by_day: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.skus += 1
        for name in (
            "demand_units",
            "demand_lines",
            "filled_at_once_units",
            "filled_at_once_lines",
            "lines_gone_short",
            "late_unit_days",
            "bought_units",
        ):
            setattr(self, name, getattr(self, name) + getattr(outcome, name))
        self.backordered_by_day = _sum(self.backordered_by_day, outcome.backordered_by_day)
        self.free_stock_by_day = _sum(self.free_stock_by_day, outcome.free_stock_by_day)

    @property
    def unit_fill_rate(self) -> float | None:
        return None if not self.demand_units else self.filled_at_once_units / self.demand_units

    @property
    def line_fill_rate(self) -> float | None:
        return None if not self.demand_lines else self.filled_at_once_lines / self.demand_lines

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "unit_fill_rate": self.unit_fill_rate, "line_fill_rate": self.line_fill_rate}


def _sum(left: list[int], right: list[int]) -> list[int]:
    if not left:
        return list(right)
    return [a + b for a, b in zip(left, right, strict=True)]


@dataclass(slots=True)
class Moved:
    """A line of the snapshot that a scenario serves on another day than the baseline does."""

    sku_id: int
    line_id: int
    order_id: int
    customer_id: int | None
    days_later: int


@dataclass(slots=True)
class Comparison:
    """A scenario against the baseline over all SKUs so far."""

    totals: Totals = field(default_factory=Totals)
    later_lines: int = 0
    earlier_lines: int = 0
    later_customers: set[int] = field(default_factory=set)
    earlier_customers: set[int] = field(default_factory=set)
    moved: list[Moved] = field(default_factory=list)

    def add(self, outcome: Outcome, baseline: Outcome) -> None:
        """Count one SKU in; both outcomes are of the same book."""
        self.totals.add(outcome)
        for moved in _moved(outcome.sku_id, outcome.lines, baseline.lines):
            customers = self.later_customers if moved.days_later > 0 else self.earlier_customers
            if moved.customer_id is not None:
                customers.add(moved.customer_id)
            self.later_lines += moved.days_later > 0
            self.earlier_lines += moved.days_later < 0
            self.moved.append(moved)
        self.moved.sort(key=lambda m: (-abs(m.days_later), m.line_id))
        del self.moved[MOST_LISTED:]

    def as_json(self) -> dict[str, Any]:
        return {
            "totals": self.totals.as_json(),
            "later_lines": self.later_lines,
            "earlier_lines": self.earlier_lines,
            "later_customers": len(self.later_customers),
            "earlier_customers": len(self.earlier_customers),
            "affected_customers": len(self.later_customers | self.earlier_customers),
            "moved": [asdict(moved) for moved in self.moved],
        }


def _moved(sku_id: int, lines: Iterable[LineOutcome], baseline: Iterable[LineOutcome]) -> list[Moved]:
    found = []
    for line, usual in zip(lines, baseline, strict=True):
        if line.day != usual.day:
            days = (line.day - usual.day).days
            found.append(Moved(sku_id, line.line_id, line.order_id, line.customer_id, days))
    return found
