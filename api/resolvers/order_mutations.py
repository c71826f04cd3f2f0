"""Mutations of orders: place, cancel, hold, release, change a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import Done, must_see_order, refusals, run_mutation, stored_errors
from api.schema.errors import MAX_USER_ERRORS, stored_user_errors, user_error
from api.schema.inputs import (
    OrderCancelInput,
    OrderHoldInput,
    OrderHoldReleaseInput,
    OrderLineChangeInput,
    OrderLineSplitInput,
    OrderPlaceInput,
    OrderShipToChangeInput,
    ShipToInput,
)
from api.schema.node import build
from api.schema.payloads import OrderCancelPayload, OrderHoldPayload, OrderLineChangePayload, OrderPlacePayload
from core.domain.access import Role
from core.domain.placing import LineRequest, OrderRequest, ShipTo
from core.errors import DomainError, DuplicateOrder, InvalidInput, NotFound, ReservationExpired
from core.queries import network, orders
from core.services.accept_orders import OrderResult
from core.services.cancel_order import CancelOrder, cancel_order
from core.services.change_order_line import ChangeOrderLine, change_order_line
from core.services.change_ship_to import ChangeShipTo, change_ship_to
from core.services.hold_order import HoldOrder, hold_order
from core.services.place_in_groups import groups_of
from core.services.release_order_hold import release_order_hold
from core.services.split_order_line import SplitOrderLine, split_order_line
from core.unit_of_work import UnitOfWork


async def _order(context: Context, result: Any) -> Any:
    order_id = result.get("orderId")
    return None if order_id is None else build("Order", await context.loaders.order_by_id.load(order_id))


def _change(change: Any) -> dict[str, Any]:
    return {"orderId": change.order_id, "version": change.version}


async def _customer_code(context: Context, input: OrderPlaceInput) -> str | None:
    """The code of who orders: a CUSTOMER itself, else the one that was named."""
    caller, named = context.principal, input.customer
    if caller.role is Role.CUSTOMER:
        customer = None
        if caller.customer_id is not None:
            customer = await context.loaders.customer_by_id.load(caller.customer_id)
        if customer is None or (named is not None and named.code not in (None, customer["code"])):
            raise NotFound("customer", (named.code if named else None) or "", path=("input", "customer"))
        if named is not None and named.code is None and named.email is not None:
            async with context.read() as sql:
                if await network.customer_code_by_email(sql, named.email) != customer["code"]:
                    raise NotFound("customer", named.email, path=("input", "customer", "email"))
        return customer["code"]
    if named is None or named.code is not None:
        return None if named is None else named.code
    if named.email is None:
        message = "Say who the customer is, by `code` or `email`; leave `customer` out for a guest."
        raise InvalidInput(message, path=("input", "customer"), field="customer")
    async with context.read() as sql:
        code = await network.customer_code_by_email(sql, named.email)
    if code is None:
        raise NotFound("customer", named.email, path=("input", "customer", "email"))
    return code


async def order_place(
    info: Info,
    input: Annotated[OrderPlaceInput, argument(description="The order.")],
    idempotency_key: IdempotencyKey,
) -> OrderPlacePayload:
    """Place one order; a refusal changes nothing."""
    context: Context = info.context
    try:
        customer_code = await _customer_code(context, input)
    except DomainError as error:
        return OrderPlacePayload(user_errors=[user_error(error, context.language)])
    request = _request(input, customer_code, context.request_id)

    def answer(result: OrderResult) -> dict[str, Any]:
        lost = [ReservationExpired(str(request.reservation_id))] if result.reservation_expired else []
        return {
            "orderId": result.order_id,
            "backorders": [list(key) for key in result.backorder_ids],
            "userErrors": stored_errors([*result.errors, *lost]),
        }

    try:
        groups = groups_of(context.database, context.clock)
        placed = await groups.place(context.principal, idempotency_key, input, request, answer, _rows)
    except DomainError as error:
        return OrderPlacePayload(user_errors=[user_error(error, context.language)])
    if placed.refusals:
        errors = [await _without_others(context, error) for error in placed.refusals[:MAX_USER_ERRORS]]
        return OrderPlacePayload(user_errors=[user_error(error, context.language) for error in errors])
    stored = placed.answer.get("userErrors") or ()
    done = Done(placed.answer, stored_user_errors(stored, context.language))
    keys = [(sku_id, id) for sku_id, id in done.result.get("backorders", ())]
    opened = await context.loaders.backorder_by_key.load_many(keys) if keys else ()
    order = placed.row
    return OrderPlacePayload(
        order=build("Order", order) if order is not None else await _order(context, done.result),
        backorders=[build("Backorder", row) for row in opened if row is not None],
        user_errors=done.errors,
    )


async def _rows(uow: UnitOfWork, results: Sequence[OrderResult]) -> list[Any]:
    """The orders of a group as their callers will see them, read once for all of them."""
    if uow.principal.is_row_scoped:  # reads its rows as itself, under row-level security
        return [None] * len(results)
    ids = [result.order_id for result in results if result.order_id is not None]
    found = {row["id"]: row for row in await orders.orders_by_ids(uow.sql, uow.principal, ids)}
    return [found.get(result.order_id) for result in results]


async def _without_others(context: Context, error: DomainError) -> DomainError:
    """A number that another customer's order has is taken; which order that is, only its owner is told."""
    if not isinstance(error, DuplicateOrder) or not context.principal.is_row_scoped:
        return error
    if await context.loaders.order_by_id.load(error.facts["orderId"]) is not None:
        return error
    number = error.facts["externalNumber"]
    return InvalidInput(
        f"The external number {number!r} is taken.", path=error.path, field="externalNumber", value=number
    )


