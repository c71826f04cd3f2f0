"""Lots and serialised units: what there is, to whom it went, and recalls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.lots import KitChangeInput, KitPayload, LotBlockInput, LotPayload, LotReleaseInput, LotTrace, SerialUnit
from api.schema.node import build, build_all
from core.queries import lots, skus
from core.services.block_lot import ChangeLot, LotChange, block_lot, release_lot
from core.services.change_kit import ChangeKit, change_kit
from core.unit_of_work import UnitOfWork

MAX_USES = 1_000
MAX_SERIALS = 100


async def _sku_id(context: Context, code: str) -> int | None:
    async with context.read() as sql:
        rows = await skus.skus_by_codes(sql, [code])
    return rows[0]["id"] if rows else None


async def lot_trace(
    info: Info,
    sku: Annotated[str, argument(description="Code of the SKU.")],
    lot: Annotated[str, argument(description="Code of the lot.")],
) -> LotTrace | None:
    """Where a lot is and to whom it went."""
    context: Context = info.context
    sku_id = await _sku_id(context, sku)
    if sku_id is None:
        return None
    async with context.read() as sql:
        found = await lots.lots_by_code(sql, sku_id, lot)
        uses = await lots.lines_with_lot(sql, sku_id, lot, MAX_USES)
    if not found:
        return None
    return LotTrace(code=lot, lots=build_all("Lot", found), uses=build_all("LotUse", uses))


async def serial_units(
    info: Info,
    sku: Annotated[str, argument(description="Code of the SKU.")],
    serials: Annotated[list[str], argument(description="Serial numbers, at most 100.")],
) -> list[SerialUnit]:
    """The units that are known, by serial number."""
    context: Context = info.context
    sku_id = await _sku_id(context, sku)
    if sku_id is None:
        return []
    async with context.read() as sql:
        return build_all("SerialUnit", await lots.serial_units(sql, sku_id, serials[:MAX_SERIALS]))


async def lot_block(
    info: Info,
    input: Annotated[LotBlockInput, argument(description="The lot.")],
    idempotency_key: IdempotencyKey,
) -> LotPayload:
    """Recall a lot."""
    return await _change(info.context, "lotBlock", input, idempotency_key, block_lot)


async def lot_release(
    info: Info,
    input: Annotated[LotReleaseInput, argument(description="The lot.")],
    idempotency_key: IdempotencyKey,
) -> LotPayload:
    """Let a recalled lot be sold again."""
    return await _change(info.context, "lotRelease", input, idempotency_key, release_lot)


async def kit_change(
    info: Info,
    input: Annotated[KitChangeInput, argument(description="The kit.")],
    idempotency_key: IdempotencyKey,
) -> KitPayload:
    """Say what a kit is made of."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"skuId": await change_kit(uow, ChangeKit(input.sku, {x.sku: x.quantity for x in input.components}))}

    done = await run_mutation(context, "kitChange", input, idempotency_key, use_case)
    found = await context.loaders.sku_by_id.load(done.result["skuId"]) if done.result else None
    return KitPayload(sku=build("Sku", found), user_errors=done.errors)


async def _change(
    context: Context,
    operation: str,
    input: LotBlockInput | LotReleaseInput,
    key: str,
    change: Callable[[UnitOfWork, ChangeLot], Awaitable[LotChange]],
) -> LotPayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        done = await change(uow, ChangeLot(input.sku, input.lot, input.reason))
        return {"skuId": done.sku_id, "lot": done.code, "units": done.units, "lineIds": done.line_ids}

    done = await run_mutation(context, operation, input, key, use_case)
    if not done.result:
        return LotPayload(user_errors=done.errors)
    sku_id = done.result["skuId"]
    async with context.read() as sql:
        found = await lots.lots_by_code(sql, sku_id, done.result["lot"])
    lines = [await context.loaders.line_by_key.load((sku_id, line_id)) for line_id in done.result["lineIds"]]
    return LotPayload(
        lots=build_all("Lot", found),
        units=done.result["units"],
        affected_lines=build_all("OrderLine", [line for line in lines if line is not None]),
        user_errors=done.errors,
    )
