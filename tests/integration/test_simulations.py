"""What-if through the services and the job: an answer beside the live figures, and nothing live is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.errors import IllegalTransition, InvalidInput, NotFound, UnknownSku
from core.repositories.gates import take_gates
from core.services.start_due_repromising import start_due_repromising
from core.services.start_repromising_run import StartRun, start_repromising_run
from core.services.start_simulation import (
    ChangeInput,
    ScenarioInput,
    ScopeInput,
    StartSimulation,
    cancel_simulation,
    start_simulation,
)
from core.settings import Settings
from tests.repromising_runs import definition, diff, propose
from tests.world import TODAY, World
from workers.job import Cancelled, JobContext
from workers.jobs.run_simulation import run_simulation

pytestmark = pytest.mark.anyio
OUTAGE = ChangeInput("SUPPLY_OUTAGE", ScopeInput(skus=["S"]), from_date=TODAY, until=TODAY + timedelta(days=15))
QUESTION = StartSimulation("what if", [ScenarioInput("no boats", [OUTAGE])], horizon_days=20)


async def ask(world: World, request: StartSimulation = QUESTION) -> int:
    return (await world.do(lambda uow: start_simulation(uow, request))).simulation_id


def context(world: World) -> JobContext:
    return JobContext(world.database, Settings(env="test"), world.clock)


async def play(world: World, id: int) -> dict[str, Any]:
    await run_simulation(context(world), {"simulationId": id})
    return (await world.rows("select * from simulation_run where id = $1", id))[0]


async def digest(world: World) -> list[Any]:
    tables = ("order_line", "peg", "supply", "stock_level", "backorder", "promise", "sku_gate", "reservation")
    return [
        await world.value(f"select md5(array_agg(t::text order by t::text)::text) from {table} t") for table in tables
    ]


async def test_an_outage_is_compared_with_the_baseline_and_nothing_live_changes(world: World) -> None:
    await world.stock(2)
    await world.place(world.order(("S", 2)), world.order(("S", 5), customer="V1"))
    before = await digest(world)
    extra = ChangeInput("EXTRA_PURCHASE", sku="S", location="A", quantity=5, from_date=TODAY + timedelta(days=1))
    id = await ask(world, replace(QUESTION, scenarios=[*QUESTION.scenarios, ScenarioInput("more", [extra])]))
    row = await play(world, id)
    assert row["state"] == "DONE"
    result = row["result"]
    assert result["live"] == {
        "open_units": 0,
        "backordered_units": 5,
        "backordered_lines": 1,
        "late_lines": 0,
        "free_stock": 0,
    }
    more = next(s for s in result["scenarios"] if s["name"] == "more")
    assert more["totals"]["late_unit_days"] < result["baseline"]["late_unit_days"]
    assert (more["earlier_lines"], more["later_lines"], more["earlier_customers"]) == (1, 0, 1)
    assert [m["days_later"] for m in more["moved"]] == [-13]
    assert await digest(world) == before
    assert await play(world, id) == row


async def test_the_same_question_has_the_same_answer(world: World) -> None:
    await world.stock(30)
    await world.place(*(world.order(("S", 1 + n // 3), customer=("C1", "C2", "V1")[n % 3]) for n in range(30)))
    one, two = await ask(world), await ask(world)
    first, second = await play(world, one), await play(world, two)
    assert first["result"] == second["result"]
    assert first["result"]["baseline"]["demand_units"] > 0


async def test_a_cancelled_simulation_has_no_result_and_its_job_stops(world: World) -> None:
    await world.place(world.order(("S", 2)))
    id = await ask(world)

    class Impatient(JobContext):
        async def progress(self, done: int, total: int) -> None:
            if done == 0:
                await world.do(lambda uow: cancel_simulation(uow, id))

    with pytest.raises(Cancelled):
        await run_simulation(Impatient(world.database, Settings(env="test"), world.clock), {"simulationId": id})
    row = (await world.rows("select state, result from simulation_run where id = $1", id))[0]
    assert row == {"state": "CANCELLED", "result": None}
    with pytest.raises(IllegalTransition):
        await world.do(lambda uow: cancel_simulation(uow, id))


async def test_what_nobody_computes_any_more_ends(world: World) -> None:
    """Simulations and runs alike, by what became of their newest job."""
    await world.place(world.order(("S", 2)))
    ended = {"dead": "failed", "cancelled": "cancelled", "running": "computing"}
    for state in ended:
        simulation = await ask(world)
        run = await world.do(lambda uow: start_repromising_run(uow, StartRun(definition=definition("IMPROVE"))))
        for function, id in (("run_simulation", simulation), ("compute_repromising_run", run)):
            await world.database.system.execute(
                """insert into job_run (function, queue, key, input, state, error)
                values ($1, 'bulk', $2, '{}', $3, 'TimeoutError')""",
                function,
                str(id),
                state,
            )
    await world.do(start_due_repromising)
    for table in ("simulation_run", "repromising_run"):
        rows = await world.rows(f"select lower(state) as state, error from {table} order by id")
        assert [row["state"] for row in rows] == list(ended.values()), table
        assert rows[0]["error"] == "TimeoutError", table
    versions = await world.rows("select version from simulation_run order by id")
    await world.do(start_due_repromising)
    assert await world.rows("select version from simulation_run order by id") == versions


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        (replace(QUESTION, name=" "), InvalidInput, "A simulation needs a name."),
        (replace(QUESTION, horizon_days=181), InvalidInput, "A simulation plays 1 to 180 days, not 181."),
        (replace(QUESTION, scenarios=[]), InvalidInput, "A simulation has 1 to 10 scenarios."),
        (
            replace(QUESTION, scenarios=[ScenarioInput("Baseline", [OUTAGE])]),
            InvalidInput,
            "Scenarios have names of their own, other than 'baseline': 'Baseline' cannot be.",
        ),
        (
            replace(QUESTION, scenarios=[ScenarioInput("x", [ChangeInput("LEAD_TIME")])]),
            InvalidInput,
            "A change of kind LEAD_TIME needs `days`.",
        ),
        (
            replace(QUESTION, scenarios=[ScenarioInput("x", [ChangeInput("SAFETY_STOCK")])]),
            InvalidInput,
            "Safety stock becomes a factor or a quantity: give one of them.",
        ),
        (
            replace(QUESTION, scenarios=[ScenarioInput("x", [ChangeInput("LEAD_TIME", days=400)])]),
            InvalidInput,
            "`days` is between -365 and 365, not 400.",
        ),
        (replace(QUESTION, skus=["NOPE"]), UnknownSku, None),
        (replace(QUESTION, suppliers=["NOPE"]), NotFound, None),
    ],
)
async def test_a_question_without_sense_is_refused_and_kept_nowhere(
    world: World, request_: StartSimulation, error: type[Exception], message: str | None
) -> None:
    with pytest.raises(error) as caught:
        await ask(world, request_)
    if message is not None:
        assert getattr(caught.value, "message", "") == message
    assert await world.value("select count(*) from simulation_run") == 0


def gives(tier: str) -> dict[str, Any]:
    return {
        "segments": [
            {"name": "first", "strategy": "GAIN", "include": {"tiers": [tier]}},
            {"name": "rest", "strategy": "REDISTRIBUTE"},
        ],
        "budget": {"worsenedShare": None, "maxDays": None},
    }


async def test_runs_inside_scenarios_give_what_the_same_run_gives_live(world: World) -> None:
    """Two ways to share out, beside each other and beside the live figures; then the chosen one for real."""
    await world.supply(5, TODAY + timedelta(days=3))
    await world.supply(5, TODAY + timedelta(days=9))
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    before = await digest(world)
    score = ChangeInput("PRIORITY", grade="STANDARD", score=9_000_000)
    row = await play(
        world,
        await ask(
            world,
            StartSimulation(
                "who first",
                [
                    ScenarioInput("vips first", repromising=gives("VIP")),
                    ScenarioInput("as it is", repromising=gives("STANDARD")),
                    ScenarioInput("ranked by hand", [score], {**definition("REDISTRIBUTE")}),
                    ScenarioInput("by rank", repromising={**definition("REDISTRIBUTE")}),
                ],
                horizon_days=20,
            ),
        ),
    )
    assert row["state"] == "DONE"
    found = {s["name"]: s for s in row["result"]["scenarios"]}
    runs = {name: (s["repromising"]["gained"], s["repromising"]["lost"]) for name, s in found.items()}
    assert runs == {"vips first": (1, 1), "as it is": (0, 0), "ranked by hand": (0, 0), "by rank": (1, 1)}
    moved = {name: {m["order_id"]: m["days_later"] for m in s["moved"]} for name, s in found.items()}
    assert moved["vips first"] == moved["by rank"] == {plain.order_id: 6, vip.order_id: -6}
    assert moved["as it is"] == moved["ranked by hand"] == {}
    assert found["vips first"]["affected_customers"] == 2
    assert await digest(world) == before
    run_id = await propose(world, gives("VIP"))
    assert {r["number"]: r["days"] for r in await diff(world, run_id)} == {plain.number: 6, vip.number: -6}


async def test_a_run_on_an_outage_saves_whom_it_is_told_to_save(world: World) -> None:
    """The boat is late: live rules leave the VIP without, a run in the scenario gives it what the others have."""
    await world.stock(5)
    await world.supply(5, TODAY + timedelta(days=4), sku="S")
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    sku_id = await world.sku()

    async def bought(uow: Any) -> None:
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update supply set kind = 'purchase' where sku_id = $1", sku_id)

    await world.do(bought)
    late = replace(OUTAGE, until=TODAY + timedelta(days=12))
    both = [ScenarioInput("late", [late]), ScenarioInput("late, vips first", [late], gives("VIP"))]
    row = await play(world, await ask(world, replace(QUESTION, scenarios=both)))
    usual, saved = row["result"]["scenarios"]
    assert {m["order_id"]: m["days_later"] for m in usual["moved"]} == {vip.order_id: 8}
    assert {m["order_id"]: m["days_later"] for m in saved["moved"]} == {plain.order_id: 12, vip.order_id: -4}
    assert (usual["repromising"], saved["repromising"]["lost"]) == (None, 1)
