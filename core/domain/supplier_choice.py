"""From whom to buy: the sources, and the split between them, with the least expected cost of purchase and lateness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()
_Z80 = _NORMAL.inv_cdf(0.8)
FINEST_GRID = 160
"""Up to so many steps of order quantity every split is tried; above it only those at points that matter."""
MOST_KINDS = 8
"""Kinds of needs that are held against each other."""
MOST_ORDERS = 8
"""Orders of the offers that are tried."""
MOST_POINTS = 250
"""Numbers of units between which orders are cut, at most: time and memory go with their square."""
EQUAL = 1e-9
"""Minor units by which plans do not differ."""


@dataclass(frozen=True, slots=True)
class Need:
    """Units that are wanted in `days` days from today (0 or less: they are late already); `weight`: the share of the late
    cost that they bear, below 1 for what nobody waits for yet."""

    days: int
    quantity: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to buy: a supplier at its usual pace, or expedited. Money in minor units.

    `breaks` are (from quantity, unit price), ascending, the first from 1, whole where no money was converted; `p50` and
    `p80` days from today until the units are usable; `reliability` the share of ordered units that comes (0..1];
    `most` units at most, None without bound; `fee` once per order.
    """

    code: str
    breaks: tuple[tuple[int, float], ...]
    p50: float
    p80: float
    moq: int = 1
    multiple: int = 1
    reliability: float = 1.0
    fee: float = 0
    is_expedited: bool = False
    most: int | None = None

    def unit_price(self, quantity: int) -> float:
        """Price of one unit when so many are ordered."""
        return next((price for start, price in reversed(self.breaks) if quantity >= start), self.breaks[0][1])

    def order_quantity(self, units: int) -> int | None:
        """Units to order for `units`: MOQ and multiple; None above the bound."""
        quantity = -(-max(units, self.moq) // self.multiple) * self.multiple
        return None if self.most is not None and quantity > self.most else quantity

    @property
    def mean_days(self) -> float:
        """Expected lead time of the fitted distribution."""
        return self.p50 * math.exp(self._sigma**2 / 2)

    @property
    def _sigma(self) -> float:
        return max(0.0, math.log(self.p80 / self.p50) / _Z80) if self.p50 > 0 and self.p80 > 0 else 0.0

    def late_days(self, days: int) -> float:
        """Expected days of lateness of a unit wanted in `days`: E[(L - d)+] of the lognormal through P50 and P80, and
        what does not come at all is bought again at the same pace (its days count from the day it should have come)."""
        again = (1 - self.reliability) * self.mean_days
        if days <= 0:
            return self.mean_days - days + again
        if self._sigma == 0:
            return max(0.0, self.p50 - days) + again
        mu, sigma = math.log(self.p50), self._sigma
        above = _NORMAL.cdf((mu + sigma**2 - math.log(days)) / sigma)
        return self.mean_days * above - days * _NORMAL.cdf((mu - math.log(days)) / sigma) + again


@dataclass(frozen=True, slots=True)
class Costs:
    """`late_unit_day`: minor units a late unit costs a day; `surplus_share`: of its worth, for a unit that nobody needs.

    `worth` is what a unit can be had for: one bought dearer is worth no more than that (None: its own price).
    """

    late_unit_day: float
    surplus_share: float = 0.25
    worth: float | None = None

    def surplus(self, price: float) -> float:
        """What a unit beyond the need costs: its price without what it is still worth."""
        worth = price if self.worth is None else min(price, self.worth)
        return price - (1 - self.surplus_share) * worth


@dataclass(frozen=True, slots=True)
class Part:
    """What to order of one offer, and what that is expected to cost; `covers` units of the need, the rest is surplus."""

    offer: Offer
    quantity: int
    covers: int
    purchase: float
    fee: float
    lateness: float
    surplus: float

    @property
    def total(self) -> float:
        return self.purchase + self.fee + self.lateness + self.surplus


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a choice, the soonest first; `total` is the expected cost by which plans are compared: purchase of
    what is needed, fees, lateness, and the surplus at its share of the price."""

    parts: tuple[Part, ...] = ()
    covered: int = 0

    @property
    def total(self) -> float:
        return sum(part.total for part in self.parts)

    @property
    def suppliers(self) -> list[str]:
        return list(dict.fromkeys(part.offer.code for part in self.parts))


_Chain = list[tuple[int, int, int]]
"""The offers taken, in their order: (offer, from unit, to unit)."""


def single_plan(offer: Offer, needs: Sequence[Need], costs: Costs) -> Plan | None:
    """Everything from one offer, as much as is cheapest; None when it cannot deliver so much."""
    days = _units_by_day(needs)
    if not days or not _quantities(offer, len(days)):
        return None
    return Plan((_cheapest_part(offer, 0, len(days), days, costs),), len(days))


def cheapest_plan(offers: Sequence[Offer], needs: Sequence[Need], costs: Costs) -> Plan | None:
    """The plan with the least expected cost; None when the offers together cannot deliver the need.

    Needs are gone through by day, offers in each of `_orders`, and dynamic programming over the units covered so far
    decides how much each offer takes. Every split is tried up to FINEST_GRID steps of order quantity; larger needs are
    split only where a need, MOQ, price break or bound ends, at MOST_POINTS of these. Each offer is ordered from at most
    once. With equal costs fewer orders win.
    """
    needs = _merged(needs)
    days = _units_by_day(needs)
    if not days or not offers:
        return None
    points = np.array(_points(offers, needs, len(days)))
    tables = {id(offer): _table(offer, points, days, costs) for offer in offers}
    best: tuple[float, _Chain] | None = None
    ordered: Sequence[Offer] = ()
    for ranked in _orders(offers, days):
        found = _cheapest_in_order([tables[id(offer)] for offer in ranked], points)
        if found is not None and (best is None or _beats(found[0], len(found[1]), best[0], len(best[1]))):
            best, ordered = found, ranked
    if best is None:
        return None
    parts = [_cheapest_part(ordered[n], start, stop, days, costs) for n, start, stop in best[1]]
    return Plan(tuple(sorted(parts, key=lambda part: part.offer.mean_days)), len(days))


def _beats(total: float, orders: int, other_total: float, other_orders: int) -> bool:
    """With equal costs fewer orders win."""
    if total < other_total - EQUAL:
        return True
    return total <= other_total + EQUAL and orders < other_orders


def _orders(offers: Sequence[Offer], days: Sequence[tuple[int, float]]) -> list[list[Offer]]:
    """Orders of the offers in which they may serve the needs, the sooner first, then by what they have over each other
    between two needs: who is best for the urgent one, compared with the other, serves it. Mostly they are all the same.

    For two needs the last order is the best there is: no two offers could change their units to advantage.
    """
    units = len(days)
    ranked = sorted(offers, key=lambda o: (o.mean_days, o.unit_price(units), o.code, o.is_expedited))
    kinds = list(dict.fromkeys(days))
    kinds = kinds[:: -(-len(kinds) // MOST_KINDS)]
    cost = [[offer.late_days(day) * weight for day, weight in kinds] for offer in ranked]
    found = {tuple(range(len(ranked))): None}
    for one, other in combinations(range(len(kinds)), 2):
        found[tuple(sorted(range(len(ranked)), key=lambda n: cost[n][one] - cost[n][other]))] = None
    return [[ranked[n] for n in order] for order in list(found)[:MOST_ORDERS]]


def _table(offer: Offer, points: np.ndarray, days: Sequence[tuple[int, float]], costs: Costs) -> np.ndarray:
    """What it costs to serve the units from each point (row) to each later one (column) from the offer."""
    units = len(days)
    buy = np.full(units + 1, np.inf)
    for covers in np.unique(points[None, :] - points[:, None]):
        if covers > 0:
            quantities = _quantities(offer, int(covers))
            buy[covers] = min((_cost(offer, quantity, int(covers), costs) for quantity in quantities), default=np.inf)
    late = np.array(_late_so_far(offer, days))[points] * costs.late_unit_day
    covers = np.maximum(points[None, :] - points[:, None], 0)
    return buy[covers] + (late[None, :] - late[:, None])


def _cheapest_in_order(tables: Sequence[np.ndarray], points: np.ndarray) -> tuple[float, _Chain] | None:
    """The cost and the parts of the cheapest plan in which each offer serves the units after those of the offers before."""
    totals, orders = np.full(len(points), np.inf), np.zeros(len(points), dtype=int)
    totals[0] = 0.0
    came: list[np.ndarray] = []
    for table in tables:
        through = totals[:, None] + table
        cheapest = through.min(axis=0)
        count = np.where(through <= cheapest + EQUAL, orders[:, None] + 1, len(tables) + 1)
        start = count.argmin(axis=0)
        column = np.arange(len(points))
        new, used = through[start, column], count[start, column]
        with np.errstate(invalid="ignore"):  # what cannot be reached either way stays as it is
            better = (new < totals - EQUAL) | ((new <= totals + EQUAL) & (used < orders))
        better &= np.isfinite(new)
        came.append(np.where(better, start, -1))
        totals, orders = np.where(better, new, totals), np.where(better, used, orders)
    if not np.isfinite(totals[-1]):
        return None
    chain: _Chain = []
    end = len(points) - 1
    for number in reversed(range(len(tables))):
        if end and (start := int(came[number][end])) >= 0:
            chain.append((number, int(points[start]), int(points[end])))
            end = start
    return float(totals[-1]), chain[::-1]


def _merged(needs: Sequence[Need]) -> list[Need]:
    """Needs of one day and weight are one need."""
    units: dict[tuple[int, float], int] = {}
    for need in needs:
        units[need.days, need.weight] = units.get((need.days, need.weight), 0) + need.quantity
    return [Need(days, quantity, weight) for (days, weight), quantity in units.items()]


def _units_by_day(needs: Sequence[Need]) -> list[tuple[int, float]]:
    """(days, weight) of every unit, the most urgent first."""
    ranked = sorted(needs, key=lambda n: (n.days, -n.weight))
    return [(need.days, need.weight) for need in ranked for _ in range(need.quantity)]


def _quantities(offer: Offer, units: int) -> list[int]:
    """What may be ordered for so many units: just enough, or up to a price break above."""
    wanted = [units, *(start for start, _ in offer.breaks if start > units)]
    return sorted({q for q in map(offer.order_quantity, wanted) if q is not None})


def _late_so_far(offer: Offer, days: Sequence[tuple[int, float]]) -> list[float]:
    """Expected late days of the first n units, by n, each with its weight."""
    by_day = {unit: offer.late_days(unit[0]) * unit[1] for unit in set(days)}
    return [0.0, *accumulate(by_day[unit] for unit in days)]


def _cost(offer: Offer, quantity: int, covers: int, costs: Costs) -> float:
    price = offer.unit_price(quantity)
    return covers * price + offer.fee + (quantity - covers) * costs.surplus(price)


def _cheapest_part(offer: Offer, start: int, stop: int, days: Sequence[tuple[int, float]], costs: Costs) -> Part:
    """The units from `start` to `stop` from one offer, as much as is cheapest."""
    covers = stop - start
    quantity = min(_quantities(offer, covers), key=lambda quantity: _cost(offer, quantity, covers, costs))
    price = offer.unit_price(quantity)
    late = sum(offer.late_days(day) * weight for day, weight in days[start:stop]) * costs.late_unit_day
    return Part(offer, quantity, covers, covers * price, offer.fee, late, (quantity - covers) * costs.surplus(price))


def _points(offers: Sequence[Offer], needs: Sequence[Need], units: int) -> list[int]:
    """Numbers of covered units between which orders are cut."""
    step = math.gcd(*(offer.multiple for offer in offers))
    step = 1 if units <= FINEST_GRID else step
    ends, total = {0, units}, 0
    for need in sorted(needs, key=lambda n: (n.days, -n.weight)):
        total += need.quantity
        ends.add(total)
    if units / step <= FINEST_GRID:
        return sorted({*range(0, units + 1, step), *range(units, 0, -step), *ends})
    points = set(ends)
    for offer in offers:
        sizes = {offer.order_quantity(1), offer.most, *(offer.order_quantity(start) for start, _ in offer.breaks)}
        for size in sizes - {None}:
            points |= {end + (size or 0) for end in ends} | {end - (size or 0) for end in ends}
    for end in ends:
        points |= {end // offer.multiple * offer.multiple for offer in offers}
    full = {0}  # offers ordered up to their bounds: without these cuts there might be no plan at all
    for offer in offers:
        if offer.most and len(full) < MOST_POINTS // 8:
            full |= {point + offer.most for point in full}
    kept = {0, units} | {p for point in full for p in (point, units - point) if 0 < p < units}
    kept |= {*_thinned(sorted(ends), MOST_POINTS // 2 - len(kept))}
    between = sorted(point for point in points - kept if 0 < point < units)
    return sorted({*kept, *_thinned(between, MOST_POINTS - len(kept))})


def _thinned(points: Sequence[int], most: int) -> Sequence[int]:
    """At most so many of the points, spread evenly over all."""
    return points if len(points) <= most else [points[i * len(points) // most] for i in range(most)]
