"""Re-promising through the schema: the three failures it exists for, saved variants, filters and comparison."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.context import Context
from api.loaders import Loaders
from api.operations import schema
from core.domain.access import Principal, Role
from core.domain.placing import LineRequest
from core.repositories.gates import take_gates
from core.settings import Settings
from workers.job import JobContext
from workers.jobs.compute_repromising_run import compute_repromising_run
from workers.jobs.publish_repromising_run import publish_repromising_run
from workers.jobs.start_due_repromising import start_due_repromising

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 2)
RUN = """run { id state version gained lost unchanged exceptions overBudget forced ordersInRun ordersWorsened ordersMayWorsen
    inputsDigest proposalDigest budget { worsenedShare maxDays windowDays } policy actor
    bySegment { key gained lost ordersWorsened daysGained daysLost } byTier { key gained lost } byReason { key lost }
    diff(first: 10) { nodes { effect reason days isForced segment tier state orderNumber sku { code }
        orderLine { lineNumber promise { deliveryDate { promised } } }
        before { complete delivery parts { day quantity isSourced location { code } } }
        after { complete delivery parts { day quantity isSourced location { code } } } } } }"""
FREE = {"worsenedShare": None, "maxDays": None}


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


class Planner:
    """Runs documents as a planner, and the jobs that they ask for."""

    def __init__(self, world: Any, role: Role = Role.PLANNER) -> None:
        self.world = world
        self.context = Context(
            world.database, Settings(env="test"), Principal(id="p", role=role), world.clock, make_loaders=Loaders
        )
        self.jobs = JobContext(world.database, Settings(env="test"), world.clock)
        self.keys = 0

    async def ask(self, document: str, **variables: Any) -> Any:
        result = await schema.execute(document, variable_values=variables, context_value=self.context)
        assert result.errors is None, result.errors
        return result.data

    async def change(self, name: str, input: dict[str, Any], want: str = RUN) -> Any:
        self.keys += 1
        kind = {"repromisingRunStart": "RepromisingRunInput"}.get(name, f"{name[0].upper()}{name[1:]}Input")
        document = f"""mutation ($input: {kind}!, $key: String!) {{
            {name}(input: $input, idempotencyKey: $key) {{ {want} userErrors {{ code message path }} }} }}"""
        return (await self.ask(document, input=input, key=f"k{self.keys}"))[name]

    async def run_id(self) -> int:
        return await self.world.value("select max(id) from repromising_run")

    async def propose(self, definition: dict[str, Any]) -> Any:
        started = await self.change("repromisingRunStart", {"definition": definition})
        assert (started["userErrors"], started["run"]["state"]) == ([], "COMPUTING")
        await compute_repromising_run(self.jobs, {"runId": await self.run_id()})
        return await self.look(started["run"]["id"])

    async def look(self, id: str) -> Any:
        return (
            await self.ask(f"query ($id: ID!) {{ {RUN.replace('run {', 'run: repromisingRun(id: $id) {', 1)} }}", id=id)
        )["run"]

    async def publish(self, run: Any) -> Any:
        done = await self.change("repromisingRunPublish", {"id": run["id"], "expectedVersion": run["version"]})
        assert (done["userErrors"], done["run"]["state"]) == ([], "APPROVED")
        await publish_repromising_run(self.jobs, {"runId": await self.run_id()})
        return await self.look(run["id"])

    async def promised(self, number: str) -> str:
        data = await self.ask(
            "query ($n: String!) { order(number: $n) { lines { promise { deliveryDate { promised } } } } }", n=number
        )
        return data["order"]["lines"][0]["promise"]["deliveryDate"]["promised"]


@pytest.fixture
def planner(world):
    return Planner(world)


def segments(*rows: tuple[str, str, dict[str, Any] | None]) -> dict[str, Any]:
    return {
        "segments": [{"name": name, "strategy": strategy, "include": include} for name, strategy, include in rows],
        "budget": FREE,
    }


async def test_first_come_first_served_that_ignored_priority(world, planner):
    await world.supply(5, day(3))
    await world.supply(5, day(9))
    (plain,) = await world.place(world.order(("S", 5), customer="C1"))
    (vip,) = await world.place(world.order(("S", 5), customer="V1"))
    assert (await planner.promised(plain.number), await planner.promised(vip.number)) == ("2026-11-06", "2026-11-12")
    run = await planner.propose(segments(("vips", "WIN", {"tiers": ["VIP"]}), ("rest", "REDISTRIBUTE", None)))
    assert (run["state"], run["gained"], run["lost"], run["exceptions"]) == ("PROPOSED", 0, 0, 1)
    # nothing can be in time for somebody who asked for at once: Win is an exception, and stays as it is
    run = await planner.propose(segments(("vips", "GAIN", {"tiers": ["VIP"]}), ("rest", "REDISTRIBUTE", None)))
    assert (run["gained"], run["lost"], run["unchanged"], run["ordersWorsened"]) == (1, 1, 0, 1)
    found = {change["orderNumber"]: change for change in run["diff"]["nodes"]}
    gained, lost = found[vip.number], found[plain.number]
    assert (gained["effect"], gained["reason"], gained["days"], gained["tier"]) == ("GAINED", "PRIORITY", -6, "VIP")
    assert (lost["effect"], lost["reason"], lost["days"], lost["segment"]) == ("LOST", "OUTRANKED", 6, "rest")
    assert gained["before"]["delivery"] == "2026-11-12"
    assert gained["after"] == {
        "complete": "2026-11-05",
        "delivery": "2026-11-06",
        "parts": [{"day": "2026-11-05", "quantity": 5, "isSourced": True, "location": {"code": "A"}}],
    }
    assert run["byTier"] == [{"key": "STANDARD", "gained": 0, "lost": 1}, {"key": "VIP", "gained": 1, "lost": 0}]
    assert run["bySegment"][0] == {
        "key": "rest", "gained": 0, "lost": 1, "ordersWorsened": 1, "daysGained": 0, "daysLost": 6,
    }  # fmt: skip
    done = await planner.publish(run)
    assert (done["state"], {c["state"] for c in done["diff"]["nodes"]}) == ("PUBLISHED", {"APPLIED"})
    assert (await planner.promised(plain.number), await planner.promised(vip.number)) == ("2026-11-12", "2026-11-06")
    cancelled = await planner.change("repromisingRunCancel", {"id": run["id"]}, "run { id }")
    assert [e["code"] for e in cancelled["userErrors"]] == ["ILLEGAL_TRANSITION"]


async def test_new_receipts_that_do_not_improve_old_orders(world, planner):
    await world.supply(4, day(12))
    (old,) = await world.place(world.order(("S", 4)))
    await world.stock(4)
    assert await planner.promised(old.number) == "2026-11-15"
    run = await planner.propose(segments(("all", "IMPROVE", None)))
    assert [(c["effect"], c["reason"], c["days"]) for c in run["diff"]["nodes"]] == [("GAINED", "SUPPLY_FREE", -12)]
    await planner.publish(run)
    assert await planner.promised(old.number) == "2026-11-03"
    assert await world.quantities(old.number) == (0, 4, 0, 0, 0)


async def test_late_receipts_that_leave_unrealistic_confirmations(world, planner):
    supply = await world.supply(4, day(4))
    (order,) = await world.place(world.order(LineRequest("S", 4, requested_date=day(6))))
    sku_id = await world.sku()

    async def slip(uow):
        await take_gates(uow, [sku_id])
        await uow.sql.execute("update supply set usable_date = $1 where id = $2", day(11), supply)

    await world.do(slip)
    assert await planner.promised(order.number) <= "2026-11-08"
    run = await planner.propose({**segments(("all", "IMPROVE", None)), "budget": {"worsenedShare": 0, "maxDays": 0}})
    assert (run["lost"], run["forced"], run["ordersWorsened"]) == (1, 1, 0)
    assert [(c["reason"], c["isForced"]) for c in run["diff"]["nodes"]] == [("SUPPLY_LATE", True)]
    await planner.publish(run)
    assert await planner.promised(order.number) == "2026-11-14"
    assert await world.quantities(order.number) == (0, 0, 4, 0, 0)


async def test_variants_are_saved_checked_and_started_by_the_clock(world, planner):
    await world.supply(4, day(12))
    await world.place(world.order(("S", 4)))
    await world.stock(4)
    want = "variant { code name dailyAt timeZone version definition }"
    definition = {**segments(("all", "IMPROVE", None)), "publication": "WITHIN_BUDGET"}
    nightly = {
        "code": "nightly",
        "name": "Nightly",
        "definition": definition,
        "dailyAt": "02:30",
        "timeZone": "Asia/Seoul",
    }
    saved = await planner.change("repromisingVariantSave", nightly, want)
    assert saved["userErrors"] == []
    assert (saved["variant"]["dailyAt"], saved["variant"]["version"]) == ("02:30:00", 1)
    wrong = await planner.change("repromisingVariantSave", {**nightly, "timeZone": "Mars"}, want)
    assert [e["path"] for e in wrong["userErrors"]] == [["input", "timeZone"]]
    bad = {**definition, "budget": {"worsenedShare": 2}}
    wrong = await planner.change("repromisingVariantSave", {**nightly, "definition": bad}, want)
    assert [e["code"] for e in wrong["userErrors"]] == ["INVALID_INPUT"]
    assert (await start_due_repromising(planner.jobs, {}))["runs"] == []
    world.clock.at = datetime(2026, 11, 2, 17, 31, tzinfo=UTC)
    (run_id,) = (await start_due_repromising(planner.jobs, {}))["runs"]
    assert (await start_due_repromising(planner.jobs, {}))["runs"] == []
    await compute_repromising_run(planner.jobs, {"runId": run_id})
    await publish_repromising_run(planner.jobs, {"runId": run_id})
    (run,) = await world.rows("select state, approved_by, variant from repromising_run")
    assert run == {"state": "published", "approved_by": "policy", "variant": "nightly"}
    listed = await planner.ask(
        '{ repromisingRuns(first: 5, filter: {states: [PUBLISHED], variant: "nightly"}) { nodes { variant gained } }'
        " repromisingVariants { code } }"
    )
    assert listed == {
        "repromisingRuns": {"nodes": [{"variant": "nightly", "gained": 1}]},
        "repromisingVariants": [{"code": "nightly"}],
    }
    late = await planner.change(
        "repromisingVariantSave", {**nightly, "dailyAt": "23:59:30", "expectedVersion": 1}, want
    )
    assert late["userErrors"] == []
    midnight, starts = datetime(2026, 11, 3, 15, 0, tzinfo=UTC), []
    for world.clock.at in (midnight - timedelta(minutes=1), midnight, midnight + timedelta(minutes=1)):
        starts.append(len((await start_due_repromising(planner.jobs, {}))["runs"]))
    assert starts == [0, 1, 0], "a time between the last look of a day and the first of the next"


async def test_filters_are_tried_before_a_run_and_runs_are_compared(world, planner):
    await world.supply(3, day(5))
    await world.supply(3, day(9))
    await world.place(world.order(("S", 3), customer="C1"))
    (vip,) = await world.place(world.order(("S", 3), customer="V1"))
    await world.do(lambda uow: hold(uow, vip.order_id))
    count = await planner.ask(
        """{ all: repromisingFilterCount(include: {}) { lines orders held late byTier { key lines } }
        some: repromisingFilterCount(include: {skus: ["S"]}, exclude: {tiers: ["VIP"]}) { lines byStatus { key lines } } }"""
    )
    assert count == {
        "all": {"lines": 2, "orders": 2, "held": 1, "late": 2,
            "byTier": [{"key": "STANDARD", "lines": 1}, {"key": "VIP", "lines": 1}]},
        "some": {"lines": 1, "byStatus": [{"key": "BACKORDERED", "lines": 1}]},
    }  # fmt: skip
    await world.rows("update order_hold set released_at = now()")
    left = await planner.propose(segments(("all", "REDISTRIBUTE", None)))
    right = await planner.propose(segments(("all", "LOSE", None)))
    comparison = """query ($a: ID!, $b: ID!) { repromisingComparison(left: $a, right: $b) {
        same different onlyLeft onlyRight lines { leftDays rightDays orderLine { lineNumber } } } }"""
    found = (await planner.ask(comparison, a=left["id"], b=right["id"]))["repromisingComparison"]
    assert (found["same"], found["different"], found["onlyLeft"], found["onlyRight"]) == (0, 2, 0, 0)
    assert len(found["lines"]) == 2
    bound = await planner.propose({**segments(("all", "REDISTRIBUTE", None)), "budget": {"worsenedShare": 0}})
    assert (bound["overBudget"], bound["gained"]) == (2, 0)
    found = (await planner.ask(comparison, a=left["id"], b=bound["id"]))["repromisingComparison"]
    assert (found["same"], found["onlyLeft"]) == (0, 2)  # what is given up does not happen
    assert {line["rightDays"] for line in found["lines"]} == {None}


async def hold(uow, order_id):
    await uow.sql.execute(
        "insert into order_hold (order_id, reason, placed_by, placed_at) values ($1, 'MANUAL', 'test', $2)",
        order_id,
        uow.now,
    )


async def test_only_planners_run_and_auditors_read(world, planner):
    run = await planner.propose(segments(("all", "IMPROVE", None)))
    auditor = Planner(world, Role.AUDITOR)
    assert (await auditor.look(run["id"]))["state"] == "PROPOSED"
    for role, allowed in ((Role.AUDITOR, False), (Role.WAREHOUSE, False), (Role.ADMIN, True)):
        result = await schema.execute(
            """mutation ($id: ID!) { repromisingRunCancel(input: {id: $id}, idempotencyKey: "x") { run { state } } }""",
            variable_values={"id": run["id"]},
            context_value=Planner(world, role).context,
        )
        assert ([e.extensions["code"] for e in result.errors or []] == []) is allowed
    assert (await auditor.look(run["id"]))["state"] == "CANCELLED"
