"""From which locations one order is served: all its lines together, with as few shipments as its dates allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

EXACT_SITES = 10
"""Up to as many candidate locations every subset is looked at; beyond that a good one is searched."""
EXACT_WORK = 200_000
"""Subsets times SKUs that are looked at exactly; larger orders are searched as well."""

Vector = tuple[int, int, int, int, int, int, int]
"""Weight of units left out, late days, days, cost, carbon, load, rank."""
_ZERO: Vector = (0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Leg:
    """Serving one unit of a line from one location.

    `late_days` after the requested day; `days` until it arrives, for lines that are wanted at once; `cost` in minor
    units; `carbon` in grams; `rank`: place in the order of preference.
    """

    late_days: int = 0
    days: int = 0
    cost: int = 0
    carbon: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Want:
    """A line: units of one SKU, from any of the locations in `legs`; `weight` ranks lines that compete for units."""

    key: int
    sku_id: int
    quantity: int
    legs: Mapping[int, Leg]
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Objective:
    """What is made small, the first that differs decides. Quantities are units times the figure of their leg."""

    unfilled: int
    late_days: int
    shipments: int
    days: int
    cost: int
    carbon: int
    load: int
    rank: int

    def as_tuple(self) -> tuple[int, ...]:
        return (
            self.unfilled,
            self.late_days,
            self.shipments,
            self.days,
            self.cost,
            self.carbon,
            self.load,
            self.rank,
        )


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """Units per line key and location; what no stock covers is in no share."""

    shares: dict[int, dict[int, int]]
    objective: Objective


def choose_sites(
    wants: Iterable[Want],
    free: Mapping[tuple[int, int], int],
    *,
    shipment_costs: Mapping[int, int] | None = None,
    opened: Iterable[int] = (),
) -> SiteChoice:
    """The best shares of the free units (by SKU and location) for all lines of an order.

    In this order: the fewest units unfilled (times their weight), the fewest late quantity-days, the fewest shipments,
    the soonest, the cheapest, the least carbon, from where most is left, by preference. `opened` locations ship anyway
    and cost no shipment. Exact up to EXACT_SITES candidates (all subsets by size, each with its cheapest assignment);
    beyond that greedy cover, then drop-one and swap-one. The order of the input does not matter.
    """
    rows = sorted((w for w in wants if w.quantity > 0), key=lambda w: w.key)
    problem = _Problem(rows, free, shipment_costs or {}, frozenset(opened))
    sites = problem.sites
    whole = problem.solve(frozenset(sites))
    best = whole.objective.as_tuple()[:2]
    optional = [site for site in sites if site not in problem.opened]
    if len(optional) <= EXACT_SITES and (1 << len(optional)) * len(problem.by_sku) <= EXACT_WORK:
        found = _exact(problem, optional, best)
    else:
        found = _search(problem, optional, best)
    return problem.solve(found)


class _Problem:
    """The figures of one order, and the cheapest assignment inside a set of locations."""

    def __init__(
        self,
        wants: Sequence[Want],
        free: Mapping[tuple[int, int], int],
        shipment_costs: Mapping[int, int],
        opened: frozenset[int],
    ) -> None:
        self.by_sku: dict[int, list[Want]] = defaultdict(list)
        for want in wants:
            self.by_sku[want.sku_id].append(want)
        self.free = {
            (sku_id, site): units
            for (sku_id, site), units in free.items()
            if units > 0 and any(site in want.legs for want in self.by_sku.get(sku_id, ()))
        }
        self.sites = sorted({site for _, site in self.free})
        self.shipment_costs = shipment_costs
        self.opened = opened & frozenset(self.sites)
        self.legs = {
            (want.key, site): self._vector(sku_id, want, site)
            for sku_id, rows in self.by_sku.items()
            for want in rows
            for site in want.legs
            if (sku_id, site) in self.free
        }
        self.cheapest = {
            want.key: sorted(
                (site for site in want.legs if (want.key, site) in self.legs),
                key=lambda site, key=want.key: (self.legs[key, site], site),
            )
            for want in wants
        }
        self.alike = {sku_id for sku_id, rows in self.by_sku.items() if self._are_alike(rows)}
        """SKUs whose lines may be served one after the other: none of them would gain by another's place."""
        self._solved: dict[tuple[int, frozenset[int]], tuple[dict[int, dict[int, int]], Vector]] = {}
        shares = self.solve(frozenset(self.sites)).shares
        self.filled = {
            sku_id: sum(units for want in rows for units in shares[want.key].values())
            for sku_id, rows in self.by_sku.items()
        }

    def _are_alike(self, wants: Sequence[Want]) -> bool:
        """Does it cost the same to serve each line from a location, and comes the heavier before the lighter?"""
        costs = [[self.legs[want.key, site] for site in self.cheapest[want.key]] for want in wants]
        places = [self.cheapest[want.key] for want in wants]
        return (
            all(cost == costs[0] for cost in costs)
            and all(place == places[0] for place in places)
            and all(before.weight >= after.weight for before, after in pairwise(wants))
        )

    def masks(self, optional: Sequence[int]) -> tuple[int, list[int]]:
        """Bits of `optional` without which a SKU is not filled as far as it can be, and per SKU those that have any."""
        bit = {site: 1 << i for i, site in enumerate(optional)}
        must, coverage = 0, []
        for sku_id in self.by_sku:
            have = {site: units for (s, site), units in self.free.items() if s == sku_id}
            needed = self.filled[sku_id]
            for site, units in have.items():
                if sum(have.values()) - units < needed:
                    must |= bit.get(site, 0)
            if needed and not any(site in self.opened for site in have):
                coverage.append(sum(bit[site] for site in have))
        return must, coverage

    def fills(self, sites: frozenset[int]) -> bool:
        """Are there as many units of every SKU within `sites` as it can get at all (a quick bound)?"""
        return all(
            sum(self.free.get((sku_id, site), 0) for site in sites) >= needed for sku_id, needed in self.filled.items()
        )

    def solve(self, sites: frozenset[int]) -> SiteChoice:
        """The cheapest assignment of all lines to these locations."""
        shares: dict[int, dict[int, int]] = {}
        total: Vector = _ZERO
        for sku_id, wants in self.by_sku.items():
            here = frozenset(site for site in sites if (sku_id, site) in self.free)
            key = (sku_id, here)
            if key not in self._solved:
                self._solved[key] = self._assign(sku_id, wants, here)
            found, cost = self._solved[key]
            shares |= found
            total = _add(total, cost)
        used = {site for share in shares.values() for site in share}
        fixed = sum(self.shipment_costs.get(site, 0) for site in used - self.opened)
        unfilled, late, days, cost, carbon, load, rank = total
        objective = Objective(unfilled, late, len(used - self.opened), days, cost + fixed, carbon, load, rank)
        return SiteChoice(shares, objective)

    def _assign(
        self, sku_id: int, wants: list[Want], sites: frozenset[int]
    ) -> tuple[dict[int, dict[int, int]], Vector]:
        shares: dict[int, dict[int, int]] = {want.key: {} for want in wants}
        total: Vector = _ZERO
        if sku_id in self.alike:
            left = {site: self.free[sku_id, site] for site in sites}
            for want in wants:
                missing, share = want.quantity, shares[want.key]
                for site in self.cheapest[want.key]:  # at each further location only what is still missing
                    if missing and (units := min(missing, left.get(site, 0))):
                        share[site] = units
                        left[site] -= units
                        missing -= units
                        total = _add(total, _times(units, self.legs[want.key, site]))
                total = _add(total, (want.weight * missing, 0, 0, 0, 0, 0, 0))
            return shares, total
        legs = {(w.key, site): self.legs[w.key, site] for w in wants for site in sites if site in w.legs}
        flow = _cheapest_flow(wants, {site: self.free[sku_id, site] for site in sites}, legs)
        for (key, site), units in sorted(flow.items()):
            if units:
                shares[key][site] = units
                total = _add(total, _times(units, legs[key, site]))
        missing = sum(w.weight * (w.quantity - sum(shares[w.key].values())) for w in wants)
        return shares, _add(total, (missing, 0, 0, 0, 0, 0, 0))

    def _vector(self, sku_id: int, want: Want, site: int) -> Vector:
        """Cost of one unit: the objective but for shipments. Where little is left, a unit costs more load."""
        leg = want.legs[site]
        return (0, leg.late_days, leg.days, leg.cost, leg.carbon, 1_000_000 // self.free[sku_id, site], leg.rank)


def _add(one: Vector, other: Vector) -> Vector:
    a, b, c, d, e, f, g = one
    t, u, v, w, x, y, z = other
    return (a + t, b + u, c + v, d + w, e + x, f + y, g + z)


def _times(units: int, leg: Vector) -> Vector:
    a, b, c, d, e, f, g = leg
    return (units * a, units * b, units * c, units * d, units * e, units * f, units * g)


def _cheapest_flow(
    wants: Sequence[Want], capacity: Mapping[int, int], legs: Mapping[tuple[int, int], Vector]
) -> dict[tuple[int, int], int]:
    """Several lines of one SKU share its units: successive cheapest paths; leaving a unit out costs its weight first."""
    flow: dict[tuple[int, int], int] = dict.fromkeys(legs, 0)
    left = dict(capacity)
    missing = {want.key: want.quantity for want in wants}
    out: dict[int, int] = dict.fromkeys(missing, 0)
    weight = {want.key: want.weight for want in wants}
    for want in wants:
        while missing[want.key]:
            # cheapest way from this line to a free unit, or to leaving a unit out, over units that others give back
            cost: dict[tuple[str, int], Vector] = {("line", want.key): _ZERO}
            back: dict[tuple[str, int], tuple[str, int]] = {}
            changed = True
            while changed:
                changed = False
                for (key, site), leg in legs.items():
                    line, place = ("line", key), ("site", site)
                    if line in cost and (place not in cost or _add(cost[line], leg) < cost[place]):
                        cost[place], back[place], changed = _add(cost[line], leg), line, True
                    gain = _times(-1, leg)
                    if flow[key, site] and place in cost and (line not in cost or _add(cost[place], gain) < cost[line]):
                        cost[line], back[line], changed = _add(cost[place], gain), place, True
            ends = [(cost["site", site], 0, site) for site in left if left[site] and ("site", site) in cost]
            ends += [(_add(cost["line", k], (weight[k], 0, 0, 0, 0, 0, 0)), 1, k) for k in out if ("line", k) in cost]
            _, is_out, end = min(ends)
            path: list[tuple[str, int]] = [("line" if is_out else "site", end)]
            while path[-1] in back and path[-1] != ("line", want.key):
                path.append(back[path[-1]])
            steps = [(path[i + 1], path[i]) for i in range(len(path) - 1)]
            units = missing[want.key] if is_out else min(missing[want.key], left[end])
            for before, after in steps:
                if before[0] == "site":
                    units = min(units, flow[after[1], before[1]])
            for before, after in steps:
                if before[0] == "line":
                    flow[before[1], after[1]] += units
                else:
                    flow[after[1], before[1]] -= units
            if is_out:
                out[end] += units
            else:
                left[end] -= units
            missing[want.key] -= units
    return flow


def _exact(problem: _Problem, optional: Sequence[int], best: tuple[int, ...]) -> frozenset[int]:
    """The best of the smallest subsets that reach `best` (unfilled, late): all of a size before any larger."""
    must, coverage = problem.masks(optional)
    for size in range(len(optional) + 1):
        candidates: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        for bits in combinations(range(len(optional)), size):
            mask = sum(1 << i for i in bits)
            if mask & must != must or any(not mask & sites for sites in coverage):
                continue
            chosen = problem.opened | {optional[i] for i in bits}
            if not problem.fills(chosen):
                continue
            objective = problem.solve(chosen).objective.as_tuple()
            if objective[:2] == best:
                candidates.append((objective, tuple(sorted(chosen))))
        if candidates:
            return frozenset(min(candidates)[1])
    return problem.opened | frozenset(optional)


def _search(problem: _Problem, optional: Sequence[int], best: tuple[int, ...]) -> frozenset[int]:
    """Greedy cover by the most value per added shipment, then dropping and swapping locations while that helps."""

    def value(sites: frozenset[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return problem.solve(sites).objective.as_tuple(), tuple(sorted(sites))

    chosen = problem.opened
    while value(chosen)[0][:2] != best:
        chosen = min((chosen | {site} for site in optional if site not in chosen), key=value)
    improving = True
    while improving:
        improving = False
        own = chosen - problem.opened
        others = [site for site in optional if site not in chosen]
        near = [chosen - {site} for site in own]
        near += [chosen - {site} | {other} for site in own for other in others]
        candidate = min(near, key=value, default=chosen)
        if value(candidate) < value(chosen):
            chosen, improving = candidate, True
    return chosen
