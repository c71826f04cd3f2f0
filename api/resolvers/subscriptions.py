"""Live streams: events of the caller's filter, in order, resumed by cursor; objects are read when delivered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry import Info, argument

from api.context import Context
from api.live import LiveEvent, LiveFilter
from api.pagination import decode_id
from api.resolvers.arguments import After
from api.resolvers.availability import answers
from api.schema.availability import Availability
from api.schema.backorder import BackorderFilter
from api.schema.events import (
    AlarmEvent,
    AvailabilityEvent,
    BackorderEvent,
    JobEvent,
    NoticeEvent,
    OrderEvent,
    PurchaseOrderEvent,
)
from api.schema.node import build
from api.schema.sku import as_filter
from core.domain.access import Role
from core.errors import InvalidInput, NotFound, UnknownSku
from core.queries import backorders, orders, skus

T = TypeVar("T")

_ENDED = ("FILLED", "SUBSTITUTED", "CANCELLED")
_BEFORE_SENDING = ("DRAFT", "AWAITING_APPROVAL", "APPROVED")
_STORED_ONLY = ("cause", "opened_from", "opened_before")
"""Conditions that an event does not carry: the backorder itself is asked."""
_BY_NAME = frozenset({"sku", "order_number", "customer"})
"""Conditions whose names are looked up first."""


def _facts(event: LiveEvent) -> dict[str, Any]:
    return {
        "cursor": event.cursor,
        "occurred_at": event.occurred_at,
        "kind": event.kind,
        "payload": event.payload,
        "sku_id": event.sku_id,
        "resync_required": event.resync_required,
    }


async def _patiently(context: Context, ask: Callable[[Any], Awaitable[T]]) -> T:
    """What `ask` reads over a connection; while PostgreSQL is away a stream waits rather than ending."""

    async def read() -> T:
        async with context.read() as sql:
            return await ask(sql)

    assert context.hub is not None
    return await context.hub.patiently(read)


async def events_of(
    context: Context, stream: Any, name: str, snapshot: dict[str, Any] | None = None
) -> AsyncGenerator[Any, None]:
    """Each event as the type `name`; `snapshot` are the facts that a resyncRequired event carries."""
    try:
        async for event in stream:
            facts = _facts(event)
            if event.resync_required:
                facts["payload"] = snapshot or {}
            yield build(name, facts)
    finally:
        await stream.aclose()


async def order_changed(
    info: Info,
    number: Annotated[str | None, argument(description="Only this order; null for all the caller may see.")] = None,
    after: After = None,
) -> AsyncGenerator[OrderEvent, None]:
    """Raises NotFound for an order the caller may not see."""
    context: Context = info.context
    order_id = None
    if number is not None:
        row = await _patiently(context, lambda sql: orders.order_by_number(sql, context.principal, number))
        if row is None:
            raise NotFound("order", number, path=("number",))
        order_id = row["id"]
    stream = context.open_live(LiveFilter(topics=frozenset({"order"}), order_id=order_id), after)
    snapshot = None if order_id is None else {"orderId": order_id, "orderNumber": number}
    return events_of(context, stream, "OrderEvent", snapshot)


async def backorder_changed(
    info: Info,
    filter: Annotated[BackorderFilter | None, argument(description="Which backorders.")] = None,
    after: After = None,
) -> AsyncGenerator[BackorderEvent, None]:
    """Raises InvalidInput for an unknown SKU, order or customer."""
    context: Context = info.context
    given = as_filter(filter)
    if _BY_NAME & given.keys():
        wanted = await _patiently(context, lambda sql: _backorder_filter(context, sql, given))
    else:
        wanted = await _backorder_filter(context, None, given)
    stream = context.open_live(wanted, after)
    if any(name in given for name in _STORED_ONLY):
        return _stored_backorders(context, stream, given)
    return events_of(context, stream, "BackorderEvent")


async def _backorder_filter(context: Context, sql: Any, given: dict[str, Any]) -> LiveFilter:
    sku_ids, order_id, customer_id = None, None, None
    if "sku" in given:
        found = await skus.skus_by_codes(sql, [given["sku"]])
        if not found:
            raise UnknownSku(given["sku"], path=("filter", "sku"))
        sku_ids = frozenset({found[0]["id"]})
    if "order_number" in given:
        order = await orders.order_by_number(sql, context.principal, given["order_number"])
        if order is None:
            raise NotFound("order", given["order_number"], path=("filter", "orderNumber"))
        order_id = order["id"]
    if "customer" in given:
        customer_id = await sql.fetchval("select id from customer where code = $1", given["customer"])
        if customer_id is None:
            raise NotFound("customer", given["customer"], path=("filter", "customer"))
    return LiveFilter(
        topics=frozenset({"backorder"}),
        sku_ids=sku_ids,
        order_id=order_id,
        customer_id=customer_id,
        accepts=_accepts(given),
    )


def _accepts(given: dict[str, Any]) -> Callable[[LiveEvent], bool] | None:
    states, is_open = given.get("state"), given.get("is_open")
    if states is None and is_open is None:
        return None

    def accepts(event: LiveEvent) -> bool:
        state = event.payload.get("state")
        if states is not None and state not in states:
            return False
        return is_open is None or is_open == (state not in _ENDED)

    return accepts


async def _stored_backorders(context: Context, stream: Any, given: dict[str, Any]) -> AsyncGenerator[Any, None]:
    try:
        async for event in stream:
            key = event.payload.get("backorderId")
            if not event.resync_required and key is not None:
                wanted = [(event.sku_id or 0, key)]
                rows = await _patiently(context, partial(_backorders, context, wanted))
                if not rows or not _matches(rows[0], given):
                    continue
            yield build("BackorderEvent", _facts(event))
    finally:
        await stream.aclose()


async def _backorders(context: Context, wanted: list[tuple[int, int]], sql: Any) -> list[Any]:
    return await backorders.backorders_by_keys(sql, context.principal, wanted)


def _matches(row: Any, given: dict[str, Any]) -> bool:
    if "cause" in given and row["cause"] not in given["cause"]:
        return False
    if "opened_from" in given and row["opened_at"] < given["opened_from"]:
        return False
    return "opened_before" not in given or row["opened_at"] < given["opened_before"]


async def purchase_order_changed(info: Info, after: After = None) -> AsyncGenerator[PurchaseOrderEvent, None]:
    """Purchase orders the caller may see."""
    context: Context = info.context
    if context.principal.role is not Role.SUPPLIER:
        stream = context.open_live(LiveFilter(topics=frozenset({"purchase_order"})), after)
        return events_of(context, stream, "PurchaseOrderEvent")
    wanted = LiveFilter(
        topics=frozenset({"purchase_order"}), accepts=lambda event: event.payload.get("status") not in _BEFORE_SENDING
    )
    return _sent_orders(context, context.open_live(wanted, after))


async def _is_sent(context: Context, id: Any) -> bool:
    assert context.hub is not None
    found = await context.hub.patiently(lambda: context.loaders.purchase_order_by_id.load(id))
    return found is not None


async def _sent_orders(context: Context, stream: Any) -> AsyncGenerator[Any, None]:
    """Events of orders the supplier has been sent: one that was cancelled before that is none of its business."""
    try:
        async for event in stream:
            id = event.payload.get("purchaseOrderId")
            if event.resync_required or await _is_sent(context, id):
                yield build("PurchaseOrderEvent", _facts(event))
    finally:
        await stream.aclose()


async def notice_changed(info: Info, after: After = None) -> AsyncGenerator[NoticeEvent, None]:
    """Notices the caller may see; of those that could not be written only staff hears."""
    context: Context = info.context
    return events_of(context, context.open_live(LiveFilter(topics=frozenset({"notice"})), after), "NoticeEvent")


async def alarm_raised(
    info: Info,
    kinds: Annotated[list[str] | None, argument(description="Only of these kinds; null for all.")] = None,
    after: After = None,
) -> AsyncGenerator[AlarmEvent, None]:
    """What needs a person's eye."""
    context: Context = info.context
    accepts = None if kinds is None else lambda event: event.kind in kinds
    wanted = LiveFilter(topics=frozenset({"alarm"}), accepts=accepts)
    return events_of(context, context.open_live(wanted, after), "AlarmEvent")


