"""The lot of least cost: price breaks, minimum and multiple, and what keeps."""

from __future__ import annotations

import pytest

from core.domain.replenishment import best_lot, economic_order_quantity


def test_without_breaks_it_is_the_economic_quantity():
    assert best_lot(1200, 2000, 0.2, [(1, 500)]) == economic_order_quantity(1200, 2000, 100) == 219


def test_of_the_two_lots_beside_the_economic_quantity_the_cheaper_one_is_taken():
    """1.488 units: one costs 500 + 225.75 a year, two 250 + 451.5."""
    assert best_lot(1, 500, 0.5, [(1, 903)]) == 2
    assert best_lot(1, 500, 0.5, [(1, 1003)]) == 1


def test_a_break_is_taken_where_it_pays():
    assert best_lot(1200, 2000, 0.2, [(1, 500), (300, 450)]) == 300
    assert best_lot(1200, 2000, 0.2, [(1, 500), (600, 499)]) == 219
    assert best_lot(1200, 2000, 0.2, [(1, 500), (100, 490), (5000, 470)]) == economic_order_quantity(1200, 2000, 98)


def test_a_lot_is_no_more_than_sells_while_it_keeps():
    assert best_lot(1200, 2000, 0.2, [(1, 500), (300, 450)], most=100) == 100
    assert best_lot(1200, 2000, 0.2, [(1, 500)], moq=24, multiple=24, most=100) == 96
    assert best_lot(1200, 2000, 0.2, [(1, 500)], moq=144, multiple=24, most=100) == 144


@pytest.mark.parametrize("demand", [0, -1])
def test_no_demand_no_lot(demand):
    assert best_lot(demand, 2000, 0.2, [(1, 500)]) == 0
