"""The churn budget keeps the SKUs that do most good per order worsened, whole, and no more than it allows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.domain.repromising.budget import charge
from core.domain.repromising.effects import Effect, Why
from core.domain.repromising.proposal import EFFECTS, WHYS
from core.domain.repromising.strategies import CODE, Strategy
from core.domain.repromising.variant import Budget, Segment, Variant

GAINED, LOST = EFFECTS.index(Effect.GAINED), EFFECTS.index(Effect.LOST)
# SKU, order, effect, days; each SKU worsens one order, SKU 3 two of them
ROWS = [
    *[(0, 10, GAINED, -3), (0, 20, LOST, 3)],
    *[(1, 11, GAINED, -9), (1, 21, LOST, 9)],
    *[(2, 12, GAINED, -5), (2, 22, LOST, 5)],
    *[(3, 13, GAINED, -12), (3, 23, LOST, 6), (3, 24, LOST, 6)],
]


def charged(
    share: float | None, rows: Any = ROWS, *, forced: int = -1, freed: int = -1, waits: int = -1, seed: int = 0
) -> Any:
    """The plan of these rows under a budget; (kept SKUs, orders worsened, orders in the run, orders it may worsen)."""
    sku, order, effect, days = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    plan: Any = SimpleNamespace(
        line=np.arange(count),
        days=days,
        effect=effect,
        why=np.where(order == freed, WHYS.index(Why.FREED), WHYS.index(Why.OUTRANKED)),
        is_dropped=np.zeros(count, bool),
        is_forced=order == forced,
    )
    facts = SimpleNamespace(order=order, is_served=order != waits)
    raw: Any = SimpleNamespace(facts=facts, line_sku=sku, sku_ids=np.arange(4))
    variant = Variant((Segment("all", Strategy.REDISTRIBUTE),), (), Budget(share, None))
    strategy = np.full(count, CODE[Strategy.REDISTRIBUTE], np.int8)
    charge(plan, raw, strategy, variant, -1, seed, np.zeros(count, bool))
    return sorted({*sku[~plan.is_dropped].tolist()}), plan.worsened, plan.orders_in_run, plan.allowed


@pytest.mark.parametrize(
    ("share", "kept", "worsened", "allowed"),
    [
        (None, [0, 1, 2, 3], 5, None),
        (0.0, [], 0, 0),
        (0.12, [1], 1, 1),  # nine orders: one; SKU 1 gives most for one order
        (0.23, [1, 2], 2, 2),  # SKU 3 comes next, but its two orders do not fit
        (0.34, [1, 3], 3, 3),
        (0.45, [1, 2, 3], 4, 4),
        (0.56, [0, 1, 2, 3], 5, 5),
    ],
)
def test_what_does_most_good_for_an_order_is_kept_first(share, kept, worsened, allowed):
    assert charged(share) == (kept, worsened, 9, allowed)


@pytest.mark.parametrize(("share", "allowed"), [(0.29, 29), (0.57, 57), (0.1, 10), (0.299, 29)])
def test_a_share_of_the_orders_is_whole_orders(share, allowed):
    rows = [(n % 4, n, LOST, 1) for n in range(100)]
    assert charged(share, rows)[3] == allowed


def test_what_lose_frees_is_not_charged():
    assert charged(0.0, freed=21)[:2] == ([1], 0)


def test_what_is_forced_is_not_charged_and_who_is_not_served_is_not_counted():
    assert charged(0.12, forced=21)[:2] == ([1, 2], 1)
    assert charged(0.12, waits=10) == ([], 0, 8, 0)


def test_equals_are_drawn_by_the_seed():
    rows = [(n, 10 * n + side, (GAINED, LOST)[side], (-4, 4)[side]) for n in range(4) for side in (0, 1)]
    found = [tuple(charged(0.25, rows, seed=seed)[0]) for seed in range(12)]
    assert all(len(kept) == 2 for kept in found)
    assert len(set(found)) > 1
    assert found == [tuple(charged(0.25, rows, seed=seed)[0]) for seed in range(12)]
