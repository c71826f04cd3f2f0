"""What a scenario says is what then happens: the question is asked, then the supplier really says so, and days pass."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.services.allocate_waiting import allocate_waiting
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.serve_due_claims import serve_due_claims
from core.services.start_simulation import (
    ChangeInput,
    ScenarioInput,
    ScopeInput,
    StartSimulation,
    start_simulation,
)
from core.settings import Settings
from tests.world import TODAY, World
from workers.job import JobContext
from workers.jobs.run_simulation import run_simulation

pytestmark = pytest.mark.anyio
QUIET_DAYS = 60
"""Orders older than the recent days: no demand is expected, so that nothing but supply decides. Goods ordered anew would take
twice as long."""
START = TODAY + timedelta(days=QUIET_DAYS)
FRIDAY, NEXT_WEEK = START + timedelta(days=7), START + timedelta(days=12)
HORIZON = 35
WORKING_WEEK = """
update calendar set working_days = '{1,2,3,4,5}';
update supplier_sku set lead_time_days = 120, lead_time_p80 = 120;
insert into policy (code, value) values ('receiving_days', '2'), ('purchase_approval_limit', '100000000')
"""


async def answered(world: World, number: str, dock: date, sequence: str) -> None:
    said = AcknowledgePurchaseOrder(number, None, [AcknowledgeLine(1, [(6, dock)])], sequence)
    await world.do(lambda uow: apply_acknowledgement(uow, said))


async def a_company(world: World) -> dict[str, date]:
    """Three on the shelf, twice six under way, three customers who want fourteen; the dock days by purchase order."""
    await world.database.system.execute(WORKING_WEEK)
    await world.stock(3)
    docks: dict[str, date] = {}
    for dock in (FRIDAY, NEXT_WEEK):
        wanted = CreatePurchaseOrder("SUP", "A", [("S", 6, None)], dock)
        number = (await world.do(lambda uow, wanted=wanted: create_purchase_order(uow, wanted))).number
        await world.send_purchases()
        await answered(world, number, dock, "1")
        docks[number] = dock
    await world.place(*(world.order(("S", units), customer=who) for who, units in (("C1", 5), ("V1", 4), ("C2", 5))))
    world.clock.at += timedelta(days=QUIET_DAYS)
    return docks


async def simulated(world: World, change: ChangeInput) -> dict[str, Any]:
    question = StartSimulation("?", [ScenarioInput("x", [change])], horizon_days=HORIZON)
    asked = await world.do(lambda uow: start_simulation(uow, question))
    context = JobContext(world.database, Settings(env="test"), world.clock)
    await run_simulation(context, {"simulationId": asked.simulation_id})
    result = await world.value("select result from simulation_run where id = $1", asked.simulation_id)
    (scenario,) = result["scenarios"]
    return scenario["totals"]


async def really(world: World) -> tuple[list[int], list[int]]:
    """(backordered units, free stock) day by day: what is due is received, and stock goes to who waits."""
    sku_id, start = await world.sku(), world.clock.at
    short, free = [], []
    for offset in range(HORIZON + 1):
        world.clock.at = start + timedelta(days=offset)
        for due in await world.rows(
            """select o.number, sum(s.quantity - s.received)::int as units from supply s
            join purchase_order_line l on l.id = s.purchase_order_line_id join purchase_order o on o.id = l.purchase_order_id
            where s.usable_date <= $1 and s.quantity > s.received group by o.number order by o.number""",
            START + timedelta(days=offset),
        ):
            receipt = ReceiveGoods(due["number"], "PURCHASE_ORDER", "A", [ReceiptLine("S", due["units"])])
            await world.do(lambda uow, receipt=receipt: receive_goods(uow, receipt))
        await world.do(lambda uow: allocate_waiting(uow, [sku_id]))
        await world.do(lambda uow: serve_due_claims(uow, [sku_id]))
        short.append(await world.value("select coalesce(sum(backordered), 0)::int from order_line"))
        free.append(await world.value("select (on_hand - unsellable - allocated)::int from stock_level"))
    return short, free


@pytest.mark.parametrize("kind", ["SUPPLY_OUTAGE", "LEAD_TIME"])
async def test_a_scenario_and_what_then_happens_have_the_same_figures(world: World, kind: str) -> None:
    """Two receiving days and weekends lie between the day that a supplier writes and the day its goods can be given out."""
    docks, scope = await a_company(world), ScopeInput(suppliers=["SUP"])
    saturday = START + timedelta(days=15)
    if kind == "SUPPLY_OUTAGE":
        change, days = ChangeInput(kind, scope, from_date=START, until=saturday), dict.fromkeys(docks, saturday)
    else:
        change, days = ChangeInput(kind, scope, days=10), {n: day + timedelta(days=10) for n, day in docks.items()}
    said = await simulated(world, change)
    for number, dock in days.items():
        await answered(world, number, dock, "2")
    short, free = await really(world)
    assert said["backordered_by_day"] == short
    assert said["free_stock_by_day"] == free
    assert said["late_unit_days"] == sum(short) > 0
