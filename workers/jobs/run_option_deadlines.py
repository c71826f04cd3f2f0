"""Carry out the defaults of option sets whose deadline has passed."""

from __future__ import annotations

from typing import Any

from workers.job import JobContext, job

LIMIT = 200
"""Sets per turn, each in a transaction of its own; the next turn takes the next ones."""


@job(queue="fast", timeout=60)
async def run_option_deadlines(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """A set that somebody has answered is left alone."""
    from core.services.choose_option import expire_offer
    from core.services.review_backorders import overdue_options

    answered = 0
    for sku_id, offer_id in await context.run(lambda uow: overdue_options(uow, LIMIT)):
        done = await context.run(lambda uow, key=(sku_id, offer_id): expire_offer(uow, *key))
        answered += done is not None
    return {"answered": answered}
