"""Claims and events of many pools as columns: the shape in which a large snapshot is decided."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Units = NDArray[np.integer]
"""Whole numbers of 32 or 64 bits."""


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
class Classed:
    """(pool, class, day, units): how much more (negative: less) is kept from a demand class than from all others."""

    pool: Ints
    of_class: Ints
    day: Ints
    quantity: Ints

    def of(self, wanted: NDArray[np.bool_]) -> Classed:
        """Those of the pools marked in `wanted`."""
        mask = wanted[self.pool]
        return Classed(self.pool[mask], self.of_class[mask], self.day[mask], self.quantity[mask])


NOTHING = np.empty(0, np.int64)


@dataclass(slots=True)
class Market:
    """What the claims of all pools compete for."""

    pools: int
    supply: Events
    """Stock and inbound less claims that no run may move."""
    reserved: Events
    """Kept back from everybody without a class of its own: holds, protected stock, places of lines without a source."""
    classed: Classed = field(default_factory=lambda: Classed(NOTHING, NOTHING, NOTHING, NOTHING))
    """Kept back from those classes that have protected stock of their own."""

    def of(self, wanted: NDArray[np.bool_]) -> Market:
        """With nothing but the pools marked in `wanted`."""
        return Market(self.pools, self.supply.of(wanted), self.reserved.of(wanted), self.classed.of(wanted))


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
    of_class: Ints | None = None
    """Demand class where that has protected stock of its own at the pool, else 0; None: 0 for all."""
    open: Ints = field(default_factory=lambda: NOTHING)
    """Units without a source; worked out from the steps where it is not given."""

    def __post_init__(self) -> None:
        if len(self.open) != len(self.pool):
            steps = np.bincount(self.step_claim, self.step_quantity, len(self.pool)).astype(np.int64)
            self.open = self.quantity - steps

    def of(self, rows: Ints) -> Claims:
        """The claims at `rows`, renumbered in that order."""
        chosen = np.zeros(len(self.pool), bool)
        chosen[rows] = True
        mine = np.flatnonzero(chosen[self.step_claim])
        place = np.empty(len(self.pool), np.int64)
        place[rows] = np.arange(len(rows))
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
            None if self.of_class is None else self.of_class[rows],
            self.open[rows],
        )


def packed(pool: Ints, offset: Ints, width: int) -> NDArray[np.integer]:
    """Pool and day in one number, as narrow as it may be: short keys sort faster."""
    key = pool * width + offset
    return key.astype(np.int32) if len(key) and int(key.max()) < 1 << 31 else key


def sorted_with_order(key: NDArray[np.integer]) -> tuple[NDArray[np.integer], Ints]:
    """Keys (none negative) ascending, and where each was, equals in their order.

    Sorting numbers is several times as fast as sorting their places, so the place rides in the low bits.
    """
    bits = len(key).bit_length()
    if not len(key) or int(key.max()) >> (62 - bits):
        order = np.argsort(key, kind="stable")
        return key[order], order
    both = key.astype(np.int64)
    both <<= bits
    both |= np.arange(len(key))
    both.sort()
    return both >> bits, both & ((1 << bits) - 1)


def stable_order(values: Ints) -> Ints:
    """Places of days or turns ascending, equals in their order; numbers close together are sorted by their digits."""
    if len(values) and int(values.max()) - (first := int(values.min())) < 1 << 15:
        return np.argsort((values - first).astype(np.int16), kind="stable")
    return np.argsort(values, kind="stable")
