"""How a scarce quantity is shared out fairly: weighted water-filling with floors, caps, packs and least shipments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush


@dataclass(frozen=True, slots=True)
class ShareClaim:
    """Who wants something: `demand` base units at most, `cap` of them if given, in whole packs of `pack` units.

    `floor` is given before anybody gets more than the floor, those of a higher `tier` first; `minimum`: less than that
    is not worth sending, so the claim gets nothing instead. Keys are unique.
    """

    key: str
    demand: int
    weight: float = 1.0
    floor: int = 0
    cap: int | None = None
    pack: int = 1
    minimum: int = 0
    tier: int = 0

    @property
    def most(self) -> int:
        """Units it can take: whole packs within demand and cap, nothing below its least shipment."""
        most = self.demand if self.cap is None else min(self.demand, self.cap)
        most -= most % self.pack
        return most if most >= self.minimum and self.weight > 0 else 0


def fair_share(
    supply: int, claims: Sequence[ShareClaim], *, seed: str = "", had: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Units per claim: the shares x_i of a level L that rises until the supply is used up, x_i = weight_i x L within
    [floor_i, cap_i].

    Whole packs are given one by one to the claim that is furthest below the level (the divisor method of Webster, whose
    rounding is that of the nearest whole number and which, unlike largest remainders, takes nothing from anybody when
    there is more to share). Equal claims are told apart by `seed` and key, never by their order. With packs of one
    and no least shipments the sum is min(supply, sum of what the claims can take), and no claim loses when the supply
    grows; packs that do not fit into what is left are passed over, so that less than one pack remains unused.

    `had`: units (in whole packs) that claims have got of an earlier sharing out, counted in `demand`, `floor`, `cap` and
    `minimum` but not in `supply`: the level goes on from there, nobody gives anything back. They are in the result.
    """
    rows = sorted(claims, key=lambda c: _tie(seed, c.key))
    given = {claim.key: (had or {}).get(claim.key, 0) for claim in rows}
    left = max(supply, 0)
    for tier in sorted({c.tier for c in rows if c.floor > 0}, reverse=True):
        bounds = {c.key: _in_packs(c, min(c.floor, c.most)) for c in rows if c.tier == tier and c.floor > 0}
        left -= _fill(left, [c for c in rows if c.key in bounds], given, bounds)
    _fill(left, rows, given, {c.key: c.most for c in rows})
    return given


def _tie(seed: str, key: str) -> tuple[str, str]:
    return (hashlib.sha256(f"{seed}\0{key}".encode()).hexdigest() if seed else "", key)


def _in_packs(claim: ShareClaim, units: int) -> int:
    """A floor in whole packs, rounded up: less than the floor would not be it."""
    return min(-(-units // claim.pack) * claim.pack, claim.most)


def _fill(supply: int, rows: Sequence[ShareClaim], given: dict[str, int], bounds: dict[str, int]) -> int:
    """Raise the level of all rows (in tie order) up to `bounds`, adding to `given`; returns the units used."""
    start = dict(given)
    _jump(supply, rows, given, bounds)
    used = sum(given[c.key] - start[c.key] for c in rows)
    heap: list[tuple[Fraction, int, int]] = []
    for position, claim in enumerate(rows):
        if given[claim.key] < bounds[claim.key]:
            heap.append((_turn(claim, given[claim.key]), position, _lump(claim, given[claim.key])))
    heapify(heap)
    while heap and used < supply:
        _, position, lump = heappop(heap)
        claim = rows[position]
        if lump > supply - used or given[claim.key] + lump > bounds[claim.key]:
            continue
        given[claim.key] += lump
        used += lump
        if given[claim.key] < bounds[claim.key]:
            heappush(heap, (_turn(claim, given[claim.key]), position, claim.pack))
    return used


def _turn(claim: ShareClaim, has: int) -> Fraction:
    """The level at which the claim's next pack is due (Webster: half a pack beyond what it has)."""
    return (has + Fraction(claim.pack, 2)) / Fraction(claim.weight)


def _lump(claim: ShareClaim, has: int) -> int:
    """Units of the next gift: a pack, but at first the least shipment."""
    return claim.pack if has else max(claim.pack, -(-claim.minimum // claim.pack) * claim.pack)


def _jump(supply: int, rows: Sequence[ShareClaim], given: dict[str, int], bounds: dict[str, int]) -> None:
    """Give at once what every claim gets in any case: the shares of a level that is surely below the final one."""
    target = supply - 2 * sum(claim.pack for claim in rows)
    if target <= 0 or any(c.minimum > c.pack for c in rows):
        return
    low, high = 0.0, max((bounds[c.key] / c.weight for c in rows if c.weight > 0), default=0.0)
    for _ in range(64):
        level = (low + high) / 2
        total = sum(max(min(c.weight * level, bounds[c.key]) - given[c.key], 0) for c in rows)
        low, high = (level, high) if total <= target else (low, level)
    for claim in rows:
        sure = int(min(claim.weight * low, bounds[claim.key])) // claim.pack * claim.pack - claim.pack
        given[claim.key] = max(given[claim.key], sure)
