"""Choosing the locations of an order, beside a mixed-integer solver (HiGHS, by SciPy) on the same orders.

What was timed is compared: both leave the same units out, and of ten locations ours never uses more than the solver.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from core.domain.site_choice import Leg, Want, choose_sites

Order = tuple[list[Want], dict[tuple[int, int], int]]
SEED = 11


def measure() -> list[dict[str, Any]]:
    """Orders per second and core: the usual order, a hard one whose lines lie scattered, and one beyond the exact search."""
    rows = []
    for name, orders in (
        ("3 lines, 3 locations, most of it everywhere", _orders(2_000, lines=3, sites=3, filled=0.9)),
        ("8 lines over 10 locations, scattered", _orders(150, lines=8, sites=10, filled=0.35)),
        ("20 lines over 25 locations, scattered (search)", _orders(12, lines=20, sites=25, filled=0.3)),
    ):
        ours, chosen = _timed(orders, lambda order: _figures(choose_sites(*order).objective))
        few = orders[: max(10, len(orders) // 10)]
        solver, best = _timed(few, _solve)
        pairs = list(zip(chosen, best, strict=False))
        assert all(mine[0] == theirs[0] for mine, theirs in pairs), "the solver fills more"
        surplus = sum(mine[1] - theirs[1] for mine, theirs in pairs)
        assert surplus == 0 or "search" in name, "the solver ships less often"
        more = "" if "search" not in name else f"; {surplus} of {sum(b[1] for b in best)} shipments more"
        rows.append(
            {
                "name": f"choose locations: {name}{more}",
                "figure": ours,
                "unit": "orders/s",
                "yardstick": "HiGHS, same orders, fewest shipments",
                "yardstick_figure": solver,
                "ratio": ours / solver,
            }
        )
    return rows


def _figures(objective: Any) -> tuple[int, int]:
    return objective.unfilled, objective.shipments


def _timed(orders: list[Order], work: Callable[[Order], tuple[int, int]]) -> tuple[float, list[tuple[int, int]]]:
    start = time.perf_counter()
    found = [work(order) for order in orders]
    return len(orders) / (time.perf_counter() - start), found


def _orders(count: int, *, lines: int, sites: int, filled: float) -> list[Order]:
    dice = random.Random(SEED)  # noqa: S311
    orders: list[Order] = []
    for _ in range(count):
        wants = [
            Want(
                key,
                key,
                dice.randint(1, 20),
                {site: Leg(days=dice.randint(1, 4), cost=dice.randint(1, 500), rank=site) for site in range(sites)},
            )
            for key in range(lines)
        ]
        free = {
            (want.sku_id, site): dice.randint(1, 30)
            for want in wants
            for site in range(sites)
            if dice.random() < filled
        }
        orders.append((wants, free))
    return orders


def _solve(order: Order) -> tuple[int, int]:
    """Fewest units out, then fewest shipments: binaries for the locations, flows for the units."""
    wants, free = order
    arcs = [(w, site) for w in range(len(wants)) for site in wants[w].legs if free.get((wants[w].sku_id, site))]
    sites = sorted({site for _, site in arcs})
    column = {site: len(arcs) + len(wants) + i for i, site in enumerate(sites)}
    size = len(arcs) + len(wants) + len(sites)
    cost = np.zeros(size)
    cost[len(arcs) : len(arcs) + len(wants)] = 1_000
    cost[len(arcs) + len(wants) :] = 1
    rows = lil_matrix((len(wants) + len(arcs), size))
    low, high = np.full(len(wants) + len(arcs), -np.inf), np.zeros(len(wants) + len(arcs))
    for w, want in enumerate(wants):
        rows[w, len(arcs) + w] = 1
        low[w] = high[w] = want.quantity
    for i, (w, site) in enumerate(arcs):
        rows[w, i] = 1
        rows[len(wants) + i, i] = 1
        rows[len(wants) + i, column[site]] = -free[wants[w].sku_id, site]
    integral = np.zeros(size)
    integral[len(arcs) + len(wants) :] = 1
    upper = np.full(size, np.inf)
    upper[len(arcs) + len(wants) :] = 1
    within: Any = (np.zeros(size), upper)
    limits: Any = (low, high)
    found: Any = milp(
        cost,
        constraints=LinearConstraint(rows.tocsr(), *limits),
        integrality=integral,
        bounds=Bounds(*within),
    )
    out = round(sum(found.x[len(arcs) : len(arcs) + len(wants)]))
    return out, round(sum(found.x[len(arcs) + len(wants) :]))
