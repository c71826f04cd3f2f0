"""Ask for a re-promising run: it is computed by a job and changes nothing until it is published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.domain.repromising.variant import Publication, Variant, variant_of
from core.errors import InvalidInput
from core.events import JobRequest
from core.ports import Transaction
from core.repositories.repromising_runs import insert_run
from core.repositories.repromising_variants import variant_by_code

COMPUTE, PUBLISH = "compute_repromising_run", "publish_repromising_run"


@dataclass(frozen=True, slots=True)
class StartRun:
    """Either a saved `variant` (code) or a `definition`; `publication` overrides that of the variant."""

    variant: str | None = None
    definition: dict[str, Any] | None = None
    publication: Publication | None = None
    seed: int | None = None


async def start_repromising_run(uow: Transaction, request: StartRun) -> int:
    """The id of a run that will be computed. Raises InvalidInput, and NotFound for an unknown variant."""
    if (request.variant is None) == (request.definition is None):
        raise InvalidInput("Name a saved variant or give segments, not both.", path=("input", "variant"))
    if request.seed is not None and not 0 <= request.seed < 2**53:
        raise InvalidInput("A seed is not negative and below 2^53.", path=("input", "seed"), value=request.seed)
    definition = request.definition
    if request.variant is not None:
        definition = (await variant_by_code(uow, request.variant))["definition"]
    variant = variant_of(definition or {})
    if request.publication is not None:
        variant = replace(variant, publication=request.publication)
    return await request_run(uow, variant, request.variant, request.seed)


async def request_run(uow: Transaction, variant: Variant, code: str | None, seed: int | None = None) -> int:
    """Write the run and ask for its computation."""
    policy = variant.as_json()
    run_id = await insert_run(uow, code, policy, policy["budget"], seed)
    uow.enqueue(JobRequest(COMPUTE, str(run_id), {"runId": run_id}, queue="bulk"))
    uow.audit("repromisingRunStart", f"repromising_run:{run_id}", None, {"variant": code, "policy": policy})
    return run_id
