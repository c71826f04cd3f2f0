"""Mutations of the work with suppliers: hints, messages, other days, urgent requests, terms, emergencies, absences."""

from __future__ import annotations

from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import must_see_purchase_order, refusals, run_mutation
from api.resolvers.promised_days import refuse_past
from api.schema.errors import user_error
from api.schema.node import build, build_all
from api.schema.payloads import PurchaseOrderPayload
from api.schema.sourcing import SourcingChoice
from api.schema.supplier_inputs import (
    ApproverAbsencePayload,
    ApproverAbsenceSetInput,
    EmergencyPurchaseInput,
    EmergencyPurchasePayload,
    PurchaseOrderMessagePostInput,
    PurchaseOrderRescheduleInput,
    PurchaseOrderReschedulePayload,
    SupplierCreateInput,
    SupplierDeadlineChaseInput,
    SupplierPayload,
    SupplierRequestAnswerInput,
    SupplierRequestCreateInput,
    SupplierRequestPayload,
    SupplierStockReportInput,
    SupplierTermsSetInput,
)
from core.domain.access import Role
from core.domain.supplier_changes import ChangeState
from core.errors import DomainError, InvalidInput, NotFound
from core.queries import network, supplier_portal
from core.queries.inbound_priority import absences
from core.queries.supplier_portal import sequence_now
from core.services.ask_supplier import AnswerRequest, AskSupplier, answer_request, ask_supplier
from core.services.choose_sources import Choice
from core.services.create_supplier import CreateSupplier, create_supplier
from core.services.post_order_message import post_order_message
from core.services.purchase_emergency import EmergencyPurchase, purchase_emergency
from core.services.report_supplier_stock import StockHint, report_supplier_stock
from core.services.reschedule_lines import reschedule_lines
from core.services.run_supplier_deadlines import chase_supplier
from core.services.set_approver_absence import set_approver_absence
from core.services.set_supplier_terms import SupplierTerms, set_supplier_terms
from core.unit_of_work import UnitOfWork


async def supplier_id_of(context: Context, code: str | None) -> int:
    """The supplier that a mutation speaks for: a SUPPLIER itself, else the named one. Raises NotFound, InvalidInput."""
    caller = context.principal
    if caller.role is Role.SUPPLIER and caller.supplier_id is not None and code is None:
        return caller.supplier_id
    if code is None:
        raise InvalidInput("Name the supplier.", path=("input", "supplier"), field="supplier")
    async with context.read() as sql:
        found = await network.supplier_by_code(sql, caller, code)
    if found is None:
        raise NotFound("supplier", code, path=("input", "supplier"))
    return found["id"]


async def _supplier(context: Context, result: Any) -> Any:
    id = result.get("supplierId")
    return None if id is None else build("Supplier", await context.loaders.supplier_by_id.load(id))


async def _order(context: Context, result: Any) -> Any:
    id = result.get("purchaseOrderId")
    return None if id is None else build("PurchaseOrder", await context.loaders.purchase_order_by_id.load(id))


async def _request(context: Context, result: Any) -> Any:
    if "number" not in result:
        return None
    async with context.read() as sql:
        found = await supplier_portal.request_by_number(sql, context.principal, result["number"])
    return build("SupplierRequest", found)


async def supplier_stock_report(
    info: Info,
    input: Annotated[SupplierStockReportInput, argument(description="The hints.")],
    idempotency_key: IdempotencyKey,
) -> SupplierPayload:
    """Take a supplier's hints on stock and capacity."""
    context: Context = info.context
    try:
        supplier_id = await supplier_id_of(context, input.supplier)
    except DomainError as error:
        return SupplierPayload(user_errors=[user_error(error, context.language)])
    hints = [StockHint(x.sku, x.available, x.capacity_per_week, x.next_date, x.next_quantity) for x in input.lines]

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await report_supplier_stock(uow, supplier_id, hints, input.as_of)
        return {"supplierId": supplier_id}

    done = await run_mutation(context, "supplierStockReport", input, idempotency_key, use_case)
    return SupplierPayload(supplier=await _supplier(context, done.result), user_errors=done.errors)


