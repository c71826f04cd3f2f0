"""Ask what would happen: check the scenarios, keep the question, and let a job play it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from core.domain.repromising.variant import variant_of
from core.domain.states import SimulationState
from core.errors import IllegalTransition, InvalidInput, NotFound, UnknownSku
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.repromising_variants import variant_by_code
from core.repositories.simulations import finish_simulation, insert_simulation, lock_simulation

MAX_SCENARIOS = 10
MAX_CHANGES = 100
MAX_DAYS = 180
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class ScopeInput:
    """SKU and supplier codes; None: all."""

    skus: Sequence[str] | None = None
    suppliers: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class ChangeInput:
    """One change, with the fields of its kind; `kind` is that of `core.domain.simulation.overlay`, in words."""

    kind: str
    scope: ScopeInput = ScopeInput()
    days: int | None = None
    factor: float | None = None
    quantity: int | None = None
    from_date: date | None = None
    until: date | None = None
    sku: str | None = None
    location: str | None = None
    grade: str | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class ScenarioInput:
    """A named set of changes."""

    name: str
    changes: Sequence[ChangeInput] = ()
    repromising: Mapping[str, Any] | None = None
    """Definition of a re-promising run that is carried out at once."""
    variant: str | None = None
    """Code of a saved one instead."""


@dataclass(frozen=True, slots=True)
class StartSimulation:
    """`skus`, `suppliers`: whose SKUs are played (None: all with open demand or recent orders)."""

    name: str
    scenarios: Sequence[ScenarioInput]
    horizon_days: int = 28
    skus: Sequence[str] | None = None
    suppliers: Sequence[str] | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SimulationChange:
    """A simulation's id, version and state."""

    simulation_id: int
    version: int
    state: str


NEEDED: Mapping[str, tuple[str, ...]] = {
    "LEAD_TIME": ("days",),
    "SAFETY_STOCK": (),
    "SUPPLY_OUTAGE": ("from_date",),
    "PROMOTION": ("from_date", "until", "factor"),
    "EXTRA_PURCHASE": ("sku", "location", "quantity", "from_date"),
    "PRIORITY": ("grade", "score"),
}
"""Fields that a kind of change cannot do without."""


async def start_simulation(uow: Transaction, request: StartSimulation) -> SimulationChange:
    """Keep the question and ask for the job that answers it.

    Raises InvalidInput for a question without sense, UnknownSku and NotFound for codes that do not exist.
    """
    _check(request)
    for index, scenario in enumerate(request.scenarios):
        for position, change in enumerate(scenario.changes):
            path = ("input", "scenarios", str(index), "changes", str(position))
            _check_change(change, path)
            await _check_codes(uow, [change.sku] if change.sku else change.scope.skus, change.scope.suppliers, path)
            if change.location and not await uow.sql.fetchval(
                "select id from location where code = $1 and kind in ('dc', 'warehouse', 'store')", change.location
            ):
                raise NotFound("location that holds stock", change.location, path=(*path, "location"))
    await _check_codes(uow, request.skus, request.suppliers, ("input",))
    question = _plain(asdict(request))
    for index, scenario in enumerate(request.scenarios):
        question["scenarios"][index]["repromising"] = await _definition(uow, scenario, index)
    id, version = await insert_simulation(uow, request.name, request.horizon_days, request.seed, question)
    uow.audit("simulationStart", f"simulation:{id}", None, {"scenarios": len(request.scenarios)})
    uow.enqueue(JobRequest("run_simulation", str(id), {"simulationId": id}, queue="bulk"))
    return SimulationChange(id, version, str(SimulationState.COMPUTING))


async def _definition(uow: Transaction, scenario: ScenarioInput, index: int) -> dict[str, Any] | None:
    """The run of a scenario, checked and whole, so that a variant that changes later changes no answer."""
    path = ("input", "scenarios", str(index))
    if scenario.repromising is not None and scenario.variant is not None:
        raise InvalidInput("Name a saved variant or give a definition, not both.", path=(*path, "repromisingVariant"))
    try:
        if scenario.variant is not None:
            return (await variant_by_code(uow, scenario.variant))["definition"]
        return None if scenario.repromising is None else variant_of(scenario.repromising).as_json()
    except NotFound as error:
        raise NotFound("re-promising variant", scenario.variant or "", path=(*path, "repromisingVariant")) from error
    except InvalidInput as error:
        inner = tuple(error.path)[1:] if error.path else ()
        raise InvalidInput(error.message, path=(*path, "repromising", *inner)) from error


