"""Mutations of goods that come back: returns, exchanges, inspections."""

from __future__ import annotations

from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import Done, run_mutation
from api.schema.node import build
from api.schema.payloads import StockPayload
from api.schema.returns import GoodsExchangeInput, GoodsInspectInput, GoodsReturnInput, GoodsReturnPayload
from core.queries.returns import returns_by_ids
from core.queries.stock_levels import stock_level
from core.services.exchange_goods import ExchangeGoods, exchange_goods
from core.services.inspect_goods import InspectGoods, inspect_goods
from core.services.return_goods import ReturnGoods, return_goods
from core.unit_of_work import UnitOfWork


def _back(input: GoodsReturnInput) -> ReturnGoods:
    return ReturnGoods(
        input.number,
        input.line_number,
        input.quantity,
        input.location,
        input.condition.value,
        input.reason,
        input.return_number,
        input.lot,
        tuple(input.serials),
    )


async def _payload(context: Context, done: Done) -> GoodsReturnPayload:
    if not done.result:
        return GoodsReturnPayload(user_errors=done.errors)
    async with context.read() as sql:
        rows = await returns_by_ids(sql, context.principal, [done.result["returnId"]])
    return GoodsReturnPayload(
        goods_return=build("GoodsReturn", rows[0] if rows else None),
        order=build("Order", await context.loaders.order_by_id.load(done.result["orderId"])),
        user_errors=done.errors,
    )


async def goods_return(
    info: Info,
    input: Annotated[GoodsReturnInput, argument(description="What came back.")],
    idempotency_key: IdempotencyKey,
) -> GoodsReturnPayload:
    """Take goods back from a customer."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        back = await return_goods(uow, _back(input))
        return {"returnId": back.return_id, "orderId": back.order_id, "version": back.version}

    return await _payload(context, await run_mutation(context, "goodsReturn", input, idempotency_key, use_case))


async def goods_exchange(
    info: Info,
    input: Annotated[GoodsExchangeInput, argument(description="What came back, and what is sent.")],
    idempotency_key: IdempotencyKey,
) -> GoodsReturnPayload:
    """Take goods back and send others, as a line of their own in the same order."""
    context: Context = info.context
    wanted = ExchangeGoods(_back(input), input.sku, input.replacement_quantity, input.requested_date)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        done = await exchange_goods(uow, wanted)
        return {"returnId": done.return_id, "orderId": done.order_id, "version": done.version}

    return await _payload(context, await run_mutation(context, "goodsExchange", input, idempotency_key, use_case))


async def goods_inspect(
    info: Info,
    input: Annotated[GoodsInspectInput, argument(description="What was found.")],
    idempotency_key: IdempotencyKey,
) -> StockPayload:
    """Decide about units that wait unsellable."""
    context: Context = info.context
    found = InspectGoods(
        input.location, input.sku, input.accepted, input.rejected, input.reason, input.lot, tuple(input.serials)
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        change = await inspect_goods(uow, found)
        return {"skuId": change.sku_id, "locationId": change.location_id, "version": change.version}

    done = await run_mutation(context, "goodsInspect", input, idempotency_key, use_case)
    if not done.result:
        return StockPayload(user_errors=done.errors)
    async with context.read() as sql:
        level = await stock_level(sql, done.result["skuId"], done.result["locationId"])
    return StockPayload(stock=build("StockLevel", level), user_errors=done.errors)
