"""Options, course, policies and causes through the schema: own ones only, typed refusals, figures that add up."""

import json
from datetime import timedelta

import pytest

from core.domain.access import Role
from core.services.change_policy import ChangePolicy, change_policy
from core.services.run_backorder_course import run_backorder_course
from core.unit_of_work import run_unit_of_work
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop

pytestmark = pytest.mark.anyio

OPTIONS = "backorder { id state version options { id kind isDefault quantity price { amountMinor currency } } }"


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        course = [{"step": "PURCHASE"}, {"step": "OPTIONS", "waitLongerThanDays": 10}]
        await run_unit_of_work(
            opened.database, lambda uow: change_policy(uow, ChangePolicy("backorder_course", course))
        )
        yield opened


async def offered(shop: Shop, customer: str = "MINSEO", **more):
    """A backorder of KETTLE-17 with its options offered; its id."""
    placed = await shop.place(customer, ("KETTLE-17", 40), **more)
    sku_id = await shop.id_of("sku", "KETTLE-17")
    await run_unit_of_work(shop.database, lambda uow: run_backorder_course(uow, [sku_id]), clock=shop.clock)
    return placed["backorders"][0]["id"]


async def test_a_customer_sees_and_takes_its_options_and_nobody_elses(shop: Shop):
    backorder = await offered(shop)
    mine, other = await shop.customer("MINSEO"), await shop.customer("BAKER")
    document = "query ($id: ID!) { node(id: $id) { ... on Backorder { state options { id kind isDefault } } } }"
    seen = (await shop.ask(mine, document, id=backorder))["node"]
    assert (seen["state"], [o["kind"] for o in seen["options"]]) == ("OPTION_OFFERED", ["WAIT", "CANCEL"])
    assert (await shop.ask(other, document, id=backorder))["node"] is None
    wait = seen["options"][0]["id"]
    for input in ({"id": wait}, {"backorderId": backorder, "kind": "WAIT"}):
        refused = await shop.change(other, "backorderOptionChoose", input, OPTIONS)
        told = [(e["code"], e["path"]) for e in refused["userErrors"]]
        assert (refused["backorder"], told) == (None, [("NOT_FOUND", ["input", next(iter(input))])])
    done = await shop.change(mine, "backorderOptionChoose", {"id": wait}, OPTIONS, key="once")
    assert (done["backorder"]["state"], done["backorder"]["options"], done["userErrors"]) == ("AWAITING_SUPPLY", [], [])
    again = await shop.change(mine, "backorderOptionChoose", {"id": wait}, OPTIONS, key="once")
    assert again == done
    late = """mutation ($id: ID!) { backorderOptionChoose(input: {id: $id}, idempotencyKey: "late") {
        userErrors { code ... on OptionClosed { state chosen } } } }"""
    answer = await shop.ask(mine, late, id=wait)
    closed = {"code": "OPTION_CLOSED", "state": "CHOSEN", "chosen": "WAIT"}
    assert answer["backorderOptionChoose"]["userErrors"] == [closed]


async def test_what_is_asked_wrongly_is_refused(shop: Shop):
    backorder = await offered(shop)
    mine = await shop.customer("MINSEO")

    async def codes(input):
        answer = await shop.change(mine, "backorderOptionChoose", input, OPTIONS)
        return [e["code"] for e in answer["userErrors"]]

    assert await codes({}) == ["INVALID_INPUT"]
    assert await codes({"backorderId": backorder}) == ["INVALID_INPUT"]
    assert await codes({"backorderId": backorder, "kind": "SUBSTITUTE"}) == ["NOT_FOUND"]
    assert await codes({"backorderId": backorder, "kind": "WAIT", "expectedVersion": 1}) == ["VERSION_CONFLICT"]


