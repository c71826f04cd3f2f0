"""Risks, the models behind them, and the one call that goes back to an earlier model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.live import LiveFilter
from api.pagination import page_of, slice_of
from api.resolvers.arguments import After, IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.resolvers.subscriptions import events_of
from api.schema.errors import user_error
from api.schema.foresight import (
    BackorderRisk,
    BackorderRiskFilter,
    ModelCheck,
    ModelKind,
    ModelPayload,
    ModelRecord,
    ModelReport,
    ModelRollBackInput,
    Plot,
    RiskEvent,
)
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, build_all, connection
from api.schema.sku import as_filter
from core.domain.learning_plots import MOST_BARS, coverage_plot, model_plots
from core.errors import InvalidInput, UnknownSku
from core.queries import date_spreads, learning_models, risk_scores, skus
from core.services.keep_model import roll_back_model
from core.unit_of_work import UnitOfWork

Kind = Annotated[ModelKind, argument(description="What the models foresee.")]


async def backorder_risk_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[BackorderRiskFilter | None, argument(description="Which risks.")] = None,
) -> Connection[BackorderRisk]:
    """Stored scores, the riskiest first."""
    page = page_of(risk_scores.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await risk_scores.risks_page(sql, as_filter(filter), page)
    return connection(slice_of(risk_scores.SORT, page, rows, more), lambda row: build("BackorderRisk", row))


async def model_report(info: Info, kind: Kind = ModelKind.BACKORDER_RISK) -> ModelReport:
    """Everything the model store knows of a kind, without the models themselves."""
    async with info.context.read() as sql:
        models = [dict(row) for row in await learning_models.models_of(sql, kind.value)]
        active = next((row for row in models if row["state"] == "ACTIVE"), None)
        checks = await learning_models.checks_of(sql, [] if active is None else [active["id"]])
        record = await learning_models.track_record(sql, kind.value)
        covered = await date_spreads.supplier_coverage(sql, MOST_BARS)
    names = ("checked_at", "worst_psi", "mean_prediction", "observed_rate", "judged", "alarms")
    return ModelReport(
        kind=kind,
        active=build("LearningModel", active),
        models=build_all("LearningModel", models),
        checks=[ModelCheck(**{name: row[name] for name in names}) for row in checks],
        plots=[
            Plot(kind=shown, svg=svg)  # type: ignore[arg-type]
            for shown, svg in {**model_plots(models), **coverage_plot(covered)}.items()
        ],
        record=[ModelRecord(**{**dict(row), "model_id": str(row["model_id"])}) for row in record],  # type: ignore[arg-type]
    )


async def model_roll_back(
    info: Info,
    input: Annotated[ModelRollBackInput, argument(description="Which model, and why.")],
    idempotency_key: IdempotencyKey,
) -> ModelPayload:
    """An earlier model speaks again; everything is scored anew."""
    context: Context = info.context
    if input.model_id is not None and not str(input.model_id).isdecimal():
        wrong = InvalidInput(
            "There is no such model.", path=("input", "modelId"), field="modelId", value=input.model_id
        )
        return ModelPayload(user_errors=[user_error(wrong, context.language)])
    model_id = None if input.model_id is None else int(input.model_id)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"modelId": await roll_back_model(uow, input.kind.value, model_id, input.reason)}

    done = await run_mutation(context, "modelRollBack", input, idempotency_key, use_case)
    if "modelId" not in done.result:
        return ModelPayload(user_errors=done.errors)
    row = await context.loaders.learning_model_by_id.load(done.result["modelId"])
    return ModelPayload(model=build("LearningModel", row), user_errors=done.errors)


async def risk_changed(
    info: Info,
    skus_: Annotated[
        list[str] | None, argument(name="skus", description="Only these SKUs, by code; null for all.")
    ] = None,
    at_least: Annotated[float | None, argument(description="Only chances of at least this, now or before.")] = None,
    after: After = None,
) -> AsyncGenerator[RiskEvent, None]:
    """Raises UnknownSku for a code that nobody knows."""
    context: Context = info.context
    sku_ids = None
    if skus_ is not None:
        async with context.read() as sql:
            found = {row["code"]: row["id"] for row in await skus.skus_by_codes(sql, skus_)}
        unknown = next((code for code in skus_ if code not in found), None)
        if unknown is not None:
            raise UnknownSku(unknown, path=("skus",))
        sku_ids = frozenset(found.values())

    def accepts(event: Any) -> bool:
        chances = (event.payload.get("probability") or 0.0, event.payload.get("previous") or 0.0)
        return at_least is None or max(chances) >= at_least

    wanted = LiveFilter(topics=frozenset({"risk"}), sku_ids=sku_ids, accepts=accepts)
    return events_of(context, context.open_live(wanted, after), "RiskEvent")
