"""What bounds the promises of a SKU: quotas, protected stock, release days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from strawberry import Info, argument

from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import build
from api.schema.selling import (
    ProtectedStockSetInput,
    ProtectedStockStep,
    Quota,
    QuotaSetInput,
    SellingRulesPayload,
    SkuReleaseSetInput,
)
from core.domain.states import QuotaPeriod
from core.queries import selling_rules
from core.services.change_selling_rules import SetProtectedStock, SetQuota, set_protected_stock, set_quota
from core.services.set_release_day import SetReleaseDay, set_release_day
from core.unit_of_work import UnitOfWork


async def _run(
    info: Info, operation: str, input: Any, key: str, work: Callable[[UnitOfWork], Awaitable[int]]
) -> SellingRulesPayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"skuId": await work(uow)}

    done = await run_mutation(info.context, operation, input, key, use_case)
    sku = None
    if "skuId" in done.result:
        sku = build("Sku", await info.context.loaders.sku_by_id.load(done.result["skuId"]))
    return SellingRulesPayload(sku=sku, user_errors=done.errors)


SkuCode = Annotated[str | None, argument(description="Only those of this SKU, by code.")]


async def quotas(info: Info, sku: SkuCode = None) -> list[Quota]:
    """Quotas by SKU."""
    async with info.context.read() as sql:
        rows = await selling_rules.quotas(sql, sku)
    return [Quota(**{**row, "period": QuotaPeriod(row["period"])}) for row in map(dict, rows)]


async def protected_stock(info: Info, sku: SkuCode = None) -> list[ProtectedStockStep]:
    """Steps by SKU, location, class and day."""
    async with info.context.read() as sql:
        return [ProtectedStockStep(**dict(row)) for row in await selling_rules.protected_stock(sql, sku)]


async def quota_set(
    info: Info,
    input: Annotated[QuotaSetInput, argument(description="How much, for whom, when.")],
    idempotency_key: IdempotencyKey,
) -> SellingRulesPayload:
    """Set or end a quota."""
    wanted = SetQuota(
        input.sku,
        input.period.value,
        input.quantity,
        input.from_day,
        input.until_day,
        input.channel,
        input.customer,
        input.tier,
    )
    return await _run(info, "quotaSet", input, idempotency_key, lambda uow: set_quota(uow, wanted))


async def protected_stock_set(
    info: Info,
    input: Annotated[ProtectedStockSetInput, argument(description="How much is kept back, where and from whom.")],
    idempotency_key: IdempotencyKey,
) -> SellingRulesPayload:
    """Replace the protected stock of a class."""
    steps = [(step.from_day, step.quantity) for step in input.steps]
    wanted = SetProtectedStock(input.sku, input.location, steps, input.demand_class)
    return await _run(info, "protectedStockSet", input, idempotency_key, lambda uow: set_protected_stock(uow, wanted))


async def sku_release_set(
    info: Info,
    input: Annotated[SkuReleaseSetInput, argument(description="Which SKU, from when.")],
    idempotency_key: IdempotencyKey,
) -> SellingRulesPayload:
    """Set or lift a release day."""
    wanted = SetReleaseDay(input.sku, input.available_from)
    return await _run(info, "skuReleaseSet", input, idempotency_key, lambda uow: set_release_day(uow, wanted))