async def test_planners_pause_the_course_and_take_a_step(shop: Shop):
    placed = await shop.place("MINSEO", ("KETTLE-17", 40))
    backorder, planner = placed["backorders"][0]["id"], shop.context(Role.PLANNER)
    want = "backorder { state course { isPaused pausedReason steps { step outcome } } }"
    paused = await shop.change(planner, "backorderCoursePause", {"id": backorder, "reason": "I call them"}, want)
    assert paused["backorder"]["course"] == {"isPaused": True, "pausedReason": "I call them", "steps": []}
    sku_id = await shop.id_of("sku", "KETTLE-17")
    await run_unit_of_work(shop.database, lambda uow: run_backorder_course(uow, [sku_id]), clock=shop.clock)
    stepped = await shop.change(planner, "backorderCourseRun", {"id": backorder, "step": "OPTIONS"}, want)
    assert stepped["backorder"]["state"] == "OPTION_OFFERED"
    assert stepped["backorder"]["course"]["steps"] == [{"step": "OPTIONS", "outcome": "OFFERED"}]
    customer = await shop.customer("MINSEO")
    document = "query ($id: ID!) { node(id: $id) { ... on Backorder { course { isPaused } } } }"
    assert await shop.ask(customer, document, id=backorder) == {"node": {"course": None}}


async def test_policies_are_listed_checked_and_changed(shop: Shop):
    planner = shop.context(Role.PLANNER)
    want = "policy { code value default isDefault version }"
    listed = (await shop.ask(planner, "{ policies { code value isDefault } }"))["policies"]
    by_code = {row["code"]: row for row in listed}
    assert json.loads(by_code["promise_hysteresis_days"]["value"]) == 2
    assert by_code["backorder_options"]["isDefault"] is True

    async def change(code, value, **more):
        return await shop.change(planner, "policyChange", {"code": code, "value": value, **more}, want)

    done = await change("backorder_options", '{"deadlineHours": 24}', expectedVersion=0)
    assert (done["policy"]["value"], done["policy"]["version"]) == ('{"deadlineHours":24}', 1)
    refused = [
        ("nope", "1", "NOT_FOUND"),
        ("backorder_options", '{"deadlineHours": 0}', "INVALID_INPUT"),
        ("backorder_options", "{", "INVALID_INPUT"),
        ("backorder_course", '[{"step": "NAP"}]', "INVALID_INPUT"),
        ("backorder_course", '[{"step": "OPTIONS"}, {"step": "OPTIONS"}]', "INVALID_INPUT"),
        ("hold_deadline_hours", '{"PAYMENT": "soon"}', "INVALID_INPUT"),
        ("purchase_requests", '"NEVER"', "INVALID_INPUT"),
        ("receiving_days", "true", "INVALID_INPUT"),
    ]
    for code, value, wanted in refused:
        answer = await change(code, value)
        assert ([e["code"] for e in answer["userErrors"]], answer["policy"]) == ([wanted], None), (code, value)
    conflict = await change("backorder_options", "{}", expectedVersion=0)
    assert [e["code"] for e in conflict["userErrors"]] == ["VERSION_CONFLICT"]
    back = await change("backorder_options", None)
    assert (back["policy"]["isDefault"], back["policy"]["version"]) == (True, 0)


async def test_causes_are_ranked_with_units_days_and_money(shop: Shop):
    planner = shop.context(Role.PLANNER)
    await shop.place("MINSEO", ("KETTLE-17", 26))
    await shop.place("BAKER", ("KETTLE-17", 15), country="GB")
    shop.clock.at += timedelta(days=3, hours=1)
    document = """query ($from: DateTime!, $to: DateTime!) { backorderCauses(from: $from, to: $to) { causes {
        cause backorders lines units daysLost unitDays atStake { amountMinor currency }
        recurring { sku { code } supplier { code } backorders units } } } }"""
    period = {"from": NOW.isoformat(), "to": (NOW + timedelta(days=1)).isoformat()}
    (figures,) = (await shop.ask(planner, document, **period))["backorderCauses"]["causes"]
    price = await shop.database.system.fetchval("select unit_price from sku where code = 'KETTLE-17'")
    short = await shop.database.system.fetchval("select sum(backordered) from order_line")
    assert (figures["backorders"], figures["lines"], figures["units"]) == (2, 2, short)
    assert (figures["daysLost"], figures["unitDays"]) == (6, 3 * short)
    assert figures["atStake"] == [{"amountMinor": short * price, "currency": "USD"}]
    assert figures["recurring"] == [
        {"sku": {"code": "KETTLE-17"}, "supplier": {"code": "BRIGHTWORKS"}, "backorders": 2, "units": short}
    ]
    earlier = {"from": "2026-01-01T00:00:00Z", "to": NOW.isoformat()}
    assert (await shop.ask(planner, document, **earlier))["backorderCauses"]["causes"] == []
