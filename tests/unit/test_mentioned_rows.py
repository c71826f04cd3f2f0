"""Ids that the audit trail and alarms speak of: which rows they are."""

import pytest

from core.domain.mentioned_rows import mentions_in, parts_of_object


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("order:7", ["order", ("order", 0, 7)]),
        ("stock:12:3", ["stock", ("sku", 0, 12), ("location", 0, 3)]),
        ("backorder:4:9", ["backorder", ("backorder", 4, 9)]),
        ("backorder:4", ["backorder", "4"]),
        ("supplier:3:sku:12", ["supplier", ("supplier", 0, 3), "sku", ("sku", 0, 12)]),
        ("supplier:3:ship_notice:77", ["supplier", ("supplier", 0, 3), "ship_notice", "77"]),
        ("partner:2:guide:3", ["partner", ("partner", 0, 2), "guide", "3"]),
        ("lot:4:2026", ["lot", ("sku", 0, 4), "2026"]),
        ("lane:A:B", ["lane", "A", "B"]),
        ("stock_target", ["stock_target"]),
    ],
)
def test_what_was_done_is_split_into_words_and_rows(text: str, parts: list[object]) -> None:
    assert list(parts_of_object(text)) == parts


def test_a_row_of_an_alarm_names_rows_by_its_columns() -> None:
    row = {
        "sku_id": 4,
        "kit_sku_id": None,
        "from_location_id": 1,
        "order_line_id": 8,
        "order_line_ids": [8],
        "moved": 2,
    }
    assert mentions_in(row) == {
        "sku": ("sku", 0, 4),
        "from_location": ("location", 0, 1),
        "order_line": ("orderLine", 4, 8),
    }
    assert mentions_in({"order_id": 5}) == {"order": ("order", 0, 5)}
