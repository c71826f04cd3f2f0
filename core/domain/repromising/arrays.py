"""The reference procedure for all pools of a run at once, on NumPy arrays; the same answer as `pool.solve`.

Most pools of a large snapshot have nothing to decide. One sort by (pool, day) and a cumulative sum find those that
may change; these are laid out as dense rows (pool x day), bucketed by size, and each round serves the next claim by
rank of every pool of the bucket together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.blocks import Block, blocks, dense, narrowest, part_of
from core.domain.repromising.columns import Claims, Events, Ints, Market, Units, stable_order
from core.domain.repromising.screen import active_pools
from core.domain.repromising.strategies import CODE, IMPROVING, RESTORED, STRATEGIES, Reaction, Strategy

_IMPROVES = np.array([s in IMPROVING for s in STRATEGIES])
_WIN, _GAIN, _FILL, _SKIP = (CODE[s] for s in (Strategy.WIN, Strategy.GAIN, Strategy.FILL, Strategy.SKIP))


@dataclass(slots=True)
class Solution:
    """The claims whose promise changes (rows of `Claims`), their new steps, and the exceptions (rows, sorted)."""

    changed: Ints
    step_claim: Ints
    step_day: Ints
    step_quantity: Ints
    exceptions: Ints
    active_pools: int = 0

    def steps(self) -> dict[int, list[tuple[int, int]]]:
        """New steps by claim row, for small answers and tests."""
        found: dict[int, list[tuple[int, int]]] = {int(row): [] for row in self.changed}
        for row, day, quantity in zip(self.step_claim, self.step_day, self.step_quantity, strict=True):
            found[int(row)].append((int(day), int(quantity)))
        return found


def solve_arrays(
    claims: Claims, market: Market, rank: Callable[[Ints], Ints], reaction: Reaction = Reaction.KEEP
) -> Solution:
    """Decide all pools (numbered from 0). `rank(rows)` gives the places of those claims, lower is served first.

    Protected stock of single classes and quotas are not asked: such pools are for `stepwise`.
    """
    if len(claims.pool) * 8 < market.pools:
        claims, market = _numbered_anew(claims, market)
    active = active_pools(claims, market)
    rows = np.flatnonzero(active[claims.pool])
    empty = np.empty(0, np.int64)
    if not len(rows):
        return Solution(empty, empty, empty, empty, empty)
    place = rank(rows)
    rows = rows[np.argsort(claims.pool[rows] * (int(place.max()) + 1) + place)]
    mine = claims.of(rows)
    number = np.cumsum(active) - 1
    supply, kept_back = market.supply.of(active), market.reserved.of(active)
    for part in (mine, supply, kept_back):
        part.pool = number[part.pool]
    parts = [_solve_block(mine, block, reaction) for block in blocks(mine, supply, kept_back)]
    return Solution(
        rows[np.concatenate([p.changed for p in parts])],
        rows[np.concatenate([p.step_claim for p in parts])],
        np.concatenate([p.step_day for p in parts]),
        np.concatenate([p.step_quantity for p in parts]),
        np.sort(rows[np.concatenate([p.exceptions for p in parts])]),
        int(np.count_nonzero(active)),
    )


def _numbered_anew(claims: Claims, market: Market) -> tuple[Claims, Market]:
    """The same with only the pools that have claims: few claims need no arrays of all pools."""
    pools, number = np.unique(claims.pool, return_inverse=True)

    def of(events: Events) -> Events:
        place = np.searchsorted(pools, events.pool)
        mine = np.flatnonzero(np.append(pools, -1)[place] == events.pool)
        return Events(place[mine], events.day[mine], events.quantity[mine])

    return replace(claims, pool=number), Market(len(pools), of(market.supply), of(market.reserved))


def _solve_block(all_claims: Claims, block: Block, reaction: Reaction) -> Solution:
    """Decide a block; with `Reaction.KEEP` pools with an exception again, until none is new."""
    strategy, parts = all_claims.strategy, []
    while True:
        claims = all_claims.of(block.claims)
        claims.strategy = strategy[block.claims]
        part, broken = _decide(claims, block, reaction)
        parts.append(part)
        if reaction is Reaction.BEST_EFFORT or not broken.any():
            break
        strategy = strategy.copy()
        strategy[block.claims[broken]] = _SKIP
        block = part_of(block, claims, block.row[broken])
    if len(parts) == 1:
        return parts[0]
    return Solution(
        np.concatenate([part.changed for part in parts]),
        np.concatenate([part.step_claim for part in parts]),
        np.concatenate([part.step_day for part in parts]),
        np.concatenate([part.step_quantity for part in parts]),
        np.concatenate([part.exceptions for part in parts]),
    )


def _decide(claims: Claims, block: Block, reaction: Reaction) -> tuple[Solution, NDArray[np.bool_]]:
    """Decide a block once: what changes where all is kept or exceptions do not matter, and which claims are broken."""
    row, days, events, reserved = block.row, block.days, block.supply, block.reserved
    step_column, source_column = block.step_column, block.source_column
    shape, count = days.shape, len(claims.pool)
    units = narrowest(claims.quantity, events.quantity, reserved.quantity)
    quantity = claims.quantity.astype(units)
    present = dense((count, shape[1]), [(claims.step_claim, step_column, claims.step_quantity)], units)
    mine = days[row]
    asked = mine >= claims.wanted[:, None]
    wish = np.maximum(present, asked * quantity[:, None])
    within = mine <= claims.fallback[:, None]
    first_claim = np.flatnonzero(np.diff(row, prepend=-1))
    strategy = claims.strategy
    skip = strategy == _SKIP
    step_row, step_skip = row[claims.step_claim], np.flatnonzero(skip[claims.step_claim])
    physical = [(events.pool, events.day, events.quantity)]
    physical.append((step_row[step_skip], source_column[step_skip], -claims.step_quantity[step_skip]))
    gap = step_skip[source_column[step_skip] > step_column[step_skip]]
    lost = np.flatnonzero(skip & (claims.open > 0))
    kept_back = [
        (reserved.pool, reserved.day, reserved.quantity),
        (step_row[gap], step_column[gap], claims.step_quantity[gap]),
        (step_row[gap], source_column[gap], -claims.step_quantity[gap]),
        (row[lost], block.open_column[lost], claims.open[lost]),
    ]
    free = dense(shape, physical, units)
    moved = present if not skip.any() else np.where(skip[:, None], 0, present)
    in_place = free - np.add.reduceat(moved, first_claim, axis=0)
    if any(len(part[0]) for part in kept_back):
        free -= np.minimum(dense(shape, kept_back, units), np.maximum(in_place, 0))
    is_feasible = np.all(in_place >= 0, axis=1)
    confirmed, broken = _once(free, present, wish, within, row, strategy, asked, quantity, is_feasible)
    final = np.ones(shape[0], bool)
    if reaction is Reaction.KEEP:
        final[row[broken]] = False
    late = np.zeros(count, bool)
    late[claims.step_claim[source_column > step_column]] = True
    return _changes(claims, block, final[row] & ~skip, late, confirmed, present, broken), broken


def _once(
    free: Units,
    present: Units,
    wish: Units,
    within: NDArray[np.bool_],
    row: Ints,
    strategy: NDArray[np.int8],
    asked: NDArray[np.bool_],
    quantity: Units,
    is_feasible: NDArray[np.bool_],
) -> tuple[Units, NDArray[np.bool_]]:
    """One run of the procedure on a block: (new confirmations, which claims could not be kept).

    `is_feasible` marks rows where everything that is promised can be had as it is.
    """
    confirmed = np.zeros_like(present)

    ends_early = ~within[:, -1]

    def sweep(which: NDArray[np.bool_], upper: Units, releases: bool = False) -> None:
        selected = np.flatnonzero(which)
        if not len(selected):
            return
        rows = row[selected]
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        lengths = np.diff(begins, append=len(rows))
        turn = np.arange(len(rows)) - np.repeat(begins, lengths)
        order = stable_order(turn)
        ends = np.cumsum(np.bincount(turn))
        begin = 0
        for end in ends:
            now = selected[order[begin:end]]
            begin = end
            at = row[now]
            balance = free[at]
            if releases:
                balance += confirmed[now]
            atp = np.minimum.accumulate(balance[:, ::-1], axis=1)[:, ::-1]
            np.maximum(atp, 0, out=atp)
            found = np.minimum(upper[now], atp)
            beyond = np.flatnonzero(ends_early[now])
            if len(beyond):
                inside, part = within[now[beyond]], found[beyond]
                reached = np.max(np.where(inside, part, 0), axis=1, keepdims=True)
                kept = np.maximum(reached, np.minimum(present[now[beyond]], atp[beyond]))
                found[beyond] = np.where(inside, part, kept)
            balance -= found
            free[at] = balance
            confirmed[now] = found

    wins = strategy == _WIN
    sweep(wins, wish)
    restored = (strategy == CODE[Strategy.GAIN]) | (strategy == CODE[Strategy.IMPROVE])
    plain = is_feasible.copy()
    plain[row[wins]] = False
    at_once = restored & plain[row]  # in any order they get what they have
    confirmed[at_once] = present[at_once]
    first_claim = np.flatnonzero(np.diff(row, prepend=-1))
    free -= np.add.reduceat(np.where(at_once[:, None], present, 0), first_claim, axis=0)
    for kind in RESTORED:
        sweep((strategy == CODE[kind]) & ~at_once, present)
    broken = np.zeros(len(row), bool)
    some = np.flatnonzero(wins)
    broken[some] = np.any((confirmed[some] < quantity[some, None]) & asked[some], axis=1)
    some = np.flatnonzero((strategy == _GAIN) & ~at_once)
    broken[some] = np.any(confirmed[some] < present[some], axis=1)
    # in this pass free units only get fewer: who wants none of a day that has some now stays as it is
    improving = _IMPROVES[strategy] & np.any((confirmed < wish) & (free > 0)[row], axis=1)
    sweep(improving, wish, releases=True)
    sweep(strategy == _FILL, present)
    return confirmed, broken


def _changes(
    claims: Claims,
    block: Block,
    decided: NDArray[np.bool_],
    late: NDArray[np.bool_],
    confirmed: Units,
    present: Units,
    broken: NDArray[np.bool_],
) -> Solution:
    """Claims whose promise by day differs from the present one, units without a source on their day included, and
    those that keep it but need another source, since theirs comes too late.
    """
    total = confirmed[:, -1]
    different = late | np.any(confirmed != present, axis=1)
    rest = claims.quantity - total
    different |= (rest > 0) & (claims.open > 0) & (claims.open_day != claims.fallback)
    rows = np.flatnonzero(decided & different)
    # an order anew for the same day as the supply that is given up, or the other way round, is no other promise
    columns = block.days[block.row[rows]]
    before = present[rows] + np.where(columns >= claims.open_day[rows, None], claims.open[rows, None], 0)
    after = confirmed[rows] + np.where(columns >= claims.fallback[rows, None], rest[rows, None], 0)
    shown = (rest[rows] == 0) | np.any(columns == claims.fallback[rows, None], axis=1)
    rows = rows[late[rows] | ~(shown & np.all(before == after, axis=1))]
    steps = confirmed[rows]
    steps[:, 1:] -= confirmed[rows, :-1]
    at, column = np.nonzero(steps)
    return Solution(
        block.claims[rows],
        block.claims[rows[at]],
        block.days[block.row[rows[at]], column],
        steps[at, column].astype(np.int64),
        block.claims[np.flatnonzero(broken)],
    )
