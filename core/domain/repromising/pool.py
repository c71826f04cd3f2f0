"""The reference procedure for the claims on one SKU at one location, step by step in plain integers.

This is the rule as it is applied under the gate of a SKU; `arrays` gives the same answer for a million lines at once.
Days are ordinals, quantities base units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.domain.repromising.rooms import Rooms
from core.domain.repromising.strategies import (
    IMPROVING,
    RESTORED,
    Reaction,
    Strategy,
    atp_curve,
    bounds,
    confirm,
)


@dataclass(frozen=True, slots=True)
class Step:
    """`quantity` confirmed for `day` from a source that is usable on `source_day` (later than `day`: unrealistic)."""

    day: int
    quantity: int
    source_day: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What one line wants from one pool, and what it is promised from it at present.

    `steps` are units with a source; the rest of `quantity` waits without one and is promised for `open_day`.
    `wanted`: the day by which it asked to be shipped, not before today. `fallback`: the day for units without a source.
    """

    id: int
    quantity: int
    wanted: int
    fallback: int
    rank: int
    strategy: Strategy
    steps: tuple[Step, ...] = ()
    open_day: int = 0
    of_class: int = 0
    """Demand class, where that has protected stock of its own here."""
    line: int = 0
    """Whose claim it is, for quotas."""

    @property
    def confirmed(self) -> int:
        return sum(step.quantity for step in self.steps)

    @property
    def open(self) -> int:
        return self.quantity - self.confirmed

    @property
    def is_late(self) -> bool:
        """Does a source come later than what it is claimed for?"""
        return any(step.source_day > step.day for step in self.steps)


@dataclass(frozen=True, slots=True)
class Pool:
    """Supply of one SKU at one location as (day, units): stock and inbound less claims that no run may move.

    `reserved` holds steps of what is kept back: protected stock, live holds, places of lines without a source. It binds
    only what is free at present: a present confirmation is not taken away for it.
    """

    events: Sequence[tuple[int, int]]
    reserved: Sequence[tuple[int, int]] = ()
    classed: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)
    """Kept back from a demand class besides (negative: less), where it has protected stock of its own."""
    rooms: Rooms | None = None
    """What the quotas of the SKU leave. What is decided here uses it up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The new confirmation of a claim as (day, units); `is_exception`: its strategy could not be kept."""

    steps: tuple[tuple[int, int], ...] = ()
    is_exception: bool = False
    is_kept: bool = False
    """Left exactly as it was: skipped, or an exception whose reaction is to keep."""


@dataclass(slots=True)
class _State:
    days: list[int]
    free: list[int]
    """Cumulative units that nobody has."""
    kept: dict[int, list[int]]
    """What is kept back by day from each demand class; 0 for all without a class of their own."""
    in_place: list[int]
    """What is free when everything stays: a confirmation is not taken away for what is kept back."""
    given_up: dict[int, list[int]] = field(default_factory=dict)
    """What lines of each class have at present, less what they have been given by now."""
    rooms: Rooms | None = None
    confirmed: dict[int, list[int]] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)

    def take(self, claim: Claim, upper: list[int], present: list[int]) -> list[int]:
        last = sum(day <= claim.fallback for day in self.days) - 1
        old = self.confirmed.get(claim.id)
        if old is not None:
            self.free = [f + o for f, o in zip(self.free, old, strict=True)]
        atp = atp_curve([f - b for f, b in zip(self.free, self._bound(claim.of_class), strict=True)])
        if self.rooms is not None:
            upper = [min(u, a) for u, a in zip(upper, atp, strict=True)]
            self.rooms.clip(claim.line, self.days, upper, present, _with_open(self.days, claim, present))
        found = confirm(upper, present, atp, last)
        if old is not None:  # another class may have had by now what is kept from this one
            found = [max(f, o) for f, o in zip(found, old, strict=True)]
        if self.rooms is not None:
            self.rooms.spend(claim.line, self.days, found, _with_open(self.days, claim, present))
        self.free = [f - c for f, c in zip(self.free, found, strict=True)]
        if claim.of_class in self.given_up:
            had = [0] * len(found) if old is None else old
            self.given_up[claim.of_class] = [
                units + h - f for units, h, f in zip(self.given_up[claim.of_class], had, found, strict=True)
            ]
        self.confirmed[claim.id] = found
        return found

    def _bound(self, of_class: int) -> list[int]:
        """What binds a class now: of what is kept from it as much as would be free if it stayed as it is at present
        and those from whom less is kept had no more than they have been given by now; never less than binds those.
        """
        if not self.given_up:
            return self._kept_free(of_class)
        by_class = {name: self._kept_free(name) for name in self.kept}
        mine = self.kept[of_class]
        return [
            max(bound[k] for name, bound in by_class.items() if self.kept[name][k] <= mine[k]) for k in range(len(mine))
        ]

    def _kept_free(self, of_class: int) -> list[int]:
        kept, limit = self.kept[of_class], self.in_place
        for other, units in self.given_up.items():
            less = self.kept[other]
            limit = [
                at + (n if theirs < mine else 0) for at, n, theirs, mine in zip(limit, units, less, kept, strict=True)
            ]
        return [min(z, max(0, at)) for z, at in zip(kept, limit, strict=True)]


