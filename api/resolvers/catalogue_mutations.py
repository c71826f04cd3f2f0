"""Take SKUs into the catalogue and change them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from strawberry import Info, argument

from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import build
from api.schema.sku_inputs import SkuChangeInput, SkuCreateInput, SkuFieldsInput, SkuPayload
from core.domain.sku_fields import SkuFields
from core.services.change_sku import ChangeSku, change_sku
from core.services.create_sku import CreateSku, create_sku
from core.unit_of_work import UnitOfWork


async def sku_create(
    info: Info,
    input: Annotated[SkuCreateInput, argument(description="The SKU.")],
    idempotency_key: IdempotencyKey,
) -> SkuPayload:
    """Take a SKU into the catalogue."""
    wanted = CreateSku(input.code, input.currency, input.unit, input.available_from, _fields(input.fields))
    return await _run(info, "skuCreate", input, idempotency_key, lambda uow: create_sku(uow, wanted))


async def sku_change(
    info: Info,
    input: Annotated[SkuChangeInput, argument(description="What is to be different.")],
    idempotency_key: IdempotencyKey,
) -> SkuPayload:
    """Change what is known of a SKU."""
    status = None if input.status is None else input.status.value
    wanted = ChangeSku(input.sku, status, input.available_from, _fields(input.fields))
    return await _run(info, "skuChange", input, idempotency_key, lambda uow: change_sku(uow, wanted))


async def _run(
    info: Info, operation: str, input: Any, key: str, work: Callable[[UnitOfWork], Awaitable[int]]
) -> SkuPayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"skuId": await work(uow)}

    done = await run_mutation(info.context, operation, input, key, use_case)
    found = await info.context.loaders.sku_by_id.load(done.result["skuId"]) if done.result else None
    return SkuPayload(sku=build("Sku", found), user_errors=done.errors)


def _fields(given: SkuFieldsInput | None) -> SkuFields:
    if given is None:
        return SkuFields()
    names = None if given.names is None else {name.language: name.text for name in given.names}
    return SkuFields(
        names,
        given.low_stock_at,
        given.reorder_point,
        given.reorder_quantity,
        given.weight_g,
        given.unit_cost,
        given.unit_price,
        given.min_life_days,
        given.tracks_lots,
        given.tracks_expiry,
        given.tracks_serials,
        given.gtin,
    )
