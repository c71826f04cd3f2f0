"""What planners see of risks and models: reasons in their language, inputs ready to send, one call back to a model."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

pytest.importorskip("sklearn")

from core.domain.access import Role
from core.domain.risk_actions import Situation, Source, Spare, suggest_actions
from core.domain.states import RiskActionKind
from core.settings import Settings
from tests.graphql_api.schema_under_test import Shop, open_shop
from workers.job import JobContext
from workers.jobs.forecast_demand import forecast_demand
from workers.jobs.retrain_risk import retrain_risk
from workers.jobs.score_risk import score_risk

pytestmark = pytest.mark.anyio

RISKS = """query ($filter: BackorderRiskFilter) { backorderRisks(first: 5, filter: $filter) { nodes { probability isShort spoke
    sku { code } location { code } model { id } reasons { code text weight } actions { kind mutation input state units days } } } }"""
REPORT = """{ modelReport { active { id spoke state figures { name value } libraries } models { id state verdict }
    checks { alarms } record { modelId scored } plots { kind svg } } }"""


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def test_a_planner_sees_the_risk_why_and_what_to_send(shop: Shop):
    await shop.place("MINSEO", ("KETTLE-17", 17))
    await shop.database.system.execute("""insert into policy (code, value) values ('risk', '{"actAbove": 0.01}')""")
    await score_risk(JobContext(shop.database, Settings(env="test"), shop.clock), {})
    planner = shop.context(Role.PLANNER)
    (risk,) = (await shop.ask(planner, RISKS, filter={"sku": "KETTLE-17", "location": "DC-ICN"}))["backorderRisks"][
        "nodes"
    ]
    assert (risk["spoke"], risk["model"], risk["isShort"]) == ("RULE", None, True)
    texts = [reason["text"] for reason in risk["reasons"]]
    assert "Nothing is on hand." in texts
    planner.language = "ko"
    seen = await shop.ask(planner, '{ sku(code: "KETTLE-17") { risk { probability reasons { text } } } }')
    assert "현재고가 없습니다." in [reason["text"] for reason in seen["sku"]["risk"]["reasons"]]
    priority = next(action for action in risk["actions"] if action["kind"] == "RAISE_PRIORITY")
    wanted = json.loads(priority["input"])
    changed = await shop.change(planner, priority["mutation"], wanted, "backorder { priority { score isManual } }")
    assert changed["userErrors"] == []
    assert changed["backorder"]["priority"] == {"score": wanted["score"], "isManual": True}
    customer = await shop.customer("MINSEO")
    assert await shop.ask(customer, '{ sku(code: "KETTLE-17") { risk { probability } } }') == {"sku": {"risk": None}}


async def test_every_suggestion_can_be_sent_as_it_stands(shop: Shop):
    """Stock, lanes and offers are those of the shop; what is short is made up."""
    sql = shop.database.system
    stock = await sql.fetchrow(
        """select k.code as sku, a.code as location, b.code as there, s.on_hand - s.allocated as units
        from stock_level s join sku k on k.id = s.sku_id join lane n on n.from_location_id = s.location_id
        join location b on b.id = s.location_id join location a on a.id = n.to_location_id and a.kind in ('dc', 'warehouse')
        where s.on_hand - s.allocated - s.unsellable > 3 and not k.tracks_expiry
            and exists (select from supplier_sku x where x.sku_id = k.id)
            and exists (select from stock_level h where h.sku_id = k.id and h.location_id = a.id and h.on_hand - h.allocated > 3)
        order by 1, 2 limit 1"""
    )
    offers = [dict(row) for row in await sql.fetch(
        """select p.code as supplier, x.lead_time_days, x.moq, x.order_multiple, x.is_preferred from supplier_sku x
        join supplier p on p.id = x.supplier_id join sku k on k.id = x.sku_id where k.code = $1""", stock["sku"]
    )]  # fmt: skip
    sources = [Source(**{**offer, "is_preferred": usual}) for offer in offers[:1] for usual in (True, False)]
    sources[1] = replace(sources[0], supplier=offers[-1]["supplier"], lead_time_days=0, is_preferred=False)
    made_up = Situation(stock["sku"], stock["location"], 2, 0, 5, 10, 0, 1.0, date(2026, 6, 1), sources,
                        [Spare(stock["there"], 2, 1)], [], free=2)  # fmt: skip
    found = {one.kind: one for one in suggest_actions(made_up)}
    assert {RiskActionKind.TRANSFER, RiskActionKind.EXPEDITE, RiskActionKind.RESERVE} <= set(found)
    for one in found.values():
        answer = await shop.change(shop.context(Role.PLANNER), one.mutation, dict(one.input), "")
        assert answer["userErrors"] == [], one.kind


async def test_the_report_names_who_speaks_and_one_call_goes_back(shop: Shop):
    await shop.database.system.execute(
        """insert into risk_snapshot (sku_id, location_id, day, taken_at, on_hand, in_transit, sales_1, sales_3, sales_6,
            sales_9, minimum_stock, past_due, backordered, went_short, labelled_at)
        select k.id, l.id, current_date - d, now() - make_interval(days => d), d % 9, 0, 1, 3, 6, 9, 0, 0, 0, d % 9 = 0, now()
        from generate_series(15, 80) d, (select id from sku order by id limit 2) k, (select min(id) as id from location) l"""
    )
    context = JobContext(shop.database, Settings(env="test"), shop.clock)
    first, second = await retrain_risk(context, {"cause": "FIRST"}), await retrain_risk(context, {"cause": "ASKED"})
    planner = shop.context(Role.PLANNER)
    report = (await shop.ask(planner, REPORT))["modelReport"]
    assert (report["active"]["id"], report["active"]["spoke"]) == (str(second["kept"]), "RULE")
    assert [model["state"] for model in report["models"]] == ["ACTIVE", "RETIRED"]
    (plot,) = report["plots"]
    assert plot["kind"] == "CALIBRATION", "nothing went short on the judged days: there is no precision to draw"
    assert plot["svg"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    back = await shop.change(planner, "modelRollBack", {"reason": "worse on promotions"}, "model { id state }")
    assert back == {"model": {"id": str(first["kept"]), "state": "ACTIVE"}, "userErrors": []}
    wrong = await shop.change(planner, "modelRollBack", {"reason": "?", "modelId": "99"}, "model { id }")
    assert [error["code"] for error in wrong["userErrors"]] == ["NOT_FOUND"]


TARGETS = """{ stockTargets(first: 5, filter: { flags: [STOCKOUT_RISK] }) { nodes { abc xyz reorderPoint position suggested
    urgency flags sku { code } location { code } reasons { code units text } helps { id units } } }
    supplierDates { basis } demandAccuracy { method } inputFaults { subject } }"""


async def test_what_to_order_now_names_the_backorders_it_helps(shop: Shop):
    await shop.place("MINSEO", ("KETTLE-17", 40))
    await forecast_demand(JobContext(shop.database, Settings(env="test"), shop.clock), {})
    planner = shop.context(Role.PLANNER)
    found = await shop.ask(planner, TARGETS)
    (target,) = [one for one in found["stockTargets"]["nodes"] if one["sku"]["code"] == "KETTLE-17"]
    assert target["flags"][:2] == ["REPLENISH", "STOCKOUT_RISK"]
    assert target["suggested"] > 0
    (helped,) = target["helps"]
    seen = await shop.ask(
        planner, "query ($id: ID!) { node(id: $id) { ... on Backorder { quantity } } }", id=helped["id"]
    )
    assert 0 < helped["units"] <= seen["node"]["quantity"]
    text = f"{helped['units']} wait there without a source."
    assert {"code": "BACKORDERED", "units": helped["units"], "text": text} in target["reasons"]
    assert (found["supplierDates"], found["demandAccuracy"], found["inputFaults"]) == ([], [], [])
