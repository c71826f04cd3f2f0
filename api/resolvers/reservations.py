"""Reservations: look them up, make, extend and release them."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry import Info, argument

from api.context import Context
from api.pagination import page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.inputs import ReservationCreateInput, ReservationExtendInput, ReservationReleaseInput
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, connection
from api.schema.reservation import Reservation, ReservationFilter, ReservationPayload, reservation_of
from api.schema.sku import as_filter
from core.domain.access import Role
from core.domain.reserving import may_manage
from core.queries import reservations
from core.services.create_reservation import CreateReservation, ReservationItem, create_reservation
from core.services.extend_reservation import extend_reservation
from core.services.release_reservation import release_reservation
from core.unit_of_work import UnitOfWork


async def reservation(
    info: Info, id: Annotated[strawberry.ID, argument(description="Id of the reservation.")]
) -> Reservation | None:
    """One reservation."""
    context: Context = info.context
    async with context.read_system() as sql:
        rows = await reservations.reservation_rows(sql, str(id), await context.clock.now(sql))
    seen = rows and (context.principal.role is Role.AUDITOR or may_manage(rows[0]["kind"], context.principal.role))
    return reservation_of(rows) if seen else None


async def reservation_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[ReservationFilter | None, argument(description="Which reservations.")] = None,
) -> Connection[Reservation]:
    """Reservations, newest first."""
    context: Context = info.context
    page = page_of(reservations.SORT, first, after, last, before)
    async with context.read_system() as sql:
        now = await context.clock.now(sql)
        groups, rows, more = await reservations.reservations_page(sql, as_filter(filter), now, page)
    by_id = {group[0]["group_id"]: group for group in groups}
    page_rows = slice_of(reservations.SORT, page, rows, more)
    return connection(page_rows, lambda row: reservation_of(by_id[row["group_id"]]))


async def _reservation(context: Context, result: Any) -> Reservation | None:
    group_id = result.get("reservationId")
    if group_id is None:
        return None
    async with context.read_system() as sql:
        return reservation_of(await reservations.reservation_rows(sql, group_id, await context.clock.now(sql)))


async def reservation_create(
    info: Info,
    input: Annotated[ReservationCreateInput, argument(description="What to hold.")],
    idempotency_key: IdempotencyKey,
) -> ReservationPayload:
    """Hold stock, all items or none."""
    context: Context = info.context
    wanted = CreateReservation(
        items=[
            ReservationItem(item.sku, item.quantity, item.location, item.need_date, item.min_life_days)
            for item in input.items
        ],
        kind=input.kind,
        holder=context.principal.id,
        ttl_seconds=input.ttl_seconds,
        channel=input.channel,
        customer=input.customer,
        replaces=None if input.replaces is None else str(input.replaces),
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"reservationId": str((await create_reservation(uow, wanted)).group_id)}

    done = await run_mutation(context, "reservationCreate", input, idempotency_key, use_case)
    return ReservationPayload(reservation=await _reservation(context, done.result), user_errors=done.errors)


async def reservation_extend(
    info: Info,
    input: Annotated[ReservationExtendInput, argument(description="Which reservation, how long.")],
    idempotency_key: IdempotencyKey,
) -> ReservationPayload:
    """Hold stock longer."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await extend_reservation(uow, str(input.id), input.ttl_seconds)
        return {"reservationId": str(input.id)}

    done = await run_mutation(context, "reservationExtend", input, idempotency_key, use_case)
    return ReservationPayload(reservation=await _reservation(context, done.result), user_errors=done.errors)


async def reservation_release(
    info: Info,
    input: Annotated[ReservationReleaseInput, argument(description="Which reservation.")],
    idempotency_key: IdempotencyKey,
) -> ReservationPayload:
    """Give held stock back."""
    context: Context = info.context

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await release_reservation(uow, str(input.id))
        return {"reservationId": str(input.id)}

    done = await run_mutation(context, "reservationRelease", input, idempotency_key, use_case)
    return ReservationPayload(reservation=await _reservation(context, done.result), user_errors=done.errors)
