"""Mutations of purchase orders, ship notices, receipts, stock and partner documents."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import must_see_purchase_order, refusals, run_mutation
from api.resolvers.promised_days import refuse_past
from api.resolvers.supplier_mutations import supplier_id_of
from api.schema.edi import EdiDocument
from api.schema.errors import user_error
from api.schema.node import build, build_all
from api.schema.payloads import (
    EdiDocumentPayload,
    GoodsReceipt,
    GoodsReceivePayload,
    PurchaseOrderPayload,
    ShipNoticePayload,
    StockPayload,
    StockTransferPayload,
)
from api.schema.supply_inputs import (
    EdiDocumentReplayInput,
    EdiDocumentSubmitInput,
    GoodsReceiveInput,
    PurchaseOrderAcknowledgeInput,
    PurchaseOrderApproveInput,
    PurchaseOrderCancelInput,
    PurchaseOrderCloseInput,
    PurchaseOrderCreateInput,
    ShipNoticeSubmitInput,
    StockAdjustInput,
    StockCountInput,
    StockTransferInput,
    StockTransferShipInput,
)
from core.errors import DomainError, InvalidInput, NotFound
from core.queries import edi_documents, purchase_orders, transfers
from core.queries.goods_receipts import goods_receipt
from core.queries.stock_levels import stock_level
from core.queries.supplier_portal import sequence_now
from core.services.adjust_stock import AdjustStock, adjust_stock
from core.services.apply_acknowledgement import AcknowledgeLine, AcknowledgePurchaseOrder, apply_acknowledgement
from core.services.apply_ship_notice import ShipNoticeInput, apply_ship_notice
from core.services.approve_purchase_order import approve_purchase_order
from core.services.cancel_purchase_order import cancel_purchase_order
from core.services.close_purchase_order import ClosePurchaseOrder, close_purchase_order
from core.services.count_stock import CountStock, count_stock
from core.services.create_purchase_order import CreatePurchaseOrder, create_purchase_order
from core.services.receive_edi_file import store_edi_file
from core.services.receive_goods import ReceiptLine, ReceiveGoods, receive_goods
from core.services.record_packs import NoticePack, PackedLine, record_packs
from core.services.replay_edi_document import replay_edi_document
from core.services.ship_transfers import ship_transfers
from core.services.transfer_stock import TransferStock, transfer_stock
from core.unit_of_work import UnitOfWork


async def _purchase_order(context: Context, result: Any) -> Any:
    id = result.get("purchaseOrderId")
    return None if id is None else build("PurchaseOrder", await context.loaders.purchase_order_by_id.load(id))


def _change(change: Any) -> dict[str, Any]:
    return {"purchaseOrderId": change.purchase_order_id, "version": change.version}


async def purchase_order_create(
    info: Info,
    input: Annotated[PurchaseOrderCreateInput, argument(description="The purchase order.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Order from a supplier; above the approval limit it waits for approval."""
    context: Context = info.context
    wanted = CreatePurchaseOrder(
        supplier=input.supplier,
        location=input.location,
        lines=[(line.sku, line.quantity, line.price_minor) for line in input.lines],
        requested_date=input.requested_date,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await create_purchase_order(uow, wanted))

    done = await run_mutation(context, "purchaseOrderCreate", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _purchase_order(context, done.result), user_errors=done.errors)


