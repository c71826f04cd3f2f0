"""Re-promising: start, publish and cancel runs, save variants, look up and compare."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id, page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.repromising import (
    RepromisingComparison,
    RepromisingCount,
    RepromisingDifference,
    RepromisingFilterCount,
    RepromisingRun,
    RepromisingRunPayload,
    RepromisingVariant,
    RepromisingVariantPayload,
    variant_from,
)
from api.schema.repromising_inputs import (
    RepromisingFilterInput,
    RepromisingRunCancelInput,
    RepromisingRunFilter,
    RepromisingRunInput,
    RepromisingRunPublishInput,
    RepromisingVariantSaveInput,
)
from api.schema.sku import as_filter
from core.queries import repromising
from core.services.cancel_repromising_run import cancel_repromising_run
from core.services.save_repromising_variant import SaveVariant, save_repromising_variant
from core.services.start_repromising_run import StartRun, start_repromising_run
from core.unit_of_work import UnitOfWork

MOST_DIFFERENCES = 100


async def repromising_run(
    info: Info, id: Annotated[strawberry.ID, argument(description="Id of the run.")]
) -> RepromisingRun | None:
    """One run."""
    return build(
        "RepromisingRun", await info.context.loaders.repromising_run_by_id.load(decode_id(id, "RepromisingRun").id)
    )


async def repromising_run_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[RepromisingRunFilter | None, argument(description="Which runs.")] = None,
) -> Connection[RepromisingRun]:
    """Runs, newest first."""
    page = page_of(repromising.RUNS, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await repromising.runs_page(sql, as_filter(filter), page)
    return connection(slice_of(repromising.RUNS, page, rows, more), lambda row: build("RepromisingRun", row))


async def repromising_variant_list(info: Info) -> list[RepromisingVariant]:
    """All saved variants, by code."""
    async with info.context.read() as sql:
        return [variant_from(row) for row in await repromising.variants(sql)]


async def repromising_comparison(
    info: Info,
    left: Annotated[strawberry.ID, argument(description="Id of the first run.")],
    right: Annotated[strawberry.ID, argument(description="Id of the second run.")],
) -> RepromisingComparison:
    """How the proposals of two runs differ."""
    ids = [decode_id(id, "RepromisingRun").id for id in (left, right)]
    async with info.context.read() as sql:
        counts, lines = await repromising.compare(sql, ids[0], ids[1], MOST_DIFFERENCES)
    return RepromisingComparison(
        **dict(counts),
        lines=[
            RepromisingDifference(
                sku_id=row["sku_id"],
                line_id=row["order_line_id"],
                left_days=row["left_days"],
                right_days=row["right_days"],
            )
            for row in lines
        ],
    )


async def repromising_filter_count(
    info: Info,
    include: Annotated[RepromisingFilterInput, argument(description="Which lines.")],
    exclude: Annotated[RepromisingFilterInput | None, argument(description="But not these.")] = None,
) -> RepromisingFilterCount:
    """What a segment with these filters would take now."""
    from core.services.preview_repromising_filter import preview_repromising_filter

    async def use_case(uow: UnitOfWork) -> Any:
        return await preview_repromising_filter(
            uow, definition_json(include), None if exclude is None else definition_json(exclude)
        )

    found = await info.context.mutate(use_case)
    return RepromisingFilterCount(
        lines=found.lines,
        orders=found.orders,
        held=found.held,
        late=found.late,
        by_tier=[RepromisingCount(key=key, lines=n) for key, n in sorted(found.by_tier.items())],
        by_status=[RepromisingCount(key=key, lines=n) for key, n in sorted(found.by_status.items())],
    )


async def repromising_run_start(
    info: Info,
    input: Annotated[RepromisingRunInput, argument(description="What to run.")],
    idempotency_key: IdempotencyKey,
) -> RepromisingRunPayload:
    """A worker computes the proposal; `jobProgressed` tells how far it is."""
    request = StartRun(
        input.variant,
        None if input.definition is None else definition_json(input.definition),
        input.publication,
        input.seed,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"runId": await start_repromising_run(uow, request)}

    return await _run(info.context, "repromisingRunStart", input, idempotency_key, use_case)


async def repromising_run_publish(
    info: Info,
    input: Annotated[RepromisingRunPublishInput, argument(description="Which proposal.")],
    idempotency_key: IdempotencyKey,
) -> RepromisingRunPayload:
    """A worker publishes it, some SKUs at a time."""
    from core.services.publish_repromising_run import approve_repromising_run

    id = decode_id(input.id, "RepromisingRun").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"runId": id, "version": await approve_repromising_run(uow, id, input.expected_version)}

    return await _run(info.context, "repromisingRunPublish", input, idempotency_key, use_case)


async def repromising_run_cancel(
    info: Info,
    input: Annotated[RepromisingRunCancelInput, argument(description="Which run.")],
    idempotency_key: IdempotencyKey,
) -> RepromisingRunPayload:
    """Nothing was changed, nothing will be."""
    id = decode_id(input.id, "RepromisingRun").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"runId": id, "version": await cancel_repromising_run(uow, id)}

    return await _run(info.context, "repromisingRunCancel", input, idempotency_key, use_case)


async def repromising_variant_save(
    info: Info,
    input: Annotated[RepromisingVariantSaveInput, argument(description="The variant.")],
    idempotency_key: IdempotencyKey,
) -> RepromisingVariantPayload:
    """It replaces the one with its code."""
    request = SaveVariant(
        input.code,
        input.name,
        definition_json(input.definition),
        input.daily_at,
        input.time_zone,
        input.is_active,
        input.expected_version,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        row = await save_repromising_variant(uow, request)
        return {"code": row["code"], "version": row["version"]}

    done = await run_mutation(info.context, "repromisingVariantSave", input, idempotency_key, use_case)
    if "code" not in done.result:
        return RepromisingVariantPayload(user_errors=done.errors)
    async with info.context.read() as sql:
        rows = [row for row in await repromising.variants(sql) if row["code"] == done.result["code"]]
    return RepromisingVariantPayload(variant=variant_from(rows[0]) if rows else None, user_errors=done.errors)


async def _run(context: Context, operation: str, input: Any, key: str, use_case: Any) -> RepromisingRunPayload:
    done = await run_mutation(context, operation, input, key, use_case)
    if "runId" not in done.result:
        return RepromisingRunPayload(user_errors=done.errors)
    row = await context.loaders.repromising_run_by_id.load(done.result["runId"])
    return RepromisingRunPayload(run=build("RepromisingRun", row), user_errors=done.errors)


def definition_json(value: Any) -> Any:
    """An input as the JSON that variants are stored in; a budget keeps its nulls: they mean no limit."""
    if hasattr(value, "__dataclass_fields__"):
        keeps_null = type(value).__name__ == "RepromisingBudgetInput"
        found = {_camel(name): getattr(value, name) for name in value.__dataclass_fields__}
        return {name: definition_json(item) for name, item in found.items() if item is not None or keeps_null}
    if isinstance(value, Mapping):
        return {name: definition_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [definition_json(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
