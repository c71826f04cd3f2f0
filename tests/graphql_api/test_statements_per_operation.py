"""SQL statements per operation: whatever an audience asks, twice as many rows cost not one statement more."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from api.examples import AUDIENCES, examples
from api.operations import schema
from core.domain.access import Role
from tests.graphql_api.schema_under_test import Shop, open_shop
from tests.graphql_api.test_access_by_owner import questions
from tests.graphql_api.test_examples import Stage

pytestmark = pytest.mark.anyio

UNKNOWN = re.compile(r"\{\{(?!key|today)")
"""In the variables of an example: what another example gives."""
MOST = 110
"""Statements of the largest of these documents, which ask for all fields five objects deep; a page of 10 orders
costs as many as a page of 1000."""


async def grow(shop: Shop, times: int) -> None:
    """More of everything that customers and suppliers have."""
    planner = shop.context(Role.PLANNER)
    for _ in range(times):
        for customer, country in (("MINSEO", "KR"), ("BAKER", "GB")):
            placed = await shop.place(customer, ("KETTLE-17", 12), ("MUG-BLUE", 2), country=country)
            assert placed["userErrors"] == []
        wanted = {"supplier": "BRIGHTWORKS", "location": "DC-ICN", "lines": [{"sku": "KETTLE-17", "quantity": 10}]}
        created = await shop.change(planner, "purchaseOrderCreate", wanted, "purchaseOrder { id }")
        assert created["userErrors"] == []
    await shop.database.system.execute(
        "update purchase_order set status = 'SENT', sent_at = now() where sent_at is null"
    )


async def test_more_rows_are_not_more_statements_for_any_audience(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    monkeypatch.setattr(
        "core.database.watch_statements", lambda c: c.add_query_logger(lambda r: statements.append(r.query))
    )
    async with open_shop(database_url) as shop:

        async def counts() -> dict[tuple[str, str], int]:
            found: dict[tuple[str, str], int] = {}
            for role in (Role.STOREFRONT, Role.CUSTOMER, Role.SUPPLIER, Role.PLANNER, Role.WAREHOUSE):
                for document in questions(role, 4 if role.value in ("CUSTOMER", "SUPPLIER") else 3):
                    name = document.split("(")[0].strip("{ ").split(" ")[0]
                    found[role.value, name] = await count(role.value, document, {})
            for example in examples():
                text = example.variables
                if re.search(r"^query\b", example.document, re.MULTILINE) and not UNKNOWN.search(text):
                    variables = Stage.fill(SimpleNamespace(known={}), text)  # type: ignore[arg-type]
                    found[example.audience, example.name] = await count(example.token, example.document, variables)
            return found

        async def count(token: str, document: str, variables: dict[str, Any]) -> int:
            role, _, code = token.partition(" ")
            context: Any = shop.context(Role(role))
            if role == "CUSTOMER":
                context = await shop.customer(code or "MINSEO")
            elif role == "SUPPLIER":
                context = await shop.supplier(code or "BRIGHTWORKS")
            statements.clear()
            result = await schema.execute(document, variable_values=variables, context_value=context)
            assert result.errors is None, result.errors
            return len(statements)

        await grow(shop, 1)
        few = await counts()
        await grow(shop, 2)
        many = await counts()
    grown = {name: (count, many[name]) for name, count in few.items() if many[name] > count}
    assert grown == {}
    assert max(few.values()) <= MOST
    assert sum(few.values()) > 100
    assert {audience for audience, _ in few} >= set(AUDIENCES) - {"warehouse"}  # whose examples only change
