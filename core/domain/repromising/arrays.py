"""The reference procedure for all pools of a run at once, on NumPy arrays; the same answer as `pool.solve`.

Most pools of a large snapshot have nothing to decide. One sort by (pool, day) and a cumulative sum find those that
may change; these are laid out as dense rows (pool x day), bucketed by size, and each round serves the next claim by
rank of every pool of the bucket together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.repromising.strategies import CODE, IMPROVING, RESTORED, Reaction, Strategy

Ints = NDArray[np.int64]
FAR = np.int64(1 << 40)
MAX_CELLS = 8_000_000
"""Claims x days of one dense block: what bounds the memory."""
_WIN, _GAIN, _FILL, _LOSE, _SKIP = (
    CODE[s] for s in (Strategy.WIN, Strategy.GAIN, Strategy.FILL, Strategy.LOSE, Strategy.SKIP)
)


@dataclass(slots=True)
class Events:
    """(pool, day, units) in three arrays."""

    pool: Ints
    day: Ints
    quantity: Ints

    def of(self, wanted: NDArray[np.bool_]) -> Events:
        """Those of the pools marked in `wanted`."""
        mask = wanted[self.pool]
        return Events(self.pool[mask], self.day[mask], self.quantity[mask])


@dataclass(slots=True)
class Claims:
    """One row per claim (see `pool.Claim`), and their steps with the row each belongs to."""

    pool: Ints
    quantity: Ints
    wanted: Ints
    fallback: Ints
    open_day: Ints
    strategy: NDArray[np.int8]
    step_claim: Ints
    step_day: Ints
    step_quantity: Ints
    step_source: Ints
    open: Ints = field(init=False)

    def __post_init__(self) -> None:
        steps = np.bincount(self.step_claim, self.step_quantity, len(self.pool)).astype(np.int64)
        self.open = self.quantity - steps

    def of(self, rows: Ints) -> Claims:
        """The claims at `rows`, renumbered in that order."""
        place = np.full(len(self.pool), -1, np.int64)
        place[rows] = np.arange(len(rows))
        mine = np.flatnonzero(place[self.step_claim] >= 0)
        return Claims(
            self.pool[rows],
            self.quantity[rows],
            self.wanted[rows],
            self.fallback[rows],
            self.open_day[rows],
            self.strategy[rows],
            place[self.step_claim[mine]],
            self.step_day[mine],
            self.step_quantity[mine],
            self.step_source[mine],
        )


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
    claims: Claims,
    events: Events,
    reserved: Events,
    pools: int,
    rank: Callable[[Ints], Ints],
    reaction: Reaction = Reaction.KEEP,
) -> Solution:
    """Decide all pools (numbered from 0). `rank(rows)` gives the places of those claims, lower is served first."""
    active = _active_pools(claims, events, reserved, pools)
    rows = np.flatnonzero(active[claims.pool])
    empty = np.empty(0, np.int64)
    if not len(rows):
        return Solution(empty, empty, empty, empty, empty)
    order = np.lexsort((rank(rows), claims.pool[rows]))
    rows = rows[order]
    mine = claims.of(rows)
    parts = [
        _solve_block(mine, block, events_, reserved_, reaction)
        for block, events_, reserved_ in _blocks(mine, events.of(active), reserved.of(active), pools)
    ]
    return Solution(
        rows[np.concatenate([p.changed for p in parts])],
        rows[np.concatenate([p.step_claim for p in parts])],
        np.concatenate([p.step_day for p in parts]),
        np.concatenate([p.step_quantity for p in parts]),
        np.sort(rows[np.concatenate([p.exceptions for p in parts])]),
        int(np.count_nonzero(active)),
    )


# --- which pools may change -------------------------------------------------------------------------------------------


def _active_pools(claims: Claims, events: Events, reserved: Events, pools: int) -> NDArray[np.bool_]:
    """Pools in which some promise may change. A pool that is left out keeps every promise under any rank.

    When all claims are on time from sources that come in time, nothing moves. Else a claim of Gain or Improve can only
    be better off when the balance of everything in place is positive just before a day on which it has something late.
    """
    strategy = claims.strategy
    moved = strategy != _SKIP
    step_strategy = strategy[claims.step_claim]
    late = (claims.step_day > claims.wanted[claims.step_claim]) & (step_strategy != _SKIP)
    unreal = (claims.step_source > claims.step_day) & (step_strategy != _SKIP)
    waiting = moved & (claims.open > 0)
    active = np.zeros(pools, bool)
    active[claims.pool[claims.step_claim[unreal | (step_strategy == _LOSE)]]] = True
    active[claims.pool[waiting & (claims.open_day < claims.fallback)]] = True
    # where somebody may take or be taken from, all is decided anew as soon as anybody in the pool is late
    may_take = np.zeros(pools, bool)
    may_take[claims.pool[np.isin(strategy, [CODE[Strategy.REDISTRIBUTE], _WIN, _FILL])]] = True
    is_late = waiting.copy()
    is_late[claims.step_claim[late]] = True
    active[claims.pool[is_late]] |= may_take[claims.pool[is_late]]
    ask = ~active[claims.pool] & is_late & (strategy != _FILL)
    if not ask.any():
        return active
    candidates = np.zeros(pools, bool)
    candidates[claims.pool[ask]] = True
    _mark_improvable(active, candidates, claims, events, reserved, late, ask & waiting)
    return active


def _mark_improvable(
    active: NDArray[np.bool_],
    candidates: NDArray[np.bool_],
    claims: Claims,
    events: Events,
    reserved: Events,
    late: NDArray[np.bool_],
    waiting: NDArray[np.bool_],
) -> None:
    fixed, held = events.of(candidates), reserved.of(candidates)
    mine = np.flatnonzero(candidates[claims.pool[claims.step_claim]])
    step_pool, step_day = claims.pool[claims.step_claim[mine]], claims.step_day[mine]
    skipped = np.flatnonzero((claims.strategy == _SKIP) & (claims.open > 0) & candidates[claims.pool])
    pool = np.concatenate([fixed.pool, held.pool, claims.pool[skipped], step_pool])
    day = np.concatenate([fixed.day, held.day, claims.open_day[skipped], step_day])
    quantity = np.concatenate([fixed.quantity, -held.quantity, -claims.open[skipped], -claims.step_quantity[mine]])
    first = int(day.min())
    width = int(max(day.max(), claims.fallback.max())) - first + 2
    key = pool * width + (day - first)
    order = np.argsort(key)
    key = key[order]
    total = np.cumsum(quantity[order])
    starts = np.flatnonzero(np.diff(key, prepend=-1))  # first event of each (pool, day)
    first_of_pool = np.flatnonzero(np.diff(key // width, prepend=-1))
    base = np.concatenate([[0], total])[first_of_pool]  # what earlier pools have summed up to
    pool_at = key[first_of_pool] // width
    offset = np.zeros(len(candidates), np.int64)
    offset[pool_at] = base
    begin = np.zeros(len(candidates), np.int64)
    begin[pool_at] = first_of_pool
    known = np.zeros(len(candidates), bool)
    known[pool_at] = True

    def balance_before(pools: Ints, days: Ints) -> Ints:
        """Sum of all that lies before the day; nothing lies before the first event."""
        place = starts[np.minimum(np.searchsorted(key[starts], pools * width + (days - first)), len(starts) - 1)]
        place = np.where(key[place] < pools * width + (days - first), len(key), place)
        return np.where(known[pools] & (place > begin[pools]), total[np.maximum(place, 1) - 1] - offset[pools], 0)

    asked = mine[late[mine]]
    pools = claims.pool[claims.step_claim[asked]]
    positive = balance_before(pools, claims.step_day[asked]) > 0
    active[pools[positive]] = True
    rows = np.flatnonzero(waiting & candidates[claims.pool])
    pools = claims.pool[rows]
    positive = balance_before(pools, claims.fallback[rows] + 1) > 0
    active[pools[positive]] = True


# --- dense blocks -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Block:
    """Pools of one size: claims `first..` sorted by (pool, rank), and the days of each pool in a row."""

    claims: Ints
    """Rows of the active claims, by (pool, rank)."""
    row: Ints
    """Row of the block of each claim."""
    days: Ints
    column_of: Callable[[Ints, Ints], Ints]


def _blocks(claims: Claims, events: Events, reserved: Events, pools: int) -> Iterator[tuple[_Block, Events, Events]]:
    """Cut the active pools into blocks of like width (days), each within MAX_CELLS."""
    step_pool = claims.pool[claims.step_claim]
    has_open = np.flatnonzero(claims.open > 0)
    pool = np.concatenate([events.pool, reserved.pool, step_pool, step_pool, claims.pool, claims.pool[has_open]])
    day = np.concatenate(
        [events.day, reserved.day, claims.step_day, claims.step_source, claims.wanted, claims.open_day[has_open]]
    )
    first = int(day.min())
    width = int(day.max()) - first + 1
    keys = np.unique(pool * width + (day - first))
    key_pool = keys // width
    count = np.bincount(key_pool, minlength=pools)
    begin = np.cumsum(count) - count
    claimed = np.bincount(claims.pool, minlength=pools)
    size = np.where(claimed > 0, np.maximum(2, 1 << np.ceil(np.log2(np.maximum(count, 1))).astype(np.int64)), 0)
    for wide in np.unique(size[size > 0]):
        found = np.flatnonzero(size == wide)
        cells = np.cumsum(claimed[found] * wide) // MAX_CELLS
        for part in np.split(found, np.flatnonzero(np.diff(cells)) + 1):
            row_of = np.full(pools, -1, np.int64)
            row_of[part] = np.arange(len(part))
            days = np.full((len(part), int(wide)), FAR, np.int64)
            inside = np.flatnonzero(row_of[key_pool] >= 0)
            rows = row_of[key_pool[inside]]
            days[rows, inside - begin[key_pool[inside]]] = keys[inside] % width + first

            def column_of(
                pool: Ints, day: Ints, keys: Ints = keys, begin: Ints = begin, width: int = width, first: int = first
            ) -> Ints:
                return np.searchsorted(keys, pool * width + (day - first)) - begin[pool]

            mine = np.flatnonzero(row_of[claims.pool] >= 0)
            wanted = row_of >= 0
            yield (
                _Block(mine, row_of[claims.pool[mine]], days, column_of),
                _rows(events.of(wanted), row_of, column_of),
                _rows(reserved.of(wanted), row_of, column_of),
            )


def _rows(events: Events, row_of: Ints, column_of: Callable[[Ints, Ints], Ints]) -> Events:
    """Events as (row, column, units) of a block."""
    return Events(row_of[events.pool], column_of(events.pool, events.day), events.quantity)


def _dense(shape: tuple[int, int], events: Sequence[tuple[Ints, Ints, Ints]]) -> Ints:
    """Cumulative units by day of (row, column, units)."""
    row, column, quantity = (np.concatenate(parts) for parts in zip(*events, strict=True))
    flat = np.bincount(row * shape[1] + column, quantity, shape[0] * shape[1])
    return np.cumsum(flat.reshape(shape).astype(np.int64), axis=1)


def _solve_block(all_claims: Claims, block: _Block, events: Events, reserved: Events, reaction: Reaction) -> Solution:
    claims = all_claims.of(block.claims)
    row, days = block.row, block.days
    shape, count = days.shape, len(claims.pool)
    step_pool = claims.pool[claims.step_claim]
    step_column = block.column_of(step_pool, claims.step_day)
    source_column = block.column_of(step_pool, np.maximum(claims.step_day, claims.step_source))
    present = _dense((count, shape[1]), [(claims.step_claim, step_column, claims.step_quantity)])
    mine = days[row]
    wish = np.maximum(present, np.where(mine >= claims.wanted[:, None], claims.quantity[:, None], 0))
    within = mine <= claims.fallback[:, None]
    open_rows = np.flatnonzero(claims.open > 0)
    open_column = block.column_of(claims.pool[open_rows], claims.open_day[open_rows])
    first_claim = np.flatnonzero(np.diff(row, prepend=-1))
    strategy = claims.strategy.copy()
    broken = np.zeros(count, bool)
    step_row = row[claims.step_claim]
    while True:
        skip = strategy == _SKIP
        step_skip = skip[claims.step_claim]
        physical = [(events.pool, events.day, events.quantity)]
        physical.append((step_row[step_skip], source_column[step_skip], -claims.step_quantity[step_skip]))
        gap = np.flatnonzero(step_skip & (source_column > step_column))
        lost = np.flatnonzero(skip[open_rows])
        kept_back = [
            (reserved.pool, reserved.day, reserved.quantity),
            (step_row[gap], step_column[gap], claims.step_quantity[gap]),
            (step_row[gap], source_column[gap], -claims.step_quantity[gap]),
            (row[open_rows[lost]], open_column[lost], claims.open[open_rows[lost]]),
        ]
        free = _dense(shape, physical)
        in_place = free - np.add.reduceat(np.where(skip[:, None], 0, present), first_claim, axis=0)
        free -= np.minimum(_dense(shape, kept_back), np.maximum(in_place, 0))
        confirmed, new = _once(free, present, wish, within, row, strategy, mine >= claims.wanted[:, None], claims)
        new &= ~broken
        broken |= new
        if not new.any() or reaction is Reaction.BEST_EFFORT:
            break
        strategy[new] = _SKIP
    return _changes(claims, block, strategy, confirmed, present, broken)


def _once(
    free: Ints,
    present: Ints,
    wish: Ints,
    within: NDArray[np.bool_],
    row: Ints,
    strategy: NDArray[np.int8],
    asked: NDArray[np.bool_],
    claims: Claims,
) -> tuple[Ints, NDArray[np.bool_]]:
    """One run of the procedure on a block: (new confirmations, which claims could not be kept)."""
    confirmed = np.zeros_like(present)

    def sweep(which: NDArray[np.bool_], upper: Ints) -> None:
        selected = np.flatnonzero(which)
        if not len(selected):
            return
        rows = row[selected]
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        lengths = np.diff(begins, append=len(rows))
        turn = np.arange(len(rows)) - np.repeat(begins, lengths)
        order = np.argsort(turn, kind="stable")
        ends = np.cumsum(np.bincount(turn))
        begin = 0
        for end in ends:
            now = selected[order[begin:end]]
            begin = end
            at = row[now]
            balance = free[at] + confirmed[now]
            atp = np.maximum(np.minimum.accumulate(balance[:, ::-1], axis=1)[:, ::-1], 0)
            found = np.minimum(upper[now], atp)
            inside = within[now]
            reached = np.max(np.where(inside, found, 0), axis=1, keepdims=True)
            found = np.where(inside, found, np.maximum(reached, np.minimum(present[now], atp)))
            free[at] = balance - found
            confirmed[now] = found

    sweep(strategy == _WIN, wish)
    for kind in RESTORED:
        sweep(strategy == CODE[kind], present)
    lower = np.where((strategy == _WIN)[:, None] & asked, claims.quantity[:, None], 0)
    lower = np.where((strategy == _GAIN)[:, None], present, lower)
    broken = np.any(confirmed < lower, axis=1)
    sweep(np.isin(strategy, [CODE[kind] for kind in IMPROVING]), wish)
    sweep(strategy == _FILL, present)
    return confirmed, broken


def _changes(
    claims: Claims,
    block: _Block,
    strategy: NDArray[np.int8],
    confirmed: Ints,
    present: Ints,
    broken: NDArray[np.bool_],
) -> Solution:
    """Claims whose promise by day differs from the present one, units without a source on their day included."""
    moved = strategy != _SKIP
    total = confirmed[:, -1]
    different = np.any(confirmed != present, axis=1)
    rest = claims.quantity - total
    different |= (rest > 0) & (claims.open > 0) & (claims.open_day != claims.fallback)
    rows = np.flatnonzero(moved & different)
    # an order anew for the same day as the supply that is given up, or the other way round, is no other promise
    columns = block.days[block.row[rows]]
    before = present[rows] + np.where(columns >= claims.open_day[rows, None], claims.open[rows, None], 0)
    after = confirmed[rows] + np.where(columns >= claims.fallback[rows, None], rest[rows, None], 0)
    shown = (rest[rows] == 0) | np.any(columns == claims.fallback[rows, None], axis=1)
    rows = rows[~(shown & np.all(before == after, axis=1))]
    steps = np.diff(confirmed[rows], axis=1, prepend=0)
    at, column = np.nonzero(steps)
    return Solution(
        block.claims[rows],
        block.claims[rows[at]],
        block.days[block.row[rows[at]], column],
        steps[at, column],
        block.claims[np.flatnonzero(broken)],
    )