def _request(input: OrderPlaceInput, customer_code: str | None, request_id: str) -> OrderRequest:
    return OrderRequest(
        request_id=request_id,
        channel=input.channel,
        external_number=input.external_number,
        customer_code=customer_code,
        ship_to=_ship_to(input.ship_to),
        ship_complete=input.ship_complete,
        reservation_id=None if input.reservation_id is None else str(input.reservation_id),
        payment_state=input.payment_state.value,
        lines=[
            LineRequest(
                sku=line.sku,
                quantity=line.quantity,
                requested_date=line.requested_date,
                ship_policy=line.ship_policy,
                substitutes_allowed=line.substitutes_allowed,
                min_life_days=line.min_life_days,
            )
            for line in input.lines
        ],
    )


def _ship_to(to: ShipToInput) -> ShipTo:
    return ShipTo(to.country, to.postal_code, to.name or "", to.line1 or "", to.city or "")


async def order_cancel(
    info: Info,
    input: Annotated[OrderCancelInput, argument(description="What to cancel.")],
    idempotency_key: IdempotencyKey,
) -> OrderCancelPayload:
    """Cancel an order, a line, or a part of a line."""
    context: Context = info.context
    if refused := await refusals(context, must_see_order(context, input.number)):
        return OrderCancelPayload(user_errors=refused)
    wanted = CancelOrder(input.number, input.line_number, input.quantity, input.reason, input.expected_version)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await cancel_order(uow, wanted))

    done = await run_mutation(context, "orderCancel", input, idempotency_key, use_case)
    return OrderCancelPayload(order=await _order(context, done.result), user_errors=done.errors)


async def order_hold(
    info: Info,
    input: Annotated[OrderHoldInput, argument(description="The hold.")],
    idempotency_key: IdempotencyKey,
) -> OrderHoldPayload:
    """Stop an order."""
    context: Context = info.context
    wanted = HoldOrder(input.number, input.reason, input.release_deadline, input.on_deadline)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await hold_order(uow, wanted))

    done = await run_mutation(context, "orderHold", input, idempotency_key, use_case)
    return OrderHoldPayload(order=await _order(context, done.result), user_errors=done.errors)


async def order_hold_release(
    info: Info,
    input: Annotated[OrderHoldReleaseInput, argument(description="Which hold.")],
    idempotency_key: IdempotencyKey,
) -> OrderHoldPayload:
    """Let an order go on."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await release_order_hold(uow, input.number, input.reason))

    done = await run_mutation(context, "orderHoldRelease", input, idempotency_key, use_case)
    return OrderHoldPayload(order=await _order(context, done.result), user_errors=done.errors)


async def order_line_change(
    info: Info,
    input: Annotated[OrderLineChangeInput, argument(description="The change.")],
    idempotency_key: IdempotencyKey,
) -> OrderLineChangePayload:
    """Change quantity or day of a line; it is promised anew."""
    context: Context = info.context
    wanted = ChangeOrderLine(
        input.number,
        input.line_number,
        input.quantity,
        input.requested_date,
        input.expected_version,
        input.ship_policy,
        input.substitutes_allowed,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await change_order_line(uow, wanted))

    done = await run_mutation(context, "orderLineChange", input, idempotency_key, use_case)
    return OrderLineChangePayload(order=await _order(context, done.result), user_errors=done.errors)


async def order_line_split(
    info: Info,
    input: Annotated[OrderLineSplitInput, argument(description="Which part.")],
    idempotency_key: IdempotencyKey,
) -> OrderLineChangePayload:
    """Let part of a line come on another day, as a line of its own."""
    context: Context = info.context
    wanted = SplitOrderLine(
        input.number, input.line_number, input.quantity, input.requested_date, input.expected_version
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await split_order_line(uow, wanted))

    done = await run_mutation(context, "orderLineSplit", input, idempotency_key, use_case)
    return OrderLineChangePayload(order=await _order(context, done.result), user_errors=done.errors)


async def order_ship_to_change(
    info: Info,
    input: Annotated[OrderShipToChangeInput, argument(description="The new address.")],
    idempotency_key: IdempotencyKey,
) -> OrderLineChangePayload:
    """Send what has not left to another address; its lines are promised by the new way."""
    context: Context = info.context
    if refused := await refusals(context, must_see_order(context, input.number)):
        return OrderLineChangePayload(user_errors=refused)
    wanted = ChangeShipTo(input.number, _ship_to(input.ship_to), input.expected_version)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return _change(await change_ship_to(uow, wanted))

    done = await run_mutation(context, "orderShipToChange", input, idempotency_key, use_case)
    return OrderLineChangePayload(order=await _order(context, done.result), user_errors=done.errors)
