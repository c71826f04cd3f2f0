"""What subscriptions deliver: facts as they were, and objects as they are when delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, field

from api.live import SharedRead
from api.pagination import encode_id
from api.schema import enums
from api.schema.node import Row, build, register

if TYPE_CHECKING:
    from api.schema.availability import Availability
    from api.schema.backorder import Backorder
    from api.schema.notice import Notice
    from api.schema.order import Order, OrderLine
    from api.schema.purchasing import PurchaseOrder

CURSOR = "Place in the one global order of events; pass it as `after` of any subscription."
OCCURRED = "When it happened."
RESYNC = "True once when events were lost for this caller: read the objects anew and go on from this cursor."


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)


@strawberry.type(description="One fact of an alarm.")
class AlarmFact:
    """A name and its value."""

    name: str = field(description="What it is, such as `orderNumber`.")
    value: str = field(description="Its value as text; what has parts as JSON.")


def alarm_facts(payload: Mapping[str, Any]) -> list[AlarmFact]:
    """What an alarm says, without what is not known; of our own keys of rows only those that a mutation or query takes."""
    facts = [
        AlarmFact(name=name, value=value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in payload.items()
        if value is not None and not name.endswith("Id")
    ]
    ids = [(name, kind) for name, kind in _NODES.items() if payload.get(name) is not None]
    return [*facts, *(AlarmFact(name=name, value=encode_id(kind, payload[name])) for name, kind in ids)]


_NODES = {"webhookId": "Webhook", "jobRunId": "JobRun"}


def _common(event: Row) -> dict[str, Any]:
    resync = bool(event.get("resync_required"))
    return {
        "cursor": event["cursor"],
        "occurred_at": event["occurred_at"],
        "kind": None if resync else event["kind"],
        "resync_required": resync,
    }


@register
@strawberry.type(description="Something that happened to an order. Facts are null on a resyncRequired event.")
class OrderEvent:
    """One event of topic `order`."""

    order_id: strawberry.Private[int | None] = None
    line_key: strawberry.Private[tuple[int, int] | None] = None
    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    kind: enums.OrderEventKind | None = field(description="What happened.", default=None)
    order_number: str | None = field(description="To which order.", default=None)
    line_number: int | None = field(description="To which line; null for the whole order.", default=None)
    status: enums.OrderStatus | None = field(description="State of the order after it.", default=None)
    version: int | None = field(description="Version of the order after it.", default=None)
    quantity: int | None = field(description="Units concerned.", default=None)
    promised: date | None = field(description="Day that is promised now.", default=None)
    previous_promised: date | None = field(description="Day that was promised before.", default=None)
    reason: str | None = field(description="Why, as a code.", default=None)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event (position, cursor, occurred_at, kind, sku_id, payload)."""
        facts, sku_id = event["payload"], event["sku_id"]
        line_id = facts.get("lineId")
        return _common(event) | {
            "order_id": facts.get("orderId"),
            "line_key": None if line_id is None or sku_id is None else (sku_id, line_id),
            "order_number": facts.get("orderNumber"),
            "line_number": facts.get("lineNumber"),
            "status": facts.get("status"),
            "version": facts.get("version"),
            "quantity": facts.get("quantity"),
            "promised": _day(facts.get("promised")),
            "previous_promised": _day(facts.get("previousPromised")),
            "reason": facts.get("reason"),
        }

    @field(description="The order now; may be newer than the facts.")
    async def order(self, info: Info) -> Annotated[Order, strawberry.lazy("api.schema.order")] | None:
        if self.order_id is None:
            return None
        return build("Order", await info.context.loaders.order_by_id.load(self.order_id))

    @field(description="The line now; may be newer than the facts.")
    async def line(self, info: Info) -> Annotated[OrderLine, strawberry.lazy("api.schema.order")] | None:
        if self.line_key is None:
            return None
        return build("OrderLine", await info.context.loaders.line_by_key.load(self.line_key))


