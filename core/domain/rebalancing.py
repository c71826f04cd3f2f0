"""Which stock would do more good elsewhere: excess over cover here, shortage or its risk there, and what a move costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from core.domain.network import Lane, Network
from core.errors import InvalidInput

SEASON_BOUNDS = (0.5, 2.0)
"""How far last year's season may scale recent demand."""
SEASON_UNITS = 20
"""Fewer units sold in last year's weeks say nothing about the season."""


class RebalancingState(StrEnum):
    """What became of a proposal to move stock."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class RebalancingRules:
    """The policy `rebalancing`. Days are days of cover by daily demand."""

    is_on: bool = True
    short_days: int = 7
    """Below this cover a location is at risk."""
    target_days: int = 14
    """What is moved lasts this long."""
    keep_days: int = 30
    """A location gives only what it has beyond this cover."""
    min_units: int = 1
    max_cost_percent: int = 20
    """A move may cost as much of what the units sell for (0: nothing), where that is known."""
    valid_days: int = 3


def rebalancing_rules(value: Mapping[str, Any] | None) -> RebalancingRules:
    """The policy `rebalancing` as planners write it. Raises InvalidInput for figures that cannot be."""
    value, default = value or {}, RebalancingRules()
    names = {
        "shortDays": default.short_days,
        "targetDays": default.target_days,
        "keepDays": default.keep_days,
        "minUnits": default.min_units,
        "maxCostPercent": default.max_cost_percent,
        "validDays": default.valid_days,
    }
    if unknown := sorted(set(value) - {*names, "isOn"}):
        raise InvalidInput(f"There is no {unknown[0]!r} in this policy.", path=("input", "value"), value=unknown[0])
    figures = {name: value.get(name, usual) for name, usual in names.items()}
    for name, figure in figures.items():
        if isinstance(figure, bool) or not isinstance(figure, int) or not 0 <= figure <= 3_650:
            raise InvalidInput(f"{figure!r} cannot be {name}.", path=("input", "value", name), value=str(figure))
    rules = RebalancingRules(
        bool(value.get("isOn", True)),
        figures["shortDays"],
        figures["targetDays"],
        figures["keepDays"],
        max(figures["minUnits"], 1),
        figures["maxCostPercent"],
        max(figures["validDays"], 1),
    )
    if not rules.short_days <= rules.target_days <= rules.keep_days:
        raise InvalidInput("shortDays, targetDays and keepDays must ascend.", path=("input", "value"))
    return rules


@dataclass(frozen=True, slots=True)
class Position:
    """One SKU at one location. `free` is ATP in the shelf: what no promise, hold or safety stock needs.

    `waiting` are units of lines without a source there, `arrivals` (days from now, units) what dated supply brings that
    nobody needs; `daily_demand` units a day, season included. `movable`: how much of `free` lives long enough to be sold
    elsewhere; None: all of it.
    """

    location_id: int
    free: int
    daily_demand: float
    waiting: int = 0
    arrivals: tuple[tuple[int, int], ...] = ()
    movable: int | None = None

    def cover(self) -> float | None:
        """Days until it is sold out, by what arrives before; None without demand."""
        if self.daily_demand <= 0:
            return None
        units = self.free
        for day, more in sorted(self.arrivals):
            if self.daily_demand * day > units:
                break
            units += more
        return units / self.daily_demand

    def balances(self, until: int) -> list[tuple[int, int]]:
        """(day, units left) right before each arrival and at `until`; below 0 it is sold out by then."""
        units, found = self.free, []
        for day, more in (*sorted(x for x in self.arrivals if x[0] < until), (until, 0)):
            found.append((day, units - ceil(self.daily_demand * day)))
            units += more
        return found


@dataclass(frozen=True, slots=True)
class Goods:
    """What is moved: weight of a unit in grams, price in minor units (0: unknown)."""

    sku_id: int
    weight_g: int = 0
    unit_price: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A proposed transfer: what it costs (minor units), emits (grams), when it arrives, and why. `urgency` sorts.

    `ships_on`: it can leave from this day on, of goods that are still under way to where it begins; None: it lies there.
    """

    sku_id: int
    from_location_id: int
    to_location_id: int
    quantity: int
    urgency: int
    cost: int
    carbon_g: int
    arrives_on: date
    reason: dict[str, Any]
    ships_on: date | None = None


def daily_demand(recent: int, days: int, same_weeks: int = 0, next_weeks: int = 0) -> float:
    """Units a day: what was sold in the last `days`, scaled by how last year went on from these weeks.

    `same_weeks` and `next_weeks` are last year's units of the same days and of as many after them.
    """
    usual = recent / days
    if same_weeks < SEASON_UNITS:
        return usual
    low, high = SEASON_BOUNDS
    return usual * min(max(next_weeks / same_weeks, low), high)


