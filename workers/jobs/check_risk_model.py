"""Look once a day whether the risk model still fits what it is asked about."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from workers.job import JobContext, job

RECENT_DAYS = 7


@job(queue="learning", timeout=600, attempts=3)
async def check_risk_model(context: JobContext, _: dict[str, Any]) -> dict[str, Any]:
    """Drift of the inputs, calibration, leaks in hindsight, a model that cannot be read; a retraining is asked for by alarm or schedule."""
    from core.queries.learning_models import active_model
    from core.queries.risk_snapshot import recent_figures
    from core.services.check_risk_model import check_risk_model as check
    from ml.drift import stability
    from ml.live_figures import by_figure, numbers_of
    from ml.score_live import speaker

    async with context.snapshot() as uow:
        active = await active_model(uow.sql, "BACKORDER_RISK")
        rows = await recent_figures(uow.sql, uow.now - timedelta(days=RECENT_DAYS)) if active is not None else []
    psi: dict[str, float] = {}
    if active is not None and active["reference"]:
        psi = await asyncio.to_thread(stability, active["reference"], by_figure(numbers_of(rows)))
    refused = (await asyncio.to_thread(speaker, active))[2]
    return {"alarms": await context.run(lambda uow: check(uow, active, psi, refused))}
