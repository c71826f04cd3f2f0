"""Fit the risk model anew on the outcomes that are known, and let it speak if it is better."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from workers.job import JobContext, job

LEARN_DAYS = 400


@job(queue="learning", timeout=1_800, attempts=2)
async def retrain_risk(context: JobContext, input: dict[str, Any]) -> dict[str, Any]:
    """Input: cause (FIRST, SCHEDULE, ALARM or a word of whoever asks)."""
    from core.queries.learning_models import active_model
    from core.queries.risk_snapshot import labelled_snapshots
    from core.services.keep_model import RISK, NewModel, keep_model
    from core.services.store_scores import load_risk_rules
    from ml.score_live import speaker
    from ml.train_live import train_live

    async with context.snapshot() as uow:
        rules = await load_risk_rules(uow)
        rows = await labelled_snapshots(uow.sql, uow.now - timedelta(days=LEARN_DAYS))
        active = await active_model(uow.sql, RISK)
    incumbent = None
    refused = None
    if active is not None:
        model, model_id, refused = await asyncio.to_thread(speaker, active)
        incumbent = model if model_id is not None else None
    learned_until = None if active is None else active["trained_until"]
    candidate = await asyncio.to_thread(train_live, rows, incumbent, rules.horizon_days, rules.test_days, learned_until)
    if candidate is None:
        return {"kept": None, "reason": "no outcome is known yet"}
    stored = candidate.stored
    new = NewModel(
        RISK, candidate.kind, stored.artefact, stored.sha256, stored.format, *candidate.days, candidate.rows,
        candidate.positives, stored.features, stored.libraries,
        {**candidate.metrics, "judged": candidate.judged, "judged_positives": candidate.judged_positives,
         "curve": candidate.curve},
        candidate.baseline, candidate.reference, str(input.get("cause", "ASKED")),
    )  # fmt: skip
    kept = await context.run(lambda uow: keep_model(
        uow, new, candidate.incumbent, candidate.judged_positives, candidate.against, candidate.unseen_positives
    ))  # fmt: skip
    return {"kept": kept.model_id, "promoted": kept.promoted, "reason": kept.reason, "refused": refused}
