"""What customers and staff are told as it happens: notices to whom they concern, alarms to staff, promises with their supply."""

import pytest

from api.live import LiveHub
from api.operations import schema
from api.pagination import encode_id
from core.domain.access import Role
from core.repositories.jobs import job_alarm
from core.services.send_notices import send_notices
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import Shop, open_shop
from tests.graphql_api.test_queries_live import caller, relay, take

pytestmark = pytest.mark.anyio

NOTICES = """subscription { noticeChanged { kind orderNumber template language subject text resyncRequired
    notice { state text order { number } } } }"""
ALARMS = "{ alarms(first: 5) { nodes { kind facts { name value } } } }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        hub = LiveHub(opened.database, None, opened.settings)
        await hub.start()
        opened.hub = hub  # type: ignore[attr-defined]
        try:
            yield opened
        finally:
            await hub.close()


async def do(shop: Shop, work):
    return await run_unit_of_work(shop.database, work, clock=shop.clock)


async def test_a_customer_hears_its_own_notices_and_staff_also_those_that_failed(shop: Shop):
    customer, planner = await shop.customer("MINSEO"), shop.context(Role.PLANNER)
    numbers = []

    async def work():
        for name, country in (("BAKER", "GB"), ("MINSEO", "KR")):
            placed = await shop.place(name, ("KETTLE-17", 17), country=country)
            numbers.append(placed["order"]["number"])
        sql = shop.database.system
        await sql.execute(
            "update notice set facts = facts - 'quantity' where order_id = (select max(id) from sales_order)"
        )
        await do(shop, send_notices)
        await sql.execute(
            "update notice set state = 'pending', facts = facts || '{\"quantity\": 9}' where state = 'failed'"
        )
        await do(shop, send_notices)
        await relay(shop)

    seen = await take(shop, planner, NOTICES, 3, work)
    assert [(e["kind"], e["orderNumber"], e["template"], e["text"] is None) for e in seen] == [
        ("SENT", numbers[0], "BACKORDER_OPENED", False),
        ("FAILED", numbers[1], "BACKORDER_OPENED", True),
        ("SENT", numbers[1], "BACKORDER_OPENED", False),
    ]
    (own,) = await take(shop, customer, NOTICES, 1, after_all(shop, customer))
    assert (own["kind"], own["orderNumber"], own["notice"]["state"]) == ("READ", numbers[1], "READ")
    told = seen[2]
    assert (told["language"], told["notice"]) == (
        "ko",
        {"state": "SENT", "text": told["text"], "order": {"number": numbers[1]}},
    )
    rows = await shop.database.system.fetch(
        "select e.kind, e.customer_id is null as hidden from event e where topic = 'notice' order by position"
    )
    assert [tuple(row) for row in rows] == [("SENT", False), ("FAILED", True), ("SENT", False), ("READ", False)]


def after_all(shop: Shop, customer):
    async def work():
        document = "{ notices(first: 9) { nodes { id state } } }"
        (notice,) = (await shop.ask(customer, document))["notices"]["nodes"]
        await shop.change(customer, "noticeMarkRead", {"id": notice["id"]}, "notice { state }")
        await relay(shop)

    return work


async def test_what_needs_a_person_is_listed_and_told_to_staff_only(shop: Shop):
    planner = shop.context(Role.PLANNER)

    async def work():
        for number in (1, 2):
            await do(shop, lambda uow, n=number: announce(uow, n))
        await relay(shop)

    async def announce(uow, number):
        uow.announce(job_alarm(number, "send_notices", None if number == 1 else "TypeError: no"))

    document = 'subscription { alarmRaised(kinds: ["JOB_FAILED"]) { kind facts { name value } resyncRequired } }'
    told = await take(shop, planner, document, 2, work)
    job, error = {"name": "job", "value": "send_notices"}, {"name": "error", "value": "TypeError: no"}
    ids = [{"name": "jobRunId", "value": encode_id("JobRun", number)} for number in (1, 2)]
    facts = [[job, ids[0]], [job, error, ids[1]]]
    assert told == [{"kind": "JOB_FAILED", "facts": fact, "resyncRequired": False} for fact in facts]
    listed = (await shop.ask(planner, ALARMS))["alarms"]["nodes"]
    assert listed == [{"kind": "JOB_FAILED", "facts": fact} for fact in reversed(facts)]
    none = '{ alarms(first: 5, filter: {kind: ["MODEL"]}) { nodes { kind } } }'
    assert (await shop.ask(planner, none))["alarms"]["nodes"] == []
    refused = await schema.subscribe(document, context_value=caller(shop, await shop.customer("MINSEO")))
    failures = [one async for one in refused] if hasattr(refused, "__aiter__") else [refused]
    messages = [error.message for one in failures for error in one.errors]
    assert messages == ["alarmRaised is not open to role CUSTOMER."]


HISTORY = """query ($number: String!) { order(number: $number) { lines { promiseHistory { sequence reason promise { quantity
    slices { quantity source { kind transfer { quantity } purchaseOrderLine { lineNumber } } } } } } } }"""


async def test_the_ledger_of_promises_tells_staff_the_supply_behind_each(shop: Shop):
    placed = await shop.place("MINSEO", ("KETTLE-17", 17))
    number = placed["order"]["number"]

    async def history(context):
        (line,) = (await shop.ask(context, HISTORY, number=number))["order"]["lines"]
        return line["promiseHistory"]

    def told(transfer):
        kinds = [("ON_HAND", 8, None), ("TRANSFER", 3, transfer), ("LEAD_TIME", 6, None)]
        return [
            {"quantity": units, "source": {"kind": kind, "transfer": moved, "purchaseOrderLine": None}}
            for kind, units, moved in kinds
        ]

    (first,) = await history(shop.context(Role.PLANNER))
    assert (first["sequence"], first["reason"], first["promise"]["quantity"]) == (1, "PLACED", 17)
    assert first["promise"]["slices"] == told({"quantity": 3})
    (own,) = await history(await shop.customer("MINSEO"))
    assert own["promise"]["slices"] == told(None)
