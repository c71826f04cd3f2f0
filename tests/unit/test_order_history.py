"""Reading an order history: what becomes an order, what is rejected, and with which reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from workers.commands.replaying.history import Reject, read_history, survey

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def history(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_rows_become_invoices_in_order(tmp_path):
    path = history(
        tmp_path,
        "1001,85123A,LAMP,6,2011-01-03 08:26,2.55,17850.0,United Kingdom",
        "1001,71053,LANTERN,2,2011-01-03 08:26,3.39,17850.0,United Kingdom",
        "C1002,85123a,LAMP,-1,1/4/2011 9:00,2.55,17850,United Kingdom",
    )
    first, second = read_history(path)
    assert (first.number, first.customer, first.is_return, first.row_count) == ("1001", "17850", False, 2)
    assert [(r.number, r.sku, r.quantity, r.price) for r in first.rows] == [(2, "85123A", 6, 255), (3, "71053", 2, 339)]
    assert (second.is_return, second.placed_at) == (True, datetime(2011, 1, 4, 9, 0, tzinfo=UTC))
    assert [(r.sku, r.quantity) for r in second.rows] == [("85123A", 1)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,POST,POSTAGE,1,2011-01-03 08:26,18,1,GB", "the code 'POST' is no product"),
        ("1,85123A,X,0,2011-01-03 08:26,1,1,GB", "the quantity is zero"),
        ("1,85123A,X,74215,2011-01-03 08:26,1,1,GB", "the quantity 74215 is absurd (more than 10000)"),
        ("1,85123A,X,-3,2011-01-03 08:26,1,1,GB", "a negative quantity that is no cancellation (a stock correction)"),
        ("C1,85123A,X,3,2011-01-03 08:26,1,1,GB", "a cancellation with a positive quantity"),
        ("C1,85123A,X,-3,2011-01-03 08:26,1,,GB", "a cancellation without a customer: its order cannot be found"),
        ("1,85123A,X,many,2011-01-03 08:26,1,1,GB", "the quantity 'many' is not a whole number"),
        ("1,85123A,X,1,soon,1,1,GB", "the date 'soon' cannot be read"),
        (",85123A,X,1,2011-01-03 08:26,1,1,GB", "it has no invoice number"),
    ],
)
def test_rejected_rows_say_why(tmp_path, row, reason):
    rejects: list[Reject] = []
    invoices = list(read_history(history(tmp_path, row), rejects))
    assert [invoice.rows for invoice in invoices] == [[]]
    assert [(r.number, r.reason) for r in rejects] == [(2, reason)]


def test_survey_counts_only_the_window(tmp_path):
    path = history(
        tmp_path,
        "1,85123A,LAMP,6,2011-01-03 08:26,2.55,7,United Kingdom",
        "2,85123A,LAMP,4,2011-01-08 08:26,2.65,8,France",
        "3,71053,LANTERN,9,2011-01-20 08:26,3,9,Spain",
    )
    found = survey(path, date(2011, 1, 4), 1)
    assert (found.first_day, found.last_day) == (date(2011, 1, 4), date(2011, 1, 10))
    assert (found.lines, found.invoices, found.customers, found.countries) == (1, 1, {"8"}, {"France"})
    assert {code: (f.units, f.price) for code, f in found.skus.items()} == {"85123A": (4, 265)}


def test_a_file_without_its_columns_is_refused(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("InvoiceNo,Quantity\n1,2\n")
    with pytest.raises(ConfigurationError, match="lacks the columns StockCode, Description, InvoiceDate"):
        list(read_history(path))
