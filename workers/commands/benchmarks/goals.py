"""What each measured row has to reach: a ratio to its yardstick, or a figure of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """`of` names what is judged of a row, its `ratio` or its `figure`; `part` is what the row's name contains."""

    benchmark: str
    part: str
    of: str
    at_least: float | None = None
    at_most: float | None = None

    def is_for(self, row: Mapping[str, Any]) -> bool:
        return row["benchmark"] == self.benchmark and self.part in row["name"]

    def as_text(self, row: Mapping[str, Any]) -> str:
        sign, value = (">=", self.at_least) if self.at_least is not None else ("<=", self.at_most)
        return f"{sign} {value:g}{'x' if self.of == 'ratio' else ' ' + row['unit']}"

    def is_reached(self, row: Mapping[str, Any]) -> bool:
        value = row[self.of]
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most


GOALS = (
    Goal("place_orders", "uniform SKUs, one API process", "ratio", at_least=0.1),
    Goal("place_orders", "every line on one hot SKU", "ratio", at_least=0.8),
    Goal("repromise", "compute", "ratio", at_most=3.0),
    Goal("repromise", "read, compute, write", "figure", at_most=4.0),
    Goal("repromise", "memory at its peak", "figure", at_most=1_024.0),
    Goal("answers", "requests per second per core", "ratio", at_least=0.3),
    Goal("subscribers", "subscribers, p99", "figure", at_most=100.0),
    Goal("subscribers", "memory", "figure", at_most=30.0),
    Goal("subscribers", "connect, authenticate", "figure", at_most=1.5),
    Goal("edi_sets", "edi_855_sets_per_second", "figure", at_least=1_000.0),
)
"""The more particular first: `compute` is also part of the name of the whole run."""


def judged(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with `reach` (its goal in words) and `reaches`; both None where nothing is asked of it."""
    fitting = [goal for goal in GOALS if goal.is_for(row)]
    goal = max(fitting, key=lambda goal: len(goal.part), default=None)
    if goal is None or row[goal.of] is None:
        return {**row, "reach": None, "reaches": None}
    return {**row, "reach": goal.as_text(row), "reaches": goal.is_reached(row)}