async def cancel_simulation(uow: Transaction, id: int) -> SimulationChange:
    """End a simulation that is being computed. Raises NotFound, and IllegalTransition when it has ended."""
    row = await lock_simulation(uow, id)
    if row is None:
        raise NotFound("simulation", str(id), path=("input", "id"))
    if not await finish_simulation(uow, id, SimulationState.CANCELLED):
        raise IllegalTransition("simulation", str(id), row["state"], str(SimulationState.CANCELLED))
    uow.audit("simulationCancel", f"simulation:{id}", {"state": row["state"]}, {"state": "CANCELLED"})
    return SimulationChange(id, row["version"] + 1, str(SimulationState.CANCELLED))


def _check(request: StartSimulation) -> None:
    if not request.name.strip():
        raise InvalidInput("A simulation needs a name.", path=("input", "name"), value=request.name)
    if not 1 <= request.horizon_days <= MAX_DAYS:
        raise InvalidInput(
            f"A simulation plays 1 to {MAX_DAYS} days, not {request.horizon_days}.",
            path=("input", "horizonDays"),
            value=request.horizon_days,
        )
    if not 1 <= len(request.scenarios) <= MAX_SCENARIOS:
        raise InvalidInput(f"A simulation has 1 to {MAX_SCENARIOS} scenarios.", path=("input", "scenarios"))
    names = [scenario.name.strip() for scenario in request.scenarios]
    for index, name in enumerate(names):
        if not name or name.lower() == BASELINE or name in names[:index]:
            raise InvalidInput(
                f"Scenarios have names of their own, other than {BASELINE!r}: {name!r} cannot be.",
                path=("input", "scenarios", str(index), "name"),
                value=name,
            )
        scenario = request.scenarios[index]
        has_run = scenario.repromising is not None or scenario.variant is not None
        if not (0 if has_run else 1) <= len(scenario.changes) <= MAX_CHANGES:
            raise InvalidInput(
                f"Scenario {name!r} needs 1 to {MAX_CHANGES} changes, or a re-promising run.",
                path=("input", "scenarios", str(index), "changes"),
            )


def _check_change(change: ChangeInput, path: tuple[str, ...]) -> None:
    for name in NEEDED[change.kind]:
        if getattr(change, name) is None:
            word = "".join(part.capitalize() if n else part for n, part in enumerate(name.split("_")))
            raise InvalidInput(f"A change of kind {change.kind} needs `{word}`.", path=(*path, word))
    if change.kind == "SAFETY_STOCK" and (change.factor is None) == (change.quantity is None):
        raise InvalidInput("Safety stock becomes a factor or a quantity: give one of them.", path=path)
    if change.from_date and change.until and change.until < change.from_date:
        raise InvalidInput("A window ends after it begins.", path=(*path, "until"), value=change.until.isoformat())
    limits = {"days": (-365, 365), "factor": (0, 100), "quantity": (0, 10_000_000), "score": (0, 1_000_000_000)}
    for name, (least, most) in limits.items():
        value = getattr(change, name)
        if value is not None and not least <= value <= most:
            raise InvalidInput(f"`{name}` is between {least} and {most}, not {value}.", path=(*path, name), value=value)


async def _check_codes(
    uow: Transaction, skus: Iterable[str] | None, suppliers: Iterable[str] | None, path: tuple[str, ...]
) -> None:
    for table, codes in (("sku", skus), ("supplier", suppliers)):
        wanted = sorted(set(codes or ()))
        rows = await uow.sql.fetch(f"select code from {table} where code = any($1::text[])", wanted)
        missing = sorted(set(wanted) - {row["code"] for row in rows})
        if missing and table == "sku":
            raise UnknownSku(missing[0], path=(*path, "skus"))
        if missing:
            raise NotFound("supplier", missing[0], path=(*path, "suppliers"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
