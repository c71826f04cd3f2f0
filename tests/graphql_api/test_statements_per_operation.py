"""SQL statements per operation: whatever an audience asks, twice as many rows cost not one statement more."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable
from contextlib import aclosing
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from api.context import Context
from api.examples import AUDIENCES, examples
from api.live import LiveHub
from api.operations import schema
from core.domain.access import Role
from core.repositories.outbox import move_outbox
from tests.graphql_api.schema_under_test import Shop, open_shop
from tests.graphql_api.test_access_by_owner import questions
from tests.graphql_api.test_examples import Stage

pytestmark = pytest.mark.anyio

UNKNOWN = re.compile(r"\{\{(?!key|today)")
"""In the variables of an example: what another example gives."""
MOST = 110
"""Statements of the largest of these documents, which ask for all fields five objects deep; a page of 10 orders
costs as many as a page of 1000."""


OF_THE_DRIVER = re.compile(
    r"\s*(SELECT\s+current_setting\('jit'\)|WITH\s+RECURSIVE\s+typeinfo_tree|SELECT\s+set_config\('jit')"
)
"""By these asyncpg asks, once in each connection, what a type looks like. Which of the pool's connections has asked
already is a matter of chance."""


def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that every statement is added to which the product sends from now on."""
    statements: list[str] = []

    def hear(record: Any) -> None:
        if not OF_THE_DRIVER.match(record.query):
            statements.append(record.query)

    monkeypatch.setattr("core.database.watch_statements", lambda connection: connection.add_query_logger(hear))
    return statements


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
    statements = heard(monkeypatch)
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


LINE = """lineNumber sku { code } allocated promise { slices { source { kind } location { code } } }
    pegs { quantity supply { kind } } promiseHistory { reason } backorder { id options { kind } timeline(first: 9) { nodes { kind } } }"""
OFFER = (
    "sku { code } state availableNow atp { date quantity } locations { onHand } promise { slices { source { kind } } }"
)
ORDER = f"order {{ number status lines {{ {LINE} }} holds {{ reason }} shipments {{ number }} customer {{ code }} }}"
PURCHASE = "purchaseOrder { number lines { sku { code } schedules { quantity } ordersWaiting } }"

FOR_OTHER_CASES = 2
"""Statements that are only sent when one of the lines is a case of its own; far fewer than three lines would cost."""


async def test_more_lines_are_not_more_statements_for_any_change_or_event(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = heard(monkeypatch)
    async with open_shop(database_url) as shop:
        rows = await shop.database.system.fetch(
            """select s.code from sku s join supplier_sku x on x.sku_id = s.id join supplier p on p.id = x.supplier_id
            where s.status = 'ACTIVE' and p.code = 'BRIGHTWORKS' order by s.id"""
        )
        codes = [row["code"] for row in rows]
        hub = LiveHub(shop.database, None, shop.settings)
        await hub.start()

        async def all_of(chosen: list[str]) -> dict[str, int]:
            """Statements of each change, and of being told of it, with a line for each SKU."""
            cost: dict[str, int] = {}

            async def change(caller: Role | Context, name: str, given: dict[str, Any], selection: str) -> Any:
                context = shop.context(caller) if isinstance(caller, Role) else caller
                statements.clear()
                answer = await shop.change(context, name, given, selection)
                cost[name] = len(statements)
                assert answer["userErrors"] == [], (name, answer)
                return answer

            async def event(document: str, during: Awaitable[Any]) -> Any:
                """What `during` answers; counted is how its first event is told."""
                context: Any = shop.context(Role.PLANNER)
                context.hub = hub
                stream: Any = await schema.subscribe(document, context_value=context)
                async with aclosing(stream):
                    hearing = asyncio.ensure_future(anext(stream))
                    done = await during
                    async with shop.database.system.acquire() as sql, sql.transaction():
                        await move_outbox(sql)
                    statements.clear()
                    result = await asyncio.wait_for(hearing, 30)
                assert result.errors is None
                name = next(iter(result.data))
                cost[name] = sum(" relay" not in text and " event " not in text for text in statements)
                return done

            lines = [{"sku": code, "quantity": 9_000} for code in chosen]
            held = {"channel": "web", "items": [{"sku": code, "quantity": 1} for code in chosen]}
            await change(Role.STOREFRONT, "reservationCreate", held, "reservation { id items { sku { code } } }")
            placed = {
                "channel": "web",
                "customer": {"code": "MINSEO"},
                "shipTo": {"country": "KR", "postalCode": "04524"},
            }
            watched = f"subscription {{ orderChanged {{ kind {ORDER} }} }}"
            placing = change(Role.STOREFRONT, "orderPlace", {**placed, "lines": lines}, ORDER)
            number = (await event(watched, placing))["order"]["number"]
            await change(Role.PLANNER, "orderHold", {"number": number, "reason": "MANUAL"}, ORDER)
            await change(Role.PLANNER, "orderHoldRelease", {"number": number}, ORDER)
            watched = f"subscription {{ purchaseOrderChanged {{ kind {PURCHASE} }} }}"
            bought = {
                "supplier": "BRIGHTWORKS",
                "location": "DC-ICN",
                "lines": [{**one, "quantity": 60} for one in lines],
            }
            buying = change(Role.PLANNER, "purchaseOrderCreate", bought, PURCHASE)
            bought = (await event(watched, buying))["purchaseOrder"]["number"]
            await shop.database.system.execute("update purchase_order set status = 'SENT', sent_at = now()")
            supplier = await shop.supplier("BRIGHTWORKS")
            numbered = list(enumerate(chosen, 1))
            accepted = [{"date": str(shop.clock.at.date() + timedelta(days=30)), "quantity": 60}]
            answer = {"number": bought, "lines": [{"lineNumber": at, "accepted": accepted} for at, _ in numbered]}
            await change(supplier, "purchaseOrderAcknowledge", answer, PURCHASE)
            sent = [
                {"purchaseOrderNumber": bought, "lineNumber": at, "sku": code, "quantity": 20} for at, code in numbered
            ]
            notice = {"number": f"N-{bought}", "shippedOn": str(shop.clock.at.date()), "lines": sent}
            await change(
                supplier,
                "shipNoticeSubmit",
                notice,
                "shipNotice { number }",
            )
            received = [{"sku": code, "quantity": 9, "lineNumber": number} for number, code in enumerate(chosen, 1)]
            goods = {"reference": bought, "location": "DC-ICN", "lines": received}
            watched = (
                f"subscription {{ availabilityChanged(skus: {json.dumps(chosen)}) {{ availability {{ {OFFER} }} }} }}"
            )
            receiving = change(Role.WAREHOUSE, "goodsReceive", goods, "receipt { number lines { sku { code } } }")
            await event(watched, receiving)
            watched = f"subscription {{ backorderChanged {{ kind backorder {{ state orderLine {{ {LINE} }} }} }} }}"
            await event(watched, change(Role.PLANNER, "orderCancel", {"number": number}, ORDER))
            return cost

        await all_of(codes)  # what is read once per process is read here
        few, many = await all_of(codes[:2]), await all_of(codes)
        await hub.close()
    assert len(codes) >= 5
    grown = {name: (count, many[name]) for name, count in few.items() if many[name] > count + FOR_OTHER_CASES}
    assert (grown, len(few), min(few.values()) > 0) == ({}, 13, True), (few, many)