async def purchase_order_message_post(
    info: Info,
    input: Annotated[PurchaseOrderMessagePostInput, argument(description="The message.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Write into the thread of a purchase order."""
    context: Context = info.context
    if refused := await refusals(context, must_see_purchase_order(context, input.number)):
        return PurchaseOrderPayload(user_errors=refused)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"purchaseOrderId": await post_order_message(uow, input.number, input.body)}

    done = await run_mutation(context, "purchaseOrderMessagePost", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _order(context, done.result), user_errors=done.errors)


async def purchase_order_reschedule(
    info: Info,
    input: Annotated[PurchaseOrderRescheduleInput, argument(description="The days.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderReschedulePayload:
    """Ask for other days, as a supplier's own 865 would."""
    context: Context = info.context
    if refused := await refusals(context, must_see_purchase_order(context, input.number)):
        return PurchaseOrderReschedulePayload(user_errors=refused)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        schedules: dict[int, list[Any]] = {}
        for number, line in enumerate(input.lines):
            path = ("input", "lines", str(number))
            if any(part.date is None for part in line.schedules):
                text = f"Line {line.line_number}: every part has a day."
                raise InvalidInput(text, path=(*path, "schedules"), field="date")
            if line.line_number in schedules:
                text = f"Line {line.line_number} is named twice."
                raise InvalidInput(text, path=(*path, "lineNumber"), field="lineNumber", value=line.line_number)
            refuse_past(uow.now, [part.date for part in line.schedules], path)
            schedules[line.line_number] = [(part.quantity, part.date) for part in line.schedules]
        change = await reschedule_lines(
            uow,
            input.number,
            context.principal.supplier_id,
            schedules,
            await sequence_now(uow.sql, uow.now, order=input.number),
            input.note,
            input.expected_version,
        )
        return {"purchaseOrderId": change.purchase_order_id, "isAccepted": change.state is ChangeState.ACCEPTED}

    done = await run_mutation(context, "purchaseOrderReschedule", input, idempotency_key, use_case)
    return PurchaseOrderReschedulePayload(
        purchase_order=await _order(context, done.result),
        is_accepted=done.result.get("isAccepted"),
        user_errors=done.errors,
    )


async def supplier_request_create(
    info: Info,
    input: Annotated[SupplierRequestCreateInput, argument(description="What is asked.")],
    idempotency_key: IdempotencyKey,
) -> SupplierRequestPayload:
    """Ask a supplier something urgent."""
    wanted = AskSupplier(
        input.supplier, input.kind, input.sku, input.quantity, input.need_date, input.purchase_order, input.note
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"number": await ask_supplier(uow, wanted)}

    done = await run_mutation(info.context, "supplierRequestCreate", input, idempotency_key, use_case)
    return SupplierRequestPayload(request=await _request(info.context, done.result), user_errors=done.errors)


async def supplier_request_answer(
    info: Info,
    input: Annotated[SupplierRequestAnswerInput, argument(description="The answer.")],
    idempotency_key: IdempotencyKey,
) -> SupplierRequestPayload:
    """Answer an urgent request."""
    answer = AnswerRequest(input.number, input.quantity, input.date, input.note)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"number": await answer_request(uow, answer)}

    done = await run_mutation(info.context, "supplierRequestAnswer", input, idempotency_key, use_case)
    return SupplierRequestPayload(request=await _request(info.context, done.result), user_errors=done.errors)


async def supplier_deadline_chase(
    info: Info,
    input: Annotated[SupplierDeadlineChaseInput, argument(description="Which deadline.")],
    idempotency_key: IdempotencyKey,
) -> PurchaseOrderPayload:
    """Note that somebody is after the supplier."""

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"purchaseOrderId": await chase_supplier(uow, input.number, input.kind, input.note)}

    done = await run_mutation(info.context, "supplierDeadlineChase", input, idempotency_key, use_case)
    return PurchaseOrderPayload(purchase_order=await _order(info.context, done.result), user_errors=done.errors)


async def supplier_create(
    info: Info,
    input: Annotated[SupplierCreateInput, argument(description="The supplier.")],
    idempotency_key: IdempotencyKey,
) -> SupplierPayload:
    """Take a supplier into the books."""
    wanted = CreateSupplier(input.code, input.name, input.time_zone, input.calendar, input.location)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"supplierId": await create_supplier(uow, wanted)}

    done = await run_mutation(info.context, "supplierCreate", input, idempotency_key, use_case)
    return SupplierPayload(supplier=await _supplier(info.context, done.result), user_errors=done.errors)


async def supplier_terms_set(
    info: Info,
    input: Annotated[SupplierTermsSetInput, argument(description="The terms.")],
    idempotency_key: IdempotencyKey,
) -> SupplierPayload:
    """Change what is agreed with a supplier about a SKU."""
    breaks = None if input.price_breaks is None else [(x.from_quantity, x.price_minor) for x in input.price_breaks]
    terms = SupplierTerms(
        input.supplier,
        input.sku,
        input.price_minor,
        breaks,
        input.is_approved,
        input.is_preferred,
        input.expedite_days,
        input.expedite_fee_minor,
        input.expedite_unit_fee_minor,
        input.currency,
        input.vendor_code,
        input.moq,
        input.order_multiple,
        input.lead_time_days,
        input.lead_time_p80,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"supplierId": await set_supplier_terms(uow, terms)}

    done = await run_mutation(info.context, "supplierTermsSet", input, idempotency_key, use_case)
    return SupplierPayload(supplier=await _supplier(info.context, done.result), user_errors=done.errors)


async def emergency_purchase(
    info: Info,
    input: Annotated[EmergencyPurchaseInput, argument(description="What is short.")],
    idempotency_key: IdempotencyKey,
) -> EmergencyPurchasePayload:
    """Choose, order, approve within the limits and send."""
    context: Context = info.context
    wanted = EmergencyPurchase(input.sku, input.location, input.quantity, input.need_date, input.most_minor)
    made: list[Choice] = []

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        choice, changes = await purchase_emergency(uow, wanted)
        made[:] = [choice]
        return {"purchaseOrderIds": [change.purchase_order_id for change in changes]}

    done = await run_mutation(context, "emergencyPurchase", input, idempotency_key, use_case)
    ids = done.result.get("purchaseOrderIds") or []
    orders = await context.loaders.purchase_order_by_id.load_many(ids)
    return EmergencyPurchasePayload(
        purchase_orders=build_all("PurchaseOrder", orders),
        choice=SourcingChoice.of(made[0]) if made and ids else None,
        user_errors=done.errors,
    )


async def approver_absence_set(
    info: Info,
    input: Annotated[ApproverAbsenceSetInput, argument(description="Who is away when.")],
    idempotency_key: IdempotencyKey,
) -> ApproverAbsencePayload:
    """Say who approves in a person's place."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await set_approver_absence(uow, input.person, input.substitute, input.from_day, input.until_day)
        return {}

    done = await run_mutation(context, "approverAbsenceSet", input, idempotency_key, use_case)
    now = await context.now()
    async with context.read() as sql:
        rows = await absences(sql, now)
    return ApproverAbsencePayload(absences=build_all("ApproverAbsence", rows), user_errors=done.errors)
