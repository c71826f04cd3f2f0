"""Keep a look at the model that speaks: drift, calibration, leaks seen in hindsight; ask for a new one where needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core.domain.model_choice import drift_alarms
from core.events import Event, JobRequest
from core.ports import Transaction
from core.queries.learning_models import judged_snapshots
from core.queries.risk_snapshot import hindsight, snapshot_days
from core.repositories.learning_models import RISK, write_check
from core.services.store_scores import load_risk_rules

JUDGED_DAYS = 28
FEWEST_JUDGED = 10
"""Shortages that must have come, or been said, before calibration is judged."""
HINDSIGHT_DAYS = 7


async def check_risk_model(
    uow: Transaction, active: Mapping[str, Any] | None, psi: Mapping[str, float], refused: str | None = None
) -> list[str]:
    """Write one look at the active model and return its alarms; a retraining is asked for by alarm or by schedule.

    `refused` says why the stored model cannot be read, as after an update of the libraries: the rule speaks meanwhile.

    A leak (a snapshot that would say something else if it were taken again as of its instant) is an alarm that no
    retraining mends: it is announced and asks for a person.
    """
    rules = await load_risk_rules(uow)
    cause = None
    alarms: list[str] = []
    if active is None:
        cause = "FIRST"
    else:
        rows = await judged_snapshots(uow.sql, active["id"], JUDGED_DAYS)
        positives = sum(row["went_short"] for row in rows)
        said = sum(row["probability"] for row in rows) / len(rows) if rows else None
        came = positives / len(rows) if rows else None
        enough = max(positives, sum(row["probability"] for row in rows)) >= FEWEST_JUDGED
        alarms = drift_alarms(psi, said if enough else None, came if enough else None)
        alarms += [refused] if refused else []
        if alarms:
            cause = "ALARM"
        elif uow.now - active["created_at"] >= timedelta(days=rules.retrain_days):
            cause = "SCHEDULE"
        alarms += await _leaks(uow)
        check = {
            "psi": psi,
            "mean_prediction": said,
            "observed_rate": came,
            "judged": len(rows),
            "positives": positives,
        }
        await write_check(uow, active["id"], check | {"alarms": alarms})
    for alarm in alarms:
        uow.announce(Event("alarm", "MODEL", {"model": RISK, "what": alarm}, key=RISK))
    if cause is not None:
        uow.enqueue(JobRequest("retrain_risk", "risk", {"cause": cause}, queue="learning"))
    return alarms


async def _leaks(uow: Transaction) -> list[str]:
    """Snapshots of a week ago, taken again as of their instant."""
    until = uow.now - timedelta(days=HINDSIGHT_DAYS)
    found: list[str] = []
    for taken_at in (await snapshot_days(uow.sql, until, until - timedelta(days=1)))[-1:]:
        for name, examples in (await hindsight(uow.sql, taken_at)).items():
            one = examples[0]
            found.append(
                f"leak: {name} of {taken_at:%Y-%m-%d} was {one['then']}, taken again as of then it is {one['now']}"
                f" ({len(examples)} places)"
            )
    return found
