"""The lists and single documents of orders, purchasing, partners, notices and the audit trail."""

from __future__ import annotations

from typing import Annotated

from strawberry import Info, argument

from api.pagination import page_of, slice_of
from api.schema.audit import (
    AccessDenial,
    AccessDenialFilter,
    Alarm,
    AlarmFilter,
    AuditEntry,
    AuditFilter,
    LedgerAlarm,
    LedgerAlarmFilter,
    alarm_of,
    object_of,
    raised_alarm,
)
from api.schema.backorder import Backorder, BackorderFilter, BackorderOrder
from api.schema.edi import EdiDocument, EdiDocumentFilter
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.notice import Notice, NoticeFilter
from api.schema.order import Order, OrderFilter, OrderOrder
from api.schema.purchasing import (
    PurchaseOrder,
    PurchaseOrderFilter,
    ScheduledReceipt,
    ScheduledReceiptFilter,
    Transfer,
    TransferFilter,
)
from api.schema.shipment import Shipment, ShipmentFilter
from api.schema.sku import as_filter
from core.errors import InvalidInput
from core.queries import (
    access_denials,
    alarms,
    audit_entries,
    backorders,
    edi_documents,
    ledger_alarms,
    notices,
    orders,
    purchase_orders,
    scheduled_receipts,
    shipments,
    transfers,
)


async def order(info: Info, number: Annotated[str, argument(description="Our number of the order.")]) -> Order | None:
    """One order."""
    async with info.context.read() as sql:
        return build("Order", await orders.order_by_number(sql, info.context.principal, number))


async def order_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[OrderFilter | None, argument(description="Which orders.")] = None,
    order_by: Annotated[OrderOrder, argument(description="In which order.")] = OrderOrder.PLACED_AT_DESC,
) -> Connection[Order]:
    """Orders the caller may see."""
    sort = orders.SORTS[order_by.value]
    page = page_of(sort, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await orders.orders_page(sql, info.context.principal, as_filter(filter), sort, page)
    return connection(slice_of(sort, page, rows, more), lambda row: build("Order", row))


async def backorder_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[BackorderFilter | None, argument(description="Which backorders.")] = None,
    order_by: Annotated[BackorderOrder, argument(description="In which order.")] = BackorderOrder.OPENED_AT_DESC,
) -> Connection[Backorder]:
    """Backorders the caller may see."""
    if order_by is BackorderOrder.PRIORITY_DESC and info.context.principal.is_row_scoped:
        raise InvalidInput("Priorities are not for customers.", field="orderBy", value=order_by.value)
    sort = backorders.SORTS[order_by.value]
    page = page_of(sort, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await backorders.backorders_page(sql, info.context.principal, as_filter(filter), sort, page)
    return connection(slice_of(sort, page, rows, more), lambda row: build("Backorder", row))


async def purchase_order(
    info: Info, number: Annotated[str, argument(description="Our number of the purchase order.")]
) -> PurchaseOrder | None:
    """One purchase order."""
    async with info.context.read() as sql:
        found = await purchase_orders.purchase_order_by_number(sql, info.context.principal, number)
    return build("PurchaseOrder", found)


async def purchase_order_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[PurchaseOrderFilter | None, argument(description="Which purchase orders.")] = None,
) -> Connection[PurchaseOrder]:
    """Purchase orders the caller may see; a supplier sees them from the moment they are sent."""
    page = page_of(purchase_orders.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await purchase_orders.purchase_orders_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(purchase_orders.SORT, page, rows, more), lambda row: build("PurchaseOrder", row))


async def shipment_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[ShipmentFilter | None, argument(description="Which shipments.")] = None,
) -> Connection[Shipment]:
    """Shipments the caller may see."""
    page = page_of(shipments.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await shipments.shipments_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(shipments.SORT, page, rows, more), lambda row: build("Shipment", row))


async def transfer_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[TransferFilter | None, argument(description="Which transfers.")] = None,
) -> Connection[Transfer]:
    """Moves between our own locations."""
    page = page_of(transfers.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await transfers.transfers_page(sql, as_filter(filter), page)
    return connection(slice_of(transfers.SORT, page, rows, more), lambda row: build("Transfer", row))


async def scheduled_receipt_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[ScheduledReceiptFilter | None, argument(description="Which scheduled receipts.")] = None,
) -> Connection[ScheduledReceipt]:
    """Open supplies the caller may see."""
    page = page_of(scheduled_receipts.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await scheduled_receipts.scheduled_receipts_page(
            sql, info.context.principal, as_filter(filter), page
        )
    return connection(slice_of(scheduled_receipts.SORT, page, rows, more), lambda row: build("ScheduledReceipt", row))


async def edi_document_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[EdiDocumentFilter | None, argument(description="Which documents.")] = None,
) -> Connection[EdiDocument]:
    """Documents the caller may see."""
    page = page_of(edi_documents.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await edi_documents.edi_documents_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(edi_documents.SORT, page, rows, more), lambda row: build("EdiDocument", row))


async def notice_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[NoticeFilter | None, argument(description="Which notices.")] = None,
) -> Connection[Notice]:
    """Notices the caller may see."""
    page = page_of(notices.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await notices.notices_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(notices.SORT, page, rows, more), lambda row: build("Notice", row))


async def audit_entry_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[AuditFilter | None, argument(description="Which entries.")] = None,
) -> Connection[AuditEntry]:
    """The audit trail."""
    page = page_of(audit_entries.SORT, first, after, last, before)
    given = as_filter(filter)
    if "object_id" in given:
        given["node"] = object_of(given["object_id"])
    async with info.context.read() as sql:
        rows, more = await audit_entries.audit_entries_page(sql, given, page)
    return connection(slice_of(audit_entries.SORT, page, rows, more), lambda row: build("AuditEntry", row))


async def alarm_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[AlarmFilter | None, argument(description="Which alarms.")] = None,
) -> Connection[Alarm]:
    """What needed a person's eye."""
    page = page_of(alarms.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await alarms.alarms_page(sql, as_filter(filter), page)
    return connection(slice_of(alarms.SORT, page, rows, more), raised_alarm)


async def ledger_alarm_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[LedgerAlarmFilter | None, argument(description="Which alarms.")] = None,
) -> Connection[LedgerAlarm]:
    """What the auditor has found."""
    page = page_of(ledger_alarms.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await ledger_alarms.ledger_alarms_page(sql, as_filter(filter), page)
    return connection(slice_of(ledger_alarms.SORT, page, rows, more), alarm_of)


async def access_denial_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[AccessDenialFilter | None, argument(description="Which denials.")] = None,
) -> Connection[AccessDenial]:
    """Who was refused what."""
    page = page_of(access_denials.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await access_denials.access_denials_page(sql, as_filter(filter), page)
    return connection(slice_of(access_denials.SORT, page, rows, more), lambda row: build("AccessDenial", row))
