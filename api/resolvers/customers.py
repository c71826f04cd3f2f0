"""Customers: who there is, who comes new, and whose personal data goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from strawberry import Info, argument

from api.pagination import page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.customers import CustomerEraseInput, CustomerFilter, CustomerPayload, CustomerSetInput
from api.schema.inputs import ShipToInput
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.sku import Customer, as_filter
from core.domain.customer_fields import Person
from core.domain.placing import ShipTo
from core.queries import customers
from core.services.erase_customer import erase_customer
from core.services.set_customer import SetCustomer, set_customer
from core.unit_of_work import UnitOfWork


async def customer_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[CustomerFilter | None, argument(description="Which customers.")] = None,
) -> Connection[Customer]:
    """Customers by code."""
    page = page_of(customers.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await customers.customers_page(sql, info.context.principal, as_filter(filter), page)
    return connection(slice_of(customers.SORT, page, rows, more), lambda row: build("Customer", row))


async def customer_set(
    info: Info,
    input: Annotated[CustomerSetInput, argument(description="The customer.")],
    idempotency_key: IdempotencyKey,
) -> CustomerPayload:
    """Make or change a customer."""
    person = Person(input.name, input.email, input.phone, _address(input.address))
    wanted = SetCustomer(input.code, input.tier, input.language, person)
    return await _run(info, "customerSet", input, idempotency_key, lambda uow: set_customer(uow, wanted))


async def customer_erase(
    info: Info,
    input: Annotated[CustomerEraseInput, argument(description="Whose.")],
    idempotency_key: IdempotencyKey,
) -> CustomerPayload:
    """Erase the personal data of a customer."""
    return await _run(info, "customerErase", input, idempotency_key, lambda uow: erase_customer(uow, input.code))


async def _run(
    info: Info, operation: str, input: Any, key: str, work: Callable[[UnitOfWork], Awaitable[int]]
) -> CustomerPayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"customerId": await work(uow)}

    done = await run_mutation(info.context, operation, input, key, use_case)
    found = await info.context.loaders.customer_by_id.load(done.result["customerId"]) if done.result else None
    return CustomerPayload(customer=build("Customer", found), user_errors=done.errors)


def _address(given: ShipToInput | None) -> ShipTo | None:
    if given is None:
        return None
    return ShipTo(given.country, given.postal_code, given.name or "", given.line1 or "", given.city or "")
