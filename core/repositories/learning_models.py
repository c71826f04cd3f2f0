"""Keep fitted models: one of a kind is active, those before it can come back, none is ever changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.domain.states import LearningModelState
from core.errors import IllegalTransition, NotFound
from core.ports import Transaction

RISK = "BACKORDER_RISK"


@dataclass(frozen=True, slots=True)
class NewModel:
    """A fitted model as `learning_model` keeps it."""

    kind: str
    spoke: str
    artefact: bytes
    sha256: str
    format: int
    trained_from: date
    trained_until: date
    rows: int
    positives: int
    features: Sequence[str]
    libraries: Mapping[str, str]
    metrics: Mapping[str, Any]
    baseline: Mapping[str, Any]
    reference: Mapping[str, Any]
    cause: str


async def insert_model(uow: Transaction, model: NewModel, verdict: str) -> int:
    """Keep a candidate; returns its id."""
    return await uow.sql.fetchval(
        """insert into learning_model (kind, spoke, artefact, sha256, format, trained_from, trained_until, rows, positives,
            features, libraries, metrics, baseline, reference, cause, verdict, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) returning id""",
        model.kind,
        model.spoke,
        model.artefact,
        model.sha256,
        model.format,
        model.trained_from,
        model.trained_until,
        model.rows,
        model.positives,
        list(model.features),
        dict(model.libraries),
        dict(model.metrics),
        dict(model.baseline),
        dict(model.reference),
        model.cause,
        verdict,
        uow.now,
    )


async def refuse_model(uow: Transaction, model_id: int) -> None:
    """A candidate that was not better stays for the record."""
    await uow.sql.execute(
        "update learning_model set state = $2, retired_at = $3 where id = $1",
        model_id,
        LearningModelState.REFUSED,
        uow.now,
    )


async def activate_model(uow: Transaction, kind: str, model_id: int) -> int | None:
    """Let this one speak; returns the id of the one that spoke before."""
    before = await uow.sql.fetchval(
        """update learning_model set state = 'RETIRED', retired_at = $2 where kind = $1 and state = 'ACTIVE' returning id""",
        kind,
        uow.now,
    )
    await uow.sql.execute(
        "update learning_model set state = 'ACTIVE', promoted_at = $2, retired_at = null where id = $1",
        model_id,
        uow.now,
    )
    return before


async def lock_models(uow: Transaction, kind: str) -> None:
    """Whoever promotes or rolls back does it alone."""
    await uow.sql.execute("select pg_advisory_xact_lock(hashtextextended('learning_model:' || $1, 0))", kind)


async def model_before(uow: Transaction, kind: str, model_id: int | None) -> tuple[int | None, int]:
    """(the active model, the one to go back to): the named one, else the one that spoke last before it.

    Raises NotFound when there is none, IllegalTransition for a model that never spoke.
    """
    active = await uow.sql.fetchval("select id from learning_model where kind = $1 and state = 'ACTIVE'", kind)
    if model_id is None:
        wanted = await uow.sql.fetchval(
            """select id from learning_model where kind = $1 and state = 'RETIRED' order by retired_at desc, id desc limit 1""",
            kind,
        )
        if wanted is None:
            raise NotFound("earlier model", kind, path=("input", "modelId"))
        return active, wanted
    row = await uow.sql.fetchrow("select id, state from learning_model where id = $1 and kind = $2", model_id, kind)
    if row is None:
        raise NotFound("model", str(model_id), path=("input", "modelId"))
    if row["state"] != LearningModelState.RETIRED:
        raise IllegalTransition("model", str(model_id), row["state"], LearningModelState.ACTIVE)
    return active, row["id"]


async def write_check(uow: Transaction, model_id: int, check: Mapping[str, Any]) -> None:
    """Keep one look at whether a model still fits."""
    await uow.sql.execute(
        """insert into model_check (model_id, psi, worst_psi, mean_prediction, observed_rate, judged, positives, alarms,
            checked_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        model_id,
        dict(check["psi"]),
        max(check["psi"].values(), default=None),
        check["mean_prediction"],
        check["observed_rate"],
        check["judged"],
        check["positives"],
        list(check["alarms"]),
        uow.now,
    )
