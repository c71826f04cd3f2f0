"""The rule for a few SKUs under their gates: every pool decided step by step by `pool.solve`, same form as `arrays`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from core.domain.repromising.arrays import Solution
from core.domain.repromising.columns import Claims, Events, Ints, Market
from core.domain.repromising.pool import Claim, Pool, Step, present_promise, promised, solve
from core.domain.repromising.rooms import Rooms
from core.domain.repromising.snapshot import Ranking
from core.domain.repromising.strategies import STRATEGIES, Reaction


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
    for pool, mine in sorted(rows.items()):
        todo = {
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
        room = None if rooms is None else rooms.get(pool)
        outcomes = solve(Pool(supply[pool], kept_back[pool], classed[pool], room), todo.values(), reaction)
        for row, claim in todo.items():
            outcome = outcomes[row]
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
