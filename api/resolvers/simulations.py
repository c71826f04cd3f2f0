"""What-if: ask, cancel, look up."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id, page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import Done, run_mutation
from api.resolvers.repromising import definition_json
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.simulation import (
    Simulation,
    SimulationCancelInput,
    SimulationChangeInput,
    SimulationPayload,
    SimulationStartInput,
)
from core.queries import simulations
from core.services.start_simulation import (
    ChangeInput,
    ScenarioInput,
    ScopeInput,
    SimulationChange,
    StartSimulation,
    cancel_simulation,
    start_simulation,
)
from core.unit_of_work import UnitOfWork


async def simulation(
    info: Info, id: Annotated[strawberry.ID, argument(description="Id of the simulation.")]
) -> Simulation | None:
    """One simulation."""
    return build("Simulation", await info.context.loaders.simulation_by_id.load(decode_id(id, "Simulation").id))


async def simulation_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
) -> Connection[Simulation]:
    """Simulations, newest first."""
    page = page_of(simulations.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await simulations.simulations_page(sql, page)
    return connection(slice_of(simulations.SORT, page, rows, more), lambda row: build("Simulation", row))


async def simulation_start(
    info: Info,
    input: Annotated[SimulationStartInput, argument(description="The question.")],
    idempotency_key: IdempotencyKey,
) -> SimulationPayload:
    """A worker plays it; `jobProgressed` tells how far it is."""
    request = StartSimulation(
        input.name,
        [
            ScenarioInput(
                s.name,
                [_change(change) for change in s.changes],
                None if s.repromising is None else definition_json(s.repromising),
                s.repromising_variant,
            )
            for s in input.scenarios
        ],
        input.horizon_days,
        input.skus,
        input.suppliers,
        input.seed,
    )
    return await _run(
        info.context, "simulationStart", input, idempotency_key, lambda uow: start_simulation(uow, request)
    )


async def simulation_cancel(
    info: Info,
    input: Annotated[SimulationCancelInput, argument(description="Which simulation.")],
    idempotency_key: IdempotencyKey,
) -> SimulationPayload:
    """It ends without a result; the worker stops at its next sign of life."""
    id = decode_id(input.id, "Simulation").id
    return await _run(info.context, "simulationCancel", input, idempotency_key, lambda uow: cancel_simulation(uow, id))


async def _run(context: Context, operation: str, input: Any, key: str, verb: Any) -> SimulationPayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        change: SimulationChange = await verb(uow)
        return {"simulationId": change.simulation_id, "version": change.version}

    done: Done = await run_mutation(context, operation, input, key, use_case)
    if "simulationId" not in done.result:
        return SimulationPayload(user_errors=done.errors)
    row = await context.loaders.simulation_by_id.load(done.result["simulationId"])
    return SimulationPayload(simulation=build("Simulation", row), user_errors=done.errors)


def _change(given: SimulationChangeInput) -> ChangeInput:
    return ChangeInput(
        given.kind.value,
        ScopeInput(given.skus, given.suppliers),
        given.days,
        given.factor,
        given.quantity,
        given.from_date,
        given.until,
        given.sku,
        given.location,
        given.grade,
        given.score,
    )
