"""Availability of SKUs, as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.schema.availability import Availability
from api.schema.dates import promise_from
from api.schema.enums import AvailabilityState
from api.schema.inputs import ShipToInput
from api.schema.promise import Promise
from core.domain.access import Role
from core.domain.proposals import Proposal
from core.queries.gate_versions import NETWORK
from core.services.answer_availability import AvailabilityQuestion, SkuAvailability
from core.services.answer_kits import answer_with_kits
from core.unit_of_work import UnitOfWork

SEES_LOCATIONS = frozenset({Role.STOREFRONT, Role.WAREHOUSE, Role.PLANNER, Role.ADMIN, Role.AUDITOR})


async def answers(
    context: Context,
    skus: Sequence[str],
    quantity: int = 1,
    channel: str | None = None,
    locations: Sequence[str] | None = None,
    ship_to: ShipToInput | None = None,
    min_life_days: int | None = None,
) -> list[Any]:
    """An Availability per code, or an UnknownSku in its place; figures come from everybody's rows."""
    caller = context.principal
    question = AvailabilityQuestion(
        skus=skus,
        quantity=quantity,
        channel=channel,
        locations=locations,
        ship_to=None if ship_to is None else (ship_to.country, ship_to.postal_code),
        is_public=caller.is_publishable,
        customer_id=caller.customer_id,
        min_life_days=min_life_days,
    )
    async with context.read_system() as sql:
        uow = UnitOfWork(sql=sql, now=await context.clock.now(sql), principal=caller, request_id=context.request_id)
        found = await answer_with_kits(uow, question)
    for answer in found:
        if isinstance(answer, SkuAvailability):
            context.sources.add({**answer.gates, NETWORK: answer.network}, answer.valid_until)
    return [_shown(context, answer, quantity) if isinstance(answer, SkuAvailability) else answer for answer in found]


def _shown(context: Context, answer: SkuAvailability, quantity: int) -> Availability:
    caller, proposal = context.principal, answer.proposal if answer.slices else None
    shows_locations = caller.role in SEES_LOCATIONS and not caller.is_publishable
    return Availability(
        answer=answer,
        shows_locations=shows_locations,
        sku_id=answer.sku_id,
        as_of=answer.as_of,
        valid_until=answer.valid_until,
        version=str(answer.version),
        state=AvailabilityState(answer.state),
        available_now=answer.shown,
        promise=None if proposal is None else _promise(answer, proposal, quantity, shows_locations),
    )


def _promise(answer: SkuAvailability, proposal: Proposal, quantity: int, shows_locations: bool) -> Promise:
    limits = None if answer.limiting is None else (*answer.limiting, answer.as_of)
    slices = answer.slices if shows_locations else _as_shown(answer)
    return promise_from(answer.sku_id, quantity, proposal.quantity == quantity, slices, limits)


def _as_shown(answer: SkuAvailability) -> list[dict[str, Any]]:
    """The slices; where more is there than is shown, one that says when all has come: the others would tell how much."""
    if answer.shown == answer.available_now:
        return answer.slices
    last = max(answer.slices, key=lambda part: (part["deliveryDate"] or part["shipDate"], part["shipDate"]))
    return [{**last, "quantity": sum(part["quantity"] for part in answer.slices)}]


async def availability(
    info: Info,
    skus: Annotated[list[str], argument(description="Codes, at most 100; answers come in this order.")],
    quantity: Annotated[int, argument(description="Base units that `promise` is about.")] = 1,
    channel: Annotated[str | None, argument(description="Code of the channel that sells; null for all stock.")] = None,
    locations: Annotated[list[str] | None, argument(description="Only these locations, by code.")] = None,
    ship_to: Annotated[ShipToInput | None, argument(description="Where it would be delivered.")] = None,
    min_life_days: Annotated[
        int | None,
        argument(
            description="Days of life that lots must have left at delivery; what others ask for holds when it is more."
        ),
    ] = None,
) -> list[Availability | None]:
    """Null and an UNKNOWN_SKU error at the index of an unknown code."""
    return await answers(info.context, skus, quantity, channel, locations, ship_to, min_life_days)
