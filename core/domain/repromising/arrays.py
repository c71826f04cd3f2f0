"""The reference procedure for all pools of a run at once, on NumPy arrays; the same answer as `pool.solve`.

Most pools of a large snapshot have nothing to decide. One sort by (pool, day) and a cumulative sum find those that
may change; these are laid out as dense rows (pool x day), bucketed by size, and each round serves the next claim by
rank of every pool of the bucket together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.columns import Claims, Events, Ints, Market, packed, sorted_with_order, stable_order
from core.domain.repromising.screen import active_pools
from core.domain.repromising.strategies import CODE, IMPROVING, RESTORED, STRATEGIES, Reaction, Strategy

_IMPROVES = np.array([s in IMPROVING for s in STRATEGIES])
MAX_CELLS = 8_000_000
"""Claims x days of one dense block: what bounds the memory."""
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
    parts = [_solve_block(mine, block, reaction) for block in _blocks(mine, supply, kept_back)]
    return Solution(
        rows[np.concatenate([p.changed for p in parts])],
        rows[np.concatenate([p.step_claim for p in parts])],
        np.concatenate([p.step_day for p in parts]),
        np.concatenate([p.step_quantity for p in parts]),
        np.sort(rows[np.concatenate([p.exceptions for p in parts])]),
        int(np.count_nonzero(active)),
    )


@dataclass(slots=True)
class _Block:
    """Pools of one size, a row each: their days ascending (the last one repeated), and where everything lies."""

    claims: Ints
    """Rows of the active claims, by (pool, rank)."""
    row: Ints
    """Row of the block of each claim."""
    days: Ints
    supply: Events
    """(row, column, units)."""
    reserved: Events
    step_column: Ints
    """Of the steps of these claims, in their order."""
    source_column: Ints
    open_column: Ints
    """Of the claims, meaningless where nothing is open."""


def _blocks(claims: Claims, events: Events, reserved: Events) -> Iterator[_Block]:
    """Cut the active pools (numbered without gaps) into blocks of like width (days), each within MAX_CELLS."""
    step_pool = claims.pool[claims.step_claim]
    source = np.maximum(claims.step_day, claims.step_source)
    open_day = np.where(claims.open > 0, claims.open_day, claims.wanted)
    pool = [events.pool, reserved.pool, step_pool, step_pool, claims.pool, claims.pool]
    day = np.concatenate([events.day, reserved.day, claims.step_day, source, open_day, claims.wanted])
    cuts = np.cumsum([len(part) for part in pool])[:-1]
    first = int(day.min())
    width = int(day.max()) - first + 1
    key = packed(np.concatenate(pool), day - first, width)
    key, order = sorted_with_order(key)
    is_new = np.diff(key, prepend=-1) != 0
    cell = np.empty(len(key), np.int64)
    cell[order] = np.cumsum(is_new) - 1
    keys = key[is_new].astype(np.int64)
    key_pool = keys // width
    count = np.bincount(key_pool)
    begin = np.cumsum(count) - count
    columns = np.split(cell - begin[np.concatenate(pool)], cuts)
    claimed = np.bincount(claims.pool, minlength=len(count))
    size = np.maximum(2, 1 << np.ceil(np.log2(count)).astype(np.int64))
    key_day = keys % width + first
    for wide in np.flatnonzero(np.bincount(size)).tolist():
        found = np.flatnonzero(size == wide)
        spread = np.cumsum(claimed[found] * wide) // MAX_CELLS
        for part in np.split(found, np.flatnonzero(np.diff(spread)) + 1):
            row_of = np.full(len(count), -1, np.int64)
            row_of[part] = np.arange(len(part))
            place = np.minimum(np.arange(wide), count[part, None] - 1) + begin[part, None]
            mine = np.flatnonzero(row_of[claims.pool] >= 0)
            steps = np.flatnonzero(row_of[step_pool] >= 0)
            yield _Block(
                mine,
                row_of[claims.pool[mine]],
                key_day[place],
                _placed(events, row_of, columns[0]),
                _placed(reserved, row_of, columns[1]),
                columns[2][steps],
                columns[3][steps],
                columns[4][mine],
            )


def _placed(events: Events, row_of: Ints, column: Ints) -> Events:
    """Events as (row, column, units) of a block."""
    row = row_of[events.pool]
    mine = np.flatnonzero(row >= 0)
    return Events(row[mine], column[mine], events.quantity[mine])


def _dense(shape: tuple[int, int], events: Sequence[tuple[Ints, Ints, Ints]]) -> Ints:
    """Cumulative units by day of (row, column, units)."""
    row, column, quantity = (np.concatenate(parts) for parts in zip(*events, strict=True))
    flat = np.bincount(row * shape[1] + column, quantity, shape[0] * shape[1])
    return np.cumsum(flat.reshape(shape).astype(np.int64), axis=1)


def _solve_block(all_claims: Claims, block: _Block, reaction: Reaction) -> Solution:
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
        block = _part_of(block, claims, block.row[broken])
    if len(parts) == 1:
        return parts[0]
    return Solution(
        np.concatenate([part.changed for part in parts]),
        np.concatenate([part.step_claim for part in parts]),
        np.concatenate([part.step_day for part in parts]),
        np.concatenate([part.step_quantity for part in parts]),
        np.concatenate([part.exceptions for part in parts]),
    )


def _part_of(block: _Block, claims: Claims, rows: Ints) -> _Block:
    """The block with only these rows."""
    number = np.full(len(block.days), -1, np.int64)
    number[rows] = 0
    wanted = np.flatnonzero(number == 0)
    number[wanted] = np.arange(len(wanted))
    mine = np.flatnonzero(number[block.row] >= 0)
    steps = np.flatnonzero(number[block.row[claims.step_claim]] >= 0)
    return _Block(
        block.claims[mine],
        number[block.row[mine]],
        block.days[wanted],
        _placed(block.supply, number, block.supply.day),
        _placed(block.reserved, number, block.reserved.day),
        block.step_column[steps],
        block.source_column[steps],
        block.open_column[mine],
    )


def _decide(claims: Claims, block: _Block, reaction: Reaction) -> tuple[Solution, NDArray[np.bool_]]:
    """Decide a block once: what changes where all is kept or exceptions do not matter, and which claims are broken."""
    row, days, events, reserved = block.row, block.days, block.supply, block.reserved
    step_column, source_column = block.step_column, block.source_column
    shape, count = days.shape, len(claims.pool)
    present = _dense((count, shape[1]), [(claims.step_claim, step_column, claims.step_quantity)])
    mine = days[row]
    asked = mine >= claims.wanted[:, None]
    wish = np.maximum(present, np.where(asked, claims.quantity[:, None], 0))
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
    free = _dense(shape, physical)
    in_place = free - np.add.reduceat(np.where(skip[:, None], 0, present), first_claim, axis=0)
    if any(len(part[0]) for part in kept_back):
        free -= np.minimum(_dense(shape, kept_back), np.maximum(in_place, 0))
    is_feasible = np.all(in_place >= 0, axis=1)
    confirmed, broken = _once(free, present, wish, within, row, strategy, asked, claims, is_feasible)
    final = np.ones(shape[0], bool)
    if reaction is Reaction.KEEP:
        final[row[broken]] = False
    late = np.zeros(count, bool)
    late[claims.step_claim[source_column > step_column]] = True
    return _changes(claims, block, final[row] & ~skip, late, confirmed, present, broken), broken


def _once(
    free: Ints,
    present: Ints,
    wish: Ints,
    within: NDArray[np.bool_],
    row: Ints,
    strategy: NDArray[np.int8],
    asked: NDArray[np.bool_],
    claims: Claims,
    is_feasible: NDArray[np.bool_],
) -> tuple[Ints, NDArray[np.bool_]]:
    """One run of the procedure on a block: (new confirmations, which claims could not be kept).

    `is_feasible` marks rows where everything that is promised can be had as it is.
    """
    confirmed = np.zeros_like(present)

    ends_early = ~within[:, -1]

    def sweep(which: NDArray[np.bool_], upper: Ints, releases: bool = False) -> None:
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
    broken[some] = np.any((confirmed[some] < claims.quantity[some, None]) & asked[some], axis=1)
    some = np.flatnonzero((strategy == _GAIN) & ~at_once)
    broken[some] = np.any(confirmed[some] < present[some], axis=1)
    # in this pass free units only get fewer: who wants none of a day that has some now stays as it is
    improving = _IMPROVES[strategy] & np.any((confirmed < wish) & (free > 0)[row], axis=1)
    sweep(improving, wish, releases=True)
    sweep(strategy == _FILL, present)
    return confirmed, broken


def _changes(
    claims: Claims,
    block: _Block,
    decided: NDArray[np.bool_],
    late: NDArray[np.bool_],
    confirmed: Ints,
    present: Ints,
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
    steps = np.diff(confirmed[rows], axis=1, prepend=0)
    at, column = np.nonzero(steps)
    return Solution(
        block.claims[rows],
        block.claims[rows[at]],
        block.days[block.row[rows[at]], column],
        steps[at, column],
        block.claims[np.flatnonzero(broken)],
    )
