"""Reorder points within a budget: as much stock as before, more of it where more lines would run short."""

from __future__ import annotations

import pytest

pytest.importorskip("scipy")

import numpy as np

from ml.stock_budget import BudgetItems, expected_stock, spend_budget


def _items(count: int = 200, weeks: float = 40.0) -> BudgetItems:
    """Half of the items are cheap and asked for often, half dear and asked for seldom; planners covered all alike."""
    often = np.arange(count) % 2 == 0
    mean = np.full(count, 20.0)
    return BudgetItems(
        mean, mean * 4, np.full(count, 12.0), np.where(often, 10.0, 0.5), np.full(count, weeks), np.where(often, 100.0, 900.0),
        np.full(count, 30.0), np.full(count, 12.0), np.zeros(count),
    )  # fmt: skip


def _held(items: BudgetItems, points) -> float:
    weight = 0.5 + 0.5 * items.cost / items.cost.mean()
    return float((weight * expected_stock(points.astype(float), items.lot, items)).sum())


@pytest.mark.parametrize("share", [0.8, 1.0, 1.2])
def test_the_budget_is_spent_and_not_more(share):
    items = _items()
    own = _held(items, items.own_point)
    assert _held(items, spend_budget(items, share)) == pytest.approx(share * own, rel=0.06)


def test_stock_goes_where_lines_run_short():
    points = spend_budget(_items(), 1.0)
    assert points[0::2].min() > 30 > points[1::2].max()


def test_a_young_item_stays_near_its_planner_s_rule():
    young, old = spend_budget(_items(weeks=2), 1.0), spend_budget(_items(weeks=40), 1.0)
    assert abs(young[0] - 30) < abs(old[0] - 30)


def test_stock_that_is_there_cannot_be_spent_again():
    items = _items()
    piled = BudgetItems(**{**vars(items), "position": np.where(np.arange(200) % 2 == 0, 0.0, 80.0)})
    assert spend_budget(piled, 1.0)[0] <= spend_budget(items, 1.0)[0]
