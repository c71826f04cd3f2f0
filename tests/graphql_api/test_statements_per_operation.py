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
from graphql import GraphQLInputObjectType, GraphQLList, get_named_type, get_nullable_type
from pydantic import SecretStr

from api.context import Context
from api.examples import AUDIENCES, examples
from api.live import LiveHub
from api.operations import schema
from api.pagination import encode_id
from core.domain.access import Role
from core.events import Event
from core.repositories.outbox import move_outbox
from core.services.plan_shipments import plan_shipments
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop
from tests.graphql_api.test_access_by_owner import questions
from tests.graphql_api.test_examples import Stage

pytestmark = pytest.mark.anyio

GRAPH = schema._schema
UNKNOWN = re.compile(r"\{\{(?!key|today)")
"""In the variables of an example: what another example gives."""
MOST = 120
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
            for role in (Role.STOREFRONT, Role.CUSTOMER, Role.SUPPLIER, Role.PLANNER, Role.WAREHOUSE, Role.AUDITOR):
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
    assert set(GRAPH.query_type.fields) - {name for _, name in few} == OF_ONE_ID  # type: ignore[union-attr]


OF_ONE_ID = {"node", "reservation", "repromisingRun", "repromisingComparison", "simulation"}
"""Root queries for what this company has none of: they answer one object, whose fields the others ask for, too."""


LINE = """lineNumber sku { code } allocated promise { slices { source { kind } location { code } } }
    pegs { quantity supply { kind } } promiseHistory { reason } backorder { id options { kind } timeline(first: 9) { nodes { kind } } }"""
OFFER = (
    "sku { code } state availableNow atp { date quantity } locations { onHand } promise { slices { source { kind } } }"
)
ORDER = f"order {{ number status lines {{ {LINE} }} holds {{ reason }} shipments {{ number }} customer {{ code }} }}"
PURCHASE = "purchaseOrder { number lines { sku { code } schedules { quantity } ordersWaiting } }"

EVENTS = {
    "orderChanged",
    "purchaseOrderChanged",
    "availabilityChanged",
    "backorderChanged",
    "jobProgressed",
    "riskChanged",
    "noticeChanged",
    "alarmRaised",
}

NOT_LINES = {
    "stockTransferLose": "serial numbers of one transfer, checked together",
    "partnerCreate": "samples, each learned from by itself",
    "partnerGuideAdd": "samples, each learned from by itself",
    "repromisingRunStart": "a definition, one value",
    "repromisingVariantSave": "a definition, one value",
    "simulationStart": "scenarios, one value",
}
"""Changes whose lists are no lines of things that are looked up one by one, and what they are."""


