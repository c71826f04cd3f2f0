"""One snapshot of supply and demand as arrays, and the pools and claims that a run decides on.

Days are ordinals. Rows of lines, SKUs and locations are numbered from 0 within the snapshot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.network import Network
from core.domain.repromising.arrays import Claims, Events
from core.domain.repromising.segments import Facts
from core.domain.repromising.strategies import CODE, Strategy

Ints = NDArray[np.int64]
HARD, DATED, OPEN = 0, 1, 2
"""Kinds of peg: stock, a dated supply (FIRM or SOFT), no source."""


@dataclass(slots=True)
class Raw:
    """Rows of the database as columns; `sku`, `location`, `line` are row numbers in the arrays of ids."""

    sku_ids: Ints
    versions: Ints
    location_ids: Ints
    facts: Facts
    line_sku: Ints
    line_location: Ints
    """Where the line waits, -1 for unknown."""
    line_destination: Ints
    """Delivery zone (id), 0 for none."""
    peg_line: Ints
    peg_location: Ints
    peg_need: Ints
    peg_quantity: Ints
    peg_kind: Ints
    peg_usable: Ints
    """For DATED pegs the day on which the supply is usable (overdue supply slid), else 0."""
    peg_is_fixed: NDArray[np.bool_]
    """Stock on a planned shipment or of a lot, claims that wait for a quota: no run moves them."""
    stock: Events
    """(sku x location, today, available units); `Events.pool` is sku row x number of locations + location row."""
    supply: Events
    """(sku x location, usable day, open units)."""
    fixed: Events
    """Claims of nobody's line (sku x location, day, units)."""
    reserved: Events
    """Holds and protected stock (sku x location, day, units more to keep back)."""
    lead_days: Ints
    """Per SKU: calendar days of ordering anew."""
    today: Ints
    """Per location."""
    released: Ints
    """Per SKU: the day before which nothing is given out, 0 for those on sale."""

    def digest(self) -> str:
        """A fingerprint of everything the decision rests on: equal inputs give equal proposals."""
        found = hashlib.sha256()
        _feed(found, self)
        return found.hexdigest()


def _feed(found: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        found.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, dict):
        for name in sorted(value):
            found.update(name.encode())
            _feed(found, value[name])
    elif hasattr(value, "__dataclass_fields__"):
        for member in fields(value):
            _feed(found, getattr(value, member.name))
    else:
        found.update(repr(value).encode())


@dataclass(slots=True)
class Problem:
    """What the rule decides on, and where each claim belongs."""

    claims: Claims
    claim_line: Ints
    """Row of the line of each claim."""
    events: Events
    reserved: Events
    pools: int
    is_forced: NDArray[np.bool_]
    """The present promise of the claim cannot be kept: its supply comes later, or its day has passed without one."""


class ShipDays:
    """Maps (location row, day) to the first working day of the location on or after it, each pair once."""

    def __init__(self, network: Network, location_ids: Ints) -> None:
        self._network = network
        self._ids = [int(i) for i in location_ids]
        self._tables: dict[int, tuple[int, Ints]] = {}

    def __call__(self, location: Ints, day: Ints) -> Ints:
        found = day.copy()
        if not len(day):
            return found
        first, last = int(day.min()), int(day.max())
        width = last - first + 1
        table = np.zeros(len(self._ids) * width, np.int64)
        used = np.zeros(len(table), bool)
        place = location * width + (day - first)
        used[place] = True
        for cell in np.flatnonzero(used):
            where, offset = divmod(int(cell), width)
            table[cell] = self._network.ship_day_from(self._ids[where], date.fromordinal(first + offset)).toordinal()
        return table[place]