@register
@strawberry.type(description="Something that happened to a backorder. Facts are null on a resyncRequired event.")
class BackorderEvent:
    """One event of topic `backorder`."""

    backorder_key: strawberry.Private[tuple[int, int] | None] = None
    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    kind: enums.BackorderEventKind | None = field(description="What happened.", default=None)
    backorder_id: strawberry.ID | None = field(description="To which backorder.", default=None)
    state: enums.BackorderState | None = field(description="Its state after it.", default=None)
    quantity: int | None = field(description="Units still short after it.", default=None)
    expected: date | None = field(description="Day that is expected now.", default=None)
    previous_expected: date | None = field(description="Day that was expected before.", default=None)
    reason: str | None = field(description="Why, as a code.", default=None)
    version: int | None = field(description="Version of the backorder after it.", default=None)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event."""
        facts = event["payload"]
        sku_id, key = event["sku_id"] or facts.get("skuId") or 0, facts.get("backorderId")
        return _common(event) | {
            "backorder_key": None if key is None else (sku_id, key),
            "backorder_id": None if key is None else encode_id("Backorder", key, sku_id),
            "state": facts.get("state"),
            "quantity": facts.get("quantity"),
            "expected": _day(facts.get("expected")),
            "previous_expected": _day(facts.get("previousExpected")),
            "reason": facts.get("reason"),
            "version": facts.get("version"),
        }

    @field(description="The backorder now; may be newer than the facts.")
    async def backorder(self, info: Info) -> Annotated[Backorder, strawberry.lazy("api.schema.backorder")] | None:
        if self.backorder_key is None:
            return None
        return build("Backorder", await info.context.loaders.backorder_by_key.load(self.backorder_key))


@register
@strawberry.type(description="Something that happened to a notice. Facts are null on a resyncRequired event.")
class NoticeEvent:
    """One event of topic `notice`."""

    notice_id: strawberry.Private[int | None] = None
    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    kind: enums.NoticeEventKind | None = field(description="What happened.", default=None)
    order_number: str | None = field(description="Of which order it speaks.", default=None)
    template: str | None = field(description="Which text it was written from.", default=None)
    language: str | None = field(description="Language it is written in.", default=None)
    subject: str | None = field(description="Its subject.", default=None)
    text: str | None = field(description="Its text, when it was sent.", default=None)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event."""
        facts = event["payload"]
        return _common(event) | {
            "notice_id": facts.get("noticeId"),
            "order_number": facts.get("orderNumber"),
            **{name: facts.get(name) for name in ("template", "language", "subject", "text")},
        }

    @field(description="The notice now.")
    async def notice(self, info: Info) -> Annotated[Notice, strawberry.lazy("api.schema.notice")] | None:
        if self.notice_id is None:
            return None
        return build("Notice", await info.context.loaders.notice_by_id.load(self.notice_id))


@register
@strawberry.type(description="Something that needs a person's eye. Facts are null on a resyncRequired event.")
class AlarmEvent:
    """One event of topic `alarm`."""

    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    kind: str | None = field(description="What is wrong, as a code; docs/operating.md lists them.", default=None)
    facts: list[AlarmFact] = field(description="What it is about.", default_factory=list)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event."""
        return _common(event) | {"facts": alarm_facts(event["payload"])}


@register
@strawberry.type(description="Something that happened to a purchase order. Facts are null on a resyncRequired event.")
class PurchaseOrderEvent:
    """One event of topic `purchase_order`."""

    purchase_order_id: strawberry.Private[int | None] = None
    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    kind: str | None = field(description="What happened, as a status word.", default=None)
    purchase_order_number: str | None = field(description="To which purchase order.", default=None)
    line_number: int | None = field(description="To which line; null for the whole purchase order.", default=None)
    status: enums.PurchaseOrderStatus | None = field(description="Its state after it.", default=None)
    version: int | None = field(description="Its version after it.", default=None)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event."""
        facts = event["payload"]
        return _common(event) | {
            "purchase_order_id": facts.get("purchaseOrderId"),
            "purchase_order_number": facts.get("purchaseOrderNumber"),
            "line_number": facts.get("lineNumber"),
            "status": facts.get("status"),
            "version": facts.get("version"),
        }

    @field(description="The purchase order now; may be newer than the facts.")
    async def purchase_order(
        self, info: Info
    ) -> Annotated[PurchaseOrder, strawberry.lazy("api.schema.purchasing")] | None:
        if self.purchase_order_id is None:
            return None
        return build("PurchaseOrder", await info.context.loaders.purchase_order_by_id.load(self.purchase_order_id))


@register
@strawberry.type(
    description="The newest availability of one SKU; steps in between may be skipped, versions never go back."
)
class AvailabilityEvent:
    """One state of a SKU."""

    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    availability: Annotated[Availability, strawberry.lazy("api.schema.availability")] | None = field(
        description="The state; null when the SKU cannot be answered."
    )
    resync_required: bool = field(description=RESYNC, default=False)
    shared: strawberry.Private[SharedRead | None] = None
    """The read that `availability` is of: subscribers with equal documents share one answer."""


@register
@strawberry.type(description="Progress of a job. Facts are null on a resyncRequired event.")
class JobEvent:
    """One event of topic `job`."""

    cursor: str = field(description=CURSOR)
    occurred_at: datetime = field(description=OCCURRED)
    function: str | None = field(description="Which job.", default=None)
    state: enums.JobState | None = field(description="Where it stands.", default=None)
    done: int | None = field(description="Steps done.", default=None)
    total: int | None = field(description="Steps in all, when known.", default=None)
    error: str | None = field(description="Why it failed.", default=None)
    resync_required: bool = field(description=RESYNC, default=False)

    @staticmethod
    def facts_of(event: Row) -> dict[str, Any]:
        """Fields from a stored or live event."""
        facts = event["payload"]
        return _common(event) | {name: facts.get(name) for name in ("function", "state", "done", "total", "error")}
