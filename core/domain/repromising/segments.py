"""Which line belongs to which segment, and who of two lines is served first: filters and sorters on arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.columns import Ints
from core.domain.repromising.standings import Standings
from core.domain.repromising.strategies import CODE, Strategy
from core.domain.repromising.variant import DEFAULT_SORTERS, LineFilter, Segment, Sorter, SortField, Variant

Scores = Callable[[Ints], Ints]
"""The live priority of lines by their rows."""
NO_DAY = 0
"""A line without a date; ordinals begin at 1."""
LAST_DAY = 3_652_059
NO_SEGMENT = -1


@dataclass(slots=True)
class Facts:
    """What filters and sorters know of each line; one row per line.

    `codes` are small numbers, `names` what they mean: the fact "tier" of row i is `names["tier"][codes["tier"][i]]`.
    Days are ordinals (NO_DAY: none), `value` minor units, `today` the day from which relative days count.
    """

    line: Ints
    order: Ints
    standings: Standings | None
    """What the live priority is made of; None where no sorter asks for it."""
    wanted: Ints
    """Day by which to ship, as asked; NO_DAY: at once."""
    requested: Ints
    promised: Ints
    value: Ints
    is_late: NDArray[np.bool_]
    codes: dict[str, Ints]
    names: dict[str, list[str]]
    today: int
    is_served: NDArray[np.bool_]
    """False: on hold, not validated, or waiting for the customer's decision; such a line keeps its place."""

    def __len__(self) -> int:
        return len(self.line)


_LISTS = {
    "tiers": "tier",
    "channels": "channel",
    "customers": "customer",
    "skus": "sku",
    "suppliers": "supplier",
    "statuses": "status",
}
_NAMED = {SortField.TIER: "tier", SortField.CHANNEL: "channel", SortField.CUSTOMER: "customer"}


def matches(facts: Facts, filter: LineFilter) -> NDArray[np.bool_]:
    """Rows for which every given condition of the filter holds."""
    found = np.ones(len(facts), bool)
    for member, fact in _LISTS.items():
        wanted = getattr(filter, member)
        if wanted is not None:
            chosen = set(wanted)
            allowed = np.array([name in chosen for name in facts.names[fact]] or [False])
            found &= allowed[facts.codes[fact]]
    for values, low, high, needs_day in (
        (facts.requested, filter.requested_from, filter.requested_to, True),
        (facts.promised, filter.promised_from, filter.promised_to, True),
        (facts.value, filter.min_value, filter.max_value, False),
    ):
        base = facts.today if needs_day else 0
        if low is not None or high is not None:
            if needs_day:
                found &= values != NO_DAY
            if low is not None:
                found &= values >= base + low
            if high is not None:
                found &= values <= base + high
    if filter.is_late is not None:
        found &= facts.is_late == filter.is_late
    return found


def segment_of(facts: Facts, variant: Variant) -> NDArray[np.int16]:
    """Position of the first segment that takes each line; NO_SEGMENT for lines of none, or not to be served."""
    found = np.full(len(facts), NO_SEGMENT, np.int16)
    for position, segment in enumerate(variant.segments):
        taken = facts.is_served & (found == NO_SEGMENT) & _takes(facts, segment)
        np.copyto(found, position, where=taken)
    return found


def _takes(facts: Facts, segment: Segment) -> NDArray[np.bool_]:
    found = matches(facts, segment.include)
    if segment.exclude is not None:
        found &= ~matches(facts, segment.exclude)
    return found


def strategy_of(segments: NDArray[np.int16], variant: Variant) -> NDArray[np.int8]:
    """Code of the strategy of each line, from its segment."""
    table = [CODE[segment.strategy] for segment in variant.segments]
    return np.array([*table, CODE[Strategy.SKIP]], np.int8)[segments]


def rank_of(facts: Facts, variant: Variant, segments: NDArray[np.int16], rows: Ints, scores: Scores) -> Ints:
    """Places of these rows, 0 is served first. Equals go by present promise, then order, then line.

    With sorters of the variant one ranking holds over all segments; else segments rank in their order and each sorts
    its own lines (by priority, present promise and age when it says nothing). Lines of no segment come last: they keep
    what they have, in any order.
    """
    place = np.empty(len(rows), np.int64)
    if variant.sorters or not any(segment.sorters for segment in variant.segments):
        place[_order(facts, variant.sorters or DEFAULT_SORTERS, rows, scores)] = np.arange(len(rows))
        return place
    mine, begin = segments[rows], 0
    for position in [*range(len(variant.segments)), NO_SEGMENT]:
        inside = np.flatnonzero(mine == position)
        if position == NO_SEGMENT:
            place[inside] = begin + np.arange(len(inside))
            break
        order = _order(facts, variant.segments[position].sorters or DEFAULT_SORTERS, rows[inside], scores)
        place[inside[order]] = begin + np.arange(len(inside))
        begin += len(inside)
    return place


def _order(facts: Facts, sorters: tuple[Sorter, ...], rows: Ints, scores: Scores) -> Ints:
    keys: list[Any] = [_key(facts, sorter, rows, scores) for sorter in sorters]
    if not any(sorter.field is SortField.PROMISED for sorter in sorters):
        keys.append(_key(facts, Sorter(SortField.PROMISED), rows, scores))
    if not any(sorter.field is SortField.PLACED for sorter in sorters):
        keys.append(facts.order[rows])
    keys.append(facts.line[rows])
    return np.lexsort(keys[::-1])


def _key(facts: Facts, sorter: Sorter, rows: Ints, scores: Scores) -> Ints:
    """Values to sort by, smallest first; a line without a date comes last for either direction."""
    sign = -1 if sorter.descending else 1
    if sorter.field in _NAMED:
        fact = _NAMED[sorter.field]
        chosen = {name: place for place, name in enumerate(sorter.values)}
        others = {name: place for place, name in enumerate(sorted(set(facts.names[fact]) - chosen.keys()))}
        places = [
            chosen[name] if name in chosen else len(chosen) + (others[name] if not chosen else 0)
            for name in facts.names[fact]
        ]
        return sign * np.array(places or [0], np.int64)[facts.codes[fact][rows]]
    if sorter.field in (SortField.REQUESTED, SortField.PROMISED):
        days = (facts.requested if sorter.field is SortField.REQUESTED else facts.promised)[rows]
        return np.where(days == NO_DAY, LAST_DAY, sign * days)
    if sorter.field is SortField.DAYS_LATE:
        wanted = np.maximum(facts.wanted[rows], NO_DAY + 1)
        late = np.where(facts.promised[rows] == NO_DAY, LAST_DAY, facts.promised[rows] - wanted)
        return sign * late
    if sorter.field is SortField.PRIORITY:
        return sign * scores(rows)
    return sign * (facts.order if sorter.field is SortField.PLACED else facts.value)[rows]
