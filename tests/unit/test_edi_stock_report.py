"""What a stock report counts as sellable, and the guard against a feed that empties too much."""

from __future__ import annotations

import pytest

from core.edi.stock_documents import InventoryReport, StockKind, StockLine, StockQuantity
from core.repositories.supplier_stock import StagedStock
from core.services.edi_outcome import Unusable
from core.services.stage_stock_report import by_sku, check_drop, sellable


def line(**quantities: int) -> StockLine:
    found = tuple(StockQuantity(StockKind(kind), "", quantity) for kind, quantity in quantities.items())
    return StockLine("1", "S", "", "", found)


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ({"on_hand": 10, "available": 7}, 7),
        ({"on_hand": 10, "held": 4, "committed": 3, "unusable": 1}, 2),
        ({"on_hand": 2, "held": 4}, 0),
        ({"available": -3}, 0),
        ({"on_order": 5}, None),
    ],
)
def test_only_what_can_be_sold_counts(quantities: dict[str, int], expected: int | None):
    assert sellable(line(**quantities)) == expected


def test_a_feed_that_empties_too_much_is_set_aside():
    known = dict.fromkeys(range(10), 5)
    found = {sku: StagedStock(sku, 0 if sku < 3 else 5) for sku in range(10)}
    check_drop(known, found, 30)
    with pytest.raises(Unusable, match="3 of 10 articles to zero; 29 percent"):
        check_drop(known, found, 29)
    check_drop(dict.fromkeys(range(9), 5), {sku: StagedStock(sku, 0) for sku in range(9)}, 30)


def test_an_article_at_several_places_is_summed_with_what_comes_to_each():
    lines = (line(available=3, projected=5), line(available=4), line(available=0, projected=2))
    found, strangers = by_sku(InventoryReport("R1", None, lines), {7: ("S", "", "")})
    assert ([*found.values()], strangers) == ([StagedStock(7, 7, None, 7)], [])
