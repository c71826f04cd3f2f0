"""A promise of several parts is as sure as the least sure of those that come last."""

from __future__ import annotations

import pytest

from api.schema.dates import promise_from


def part(basis: str, delivery: str) -> dict:
    source = "PURCHASE_ORDER" if basis == "CONFIRMED_ORDER" else basis
    return {
        "location": 1, "quantity": 1, "source": source, "basis": basis, "shipDate": "2026-11-09", "deliveryDate": delivery,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("LEAD_TIME", "2026-11-10"), ("CONFIRMED_ORDER", "2026-11-10")], "LEAD_TIME"),
        ([("CONFIRMED_ORDER", "2026-11-10"), ("LEAD_TIME", "2026-11-10")], "LEAD_TIME"),
        ([("TRANSFER", "2026-11-10"), ("ON_HAND", "2026-11-10")], "TRANSFER"),
        ([("CONFIRMED_ORDER", "2026-11-10"), ("TRANSFER", "2026-11-10")], "CONFIRMED_ORDER"),
        ([("LEAD_TIME", "2026-11-10"), ("ON_HAND", "2026-11-11")], "ON_HAND"),
    ],
)
def test_of_parts_of_one_day_the_least_sure_one_gives_the_basis(parts, expected):
    told = promise_from(1, len(parts), True, [part(*row) for row in parts])
    assert told.delivery_date is not None
    assert told.delivery_date.basis == expected