async def job_progressed(
    info: Info,
    id: Annotated[strawberry.ID, argument(description="Id of the job run.")],
    after: After = None,
) -> AsyncGenerator[JobEvent, None]:
    """Progress of one job run."""
    context: Context = info.context
    job_run_id = decode_id(id, "JobRun").id
    wanted = LiveFilter(topics=frozenset({"job"}), accepts=lambda event: event.payload.get("jobRunId") == job_run_id)
    return events_of(context, context.open_live(wanted, after), "JobEvent")


async def availability_changed(
    info: Info,
    skus: Annotated[list[str], argument(description="Codes, at most 100.")],
    channel: Annotated[str | None, argument(description="Code of the channel that sells; null for all stock.")] = None,
    after: After = None,
) -> AsyncGenerator[AvailabilityEvent, None]:
    """Raises UnknownSku for an unknown code, before anything is delivered."""
    context: Context = info.context
    codes = list(dict.fromkeys(skus))
    if not codes:
        raise InvalidInput("Name at least one SKU.", path=("skus",), field="skus")
    caller, hub = context.principal, context.hub
    assert hub is not None
    audience = (hub.epoch, "begin", caller.role, caller.customer_id, caller.is_publishable, channel)
    read = partial(answers, context, codes, channel=channel)
    found = (await hub.patiently(lambda: hub.reads.join((*audience, *codes), hub.position, read))).value
    unknown = next((answer for answer in found if isinstance(answer, UnknownSku)), None)
    if unknown is not None:
        raise unknown
    by_id: dict[int, list[str]] = {}
    for answer, code in zip(found, codes, strict=True):
        for sku_id in answer.answer.gates:  # a kit changes with each of its components
            by_id.setdefault(sku_id, []).append(code)
    wanted = LiveFilter(topics=frozenset({"availability"}), sku_ids=frozenset(by_id), coalesce=True)
    return _availability(context, context.open_live(wanted, after), by_id, channel)


