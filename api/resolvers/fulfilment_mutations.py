"""Mutations of shipments, backorders and notices."""

from __future__ import annotations

from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import must_see_backorder, must_see_notice, refusals, run_mutation
from api.schema.inputs import (
    BackorderCancelInput,
    BackorderReprioritizeInput,
    NoticeMarkReadInput,
    ShipmentConfirmInput,
    ShipmentDeliverInput,
)
from api.schema.node import build
from api.schema.payloads import (
    BackorderPayload,
    NoticePayload,
    ShipmentPayload,
)
from core.domain.picking import Pick
from core.services.cancel_backorder import CancelBackorder, cancel_backorder
from core.services.confirm_delivery import ConfirmDelivery
from core.services.confirm_shipment import ConfirmShipment
from core.services.mark_notice_read import mark_notice_read
from core.services.reprioritize_backorder import ReprioritizeBackorder, reprioritize_backorder
from core.services.tell_shipment import tell_delivered, tell_shipped
from core.unit_of_work import UnitOfWork


async def _shipment(context: Context, result: Any) -> Any:
    shipment_id = result.get("shipmentId")
    return None if shipment_id is None else build("Shipment", await context.loaders.shipment_by_id.load(shipment_id))


async def shipment_confirm(
    info: Info,
    input: Annotated[ShipmentConfirmInput, argument(description="The shipment.")],
    idempotency_key: IdempotencyKey,
) -> ShipmentPayload:
    """Book a shipment out."""
    context: Context = info.context
    picks = [Pick(x.line_number, x.quantity, x.lot, tuple(x.serials)) for x in input.picks]
    wanted = ConfirmShipment(input.number, input.carrier, input.tracking_number, input.shipped_at, picks)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        change = await tell_shipped(uow, wanted)
        return {"shipmentId": change.shipment_id, "version": change.version}

    done = await run_mutation(context, "shipmentConfirm", input, idempotency_key, use_case)
    return ShipmentPayload(shipment=await _shipment(context, done.result), user_errors=done.errors)


async def shipment_deliver(
    info: Info,
    input: Annotated[ShipmentDeliverInput, argument(description="The shipment.")],
    idempotency_key: IdempotencyKey,
) -> ShipmentPayload:
    """Book a shipment as arrived."""
    context: Context = info.context
    wanted = ConfirmDelivery(input.number, input.delivered_at)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        change = await tell_delivered(uow, wanted)
        return {"shipmentId": change.shipment_id, "version": change.version}

    done = await run_mutation(context, "shipmentDeliver", input, idempotency_key, use_case)
    return ShipmentPayload(shipment=await _shipment(context, done.result), user_errors=done.errors)


async def _backorder(context: Context, result: Any) -> Any:
    key = result.get("backorder")
    return None if key is None else build("Backorder", await context.loaders.backorder_by_key.load(tuple(key)))


async def backorder_cancel(
    info: Info,
    input: Annotated[BackorderCancelInput, argument(description="Which backorder.")],
    idempotency_key: IdempotencyKey,
) -> BackorderPayload:
    """Cancel the short part of a line."""
    context: Context = info.context
    node = decode_id(input.id, "Backorder")
    key = (node.sku_id, node.id)
    if refused := await refusals(context, must_see_backorder(context, key, input.id)):
        return BackorderPayload(user_errors=refused)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await cancel_backorder(uow, CancelBackorder(*key, input.reason, input.expected_version, input.quantity))
        return {"backorder": list(key)}

    done = await run_mutation(context, "backorderCancel", input, idempotency_key, use_case)
    return BackorderPayload(backorder=await _backorder(context, done.result), user_errors=done.errors)


async def backorder_reprioritize(
    info: Info,
    input: Annotated[BackorderReprioritizeInput, argument(description="Which backorder, which rank.")],
    idempotency_key: IdempotencyKey,
) -> BackorderPayload:
    """Change who is served first."""
    context: Context = info.context
    node = decode_id(input.id, "Backorder")
    key = (node.sku_id, node.id)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await reprioritize_backorder(
            uow, ReprioritizeBackorder(*key, input.score, input.reason, input.expected_version)
        )
        return {"backorder": list(key)}

    done = await run_mutation(context, "backorderReprioritize", input, idempotency_key, use_case)
    return BackorderPayload(backorder=await _backorder(context, done.result), user_errors=done.errors)


async def notice_mark_read(
    info: Info,
    input: Annotated[NoticeMarkReadInput, argument(description="Which notice.")],
    idempotency_key: IdempotencyKey,
) -> NoticePayload:
    """Note that a notice was read."""
    context: Context = info.context
    notice_id = decode_id(input.id, "Notice").id
    if refused := await refusals(context, must_see_notice(context, notice_id, input.id)):
        return NoticePayload(user_errors=refused)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await mark_notice_read(uow, notice_id)
        return {"noticeId": notice_id}

    done = await run_mutation(context, "noticeMarkRead", input, idempotency_key, use_case)
    found = await context.loaders.notice_by_id.load(done.result["noticeId"]) if done.result else None
    return NoticePayload(notice=build("Notice", found), user_errors=done.errors)