async def purchase_order_approve(
    info: Info,
    input: Annotated[PurchaseOrderApproveInput, argument(description="Which purchase order.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Approve; it is sent after the commit."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await approve_purchase_order(uow, input.number, input.expected_version))

    done = await run_mutation(context, "purchaseOrderApprove", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _purchase_order(context, done.result), user_errors=done.errors)


async def purchase_order_cancel(
    info: Info,
    input: Annotated[PurchaseOrderCancelInput, argument(description="What to cancel.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Cancel a purchase order or lines of it; order lines that relied on it lose their supply."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await cancel_purchase_order(uow, input.number, input.line_numbers, input.expected_version))

    done = await run_mutation(context, "purchaseOrderCancel", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _purchase_order(context, done.result), user_errors=done.errors)


async def purchase_order_close(
    info: Info,
    input: Annotated[PurchaseOrderCloseInput, argument(description="What will never come.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Close a purchase order or lines of it short; order lines that relied on it look for another source."""
    context: Context = info.context
    if refused := await refusals(context, must_see_purchase_order(context, input.number)):
        return PurchaseOrderPayload(user_errors=refused)
    wanted = ClosePurchaseOrder(
        input.number, input.reason, input.line_numbers, context.principal.supplier_id, input.expected_version
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await close_purchase_order(uow, wanted))

    done = await run_mutation(context, "purchaseOrderClose", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _purchase_order(context, done.result), user_errors=done.errors)


async def purchase_order_acknowledge(
    info: Info,
    input: Annotated[PurchaseOrderAcknowledgeInput, argument(description="The supplier's answer.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Apply a supplier's answer, as its 855 document would."""
    context: Context = info.context
    if refused := await refusals(context, must_see_purchase_order(context, input.number)):
        return PurchaseOrderPayload(user_errors=refused)
    lines = [
        AcknowledgeLine(
            line_number=line.line_number,
            accepted=[(part.quantity, part.date) for part in line.accepted],
            backordered=[(part.quantity, part.date) for part in line.backordered],
            rejected=line.rejected,
            held=line.held,
        )
        for line in input.lines
    ]

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        for number, line in enumerate(input.lines):
            days = [part.date for part in (*line.accepted, *line.backordered)]
            refuse_past(uow.now, days, ("input", "lines", str(number)))
        wanted = AcknowledgePurchaseOrder(
            number=input.number,
            supplier_id=context.principal.supplier_id,
            lines=lines,
            sequence=input.sequence or await sequence_now(uow.sql, uow.now, order=input.number),
            expected_version=input.expected_version,
        )
        return _change(await apply_acknowledgement(uow, wanted))

    done = await run_mutation(context, "purchaseOrderAcknowledge", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _purchase_order(context, done.result), user_errors=done.errors)


async def ship_notice_submit(
    info: Info,
    input: Annotated[ShipNoticeSubmitInput, argument(description="The ship notice.")],
    idempotency_key: IdempotencyKey,
) -> ShipNoticePayload:
    """Apply a supplier's ship notice, as its 856 document would."""
    context: Context = info.context
    packs = [
        NoticePack(p.sscc, p.kind, [PackedLine(x.sku, x.quantity, x.lot) for x in p.contents]) for p in input.packs
    ]
    try:
        supplier_id = await supplier_id_of(context, input.supplier)
    except DomainError as error:
        return ShipNoticePayload(user_errors=[user_error(error, context.language)])

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        noticed = await apply_ship_notice(
            uow,
            ShipNoticeInput(
                supplier_id=supplier_id,
                number=input.number,
                shipped_on=input.shipped_on,
                expected_date=input.expected_date,
                carrier=input.carrier or "",
                tracking_number=input.tracking_number or "",
                lines=[(line.purchase_order_number, line.line_number, line.sku, line.quantity) for line in input.lines],
                sequence=input.sequence or await sequence_now(uow.sql, uow.now, supplier_id=supplier_id),
            ),
        )
        shipped: dict[str, int] = {}
        for line in input.lines:
            shipped[line.sku] = shipped.get(line.sku, 0) + line.quantity
        if noticed.outcome == "applied":
            await record_packs(uow, supplier_id, input.number, packs, shipped)
        return {"supplierId": supplier_id}

    done = await run_mutation(context, "shipNoticeSubmit", input, idempotency_key, use_case)
    found = None
    if done.result:
        async with context.read() as sql:
            found = await purchase_orders.ship_notice_by_number(
                sql, context.principal, done.result["supplierId"], input.number
            )
    return ShipNoticePayload(ship_notice=build("ShipNotice", found), user_errors=done.errors)


async def goods_receive(
    info: Info,
    input: Annotated[GoodsReceiveInput, argument(description="What arrived.")],
    idempotency_key: IdempotencyKey,
) -> GoodsReceivePayload:
    """Take goods in; lines that wait for them get them by priority, then age."""
    context: Context = info.context
    is_transfer = input.kind.value == "TRANSFER" and not input.reference.isdecimal()
    wanted = ReceiveGoods(
        reference=str(decode_id(input.reference, "Transfer").id) if is_transfer else input.reference,
        kind=input.kind.value,
        location=input.location,
        lines=[
            ReceiptLine(x.sku, x.quantity, x.damaged, x.line_number, x.lot, x.expires_on, tuple(x.serials))
            for x in input.lines
        ],
        receipt_number=input.receipt_number,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"receiptId": (await receive_goods(uow, wanted)).receipt_id}

    done = await run_mutation(context, "goodsReceive", input, idempotency_key, use_case)
    receipt = None
    if done.result:
        async with context.read() as sql:
            found = await goods_receipt(sql, done.result["receiptId"])
        if found is not None:
            receipt = GoodsReceipt(
                number=found[0]["number"],
                received_at=found[0]["received_at"],
                lines=build_all("GoodsReceiptLine", found[1]),
            )
    return GoodsReceivePayload(receipt=receipt, user_errors=done.errors)


async def _stock(context: Context, result: Any) -> Any:
    if not result:
        return None
    async with context.read() as sql:
        return build("StockLevel", await stock_level(sql, result["skuId"], result["locationId"]))


async def stock_adjust(
    info: Info,
    input: Annotated[StockAdjustInput, argument(description="The correction.")],
    idempotency_key: IdempotencyKey,
) -> StockPayload:
    """Correct stock by a difference."""
    context: Context = info.context
    wanted = AdjustStock(
        input.sku,
        input.location,
        input.delta,
        input.reason,
        input.unsellable,
        input.lot,
        input.expires_on,
        tuple(input.serials),
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        change = await adjust_stock(uow, wanted)
        return {"skuId": change.sku_id, "locationId": change.location_id, "version": change.version}

    done = await run_mutation(context, "stockAdjust", input, idempotency_key, use_case)
    return StockPayload(stock=await _stock(context, done.result), user_errors=done.errors)


async def stock_count(
    info: Info,
    input: Annotated[StockCountInput, argument(description="What was found.")],
    idempotency_key: IdempotencyKey,
) -> StockPayload:
    """Book what a count found."""
    context: Context = info.context
    wanted = CountStock(
        input.sku, input.location, input.counted, input.reason, input.lot, input.expires_on, input.counted_at
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        change = await count_stock(uow, wanted)
        return {"skuId": change.sku_id, "locationId": change.location_id, "version": change.version}

    done = await run_mutation(context, "stockCount", input, idempotency_key, use_case)
    return StockPayload(stock=await _stock(context, done.result), user_errors=done.errors)


async def stock_transfer(
    info: Info,
    input: Annotated[StockTransferInput, argument(description="What to move.")],
    idempotency_key: IdempotencyKey,
) -> StockTransferPayload:
    """Plan a transfer between two locations."""
    context: Context = info.context
    proposal = None if input.proposal_id is None else decode_id(input.proposal_id, "RebalancingProposal").id
    wanted = TransferStock(input.sku, input.from_location, input.to_location, input.quantity, proposal)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"transferId": (await transfer_stock(uow, wanted)).transfer_id}

    done = await run_mutation(context, "stockTransfer", input, idempotency_key, use_case)
    return StockTransferPayload(transfer=await _transfer(context, done.result), user_errors=done.errors)


async def stock_transfer_ship(
    info: Info,
    input: Annotated[StockTransferShipInput, argument(description="Which transfer.")],
    idempotency_key: IdempotencyKey,
) -> StockTransferPayload:
    """Let a planned transfer leave; `goodsReceive` takes it in at the other end."""
    context: Context = info.context
    transfer_id = decode_id(input.id, "Transfer").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await ship_transfers(uow, [transfer_id])
        return {"transferId": transfer_id}

    done = await run_mutation(context, "stockTransferShip", input, idempotency_key, use_case)
    return StockTransferPayload(transfer=await _transfer(context, done.result), user_errors=done.errors)


async def _transfer(context: Context, result: Any) -> Any:
    if not result:
        return None
    async with context.read() as sql:
        return build("Transfer", await transfers.transfer_by_id(sql, result["transferId"]))


async def _must_own_partner(context: Context, code: str) -> None:
    if context.principal.is_row_scoped:
        async with context.read() as sql:
            if not await edi_documents.partner_is_visible(sql, context.principal, code):
                raise NotFound("partner", code, path=("input", "partner"))


async def _documents(context: Context, raw_id: int | None) -> list[EdiDocument]:
    if raw_id is None:
        return []
    async with context.read() as sql:
        return build_all("EdiDocument", await edi_documents.documents_by_raw_id(sql, context.principal, raw_id))


async def edi_document_submit(
    info: Info,
    input: Annotated[EdiDocumentSubmitInput, argument(description="The file.")],
    idempotency_key: IdempotencyKey,
) -> EdiDocumentPayload:
    """Store a partner's file; it is read and applied a moment later."""
    context: Context = info.context
    if refused := await refusals(context, _must_own_partner(context, input.partner)):
        return EdiDocumentPayload(user_errors=refused)
    data = input.content.encode()
    if len(data) > context.settings.edi_max_bytes:
        error = InvalidInput("The file is too large.", path=("input", "content"), field="content", value=len(data))
        return EdiDocumentPayload(user_errors=[user_error(error, context.language)])
    transport_id = input.transport_id or hashlib.sha256(data).hexdigest()

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"rawId": await store_edi_file(uow, input.partner, "graphql", f"{input.partner}:{transport_id}", data)}

    done = await run_mutation(context, "ediDocumentSubmit", input, idempotency_key, use_case)
    documents = await _documents(context, done.result.get("rawId"))
    return EdiDocumentPayload(
        document=documents[0] if documents else None, documents=documents, user_errors=done.errors
    )


async def edi_document_replay(
    info: Info,
    input: Annotated[EdiDocumentReplayInput, argument(description="Which document.")],
    idempotency_key: IdempotencyKey,
) -> EdiDocumentPayload:
    """Apply a document again, a moment later; what was applied already changes nothing."""
    context: Context = info.context
    document_id = decode_id(input.id, "EdiDocument").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await replay_edi_document(uow, document_id, input.guide_version)
        return {"documentId": document_id}

    done = await run_mutation(context, "ediDocumentReplay", input, idempotency_key, use_case)
    found = await context.loaders.document_by_id.load(document_id) if done.result else None
    documents = build_all("EdiDocument", [found] if found is not None else [])
    return EdiDocumentPayload(
        document=documents[0] if documents else None, documents=documents, user_errors=done.errors
    )
