"""Ids that the audit trail and alarms speak of: which rows they are."""

import pytest

from core.domain.mentioned_rows import mentions_in, parts_of_object, sku_of_object, with_names


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


@pytest.mark.parametrize(
    ("text", "sku_id"),
    [("backorder:4:9", 4), ("stock:12:3", 12), ("supplier:3:sku:12", 12), ("lot:5:X", 5), ("order:7", 0)],
)
def test_the_object_of_an_entry_says_of_which_sku_it_is(text: str, sku_id: int) -> None:
    assert sku_of_object(text) == sku_id


def test_facts_of_an_entry_have_names_beside_their_ids() -> None:
    names = {
        ("outboundFile", 0, 5): "850.edi",
        ("purchaseOrder", 0, 1): "PO1",
        ("purchaseOrder", 0, 2): "PO2",
        ("orderLine", 4, 8): "SO1/1",
        ("orderLine", 9, 8): "SO2/3",
        ("sku", 0, 9): "MUG",
    }
    facts = {
        "outboundId": 5,
        "orders": [1, 2],
        "given": [{"orderLine": 8, "quantity": 2}],
        "documentId": 77,
        "orderId": None,
        "lines": [3],
        "skuId": True,
    }
    assert with_names(facts, 4, names.get) == {
        **facts,
        "outbound": "850.edi",
        "orderNumbers": ["PO1", "PO2"],
        "given": [{"orderLine": 8, "orderLineNumber": "SO1/1", "quantity": 2}],
    }
    replaced = {"substituteSkuId": 9, "lineId": 8}
    assert with_names(replaced, 4, names.get) == {**replaced, "substituteSku": "MUG", "line": "SO2/3"}


def test_what_was_sealed_under_the_word_of_a_name_is_shown_as_it_is() -> None:
    facts = {"supplierId": 3, "supplier": "as it was called then"}
    assert with_names(facts, 0, {("supplier", 0, 3): "ACME"}.get) == facts
    assert with_names({"supplierId": 3}, 0, {("supplier", 0, 3): "ACME"}.get) == {"supplierId": 3, "supplier": "ACME"}