async def _availability(
    context: Context, stream: Any, codes: dict[int, list[str]], channel: str | None
) -> AsyncGenerator[AvailabilityEvent, None]:
    sent: dict[int, int] = {}
    caller, hub = context.principal, context.hub
    assert hub is not None
    audience = (caller.role, caller.customer_id, caller.is_publishable, channel)
    try:
        async for event in stream:
            everything = list(dict.fromkeys(code for names in codes.values() for code in names))
            wanted = everything if event.resync_required else codes[event.sku_id]
            if event.resync_required:
                sent.clear()
                yield AvailabilityEvent(
                    cursor=event.cursor, occurred_at=event.occurred_at, availability=None, resync_required=True
                )
            elif sent.get(event.sku_id, -1) >= int(event.payload.get("version") or 0) and len(wanted) == 1:
                continue  # a later state was delivered already
            read = partial(answers, context, wanted, channel=channel)
            join = partial(hub.reads.join, (hub.epoch, *audience, *wanted), event.position, read)
            shared = await hub.patiently(join)
            for answer in shared.value:
                if isinstance(answer, Availability) and sent.get(answer.sku_id, -1) < int(answer.version):
                    sent[answer.sku_id] = int(answer.version)
                    yield AvailabilityEvent(
                        cursor=event.cursor, occurred_at=event.occurred_at, availability=answer, shared=shared
                    )
    finally:
        await stream.aclose()