def build(raw: Raw, strategy: NDArray[np.int8], network: Network, *, reallocates: bool) -> Problem:
    """Claims and pools of a snapshot under the given strategies (one code per line)."""
    ship_days = ShipDays(network, raw.location_ids)
    places = len(raw.location_ids)
    skip = strategy == CODE[Strategy.SKIP]
    moves = ~((raw.peg_kind == HARD) & (raw.peg_is_fixed | skip[raw.peg_line] | (not reallocates)))
    fixed_open = raw.peg_is_fixed & (raw.peg_kind != HARD)
    use = np.flatnonzero(moves & ~fixed_open)
    line, location = raw.peg_line[use], raw.peg_location[use]
    kind, quantity = raw.peg_kind[use], raw.peg_quantity[use]
    today = raw.today[location]
    claim_line, claim_location, claim = _group(line, location, len(raw.facts), places)
    count = len(claim_line)
    claim_sku = raw.line_sku[claim_line]
    here = raw.today[claim_location]
    wanted = np.maximum(np.maximum(raw.facts.wanted[claim_line], here), raw.released[claim_sku])
    anew = np.maximum(ship_days(claim_location, here + raw.lead_days[claim_sku]), wanted)
    is_open = kind == OPEN
    open_day = np.zeros(count, np.int64)
    np.maximum.at(open_day, claim[is_open], raw.peg_need[use][is_open])
    has_open = open_day > 0
    alive = has_open & (open_day >= here)
    open_day = np.where(alive, np.maximum(open_day, wanted), np.where(has_open, open_day, anew))
    fallback = np.where(alive, open_day, anew)
    stepped = ~is_open
    usable = np.where(kind[stepped] == HARD, today[stepped], raw.peg_usable[use][stepped])
    source = np.where(kind[stepped] == HARD, usable, ship_days(location[stepped], usable))
    day = np.where(kind[stepped] == HARD, today[stepped], np.maximum(raw.peg_need[use][stepped], today[stepped]))
    claims = Claims(
        claim_sku * places + claim_location,
        np.bincount(claim, quantity, count).astype(np.int64),
        wanted,
        fallback,
        open_day,
        strategy[claim_line],
        claim[stepped],
        day,
        quantity[stepped],
        source,
    )
    forced = has_open & ~alive
    forced[claims.step_claim[source > day]] = True
    hard = np.flatnonzero(kind == HARD)
    back = Events(raw.line_sku[line[hard]] * places + location[hard], today[hard], quantity[hard])
    supply_place = raw.supply.pool % places
    arriving = Events(
        raw.supply.pool,
        ship_days(supply_place, np.maximum(raw.supply.day, raw.today[supply_place])),
        raw.supply.quantity,
    )
    kept = np.flatnonzero(fixed_open)
    waits = Events(
        raw.line_sku[raw.peg_line[kept]] * places + raw.peg_location[kept],
        np.maximum(raw.peg_need[kept], raw.today[raw.peg_location[kept]]),
        raw.peg_quantity[kept],
    )
    taken = Events(raw.fixed.pool, raw.fixed.day, -raw.fixed.quantity)
    return Problem(
        claims,
        claim_line,
        _joined(raw.stock, back, arriving, taken),
        _joined(raw.reserved, waits),
        len(raw.sku_ids) * places,
        forced,
    )


def _joined(*parts: Events) -> Events:
    return Events(
        np.concatenate([p.pool for p in parts]),
        np.concatenate([p.day for p in parts]),
        np.concatenate([p.quantity for p in parts]),
    )


def _group(line: Ints, location: Ints, lines: int, places: int) -> tuple[Ints, Ints, Ints]:
    """(line, location) of each claim, and the claim of each peg."""
    key = line * places + location
    if lines * places > 200_000_000:
        found, claim = np.unique(key, return_inverse=True)
    else:
        number = np.zeros(lines * places, np.int32)
        number[key] = 1
        found = np.flatnonzero(number)
        number[found] = np.arange(len(found), dtype=np.int32)
        claim = number[key].astype(np.int64)
    return found // places, found % places, claim


def positions(ids: Ints, wanted: Ints) -> Ints:
    """Place of each wanted id in `ids` (any order, unique); -1 for those not there."""
    if not len(ids) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    low, high = int(ids.min()), int(ids.max())
    if high - low < 20 * len(ids) + 1_000_000:
        table = np.full(high - low + 1, -1, np.int64)
        table[ids - low] = np.arange(len(ids))
        inside = (wanted >= low) & (wanted <= high)
        return np.where(inside, table[np.clip(wanted - low, 0, high - low)], -1)
    order = np.argsort(ids)
    place = np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)
    return np.where(ids[order[place]] == wanted, order[place], -1)


Ranking = Callable[[Ints], Ints]
"""Places of claim rows, lower is served first."""
