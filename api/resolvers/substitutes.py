"""What may replace a SKU: set and taken away by planners."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from strawberry import Info, argument

from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import build
from api.schema.substitutes import SubstitutePayload, SubstituteRemoveInput, SubstituteSetInput
from core.services.set_substitute import SetSubstitute, remove_substitute, set_substitute
from core.unit_of_work import UnitOfWork


async def substitute_set(
    info: Info,
    input: Annotated[SubstituteSetInput, argument(description="What replaces what.")],
    idempotency_key: IdempotencyKey,
) -> SubstitutePayload:
    """Let a SKU be replaced by another."""
    wanted = SetSubstitute(input.sku, input.substitute, input.ratio, input.rank, input.needs_consent)
    return await _run(info, "substituteSet", input, idempotency_key, lambda uow: set_substitute(uow, wanted))


async def substitute_remove(
    info: Info,
    input: Annotated[SubstituteRemoveInput, argument(description="What replaces what no longer.")],
    idempotency_key: IdempotencyKey,
) -> SubstitutePayload:
    """End it."""

    async def work(uow: UnitOfWork) -> int:
        return await remove_substitute(uow, input.sku, input.substitute)

    return await _run(info, "substituteRemove", input, idempotency_key, work)


async def _run(
    info: Info, operation: str, input: Any, key: str, work: Callable[[UnitOfWork], Awaitable[int]]
) -> SubstitutePayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"skuId": await work(uow)}

    done = await run_mutation(info.context, operation, input, key, use_case)
    found = await info.context.loaders.sku_by_id.load(done.result["skuId"]) if done.result else None
    return SubstitutePayload(sku=build("Sku", found), user_errors=done.errors)