def takes_lines(name: str) -> bool:
    """Does a change take a list: its statements could grow with it."""
    waiting, seen = [get_named_type(GRAPH.mutation_type.fields[name].args["input"].type)], set()  # type: ignore[union-attr]
    while waiting:
        type_ = waiting.pop()
        if not isinstance(type_, GraphQLInputObjectType) or type_.name in seen:
            continue
        seen.add(type_.name)
        for member in type_.fields.values():
            if isinstance(get_nullable_type(member.type), GraphQLList):
                return True
            waiting.append(get_named_type(member.type))
    return False


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
            moved = [{"date": str(shop.clock.at.date() + timedelta(days=40)), "quantity": 40}]
            days = [{"lineNumber": at, "schedules": moved} for at, _ in numbered]
            await change(supplier, "purchaseOrderReschedule", {"number": bought, "lines": days}, PURCHASE)
            told = [{"sku": code, "available": 5, "capacityPerWeek": 9} for code in chosen]
            await change(supplier, "supplierStockReport", {"lines": told}, "supplier { code }")
            received = [{"sku": code, "quantity": 9, "lineNumber": number} for number, code in enumerate(chosen, 1)]
            goods = {"reference": bought, "location": "DC-ICN", "lines": received}
            watched = (
                f"subscription {{ availabilityChanged(skus: {json.dumps(chosen)}) {{ availability {{ {OFFER} }} }} }}"
            )
            receiving = change(Role.WAREHOUSE, "goodsReceive", goods, "receipt { number lines { sku { code } } }")
            await event(watched, receiving)
            closing = {"number": bought, "reason": "It comes no more.", "lineNumbers": [at for at, _ in numbered]}
            await change(Role.PLANNER, "purchaseOrderClose", closing, PURCHASE)
            again: dict[str, Any] = {"supplier": "BRIGHTWORKS", "location": "DC-ICN"}
            again["lines"] = [{"sku": code, "quantity": 60} for code in chosen]
            answer = await shop.change(shop.context(Role.PLANNER), "purchaseOrderCreate", again, PURCHASE)
            other = answer["purchaseOrder"]["number"]
            every = [at for at, _ in numbered]
            await change(Role.PLANNER, "purchaseOrderCancel", {"number": other, "lineNumbers": every}, PURCHASE)
            steps = [
                {"fromDay": str(shop.clock.at.date() + timedelta(days=n)), "quantity": n} for n in range(len(chosen))
            ]
            reserve = {"sku": chosen[0], "location": "DC-ICN", "steps": steps}
            await change(Role.PLANNER, "protectedStockSet", reserve, "sku { code }")

            async def told_of(one: Event) -> None:
                async def tell(uow: Any) -> None:
                    uow.announce(one)

                await run_unit_of_work(shop.database, tell)

            facts = {"jobRunId": 7, "function": "x", "state": "running", "done": 1, "total": 2, "error": None}
            run = json.dumps(encode_id("JobRun", 7))
            watched = f"subscription {{ jobProgressed(id: {run}) {{ function state done total }} }}"
            await event(watched, told_of(Event("job", "running", facts, key="7")))
            sku_id = await shop.id_of("sku", chosen[0])
            risk = {"skuId": sku_id, "locationId": await shop.id_of("location", "DC-ICN"), "probability": 0.5}
            watched = "subscription { riskChanged { probability risk { sku { code } } } }"
            await event(watched, told_of(Event("risk", "RISEN", risk, key="1", sku_id=sku_id)))
            watched = "subscription { noticeChanged { subject notice { text order { number } } } }"
            said = {"noticeId": await shop.database.system.fetchval("select min(id) from notice"), "subject": "x"}
            await event(watched, told_of(Event("notice", "SENT", said, key="1")))
            watched = "subscription { alarmRaised { kind facts { name value } } }"
            await event(watched, told_of(Event("alarm", "MODEL", {"what": "x"}, key="1")))
            watched = f"subscription {{ backorderChanged {{ kind backorder {{ state orderLine {{ {LINE} }} }} }} }}"
            await event(watched, change(Role.PLANNER, "orderCancel", {"number": number}, ORDER))
            return cost

        await all_of(codes)  # what is read once per process is read here
        few, many = await all_of(codes[:2]), await all_of(codes)
        await hub.close()
    assert len(codes) >= 5
    grown = {name: (count, many[name]) for name, count in few.items() if many[name] > count + FOR_OTHER_CASES}
    assert grown == {}, (few, many)
    says_it_all = {"jobProgressed", "alarmRaised"}
    assert min(count for name, count in few.items() if name not in says_it_all) > 0
    assert {few[name] for name in says_it_all} == {0}
    assert few.keys() >= EVENTS == set(GRAPH.subscription_type.fields)  # type: ignore[union-attr]
    uncounted = {name for name in GRAPH.mutation_type.fields if takes_lines(name)} - few.keys()  # type: ignore[union-attr]
    assert uncounted == NOT_LINES.keys() | LISTED


LISTED = {
    "calendarSet",
    "channelSet",
    "goodsExchange",
    "goodsInspect",
    "goodsReturn",
    "kitChange",
    "shipmentConfirm",
    "skuChange",
    "skuCreate",
    "stockAdjust",
    "supplierTermsSet",
    "webhookChange",
    "webhookCreate",
    "webhookReplay",
}
"""Changes of one thing that has a list: serial numbers, names, days, components, price breaks, SKUs, deliveries."""


