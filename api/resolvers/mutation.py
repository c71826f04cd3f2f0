"""How every mutation runs: once per idempotency key, in one transaction, refusals as typed user errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from api.context import Context
from api.schema.errors import UserError, stored_user_errors, user_error
from core.domain.access import Role
from core.errors import DomainError, NotFound
from core.queries import backorders, notices, orders, purchase_orders
from core.services.idempotent import run_idempotent
from core.unit_of_work import UnitOfWork

UseCase = Callable[[UnitOfWork], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Done:
    """What was stored under the key (ids and versions), or the refusals when nothing was done."""

    result: Mapping[str, Any]
    errors: list[UserError] = field(default_factory=list)


async def run_mutation(context: Context, operation: str, input: Any, key: str, use_case: UseCase) -> Done:
    """Run `use_case` once for this caller, operation and key; it returns ids, versions and `userErrors` as JSON.

    A DomainError changes nothing, is stored nowhere and becomes a user error; so does a repeat with another input.
    What is done leaves an audit entry: that of the service, or one that names the ids and versions of the answer.
    """
    request = plain(input)

    async def audited(uow: UnitOfWork) -> dict[str, Any]:
        result = await use_case(uow)
        if not uow.is_audited:
            ids = {name: value for name, value in result.items() if name != "userErrors"}
            uow.audit(operation, f"{operation}:{next(iter(ids.values()), '')}", None, ids)
        return result

    try:
        outcome = await context.mutate(lambda uow: run_idempotent(uow, operation, key, request, lambda: audited(uow)))
    except DomainError as error:
        return Done({}, [user_error(error, context.language)])
    stored = outcome.result.get("userErrors") or ()
    return Done(outcome.result, stored_user_errors(stored, context.language))


def stored_errors(errors: list[DomainError]) -> list[dict[str, Any]]:
    """Refusals in the form an idempotency row keeps them."""
    return [
        {"code": error.code, "message": error.message, "path": list(error.path), "facts": plain(error.facts)}
        for error in errors
    ]


def plain(value: Any) -> Any:
    """An input as JSON values: what the idempotency key's hash is taken of."""
    if is_dataclass(value) and not isinstance(value, type):
        return {member.name: plain(getattr(value, member.name)) for member in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return value


async def must_see_order(context: Context, number: str) -> None:
    """Raise NotFound unless the caller may see the order; decisions then run with everybody's rows."""
    if context.principal.is_row_scoped:
        async with context.read() as sql:
            if await orders.order_by_number(sql, context.principal, number) is None:
                raise NotFound("order", number, path=("input", "number"))


async def must_see_purchase_order(context: Context, number: str) -> None:
    """Raise NotFound unless the caller may see the purchase order."""
    if context.principal.is_row_scoped:
        async with context.read() as sql:
            if await purchase_orders.purchase_order_by_number(sql, context.principal, number) is None:
                raise NotFound("purchase order", number, path=("input", "number"))


async def must_see_backorder(context: Context, key: tuple[int, int], id: str, field: str = "id") -> None:
    """Raise NotFound unless the caller may see the backorder."""
    if context.principal.is_row_scoped:
        async with context.read() as sql:
            if not await backorders.backorders_by_keys(sql, context.principal, [key]):
                raise NotFound("backorder", id, path=("input", field))


async def must_see_notice(context: Context, id: int, text: str) -> None:
    """Raise NotFound unless the caller may see the notice."""
    if context.principal.role is Role.CUSTOMER:
        async with context.read() as sql:
            if not await notices.notices_by_ids(sql, context.principal, [id]):
                raise NotFound("notice", text, path=("input", "id"))


async def refusals(context: Context, check: Awaitable[None]) -> list[UserError]:
    """Await a check; its refusal as user errors, or none."""
    try:
        await check
    except DomainError as error:
        return [user_error(error, context.language)]
    return []
