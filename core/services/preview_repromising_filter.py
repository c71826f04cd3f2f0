"""What a filter takes, before anything is run: lines and orders, and of which grades and states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.domain.repromising.segments import matches
from core.domain.repromising.variant import LineFilter, Segment, variant_of
from core.ports import Transaction
from core.repositories.network import load_network
from core.repositories.repromising_facts import read_open_facts


@dataclass(frozen=True, slots=True)
class FilterCount:
    """Open lines and orders that the filter takes; `held` of the lines are on hold or not validated and stay."""

    lines: int
    orders: int
    held: int
    late: int
    by_tier: dict[str, int]
    by_status: dict[str, int]


async def preview_repromising_filter(
    uow: Transaction, include: Mapping[str, Any], exclude: Mapping[str, Any] | None
) -> FilterCount:
    """Count what a segment with these filters would take now. Raises InvalidInput."""
    given = variant_of({"segments": [{"strategy": "SKIP", "include": include, "exclude": exclude}]})
    (segment,) = given.segments
    tiered = Segment("by grade", segment.strategy, LineFilter(tiers=()))
    facts = await read_open_facts(uow, await load_network(uow), replace(given, segments=(segment, tiered)))
    found = matches(facts, segment.include)
    if segment.exclude is not None:
        found &= ~matches(facts, segment.exclude)
    rows = np.flatnonzero(found)
    return FilterCount(
        len(rows),
        len(np.unique(facts.order[rows])),
        int(np.count_nonzero(~facts.is_served[rows])),
        int(np.count_nonzero(facts.is_late[rows])),
        _counts(facts.codes["tier"][rows], facts.names["tier"]),
        _counts(facts.codes["status"][rows], facts.names["status"]),
    )


def _counts(codes: Any, names: list[str]) -> dict[str, int]:
    return {names[code]: int(count) for code, count in enumerate(np.bincount(codes, minlength=len(names))) if count}
