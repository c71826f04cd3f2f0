"""The rule for a few SKUs under their gates: every pool decided step by step by `pool.solve`, same form as `arrays`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.domain.repromising.arrays import Solution
from core.domain.repromising.columns import Claims, Events, Ints, Market
from core.domain.repromising.pool import Claim, Outcome, Pool, Step, present_promise, promised, solve
from core.domain.repromising.rooms import Rooms
from core.domain.repromising.snapshot import Ranking
from core.domain.repromising.strategies import STRATEGIES, Reaction

MAX_ROUNDS = 8
"""How often a SKU with quotas is decided again: by then what one line leaves to another has long come to rest."""


def solve_steps(
    claims: Claims,
    market: Market,
    rank: Ranking,
    reaction: Reaction = Reaction.KEEP,
    rooms: Mapping[int, Rooms] | None = None,
    lines: Ints | None = None,
) -> Solution:
    """As `arrays.solve_arrays`, one pool after the other; `rooms` by pool are used up, `lines` are those of the claims."""
    rows: dict[int, list[int]] = defaultdict(list)
    for row, pool in enumerate(claims.pool.tolist()):
        rows[pool].append(row)
    steps: dict[int, list[Step]] = defaultdict(list)
    for claim, day, quantity, source in zip(
        claims.step_claim.tolist(),
        claims.step_day.tolist(),
        claims.step_quantity.tolist(),
        claims.step_source.tolist(),
        strict=True,
    ):
        steps[claim].append(Step(day, quantity, source))
    places = rank(np.arange(len(claims.pool))).tolist()
    supply, kept_back, classed = _by_pool(market.supply), _by_pool(market.reserved), _by_class(market)
    of_class = np.zeros(len(claims.pool), np.int64) if claims.of_class is None else claims.of_class
    whose = np.arange(len(claims.pool)) if lines is None else lines
    changed: list[int] = []
    exceptions: list[int] = []
    found: list[tuple[int, int, int]] = []
    todo = {
        pool: {
            row: Claim(
                row,
                int(claims.quantity[row]),
                int(claims.wanted[row]),
                int(claims.fallback[row]),
                places[row],
                STRATEGIES[claims.strategy[row]],
                tuple(steps[row]),
                int(claims.open_day[row]),
                int(of_class[row]),
                int(whose[row]),
            )
            for row in mine
        }
        for pool, mine in sorted(rows.items())
    }
    asked = {
        pool: Pool(supply[pool], kept_back[pool], classed[pool], None if rooms is None else rooms.get(pool))
        for pool in todo
    }
    before = {pool: room.copy() for pool, room in (rooms or {}).items() if pool in todo}
    outcomes = {pool: solve(asked[pool], mine.values(), reaction) for pool, mine in todo.items()}
    if before:
        bound = {pool: asked[pool] for pool in before}
        outcomes |= _come_to_rest(bound, {pool: todo[pool] for pool in bound}, before, outcomes, reaction)
    for pool, mine in todo.items():
        for row, claim in mine.items():
            outcome = outcomes[pool][row]
            if outcome.is_exception:
                exceptions.append(row)
            is_new = claim.is_late and not outcome.is_kept  # the same days perhaps, but from another source
            if is_new or _by_day(promised(claim, outcome)) != _by_day(present_promise(claim)):
                changed.append(row)
                found += [(row, day, quantity) for day, quantity in outcome.steps]
    table = np.array(found, np.int64).reshape(len(found), 3)
    return Solution(
        np.array(changed, np.int64),
        table[:, 0],
        table[:, 1],
        table[:, 2],
        np.array(sorted(exceptions), np.int64),
        len(rows),
    )


def _come_to_rest(
    asked: Mapping[int, Pool],
    todo: dict[int, dict[int, Claim]],
    before: dict[int, Rooms],
    outcomes: Mapping[int, dict[int, Outcome]],
    reaction: Reaction,
) -> dict[int, dict[int, Outcome]]:
    """Decide pools with quotas again, as the answer would leave them, until that changes nothing any more.

    Who comes earlier leaves its place in a later window to others: also to those that were asked before it, by their
    rank or at another place, and to those that then need the units it was given. `before` are the rooms before the answer.
    """
    answer = {pool: outcomes[pool] for pool in asked}
    for _ in range(MAX_ROUNDS):
        left = _rooms_left(asked, todo, before, answer)
        todo = {
            pool: {row: _as_left(claim, answer[pool][row]) for row, claim in mine.items()}
            for pool, mine in todo.items()
        }
        before = {pool: rooms.copy() for pool, rooms in left.items()}
        asked = {pool: replace(asked[pool], rooms=left[pool]) for pool in asked}
        again = {pool: solve(asked[pool], mine.values(), reaction) for pool, mine in todo.items()}
        if all(
            promised(claim, again[pool][row]) == present_promise(claim)
            for pool, mine in todo.items()
            for row, claim in mine.items()
        ):
            break
        answer = again
    return answer


def _as_left(claim: Claim, outcome: Outcome) -> Claim:
    """The claim as it stands when the outcome is carried out."""
    if outcome.is_kept:
        return claim
    steps = tuple(Step(day, units, day) for day, units in outcome.steps)
    return replace(claim, steps=steps, open_day=claim.fallback)


def _rooms_left(
    asked: Mapping[int, Pool],
    todo: Mapping[int, Mapping[int, Claim]],
    before: Mapping[int, Rooms],
    answer: Mapping[int, Mapping[int, Outcome]],
) -> dict[int, Rooms]:
    """What the quotas leave once the answer is carried out; pools of one SKU share it."""
    shared: dict[int, Rooms] = {}
    moves: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for pool, mine in todo.items():
        rooms = asked[pool].rooms
        assert rooms is not None
        for row, claim in mine.items():
            moves[id(rooms)] += [(claim.line, day, -units) for day, units, _ in present_promise(claim)]
            moves[id(rooms)] += [(claim.line, day, units) for day, units, _ in promised(claim, answer[pool][row])]
    for pool in asked:
        rooms = asked[pool].rooms
        assert rooms is not None
        if id(rooms) not in shared:
            shared[id(rooms)] = rooms.after(before[pool], moves[id(rooms)])
    return {pool: shared[id(pool_asked.rooms)] for pool, pool_asked in asked.items()}


def _by_pool(events: Events) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pool, day, quantity in zip(events.pool.tolist(), events.day.tolist(), events.quantity.tolist(), strict=True):
        found[pool].append((day, quantity))
    return found


def _by_class(market: Market) -> dict[int, dict[int, list[tuple[int, int]]]]:
    found: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    kept = market.classed
    for pool, name, day, quantity in zip(
        kept.pool.tolist(), kept.of_class.tolist(), kept.day.tolist(), kept.quantity.tolist(), strict=True
    ):
        found[pool][name].append((day, quantity))
    return found


def _by_day(parts: tuple[tuple[int, int, bool], ...]) -> dict[int, int]:
    found: dict[int, int] = {}
    for day, units, _ in parts:
        found[day] = found.get(day, 0) + units
    return found
