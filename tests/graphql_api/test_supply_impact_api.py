"""From a supply to the orders that hang on it: one question of the API, one statement of the database."""

from __future__ import annotations

import re

import pytest

from core.domain.access import Role
from tests.graphql_api.schema_under_test import open_shop
from tests.graphql_api.test_statements_per_operation import grow, heard

pytestmark = pytest.mark.anyio


async def test_the_orders_that_hang_on_a_supply_are_one_statement(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = heard(monkeypatch)
    async with open_shop(database_url) as shop:
        await grow(shop, 2)
        number = await shop.database.system.fetchval(
            """select o.number from peg p join supply s on s.sku_id = p.sku_id and s.id = p.supply_id
            join purchase_order_line l on l.id = s.purchase_order_line_id join purchase_order o on o.id = l.purchase_order_id
            group by 1 order by count(*) desc, 1 limit 1"""
        )
        document = """query($n: String!) { supplyImpact(input: {purchaseOrder: $n}) {
            orders customers units totalLines lines { quantity promised backordered } } }"""
        statements.clear()
        answer = (await shop.ask(shop.context(Role.PLANNER), document, n=number))["supplyImpact"]
        assert len([query for query in statements if re.search(r"\bfrom\b", query)]) == 1
    assert answer["totalLines"] == len(answer["lines"]) > 1
    assert answer["units"] == sum(line["quantity"] for line in answer["lines"])
