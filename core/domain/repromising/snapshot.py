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
from core.domain.repromising.columns import NOTHING, Claims, Classed, Events, Market
from core.domain.repromising.rooms import Rooms
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
    classed: Classed
    """By how much more or less is protected from classes that have protected stock of their own somewhere."""
    rooms: dict[int, Rooms]
    """What quotas leave, by row of the SKU."""
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
            found.update(repr(name).encode())
            _feed(found, value[name])
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, Rooms):
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
    market: Market
    is_forced: NDArray[np.bool_]
    """The present promise of the claim cannot be kept: its supply comes later, or its day has passed without one."""
    step_line: Ints
    """Row of the line of each step."""


class ShipDays:
    """Maps (location row, day) to the first working day of the location on or after it; few days, many rows."""

    def __init__(self, network: Network, location_ids: Ints) -> None:
        self._network = network
        self._ids = [int(i) for i in location_ids]
        self._known: dict[tuple[int, int], int] = {}

    def __call__(self, location: Ints, day: Ints) -> Ints:
        if not len(day):
            return day
        first, last = int(day.min()), int(day.max())
        days = np.arange(first, last + 1)
        table = np.array([[self._ship_day(where, day) for day in days.tolist()] for where in range(len(self._ids))])
        return day if np.all(table == days) else table[location, day - first]

    def _ship_day(self, location: int, day: int) -> int:
        found = self._known.get((location, day))
        if found is None:
            found = self._network.ship_day_from(self._ids[location], date.fromordinal(day)).toordinal()
            self._known[location, day] = found
        return found


def build(raw: Raw, strategy: NDArray[np.int8], network: Network, *, reallocates: bool) -> Problem:
    """Claims and pools of a snapshot under the given strategies (one code per line)."""
    ship_days = ShipDays(network, raw.location_ids)
    places = len(raw.location_ids)
    hard = np.flatnonzero(raw.peg_kind == HARD)
    fixed = np.flatnonzero(raw.peg_is_fixed)
    kept = fixed[raw.peg_kind[fixed] != HARD]
    stays = np.zeros(len(raw.peg_line), bool)
    stays[hard] = raw.peg_is_fixed[hard] | (strategy[raw.peg_line[hard]] == CODE[Strategy.SKIP]) | (not reallocates)
    stays[kept] = True
    use = np.flatnonzero(~stays) if stays.any() else slice(None)
    line, location = raw.peg_line[use], raw.peg_location[use]
    kind, quantity, need = raw.peg_kind[use], raw.peg_quantity[use], raw.peg_need[use]
    claim_line, claim_location, claim = _group(line, location, places)
    count = len(claim_line)
    claim_sku = raw.line_sku[claim_line]
    here = raw.today[claim_location]
    wanted = np.maximum(raw.facts.wanted[claim_line], here)
    if raw.released.any():
        np.maximum(wanted, raw.released[claim_sku], out=wanted)
    is_open, is_single = kind == OPEN, claim_line is line  # of one peg each, which has a source or none
    if is_single:
        open_day = np.where(is_open, need, 0)
    else:  # the latest of several
        by_day = np.flatnonzero(is_open)
        by_day = by_day[np.argsort(need[by_day], kind="stable")]
        open_day = np.zeros(count, np.int64)
        open_day[claim[by_day]] = need[by_day]
    alive = open_day >= here
    lapsed = (open_day > 0) & ~alive
    # an order anew is the day for units without a source, unless they have one that is still to come
    other = np.flatnonzero(~alive)
    place = claim_location[other]
    anew = np.maximum(ship_days(place, here[other] + raw.lead_days[claim_sku[other]]), wanted[other])
    open_day = np.where(alive, np.maximum(open_day, wanted), open_day)
    fallback = open_day.copy()
    fallback[other] = anew
    open_day[other] = np.where(lapsed[other], open_day[other], anew)
    stepped = np.flatnonzero(~is_open)
    where = location[stepped]
    now = raw.today[where]
    source = ship_days(where, np.maximum(raw.peg_usable[use][stepped], now))
    day = np.maximum(need[stepped], now)
    is_stock = np.flatnonzero(kind[stepped] == HARD)
    source[is_stock] = day[is_stock] = now[is_stock]
    total, unsourced = quantity, NOTHING
    if is_single:
        unsourced = np.where(is_open, quantity, 0)
    else:
        total = np.bincount(claim, quantity, count).astype(np.int64)
    claims = Claims(
        claim_sku * places + claim_location,
        total,
        wanted,
        fallback,
        open_day,
        strategy[claim_line],
        claim[stepped],
        day,
        quantity[stepped],
        source,
        open=unsourced,
    )
    if len(raw.classed.pool):
        claims.of_class = _classes(raw, claims.pool, claim_line)
    forced = lapsed
    forced[claims.step_claim[source > day]] = True
    hard = np.flatnonzero(kind == HARD)
    back = Events(raw.line_sku[line[hard]] * places + location[hard], raw.today[location[hard]], quantity[hard])
    supply_place = raw.supply.pool % places
    arriving = Events(
        raw.supply.pool,
        ship_days(supply_place, np.maximum(raw.supply.day, raw.today[supply_place])),
        raw.supply.quantity,
    )
    waits = Events(
        raw.line_sku[raw.peg_line[kept]] * places + raw.peg_location[kept],
        np.maximum(raw.peg_need[kept], raw.today[raw.peg_location[kept]]),
        raw.peg_quantity[kept],
    )
    taken = Events(raw.fixed.pool, raw.fixed.day, -raw.fixed.quantity)
    return Problem(
        claims,
        claim_line,
        Market(
            len(raw.sku_ids) * places,
            _joined(raw.stock, back, arriving, taken, *_beginnings(raw, ship_days)),
            _joined(raw.reserved, waits),
            raw.classed,
        ),
        forced,
        line[stepped],
    )