def propose_moves(
    goods: Goods, positions: Iterable[Position], network: Network, rules: RebalancingRules, now: datetime
) -> list[Move]:
    """The moves of one SKU, the most urgent first: who waits before who runs out, the least cover first.

    Donors give what lies beyond `keep_days` of their own demand, with what arrives there meanwhile; those that are
    soonest and cheapest first, and stock before what is still under way to them. Nothing is moved to where it would
    come after the shortage. A unit is proposed once. The order of the input does not matter.
    """
    places = sorted(positions, key=lambda p: p.location_id)
    at = {p.location_id: p for p in places}
    given: dict[int, int] = dict.fromkeys(at, 0)
    left = dict(at)
    moves: list[Move] = []
    needy = [p for p in places if _spare(p, rules) <= 0 and _missing(p, rules) > 0]
    for place in sorted(needy, key=lambda p: (-p.waiting, p.cover() or 0.0, p.location_id)):
        got: set[int] = set()
        for is_dated in (False, True):
            for donor_id in network.donors(place.location_id):
                lane = network.lanes[donor_id, place.location_id]
                donor = at.get(donor_id)
                if donor is None or donor in needy or donor_id in got:
                    continue
                if goods.unit_price and lane.cost * 100 > goods.unit_price * rules.max_cost_percent:
                    continue
                for day in _days_of(donor, rules) if is_dated else [0]:
                    ships = network.first_ship_day(donor_id, now)
                    if day:
                        ships = max(
                            ships, network.ship_day_from(donor_id, network.today(donor_id, now) + timedelta(days=day))
                        )
                    arrives = network.moved_by(donor_id, place.location_id, ships, now)
                    after = (arrives - network.today(place.location_id, now)).days
                    coming = sum(m.quantity for m in moves if m.to_location_id == place.location_id)
                    missing = _missing(place, rules, after) - coming
                    units = min(missing, _spare(donor, rules, day) - given[donor_id])
                    if units >= rules.min_units:
                        left[donor_id] = _without(left[donor_id], units, day)
                        covers = _cover(left[donor_id])
                        moves.append(
                            _move(goods, donor, place, units, coming, covers, arrives, lane, ships if day else None)
                        )
                        given[donor_id] += units
                        got.add(donor_id)
                        break
    return moves


def _days_of(donor: Position, rules: RebalancingRules) -> list[int]:
    """The days on which something arrives at a donor early enough to help elsewhere."""
    return sorted({day for day, _ in donor.arrivals if 0 < day < rules.target_days})


def _spare(place: Position, rules: RebalancingRules, day: int = 0) -> int:
    """Units that it can give from `day` on and still not be sold out within `keep_days` from then."""
    least = min(units for when, units in place.balances(day + rules.keep_days) if when > day or not day)
    there = place.free if place.movable is None else min(place.free, place.movable)
    there += sum(units for when, units in place.arrivals if 0 < when <= day)
    return min(least, there)


def _without(place: Position, units: int, day: int) -> Position:
    """What is left when so many leave on `day`: of what arrives until then, the last first, before what lies there."""
    arrivals = []
    for when, more in sorted(place.arrivals, reverse=True):
        taken = min(units, more) if 0 < when <= day else 0
        units -= taken
        arrivals.append((when, more - taken))
    return replace(place, free=place.free - units, arrivals=tuple(sorted(arrivals)))


def _missing(place: Position, rules: RebalancingRules, after: int = 0) -> int:
    """Units that lines wait for, and what is missing up to the target once `after` days are over, where it is at risk."""
    cover = place.cover()
    wanted = 0
    if cover is not None and cover < rules.short_days:
        short = [-units for day, units in place.balances(rules.target_days) if day > after]
        wanted = max([0, *short])
    waiting = place.waiting - place.free - sum(units for day, units in place.arrivals if day <= after)
    return max(waiting, 0) + wanted


def _move(
    goods: Goods,
    donor: Position,
    place: Position,
    units: int,
    coming: int,
    donor_covers: float | None,
    arrives: date,
    lane: Lane,
    ships_on: date | None,
) -> Move:
    """`coming`: units that other moves bring there; `donor_covers`: days that the donor's stock lasts after all its moves."""
    cover = place.cover()
    served = min(units, max(0, place.waiting - coming))
    there = place.free + coming + units - min(place.waiting, coming + units)
    reason = {
        "kind": "WAITING" if served else "AT_RISK",
        "waiting": place.waiting,
        "unitsServed": served,
        "dailyDemand": round(place.daily_demand, 3),
        "coverBefore": None if cover is None else round(cover, 1),
        "coverAfter": _cover(replace(place, free=there)),
        "donorFree": donor.free,
        "donorDailyDemand": round(donor.daily_demand, 3),
        "donorCoverAfter": donor_covers,
    }
    if ships_on is not None:
        reason["shipsOn"] = ships_on.isoformat()
    shortage = 1_000 if cover is None else max(0, round(1_000 - 10 * cover))
    return Move(
        goods.sku_id,
        donor.location_id,
        place.location_id,
        units,
        served * 1_000 + shortage,
        lane.cost * units,
        lane.carbon_g_per_kg * goods.weight_g * units // 1_000,
        arrives,
        reason,
        ships_on,
    )


def _cover(place: Position) -> float | None:
    cover = place.cover()
    return None if cover is None else round(cover, 1)