async def test_a_longer_list_of_one_thing_is_not_more_statements(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = heard(monkeypatch)
    async with open_shop(database_url) as shop:
        shop.settings = shop.settings.model_copy(update={"webhook_key": SecretStr("key")})
        planner, warehouse = shop.context(Role.PLANNER), shop.context(Role.WAREHOUSE)
        rows = await shop.database.system.fetch("select code from sku where status = 'ACTIVE' order by id")
        codes = [row["code"] for row in rows]
        rows = await shop.database.system.fetch("select code from location where kind in ('dc', 'warehouse', 'store')")
        places = [row["code"] for row in rows]
        assert len(places) > 2

        async def all_of(count: int, name: str) -> dict[str, int]:
            """Statements of each change with lists of `count`, about things called `name`."""
            cost: dict[str, int] = {}

            async def change(context: Context, operation: str, given: dict[str, Any], selection: str) -> Any:
                statements.clear()
                answer = await shop.change(context, operation, given, selection)
                cost[operation] = len(statements)
                assert answer["userErrors"] == [], (operation, answer)
                return answer

            async def shipped(customer: str, serials: list[str]) -> str:
                """Number of an order of these units, which have left."""
                number = (await shop.place(customer, (name, count)))["order"]["number"]
                id = await shop.database.system.fetchval("select id from sales_order where number = $1", number)
                await run_unit_of_work(shop.database, lambda uow: plan_shipments(uow, [id]), clock=shop.clock)
                shipment = await shop.database.system.fetchval("select number from shipment where order_id = $1", id)
                picks = [{"lineNumber": 1, "quantity": count, "serials": serials}]
                await change(warehouse, "shipmentConfirm", {"number": shipment, "picks": picks}, "shipment { number }")
                return number

            names = [{"language": code, "text": name} for code in ("en", "ko", "de", "fr", "it", "es")[:count]]
            fields = {"names": names, "tracksSerials": True}
            await change(planner, "skuCreate", {"code": name, "currency": "KRW", "fields": fields}, "sku { code }")
            await change(planner, "skuChange", {"sku": name, "fields": {"names": names}}, "sku { code }")
            parts = [{"sku": code, "quantity": 1} for code in codes[:count]]
            kit = {"code": f"{name}-KIT", "currency": "KRW", "fields": {"names": names}}
            await shop.change(planner, "skuCreate", kit, "sku { code }")
            await change(planner, "kitChange", {"sku": f"{name}-KIT", "components": parts}, "sku { code }")
            days = [{"day": str(shop.clock.at.date() + timedelta(days=n))} for n in range(count)]
            calendar = {"code": name, "name": name, "workingDays": [1, 2, 3], "exceptions": days}
            await change(planner, "calendarSet", calendar, "calendar { code }")
            channel = {"code": name.lower(), "locations": places[:count]}
            await change(planner, "channelSet", channel, "channel { code }")
            breaks = [{"fromQuantity": 10 * n, "priceMinor": 900 - n} for n in range(1, count + 1)]
            terms = {"supplier": "BRIGHTWORKS", "sku": name, "priceMinor": 1_000, "leadTimeDays": 9}
            await shop.change(planner, "supplierTermsSet", terms, "__typename")
            terms = {"supplier": "BRIGHTWORKS", "sku": name, "priceBreaks": breaks}
            await change(planner, "supplierTermsSet", terms, "__typename")
            serials = [f"{name}-{n}" for n in range(2 * count)]
            units = {"sku": name, "location": "DC-ICN", "delta": 2 * count, "reason": "found", "serials": serials}
            await change(warehouse, "stockAdjust", units, "stock { onHand }")
            first, second = serials[:count], serials[count:]
            back = {"lineNumber": 1, "quantity": count, "location": "DC-ICN"}
            returned = {**back, "number": await shipped("MINSEO", first), "serials": first}
            await change(warehouse, "goodsReturn", returned, "goodsReturn { number }")
            sound = {"sku": name, "location": "DC-ICN", "accepted": count, "serials": first}
            await change(warehouse, "goodsInspect", sound, "stock { onHand }")
            exchanged = {**back, "number": await shipped("BAKER", second), "serials": second}
            await change(warehouse, "goodsExchange", exchanged, "goodsReturn { number }")
            hook = {"url": "http://127.0.0.1:9/", "topics": ["AVAILABILITY"], "skus": codes[:count]}
            id = (await change(planner, "webhookCreate", hook, "webhook { id skus { code } }"))["webhook"]["id"]
            wanted = {"id": id, "skus": codes[-count:]}
            await change(planner, "webhookChange", wanted, "webhook { id skus { code } }")
            sent = await shop.database.system.fetch(
                """insert into webhook_delivery (webhook_id, message_id, type, body, state, delivered_at)
                select w.id, 'evt_' || n, 'order.placed', '{}', 'DELIVERED', now()
                from webhook w, generate_series(1, $1) n where w.id = (select max(id) from webhook) returning id""",
                count,
            )
            again = [encode_id("WebhookDelivery", row["id"]) for row in sent]
            replayed = await change(planner, "webhookReplay", {"id": id, "deliveries": again}, "queued")
            assert replayed["queued"] == count
            return cost

        await all_of(2, "FIRST")  # what is read once per process is read here
        few, many = await all_of(2, "FEW"), await all_of(6, "MANY")
    assert few.keys() == LISTED
    assert {name: (count, many[name]) for name, count in few.items() if many[name] > count} == {}
    assert min(few.values()) > 0