def _beginnings(raw: Raw, ship_days: ShipDays) -> list[Events]:
    """Days on which windows of quotas begin, as supply of nothing: what is there already may wait for such a day."""
    places, last = len(raw.location_ids), int(raw.peg_need.max(initial=0))
    found: list[Events] = []
    for row, rooms in raw.rooms.items():
        days = sorted({first for room in rooms.quotas for first, _ in room.windows if first <= last})
        where = np.repeat(np.arange(places), len(days))
        day = ship_days(where, np.maximum(np.tile(np.array(days, np.int64), places), raw.today[where]))
        found.append(Events(row * places + where, day, np.zeros(len(day), np.int64)))
    return found


def _classes(raw: Raw, pool: Ints, line: Ints) -> Ints:
    """Class of each claim where that has protected stock of its own at its pool, else 0."""
    of_class = raw.facts.codes["class"][line]
    width = len(raw.facts.names["class"])
    own = np.isin(pool * width + of_class, raw.classed.pool * width + raw.classed.of_class)
    return np.where(own, of_class, 0)


def at_risk_lines(raw: Raw, days: int) -> NDArray[np.bool_]:
    """Lines whose promise fails as things stand: their supply comes later, or none is there and the day is near."""
    standings = raw.facts.standings
    found = np.zeros(len(raw.facts), bool) if standings is None else standings.is_delayed.copy()
    dated, open_ = raw.peg_kind == DATED, raw.peg_kind == OPEN
    fails = dated & (raw.peg_usable > raw.peg_need)
    fails |= open_ & (raw.peg_need - raw.today[raw.peg_location] <= days)
    found[raw.peg_line[fails]] = True
    return found


def _joined(*parts: Events) -> Events:
    return Events(
        np.concatenate([p.pool for p in parts]),
        np.concatenate([p.day for p in parts]),
        np.concatenate([p.quantity for p in parts]),
    )


def _group(line: Ints, location: Ints, places: int) -> tuple[Ints, Ints, Ints]:
    """(line, location) of each claim, and the claim of each peg."""
    if not len(line) or np.bincount(line).max() == 1:  # one claim each, as almost always
        return line, location, np.arange(len(line))
    key = line * places + location
    order = np.argsort(key, kind="stable")
    is_first = np.diff(key[order], prepend=-1) != 0
    claim = np.empty(len(key), np.int64)
    claim[order] = np.cumsum(is_first) - 1
    found = key[order][is_first]
    return found // places, found % places, claim


def positions(ids: Ints, wanted: Ints) -> Ints:
    """Place of each wanted id in `ids` (any order, unique); -1 for those not there."""
    if not len(ids) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    low, high = int(ids.min()), int(ids.max())
    if high - low < 20 * len(ids) + 1_000_000:
        table = np.full(high - low + 1, -1, np.int64)
        table[ids - low] = np.arange(len(ids))
        if int(wanted.min()) >= low and int(wanted.max()) <= high:
            return table[wanted - low]
        inside = (wanted >= low) & (wanted <= high)
        return np.where(inside, table[np.clip(wanted - low, 0, high - low)], -1)
    order = np.argsort(ids)
    place = np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)
    return np.where(ids[order[place]] == wanted, order[place], -1)


def distinct(ids: Ints) -> Ints:
    """The different values, ascending; ids are dense, so that marking them beats sorting or hashing."""
    if not len(ids):
        return ids
    low, high = int(ids.min()), int(ids.max())
    if high - low > 20 * len(ids) + 1_000_000:
        found = np.sort(ids)
        return found[np.diff(found, prepend=low - 1) != 0]
    marks = np.zeros(high - low + 1, bool)
    marks[ids - low] = True
    return np.flatnonzero(marks) + low


Ranking = Callable[[Ints], Ints]
"""Places of claim rows, lower is served first."""
