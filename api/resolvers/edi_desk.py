"""Documents that were set aside or not taken, and changes that suppliers ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id, page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.edi_desk import (
    EdiDocumentPreviewInput,
    EdiDocumentPreviewPayload,
    EdiDocumentResendInput,
    EdiDocumentResendPayload,
    EdiDocumentSettleInput,
    EdiDocumentSettlePayload,
    EdiFileEraseInput,
    EdiPreview,
    PreviewedLine,
    PurchaseOrderSendAnewInput,
    ShipmentSendAnewInput,
    SupplierChange,
    SupplierChangeDecideInput,
    SupplierChangeFilter,
    SupplierChangePayload,
)
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.payloads import PurchaseOrderPayload, ShipmentPayload
from api.schema.sku import as_filter
from core.domain.edi_states import EdiDelivery, QuarantineState
from core.queries import supplier_changes
from core.services.decide_supplier_change import DecideSupplierChange, decide_supplier_change
from core.services.erase_edi_files import erase_edi_file
from core.services.preview_edi_document import preview_edi_document
from core.services.resend_edi_document import resend_edi_file
from core.services.send_purchase_order import send_order_anew
from core.services.send_warehouse_release import send_release_anew
from core.services.settle_quarantine import SettleQuarantine, settle_quarantine
from core.unit_of_work import UnitOfWork


async def supplier_change_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[SupplierChangeFilter | None, argument(description="Which changes.")] = None,
) -> Connection[SupplierChange]:
    """Changes the caller may see, newest first."""
    page = page_of(supplier_changes.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await supplier_changes.supplier_changes_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(supplier_changes.SORT, page, rows, more), lambda row: build("SupplierChange", row))


async def supplier_change_decide(
    info: Info,
    input: Annotated[SupplierChangeDecideInput, argument(description="The decision.")],
    idempotency_key: IdempotencyKey,
) -> SupplierChangePayload:
    """Accept a change, as an answer of the supplier, or reject it."""
    context: Context = info.context
    change_id = decode_id(input.id, "SupplierChange").id
    wanted = DecideSupplierChange(change_id, input.accept, input.reason, input.expected_version)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await decide_supplier_change(uow, wanted)
        return {"changeId": change_id}

    done = await run_mutation(context, "supplierChangeDecide", input, idempotency_key, use_case)
    found = await context.loaders.supplier_change_by_id.load(change_id) if done.result else None
    return SupplierChangePayload(change=build("SupplierChange", found), user_errors=done.errors)


async def edi_document_settle(
    info: Info,
    input: Annotated[EdiDocumentSettleInput, argument(description="What is done.")],
    idempotency_key: IdempotencyKey,
) -> EdiDocumentSettlePayload:
    """Take a document from quarantine on, say that its cause is mended, or drop it."""
    context: Context = info.context
    document_id = decode_id(input.id, "EdiDocument").id
    wanted = SettleQuarantine(document_id, QuarantineState(input.decision.value), input.person, input.note)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await settle_quarantine(uow, wanted)
        return {"documentId": document_id}

    done = await run_mutation(context, "ediDocumentSettle", input, idempotency_key, use_case)
    found = await context.loaders.document_by_id.load(document_id) if done.result else None
    return EdiDocumentSettlePayload(document=build("EdiDocument", found), user_errors=done.errors)


async def edi_file_erase(
    info: Info,
    input: Annotated[EdiFileEraseInput, argument(description="Which file, and why.")],
    idempotency_key: IdempotencyKey,
) -> EdiDocumentSettlePayload:
    """Erase the bytes of a document's file, its copies, and what its documents quote."""
    context: Context = info.context
    document_id = decode_id(input.id, "EdiDocument").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"rawId": await erase_edi_file(uow, document_id, input.reason)}

    done = await run_mutation(context, "ediFileErase", input, idempotency_key, use_case)
    found = await context.loaders.document_by_id.load(document_id) if done.result else None
    return EdiDocumentSettlePayload(document=build("EdiDocument", found), user_errors=done.errors)


async def edi_document_preview(
    info: Info,
    input: Annotated[EdiDocumentPreviewInput, argument(description="Which document, under which guide.")],
    idempotency_key: IdempotencyKey,
) -> EdiDocumentPreviewPayload:
    """Try a document from quarantine; everything that it does is taken back."""
    context: Context = info.context
    document_id = decode_id(input.id, "EdiDocument").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return asdict(await preview_edi_document(uow, document_id, input.guide_version))

    done = await run_mutation(context, "ediDocumentPreview", input, idempotency_key, use_case)
    return EdiDocumentPreviewPayload(preview=preview_of(done.result), user_errors=done.errors)


def preview_of(found: Mapping[str, Any]) -> EdiPreview | None:
    """A trial out of what the service told; None where it was refused."""
    if not found:
        return None
    return EdiPreview(
        outcome=EdiDelivery(found["outcome"]) if found["outcome"] in set(EdiDelivery) else EdiDelivery.RECEIVED,
        reason=found["reason"],
        guide_version=found["guide_version"],
        purchase_order_lines=[_line(change, "purchase_order") for change in found["purchase_lines"]],
        order_lines=[_line(change, "order_number") for change in found["order_lines"]],
        raw_faults=found["faults"],
    )


def _line(change: dict[str, Any], number: str) -> PreviewedLine:
    row = change["after"] or change["before"]
    return PreviewedLine(
        number=row[number],
        line_number=row["line_number"],
        sku=row["sku"],
        customer=row.get("customer"),
        before=json.dumps(change["before"]) if change["before"] else None,
        after=json.dumps(change["after"]) if change["after"] else None,
    )


async def edi_document_resend(
    info: Info,
    input: Annotated[EdiDocumentResendInput, argument(description="Which file.")],
    idempotency_key: IdempotencyKey,
) -> EdiDocumentResendPayload:
    """Write a document of ours again, with the same control numbers and bytes."""

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"fileName": await resend_edi_file(uow, input.file_name)}

    done = await run_mutation(info.context, "ediDocumentResend", input, idempotency_key, use_case)
    return EdiDocumentResendPayload(file_name=done.result.get("fileName"), user_errors=done.errors)


async def shipment_send_anew(
    info: Info,
    input: Annotated[ShipmentSendAnewInput, argument(description="Which shipment.")],
    idempotency_key: IdempotencyKey,
) -> ShipmentPayload:
    """Tell a warehouse again of a shipment whose release it refused, or of what it lacked of another."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"shipmentId": await send_release_anew(uow, input.number)}

    done = await run_mutation(context, "shipmentSendAnew", input, idempotency_key, use_case)
    found = await context.loaders.shipment_by_id.load(done.result["shipmentId"]) if done.result else None
    return ShipmentPayload(shipment=build("Shipment", found), user_errors=done.errors)


async def purchase_order_send_anew(
    info: Info,
    input: Annotated[PurchaseOrderSendAnewInput, argument(description="Which purchase order.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Send an order that the partner refused, under new control numbers."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"purchaseOrderId": (await send_order_anew(uow, input.number)).id}

    done = await run_mutation(context, "purchaseOrderSendAnew", input, idempotency_key, use_case)
    found = None
    if done.result:
        found = await context.loaders.purchase_order_by_id.load(done.result["purchaseOrderId"])
    return PurchaseOrderPayload(purchase_order=build("PurchaseOrder", found), user_errors=done.errors)
