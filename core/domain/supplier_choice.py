"""From whom to buy: the sources, and the split between them, with the least expected cost of purchase and lateness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

_NORMAL = NormalDist()
_Z80 = _NORMAL.inv_cdf(0.8)
FINEST_GRID = 160
"""Up to so many steps of order quantity every split is tried; above it only those at points that matter."""


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
    """`late_unit_day`: minor units a late unit costs a day; `surplus_share`: of the price, for units that nobody needs."""

    late_unit_day: float
    surplus_share: float = 0.25


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


@dataclass(frozen=True, slots=True)
class _State:
    """The cheapest way to cover so many units: the offers taken, each (offer, quantity, from unit, to unit)."""

    total: float
    chain: tuple[tuple[int, int, int, int], ...] = ()

    def beats(self, other: _State | None) -> bool:
        if other is None or self.total < other.total - 1e-9:
            return True
        return self.total <= other.total + 1e-9 and len(self.chain) < len(other.chain)


def single_plan(offer: Offer, needs: Sequence[Need], costs: Costs) -> Plan | None:
    """Everything from one offer; None when it cannot deliver so much."""
    units = sum(need.quantity for need in needs)
    quantity = offer.order_quantity(units)
    if quantity is None or not units:
        return None
    return Plan((_part(offer, quantity, 0, units, _units_by_day(needs), costs),), units)


def cheapest_plan(offers: Sequence[Offer], needs: Sequence[Need], costs: Costs) -> Plan | None:
    """The plan with the least expected cost; None when the offers together cannot deliver the need.

    Sooner sources serve sooner needs: offers are gone through by expected lead time, needs by day, and dynamic
    programming over the units covered so far decides how much each offer takes. Every split is tried up to FINEST_GRID
    steps of order quantity; larger needs are split only where a need, MOQ, price break or bound ends. Each offer is
    ordered from at most once. With equal costs fewer orders win.
    """
    days = _units_by_day(needs)
    units = len(days)
    if not units or not offers:
        return None
    ranked = sorted(offers, key=lambda o: (o.mean_days, o.unit_price(units), o.code, o.is_expedited))
    points = _points(ranked, needs, units)
    index = {point: i for i, point in enumerate(points)}
    best: dict[int, _State] = {0: _State(0.0)}
    for number, offer in enumerate(ranked):
        late = _late_so_far(offer, days)
        reached = dict(best)
        for start, state in best.items():
            if start >= units:
                continue
            for end in points[index[start] + 1 :]:
                for quantity in _quantities(offer, end - start, reaches_end=end == units):
                    covers = min(quantity, units - start)
                    stop = start + covers if start + covers in index else end
                    total = state.total + _cost(offer, quantity, stop - start, late[stop] - late[start], costs)
                    found = _State(total, (*state.chain, (number, quantity, start, stop)))
                    if found.beats(reached.get(stop)):
                        reached[stop] = found
        best = reached
    end = best.get(units)
    if end is None:
        return None
    parts = tuple(_part(ranked[n], quantity, start, stop, days, costs) for n, quantity, start, stop in end.chain)
    return Plan(parts, units)


def _units_by_day(needs: Sequence[Need]) -> list[tuple[int, float]]:
    """(days, weight) of every unit, the most urgent first."""
    ranked = sorted(needs, key=lambda n: (n.days, -n.weight))
    return [(need.days, need.weight) for need in ranked for _ in range(need.quantity)]


def _quantities(offer: Offer, units: int, reaches_end: bool) -> list[int]:
    """What may be ordered for so many units: just enough, and for the last ones up to a price break above."""
    wanted = [units, *(start for start, _ in offer.breaks if reaches_end and start > units)]
    return sorted({q for q in map(offer.order_quantity, wanted) if q is not None})


def _late_so_far(offer: Offer, days: Sequence[tuple[int, float]]) -> list[float]:
    """Expected late days of the first n units, by n, each with its weight."""
    by_day = {unit: offer.late_days(unit[0]) * unit[1] for unit in set(days)}
    return [0.0, *accumulate(by_day[unit] for unit in days)]


def _cost(offer: Offer, quantity: int, covers: int, late_days: float, costs: Costs) -> float:
    price = offer.unit_price(quantity)
    return (
        covers * price + offer.fee + late_days * costs.late_unit_day + (quantity - covers) * price * costs.surplus_share
    )


def _part(offer: Offer, quantity: int, start: int, stop: int, days: Sequence[tuple[int, float]], costs: Costs) -> Part:
    price = offer.unit_price(quantity)
    late = sum(offer.late_days(day) * weight for day, weight in days[start:stop]) * costs.late_unit_day
    covers = stop - start
    return Part(
        offer, quantity, covers, covers * price, offer.fee, late, (quantity - covers) * price * costs.surplus_share
    )


def _points(offers: Sequence[Offer], needs: Sequence[Need], units: int) -> list[int]:
    """Numbers of covered units between which orders are cut."""
    step = math.gcd(*(offer.multiple for offer in offers)) if offers else 1
    if units / step <= FINEST_GRID:
        return sorted({*range(0, units + 1, step), units})
    ends, total = {0, units}, 0
    for need in sorted(needs, key=lambda n: (n.days, -n.weight)):
        total += need.quantity
        ends.add(total)
    points = set(ends)
    for offer in offers:
        sizes = {offer.order_quantity(1), offer.most, *(offer.order_quantity(start) for start, _ in offer.breaks)}
        for size in sizes - {None}:
            points |= {end + (size or 0) for end in ends} | {end - (size or 0) for end in ends}
    for end in ends:
        points |= {end // offer.multiple * offer.multiple for offer in offers}
    return sorted({0, units, *(point for point in points if 0 < point < units)})
