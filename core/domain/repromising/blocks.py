"""Active pools laid out as dense rows (pool x day), bucketed by their number of days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.domain.repromising.columns import Claims, Events, Ints, Units, packed, sorted_with_order

MAX_CELLS = 8_000_000
"""Claims x days of one dense block: what bounds the memory."""


@dataclass(slots=True)
class Block:
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


def blocks(claims: Claims, events: Events, reserved: Events) -> Iterator[Block]:
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
            yield Block(
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


def dense(shape: tuple[int, int], events: Sequence[tuple[Ints, Ints, Ints]], units: type[np.integer]) -> Units:
    """Cumulative units by day of (row, column, units), in numbers of the type `units`."""
    row, column, quantity = (np.concatenate(parts) for parts in zip(*events, strict=True))
    flat = np.bincount(row * shape[1] + column, quantity, shape[0] * shape[1])
    return np.cumsum(flat.reshape(shape).astype(units), axis=1, dtype=units)


def narrowest(*quantities: Ints) -> type[np.integer]:
    """32 bits where no sum of these units can be beyond them: half the memory, and that is what a block takes its time for."""
    return np.int32 if sum(float(np.abs(units).sum()) for units in quantities) < 1 << 30 else np.int64


def part_of(block: Block, claims: Claims, rows: Ints) -> Block:
    """The block with only these rows."""
    number = np.full(len(block.days), -1, np.int64)
    number[rows] = 0
    wanted = np.flatnonzero(number == 0)
    number[wanted] = np.arange(len(wanted))
    mine = np.flatnonzero(number[block.row] >= 0)
    steps = np.flatnonzero(number[block.row[claims.step_claim]] >= 0)
    return Block(
        block.claims[mine],
        number[block.row[mine]],
        block.days[wanted],
        _placed(block.supply, number, block.supply.day),
        _placed(block.reserved, number, block.reserved.day),
        block.step_column[steps],
        block.source_column[steps],
        block.open_column[mine],
    )
