"""Start saved variants by the clock, and end runs and simulations that nobody computes any more."""

from __future__ import annotations

from core.domain.repromising.variant import variant_of
from core.ports import Transaction
from core.repositories.repromising_runs import fail_abandoned
from core.repositories.repromising_variants import take_due_variants
from core.repositories.simulations import end_abandoned
from core.services.start_repromising_run import COMPUTE, request_run


async def start_due_repromising(uow: Transaction) -> list[int]:
    """Ids of the runs that were started; a variant that missed several days starts once."""
    await fail_abandoned(uow, COMPUTE)
    await end_abandoned(uow)
    return [await request_run(uow, variant_of(row["definition"]), row["code"]) for row in await take_due_variants(uow)]