def solve(pool: Pool, claims: Iterable[Claim], reaction: Reaction = Reaction.KEEP) -> dict[int, Outcome]:
    """The new confirmation of every claim by its id.

    Free Lose, subtract Skip, confirm Win by rank, give Gain then Improve back what they have, one improving pass over
    Gain, Improve and Redistribute by rank, Fill from what is left. With `Reaction.KEEP` a claim whose strategy cannot
    be kept is left as it is and the rest is decided again without it.
    """
    todo = sorted(claims, key=lambda claim: claim.rank)
    broken: set[int] = set()
    rooms = pool.rooms
    while True:
        state = _once(pool if rooms is None else replace(pool, rooms=rooms.copy()), todo)
        new = state.broken - broken
        broken |= new
        if not new or reaction is Reaction.BEST_EFFORT:
            break
        todo = [replace(claim, strategy=Strategy.SKIP) if claim.id in new else claim for claim in todo]
    if rooms is not None and state.rooms is not None:
        rooms.quotas = state.rooms.quotas
    return {
        claim.id: Outcome(
            _steps(state.days, state.confirmed[claim.id]) if claim.strategy is not Strategy.SKIP else _present(claim),
            claim.id in broken,
            claim.strategy is Strategy.SKIP,
        )
        for claim in todo
    }


def _once(pool: Pool, claims: list[Claim]) -> _State:
    days = sorted(
        {day for day, _ in [*pool.events, *pool.reserved]}
        | {day for c in claims for s in c.steps for day in (s.day, s.source_day)}
        | {c.wanted for c in claims}
        | {c.open_day for c in claims if c.open}
        | {day for kept in pool.classed.values() for day, _ in kept}
    )
    if not days:
        return _State([], [], {0: []}, [], rooms=pool.rooms)
    skipped = [claim for claim in claims if claim.strategy is Strategy.SKIP]
    moved = [claim for claim in claims if claim.strategy is not Strategy.SKIP]
    physical = [*pool.events, *((max(s.day, s.source_day), -s.quantity) for c in skipped for s in c.steps)]
    kept_back = [*pool.reserved]
    for claim in skipped:
        for step in claim.steps:
            if step.source_day > step.day:  # until its source comes it waits for whatever is free
                kept_back += [(step.day, step.quantity), (step.source_day, -step.quantity)]
        kept_back.append((claim.open_day, claim.open))
    present = {c.id: _cumulate(days, [(s.day, s.quantity) for s in c.steps]) for c in moved}
    free = _cumulate(days, physical)
    in_place = [f - sum(present[c.id][k] for c in moved) for k, f in enumerate(free)]

    kept = {name: _cumulate(days, [*kept_back, *more]) for name, more in {0: (), **pool.classed}.items()}
    given_up = {
        name: [sum(present[c.id][k] for c in moved if c.of_class == name) for k in range(len(days))]
        for name in (kept if len(kept) > 1 else ())
    }
    state = _State(days, free, kept, in_place, given_up, pool.rooms)
    requested = {c.id: [c.quantity if day >= c.wanted else 0 for day in days] for c in moved}
    limits = {c.id: bounds(c.strategy, present[c.id], requested[c.id]) for c in moved}

    def sweep(strategies: Sequence[Strategy], uppers: dict[int, list[int]]) -> None:
        for claim in moved:
            if claim.strategy in strategies:
                state.take(claim, uppers[claim.id], present[claim.id])

    upper = {claim_id: limit[1] for claim_id, limit in limits.items()}
    sweep([Strategy.WIN], upper)
    for strategy in RESTORED:
        sweep([strategy], present)
    for claim in moved:
        if claim.strategy in (Strategy.WIN, Strategy.GAIN):
            lower = limits[claim.id][0]
            if any(c < b for c, b in zip(state.confirmed[claim.id], lower, strict=True)):
                state.broken.add(claim.id)
    sweep(IMPROVING, upper)
    sweep([Strategy.FILL, Strategy.LOSE], upper)
    return state


def _cumulate(days: Sequence[int], events: Iterable[tuple[int, int]]) -> list[int]:
    net: dict[int, int] = {}
    for day, quantity in events:
        net[day] = net.get(day, 0) + quantity
    found, running = [], 0
    for day in days:
        running += net.get(day, 0)
        found.append(running)
    return found


def _with_open(days: Sequence[int], claim: Claim, present: Sequence[int]) -> list[int]:
    """What is promised by day, units without a source included."""
    return [units + (claim.open if day >= claim.open_day else 0) for day, units in zip(days, present, strict=True)]


def _steps(days: Sequence[int], curve: Sequence[int]) -> tuple[tuple[int, int], ...]:
    found, before = [], 0
    for day, units in zip(days, curve, strict=True):
        if units > before:
            found.append((day, units - before))
        before = units
    return tuple(found)


def _present(claim: Claim) -> tuple[tuple[int, int], ...]:
    net: dict[int, int] = {}
    for step in claim.steps:
        net[step.day] = net.get(step.day, 0) + step.quantity
    return tuple(sorted(net.items()))


def promised(claim: Claim, outcome: Outcome) -> tuple[tuple[int, int, bool], ...]:
    """What the line is promised from this pool after the run, as (day, units, has a source), by day."""
    if outcome.is_kept:
        return present_promise(claim)
    covered = sum(units for _, units in outcome.steps)
    rest = ((claim.fallback, claim.quantity - covered, False),) if covered < claim.quantity else ()
    return tuple(sorted([*((day, units, True) for day, units in outcome.steps), *rest]))


def present_promise(claim: Claim) -> tuple[tuple[int, int, bool], ...]:
    """What the line is promised from this pool now, as (day, units, has a source), by day."""
    rest = ((claim.open_day, claim.open, False),) if claim.open else ()
    return tuple(sorted([*((day, units, True) for day, units in _present(claim)), *rest]))
