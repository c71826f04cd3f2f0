"""Channels, locations and delivery zones: what there is, and how planners change it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from strawberry import Info, argument

from api.pagination import page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, build_all, connection
from api.schema.places import (
    Channel,
    ChannelPayload,
    ChannelSetInput,
    DeliveryZone,
    DeliveryZoneFilter,
    DeliveryZonePayload,
    DeliveryZoneRemoveInput,
    DeliveryZoneSetInput,
    LocationFilter,
    LocationSetInput,
)
from api.schema.routes import LocationPayload
from api.schema.sku import Location, as_filter
from core.queries import places
from core.services.set_channel import SetChannel, set_channel
from core.services.set_delivery_zone import Zone, remove_delivery_zone, set_delivery_zone, zone_of
from core.services.set_location import SetLocation, set_location
from core.unit_of_work import UnitOfWork


async def channels(info: Info) -> list[Channel]:
    """All of them, by code."""
    async with info.context.read() as sql:
        return build_all("Channel", await places.channels(sql))


async def location_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[LocationFilter | None, argument(description="Which locations.")] = None,
) -> Connection[Location]:
    """Locations by code."""
    page = page_of(places.LOCATIONS, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await places.locations_page(sql, as_filter(filter), page)
    return connection(slice_of(places.LOCATIONS, page, rows, more), lambda row: build("Location", row))


async def delivery_zone_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[DeliveryZoneFilter | None, argument(description="Which zones.")] = None,
) -> Connection[DeliveryZone]:
    """Zones by country and prefix."""
    page = page_of(places.ZONES, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await places.zones_page(sql, as_filter(filter), page)
    return connection(slice_of(places.ZONES, page, rows, more), lambda row: build("DeliveryZone", row))


async def channel_set(
    info: Info,
    input: Annotated[ChannelSetInput, argument(description="The channel.")],
    idempotency_key: IdempotencyKey,
) -> ChannelPayload:
    """Make or change a channel."""
    wanted = SetChannel(
        input.code,
        input.name,
        input.default_language,
        input.locations,
        input.max_shown,
        input.shows_all,
        input.protected_class,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"code": await set_channel(uow, wanted)}

    done = await run_mutation(info.context, "channelSet", input, idempotency_key, use_case)
    code = done.result.get("code")
    found = next((row for row in await channels(info) if row.code == code), None) if code else None
    return ChannelPayload(channel=found, user_errors=done.errors)


async def location_set(
    info: Info,
    input: Annotated[LocationSetInput, argument(description="The location.")],
    idempotency_key: IdempotencyKey,
) -> LocationPayload:
    """Make or change a location."""
    kind = None if input.kind is None else input.kind.value
    wanted = SetLocation(
        input.code, input.name, kind, input.time_zone, input.calendar, input.cutoff_time, input.is_active
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"locationId": await set_location(uow, wanted)}

    done = await run_mutation(info.context, "locationSet", input, idempotency_key, use_case)
    found = await info.context.loaders.location_by_id.load(done.result["locationId"]) if done.result else None
    return LocationPayload(location=build("Location", found), user_errors=done.errors)


async def delivery_zone_set(
    info: Info,
    input: Annotated[DeliveryZoneSetInput, argument(description="The zone.")],
    idempotency_key: IdempotencyKey,
) -> DeliveryZonePayload:
    """Map addresses to a destination."""

    async def work(uow: UnitOfWork) -> Zone:
        return await set_delivery_zone(uow, zone_of(input.country, input.postal_prefix), input.location)

    return await _zone(info, "deliveryZoneSet", input, idempotency_key, work)


async def delivery_zone_remove(
    info: Info,
    input: Annotated[DeliveryZoneRemoveInput, argument(description="The zone.")],
    idempotency_key: IdempotencyKey,
) -> DeliveryZonePayload:
    """Forget a mapping."""

    async def work(uow: UnitOfWork) -> Zone:
        return await remove_delivery_zone(uow, zone_of(input.country, input.postal_prefix))

    return await _zone(info, "deliveryZoneRemove", input, idempotency_key, work)


async def _zone(
    info: Info, operation: str, input: Any, key: str, work: Callable[[UnitOfWork], Awaitable[Zone]]
) -> DeliveryZonePayload:
    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        zone = await work(uow)
        return {"country": zone.country, "postalPrefix": zone.postal_prefix}

    done = await run_mutation(info.context, operation, input, key, use_case)
    if not done.result:
        return DeliveryZonePayload(user_errors=done.errors)
    async with info.context.read() as sql:
        row = await places.zone(sql, done.result["country"], done.result["postalPrefix"])
    return DeliveryZonePayload(delivery_zone=build("DeliveryZone", row), user_errors=done.errors)
