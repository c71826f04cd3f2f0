"""Input objects built from a plan are those that Strawberry builds, and their hash is that of the plain input."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from strawberry.types.arguments import convert_argument

from api.operations import schema
from api.resolvers.mutation import plain
from api.schema import enums
from api.schema.build_input import build_input
from api.schema.inputs import OrderCustomerInput, OrderLineInput, OrderPlaceInput, PaymentState, ShipToInput
from core.repositories.idempotency import request_hash

PLANNED: tuple[Any, ...] = (OrderPlaceInput, OrderLineInput, ShipToInput, OrderCustomerInput)
LINE = {
    "sku": "A",
    "quantity": 1,
    "requestedDate": date(2026, 1, 2),
    "shipPolicy": enums.ShipPolicy.PARTIAL_BACKORDER_REST,
    "substitutesAllowed": True,
}
SMALL = {"channel": "web", "shipTo": {"country": "KR"}, "lines": [{"sku": "A", "quantity": 2}]}
WHOLE = {
    **SMALL,
    "shipTo": {"country": "KR", "postalCode": "04524", "name": None, "line1": "1", "city": "Seoul"},
    "lines": [LINE, {**LINE, "sku": "B"}],
    "customer": {"code": "C1"},
    "reservationId": "r",
    "paymentState": PaymentState.PENDING,
    "shipComplete": True,
}


def built(value: dict) -> OrderPlaceInput:
    found = convert_argument(value, OrderPlaceInput, schema.schema_converter.scalar_registry, schema.config)
    assert isinstance(found, OrderPlaceInput)
    return found


@pytest.mark.parametrize("value", [SMALL, WHOLE])
def test_a_planned_input_is_the_one_that_strawberry_builds(value: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(cls.__strawberry_definition__.from_input is build_input for cls in PLANNED)
    ours = built(value)
    for cls in PLANNED:
        monkeypatch.setattr(cls.__strawberry_definition__, "from_input", None)
    assert ours == built(value)
    assert [type(line) for line in ours.lines] == [OrderLineInput] * len(value["lines"])


def test_an_input_and_its_plain_form_have_one_hash() -> None:
    assert request_hash(built(WHOLE)) == request_hash(plain(built(WHOLE)))
    assert request_hash(built(WHOLE)) != request_hash(built(SMALL))
