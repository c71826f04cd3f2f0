"""Plays demand against order-up-to levels, period by period: receipts, demand, backlog, review, order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass
class Played:
    """Sums over the measured periods; each array has one entry per policy (first axis) and item (last axis)."""

    periods: Floats
    """Measured per item."""
    demanded: Floats
    """Units asked for per item."""
    covered: Floats
    """Periods that ended without a backlog."""
    stock: Floats
    """Units on hand at the ends of periods, summed."""
    short: Floats
    """Units that could not be served in the period they were asked for."""
    orders: Floats
    ordered: Floats
    intervals: Floats
    """Protection intervals per item: from a level that was set until what it ordered had to last no longer."""
    sufficed: Floats
    """Of those, the ones whose demand stayed within the level."""
    levels: Floats
    """Levels in force at the beginnings of the intervals, summed."""

    @classmethod
    def nothing(cls, shape: tuple[int, ...]) -> Played:
        per_item = ("periods", "demanded", "intervals")
        return cls(**{
            one.name: np.zeros(shape[-1] if one.name in per_item else shape) for one in fields(cls)
        })  # fmt: skip


def play(
    demand: Floats,
    target: Callable[[int], Floats],
    lead_times: NDArray[np.int64],
    *,
    measured_from: int,
    protects: int,
    least_order: Floats | None = None,
) -> Played:
    """Each period: what is due arrives, backlog is served, demand is served from stock, the position is raised.

    `demand` has one row per item, one column per period (NaN: unknown, played as none and not measured).
    `target(t)` gives the order-up-to levels in force at the end of period t, from what was known by then; t = -1
    before the first period, when the stock is raised to it at once. `lead_times[item, period]` are those of orders
    placed in a period. `protects` is the length of the protection intervals. `least_order` per item orders at least so
    much (EOQ). Orders are only placed where the position is below the level.

    Timing: an order placed at the end of period t with lead time L can serve the demand of period t + L + 1; it must
    last until the next one arrives, so that the level protects L + 1 periods.
    """
    periods = demand.shape[1]
    level = target(-1)
    shape = level.shape
    net = level.copy()
    longest = int(lead_times.max(initial=0)) + 1
    due = np.zeros((longest + 1, *shape))
    done = Played.nothing(shape)
    on_order = np.zeros(shape)
    for period in range(periods):
        slot = period % (longest + 1)
        arrived = due[slot]
        net = net + arrived
        on_order = on_order - arrived
        due[slot] = 0.0
        known = ~np.isnan(demand[:, period])
        asked = np.where(known, demand[:, period], 0.0)
        served = np.minimum(np.maximum(net, 0.0), asked)
        net = net - asked
        if period >= measured_from:
            done.periods += known
            done.demanded += asked
            done.covered += (net >= 0) & known
            done.stock += np.maximum(net, 0.0) * known
            done.short += asked - served
        level = target(period)
        ahead = demand[:, period + 1 : period + 1 + protects]
        if ahead.shape[1] == protects:
            whole = ~np.isnan(ahead).any(axis=1)
            done.intervals += whole
            done.sufficed += (np.nan_to_num(ahead).sum(axis=1) <= level) & whole
            done.levels += level * whole
        missing = level - (net + on_order)
        wanted = np.where(missing > 0, missing if least_order is None else np.maximum(missing, least_order), 0.0)
        on_order = on_order + wanted
        if period >= measured_from:
            done.orders += wanted > 0
            done.ordered += wanted
        for lead in np.unique(lead_times[:, period]):
            rows = lead_times[:, period] == lead
            due[(period + int(lead) + 1) % (longest + 1)][..., rows] += wanted[..., rows]
    return done
