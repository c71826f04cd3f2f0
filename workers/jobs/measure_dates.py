"""Measure once a day how late suppliers, places and lanes are, and whether what was said of dates was kept."""

from __future__ import annotations

import asyncio
from typing import Any

from workers.job import JobContext, job

BACK_DAYS = 730
"""Older deliveries say little: they count an eighth and less."""


@job(queue="learning", timeout=900, attempts=3)
async def measure_dates(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """All groups anew, from facts recorded by now."""
    from core.queries.date_residuals import (
        CARRY,
        RECEIVE,
        SHELF,
        SHIP,
        SUPPLY,
        handling_residuals,
        shipment_residuals,
        supply_residuals,
    )
    from core.services.keep_date_spreads import keep_date_spreads
    from ml.live_dates import handling_facts, measure_spreads, shipment_facts, supply_facts

    async with context.snapshot() as uow:
        at = uow.now
        supplied = [dict(row) for row in await supply_residuals(uow.sql, at, BACK_DAYS)]
        handled = [dict(row) for row in await handling_residuals(uow.sql, at, BACK_DAYS)]
        shipped = [dict(row) for row in await shipment_residuals(uow.sql, at, BACK_DAYS)]

    def measure() -> list[Any]:
        left, carried = shipment_facts(shipped)
        received, shelved = (handling_facts(handled, stage) for stage in (RECEIVE, SHELF))
        return [
            row
            for stage, facts in (
                (SUPPLY, supply_facts(supplied)),
                (RECEIVE, received),
                (SHELF, shelved),
                (SHIP, left),
                (CARRY, carried),
            )
            for row in measure_spreads(stage, facts, at)
        ]

    rows = await asyncio.to_thread(measure)
    return await context.run(lambda uow: keep_date_spreads(uow, rows))
