"""Lists and answers of the work with suppliers: deadlines, requests, sourcing, exposure, what to unload first."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from strawberry import Info, argument

from api.context import Context
from api.pagination import BadUserInput, page_of, slice_of
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, build_all, connection
from api.schema.sku import as_filter
from api.schema.sourcing import ApproverAbsence, InboundDelivery, SingleSource, SourcingChoice
from api.schema.suppliers import SupplierDeadline, SupplierDeadlineFilter, SupplierRequest, SupplierRequestFilter
from core.errors import DomainError
from core.queries import inbound_priority as inbound
from core.queries import supplier_deadlines, supplier_portal
from core.queries.policies import stored_policies
from core.queries.skus import skus_by_codes
from core.services.choose_sources import sourcing_choice


async def supplier_deadline_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[SupplierDeadlineFilter | None, argument(description="Which deadlines.")] = None,
) -> Connection[SupplierDeadline]:
    """Deadlines the caller may see, soonest first."""
    page = page_of(supplier_deadlines.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await supplier_deadlines.deadlines_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(supplier_deadlines.SORT, page, rows, more), lambda row: build("SupplierDeadline", row))


async def supplier_request_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[SupplierRequestFilter | None, argument(description="Which requests.")] = None,
) -> Connection[SupplierRequest]:
    """Urgent requests the caller may see, newest first."""
    page = page_of(supplier_portal.REQUEST_SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await supplier_portal.requests_page(sql, info.context.principal, as_filter(filter), page)
    return connection(
        slice_of(supplier_portal.REQUEST_SORT, page, rows, more), lambda row: build("SupplierRequest", row)
    )


async def sourcing_options(
    info: Info,
    sku: Annotated[str, argument(description="Code of the SKU.")],
    quantity: Annotated[int, argument(description="Base units that are needed, above 0.")],
    need_date: Annotated[date, argument(description="By which day; one that is past counts as late already.")],
) -> SourcingChoice | None:
    """Every approved source for a need, with the plan of the least expected cost."""
    context: Context = info.context
    now = await context.now()
    async with context.read() as sql:
        found = await skus_by_codes(sql, [sku])
        if not found:
            return None
        policies = {code: row["value"] for code, row in (await stored_policies(sql)).items()}
        try:
            choice = await sourcing_choice(sql, policies, found[0]["id"], quantity, need_date, now.date(), now)
        except DomainError as error:
            raise BadUserInput(error.message) from None
    return None if choice is None else SourcingChoice.of(choice)


async def single_source_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
) -> Connection[SingleSource]:
    """SKUs with one approved source or none, the dearest exposure first."""
    page = page_of(inbound.EXPOSURE_SORT, first, after, last, before)
    now = await info.context.now()
    async with info.context.read() as sql:
        rows, more = await inbound.single_sources_page(sql, now, page)
    return connection(slice_of(inbound.EXPOSURE_SORT, page, rows, more), lambda row: build("SingleSource", row))


async def inbound_priority(
    info: Info,
    location: Annotated[str, argument(description="Code of the receiving location.")],
    days: Annotated[int, argument(description="Also what is due within so many days, 0 to 60.")] = 3,
) -> list[InboundDelivery]:
    """Deliveries in the order in which they should be unloaded."""
    if not 0 <= days <= 60:
        raise BadUserInput("days lies between 0 and 60.")
    now = await info.context.now()
    async with info.context.read() as sql:
        return build_all("InboundDelivery", await inbound.inbound_priority(sql, location, days, now))


async def approver_absences(info: Info) -> list[ApproverAbsence]:
    """Absences of approvers that are not over."""
    now = await info.context.now()
    async with info.context.read() as sql:
        return build_all("ApproverAbsence", await inbound.absences(sql, now))
