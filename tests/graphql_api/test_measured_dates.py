"""Dates come with quantiles that rest on what the supplier did, from twenty deliveries on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

pytest.importorskip("sklearn")

from core.domain.access import Role
from core.queries.system_figures import system_figures
from core.repositories.gates import take_gates
from core.settings import Settings
from tests.graphql_api.schema_under_test import NOW, Shop, open_shop
from workers.job import JobContext
from workers.jobs.measure_dates import measure_dates

pytestmark = pytest.mark.anyio

DATES = "shipDate { promised expected p50 p80 p95 coverage observations basis } deliveryDate { p80 observations }"
COVERED = (15 / 24, 1.0)
ON_THE_SHELF = 2
"""Days from the receipt to the end of its inspection."""
KEPT = """{ stageDates { stage location { code } destination { code } observations p50 p95 coverage judged isDrifting }
    supplierDates { basis supplier { code } coverageP50 coverage coverageP95 judged isDrifting }
    modelReport { plots { kind svg } } }"""
ORDER = f"""query ($number: String!) {{ order(number: $number) {{ lines {{ promise {{ {DATES} }}
    pegs {{ firmness expected {{ p80 }} }} backorder {{ expected {{ p95 }} }} }} }} }}"""


@pytest.fixture
async def shop(database_url):
    async with open_shop(database_url) as opened:
        yield opened


async def _deliveries(shop: Shop, lates: list[int], sku: str = "KETTLE-17") -> None:
    """Supplies of one supplier that came so many days after the confirmed day, one a week until now."""
    sku_id, place = await shop.id_of("sku", sku), await shop.id_of("location", "DC-ICN")
    supplier = await shop.database.system.fetchval("select min(id) from supplier")

    async def write(uow):
        await take_gates(uow, [sku_id])
        for number, late in enumerate(lates):
            stated = NOW.date() - timedelta(days=7 * (len(lates) - number) + 5)
            said = NOW - timedelta(days=7 * (len(lates) - number) + 30)
            supply = await uow.sql.fetchval(
                """insert into supply (sku_id, location_id, kind, supplier_id, quantity, paper_date, usable_date, date_basis,
                    created_at, updated_at) values ($1, $2, 'purchase', $3, 5, $4, $4, 'CONFIRMED_ORDER', $5, $5) returning id""",
                sku_id, place, supplier, stated, said,
            )  # fmt: skip
            receipt = await uow.sql.fetchval(
                """insert into goods_receipt (number, location_id, actor, received_at) values ($1, $2, 't', $3) returning id""",
                f"R{number}-{supply}", place, NOW + (stated + timedelta(days=late) - NOW.date()),
            )  # fmt: skip
            line = await uow.sql.fetchval(
                """insert into goods_receipt_line (sku_id, goods_receipt_id, supply_id, quantity, damaged)
                values ($1, $2, $3, 5, 1) returning id""",
                sku_id, receipt, supply,
            )  # fmt: skip
            await uow.sql.execute(
                """insert into inspection_result (sku_id, goods_receipt_line_id, accepted, rejected, inspected_at, actor)
                values ($1, $2, 1, 0, $3, 't')""",
                sku_id, line, NOW + (stated + timedelta(days=late + ON_THE_SHELF) - NOW.date()),
            )  # fmt: skip
            await uow.sql.execute(
                "update supply set received = 5, updated_at = $3 where sku_id = $1 and id = $2", sku_id, supply, uow.now
            )
        await uow.sql.execute(
            """insert into supply (sku_id, location_id, kind, supplier_id, quantity, paper_date, usable_date, date_basis,
                created_at, updated_at) values ($1, $2, 'purchase', $3, 500, $4, $4, 'CONFIRMED_ORDER', $5, $5)""",
            sku_id, place, supplier, NOW.date() + timedelta(days=3), NOW,
        )  # fmt: skip

    await shop.context(Role.PLANNER).mutate(write)


async def test_a_promise_on_inbound_goods_shows_how_late_its_supplier_is(shop: Shop):
    await _deliveries(shop, [0, 0, 0, 1, 1, 2, 6, 0, 1, 4] * 3)
    await shop.place("MINSEO", ("KETTLE-17", 17))
    number = await shop.database.system.fetchval("select number from sales_order order by id desc limit 1")
    context = JobContext(shop.database, Settings(env="test"), shop.clock)
    planner = shop.context(Role.PLANNER)
    (line,) = (await shop.ask(planner, ORDER, number=number))["order"]["lines"]
    before = line["promise"]["shipDate"]
    assert (before["p80"], before["observations"]) == (None, 0)
    assert before["expected"] == before["promised"]
    assert (await measure_dates(context, {}))["groups"] == 5
    (line,) = (await shop.ask(await shop.customer("MINSEO"), ORDER, number=number))["order"]["lines"]
    told = line["promise"]["shipDate"]
    stated = NOW.date() + timedelta(days=3)
    days = {name: (date.fromisoformat(told[name]) - stated).days for name in ("p50", "p80", "p95")}
    assert days == {"p50": 4, "p80": 6, "p95": 9}, (
        "one, four and six days late, Sunday's goods on Monday, and the two days that shelving was measured to take"
    )
    assert (told["observations"], told["expected"]) == (30, told["p80"])
    assert told["coverage"] == 0.75
    assert line["promise"]["deliveryDate"] == {"p80": None, "observations": 0}, "no delivery was ever measured"
    seen = await shop.ask(planner, KEPT)
    (supplier,) = seen["supplierDates"]
    assert seen["stageDates"] == [
        {"stage": "SHELF", "location": {"code": "DC-ICN"}, "destination": None, "observations": 30, "p50": 2, "p95": 2,
         "coverage": 1.0, "judged": 25, "isDrifting": False}
    ]  # fmt: skip
    assert supplier == {"basis": "CONFIRMED_ORDER", "supplier": {"code": supplier["supplier"]["code"]}, "judged": 24,
                        "coverageP50": COVERED[0], "coverage": 0.75, "coverageP95": COVERED[1], "isDrifting": False}  # fmt: skip
    (plot,) = seen["modelReport"]["plots"]
    assert plot["kind"] == "COVERAGE"
    assert f"{supplier['supplier']['code']}: 0.75" in plot["svg"]
    async with shop.database.system.acquire() as sql:
        figures = await system_figures(sql)
    code = supplier["supplier"]["code"]
    assert figures.date_coverage == {(code, "P50"): COVERED[0], (code, "P80"): 0.75, (code, "P95"): COVERED[1]}
    assert (figures.dates_judged, figures.dates_drifting) == ({code: 24}, 0)
    assert line["backorder"]["expected"]["p95"] == told["p95"]
    assert [peg["expected"]["p80"] for peg in line["pegs"] if peg["firmness"] != "HARD"][-1] == told["p80"]
