"""Evidence in words: every id has a name, also in earlier verdicts; figures stay what they are."""

from core.domain.evidence import in_words, mentions

EVIDENCE = {
    "shortage": 4,
    "orderLines": [7, 8],
    "supplies": [{"id": 3, "purchaseOrderLineId": 5, "quantity": 6, "expected": "2026-11-09"}],
    "stockMovements": [{"id": 0, "locationId": 1, "kind": "counted", "delta": -2}],
    "dailyMean": 1.5,
    "previous": [
        {"cause": "QUALITY", "evidence": {"blockedStock": [{"locationId": 2, "quantity": 1, "stockMovements": [9]}]}},
        {"cause": "FORECAST_ERROR", "evidence": {"skuId": 4, "locationId": None, "supplies": [3]}},
    ],
}


def test_every_row_is_asked_for_once():
    assert mentions(EVIDENCE) == {
        ("orderLine", 7), ("orderLine", 8), ("supply", 3), ("purchaseOrderLine", 5), ("location", 1), ("location", 2),
        ("stockMovement", 9), ("sku", 4),
    }  # fmt: skip


def test_names_stand_in_the_place_of_ids():
    names = {(kind, id): f"{kind} {id}" for kind, id in mentions(EVIDENCE)} | {("orderLine", 8): None}
    assert in_words(EVIDENCE, names) == {
        "shortage": 4,
        "orderLines": ["orderLine 7", None],
        "supplies": [
            {"supply": "supply 3", "purchaseOrderLine": "purchaseOrderLine 5", "quantity": 6, "expected": "2026-11-09"}
        ],
        "stockMovements": [{"stockMovement": None, "location": "location 1", "kind": "counted", "delta": -2}],
        "dailyMean": 1.5,
        "previous": [
            {
                "cause": "QUALITY",
                "evidence": {
                    "blockedStock": [{"location": "location 2", "quantity": 1, "stockMovements": ["stockMovement 9"]}]
                },
            },
            {"cause": "FORECAST_ERROR", "evidence": {"sku": "sku 4", "location": None, "supplies": ["supply 3"]}},
        ],
    }
