"""Which stock would do more good elsewhere: excess over cover here, shortage or its risk there, and what a move costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

from core.domain.network import Network
from core.errors import InvalidInput

SEASON_BOUNDS = (0.5, 2.0)
"""How far last year's season may scale recent demand."""
SEASON_UNITS = 20
"""Fewer units sold in last year's weeks say nothing about the season."""


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
    """A move may cost as much of what the units sell for."""
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

    `waiting` are units of lines without a source there, `inbound` dated supply nobody has pegged that comes within
    the days at risk; `daily_demand` units a day, season included. `movable`: how much of `free` lives long enough to be
    sold elsewhere; None: all of it.
    """

    location_id: int
    free: int
    daily_demand: float
    waiting: int = 0
    inbound: int = 0
    movable: int | None = None

    def cover(self) -> float | None:
        """Days until it is sold out; None without demand."""
        return (self.free + self.inbound) / self.daily_demand if self.daily_demand > 0 else None


@dataclass(frozen=True, slots=True)
class Goods:
    """What is moved: weight of a unit in grams, price in minor units (0: unknown)."""

    sku_id: int
    weight_g: int = 0
    unit_price: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A proposed transfer: what it costs (minor units), emits (grams), when it arrives, and why. `urgency` sorts."""

    sku_id: int
    from_location_id: int
    to_location_id: int
    quantity: int
    urgency: int
    cost: int
    carbon_g: int
    arrives_on: date
    reason: dict[str, Any]


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

    Donors give what lies beyond `keep_days` of their own demand, those that are soonest and cheapest first.
    A unit is proposed once. The order of the input does not matter.
    """
    places = sorted(positions, key=lambda p: p.location_id)
    spare = {p.location_id: _spare(p, rules) for p in places}
    given: dict[int, int] = dict.fromkeys(spare, 0)
    at = {p.location_id: p for p in places}
    moves: list[Move] = []
    needy = [p for p in places if spare[p.location_id] <= 0 and _missing(p, rules) > 0]
    for place in sorted(needy, key=lambda p: (-p.waiting, p.cover() or 0.0, p.location_id)):
        missing = _missing(place, rules)
        for donor_id in network.donors(place.location_id):
            lane = network.lanes[donor_id, place.location_id]
            left = spare.get(donor_id, 0) - given.get(donor_id, 0)
            units = min(missing, left)
            if units < rules.min_units or lane.cost * 100 > goods.unit_price * rules.max_cost_percent > 0:
                continue
            arrives = network.arrive(lane, network.first_ship_day(donor_id, now))
            moves.append(_move(goods, at[donor_id], place, units, given, arrives, lane.cost, lane.carbon_g_per_kg))
            given[donor_id] += units
            missing -= units
            if missing <= 0:
                break
    return moves


def _spare(place: Position, rules: RebalancingRules) -> int:
    free = place.free if place.movable is None else min(place.free, place.movable)
    return free - ceil(rules.keep_days * place.daily_demand)


def _missing(place: Position, rules: RebalancingRules) -> int:
    """Units that lines wait for, and what is missing to the target where the place is at risk."""
    cover = place.cover()
    at_risk = cover is not None and cover < rules.short_days
    wanted = ceil(rules.target_days * place.daily_demand) - place.free - place.inbound if at_risk else 0
    return max(place.waiting - place.free, 0) + max(wanted, 0)


def _move(
    goods: Goods,
    donor: Position,
    place: Position,
    units: int,
    given: Mapping[int, int],
    arrives: date,
    unit_cost: int,
    carbon_g_per_kg: int,
) -> Move:
    cover = place.cover()
    served = min(units, place.waiting)
    left = donor.free - given[donor.location_id] - units
    reason = {
        "kind": "WAITING" if place.waiting else "AT_RISK",
        "waiting": place.waiting,
        "unitsServed": served,
        "dailyDemand": round(place.daily_demand, 3),
        "coverBefore": None if cover is None else round(cover, 1),
        "coverAfter": _days(place.free + place.inbound + units - served, place.daily_demand),
        "donorFree": donor.free,
        "donorDailyDemand": round(donor.daily_demand, 3),
        "donorCoverAfter": _days(left, donor.daily_demand),
    }
    shortage = 1_000 if cover is None else max(0, round(1_000 - 10 * cover))
    return Move(
        goods.sku_id,
        donor.location_id,
        place.location_id,
        units,
        served * 1_000 + shortage,
        unit_cost * units,
        carbon_g_per_kg * goods.weight_g * units // 1_000,
        arrives,
        reason,
    )


def _days(units: int, daily: float) -> float | None:
    return round(units / daily, 1) if daily > 0 else None
