"""Webhooks: who is told of events by HTTP, and the log of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import Info, field

from api.schema.enums import described
from api.schema.errors import UserError
from api.schema.node import Node, Row, build, build_all, register
from api.schema.sku import Customer, Sku, Supplier
from core.domain.webhook_states import WebhookDeliveryState, WebhookState


class WebhookTopic(Enum):
    """core.domain.webhook_message.FACTS."""

    ORDER = "order"
    BACKORDER = "backorder"
    AVAILABILITY = "availability"
    PURCHASE_ORDER = "purchase_order"
    NOTICE = "notice"


described(
    WebhookTopic,
    "What a webhook is told of; each is also a subscription.",
    ORDER="What happens to orders: the facts of orderChanged.",
    BACKORDER="What happens to backorders: the facts of backorderChanged.",
    AVAILABILITY="That the availability of a SKU has changed; of several changes perhaps only the newest.",
    PURCHASE_ORDER="What happens to purchase orders: the facts of purchaseOrderChanged.",
    NOTICE="What customers are told, with subject and text, to be sent on by mail or messenger: the facts of noticeChanged.",
)
described(
    WebhookState,
    "Is a webhook told of events.",
    ACTIVE="Events are delivered.",
    PAUSED="Nothing is delivered; what happens meanwhile follows when it is active again.",
    DISABLED="It has failed for days or answered 410; make it ACTIVE again and it goes on where it stopped.",
)
described(
    WebhookDeliveryState,
    "Has the receiver taken a message.",
    PENDING="It waits for its turn or for the next try.",
    DELIVERED="The receiver has answered with a 2xx status.",
    SKIPPED="It was passed over by its owner.",
)


@register
@strawberry.type(description="An address that is told of events by signed HTTP requests; docs/webhooks.md explains it.")
class Webhook(Node):
    """One webhook."""

    key: strawberry.Private[int]
    row: strawberry.Private[Row]
    customer_id: strawberry.Private[int | None] = None
    supplier_id: strawberry.Private[int | None] = None
    url: str = field(description="Where requests go.")
    description: str = field(description="What its owner calls it.")
    state: WebhookState = field(description="Is it told of events.")
    attempts: int = field(description="Failed tries in a row of the message that is next; 0 while all is well.")
    retry_at: datetime | None = field(description="When the next try is due; null when none waits.", default=None)
    failing_since: datetime | None = field(description="Since when every try has failed.", default=None)
    last_error: str | None = field(description="How the last try failed.", default=None)
    last_delivered_at: datetime | None = field(description="When a message was taken last.", default=None)
    version: int = field(description="Raised by every change.")
    created_at: datetime = field(description="When it was registered.")
    updated_at: datetime = field(description="When it was changed last.")

    @field(description="What it is told of.")
    def topics(self) -> list[WebhookTopic]:
        return [WebhookTopic(topic) for topic in self.row["topics"]]

    @field(description="SKUs whose availability it is told of; null for all.")
    async def skus(self, info: Info) -> list[Sku] | None:
        if self.row["sku_ids"] is None:
            return None
        rows = await info.context.loaders.sku_by_id.load_many(self.row["sku_ids"])
        return build_all("Sku", [row for row in rows if row is not None])

    @field(description="The customer whose events it is told of; null for everybody's.")
    async def customer(self, info: Info) -> Customer | None:
        if self.customer_id is None:
            return None
        return build("Customer", await info.context.loaders.customer_by_id.load(self.customer_id))

    @field(description="The supplier whose events it is told of; null for everybody's.")
    async def supplier(self, info: Info) -> Supplier | None:
        if self.supplier_id is None:
            return None
        return build("Supplier", await info.context.loaders.supplier_by_id.load(self.supplier_id))


@strawberry.type(description="One try to deliver a message.")
class WebhookAttempt:
    """One entry of `webhook_delivery.attempts`."""

    at: datetime = field(description="When it ended.")
    status: int | None = field(description="HTTP status of the answer; null when there was none.")
    error: str | None = field(description="Why there was none, or why it did not count.")
    milliseconds: int = field(description="How long it took.")


@register
@strawberry.type(description="A message to a webhook. Its content never changes; the same event may be sent again.")
class WebhookDelivery(Node):
    """One delivery."""

    key: strawberry.Private[int]
    row: strawberry.Private[Row]
    webhook_id: strawberry.Private[int]
    type: str = field(description="What it tells, such as `order.promise_moved`.")
    body: str = field(description="The body as it is signed and sent: JSON with id, type, timestamp and data.")
    state: WebhookDeliveryState = field(description="Has the receiver taken it.")
    delivered_at: datetime | None = field(description="When the receiver took it.", default=None)
    created_at: datetime = field(description="When it was queued.")

    @field(description="Id of the event, sent as `webhook-id`: the same in every delivery of it.")
    def event_id(self) -> str:
        return self.row["message_id"]

    @field(description="Id of this delivery, sent as `webhook-delivery-id`: the same in every try of it.")
    def delivery_id(self) -> str:
        return f"dlv_{self.key}"

    @field(description="Was it asked for by webhookReplay.")
    def is_replay(self) -> bool:
        return self.row["replay_of"] is not None

    @field(description="The tries so far, oldest first.")
    def attempts(self) -> list[WebhookAttempt]:
        return [
            WebhookAttempt(
                at=datetime.fromisoformat(tried["at"]),
                status=tried["status"],
                error=tried["error"],
                milliseconds=tried["milliseconds"],
            )
            for tried in self.row["attempts"]
        ]

    @field(description="Where it goes.")
    async def webhook(self, info: Info) -> Webhook | None:
        return build("Webhook", await info.context.loaders.webhook_by_id.load(self.webhook_id))


@strawberry.input(description="Which deliveries.")
class WebhookDeliveryFilter:
    """All given conditions must hold."""

    webhook: strawberry.ID | None = field(default=None, description="Of this webhook.")
    state: WebhookDeliveryState | None = field(default=None, description="In this state.")
    type: str | None = field(default=None, description="Of this type.")
    event_id: str | None = field(default=None, description="Of this event.")


@strawberry.input(description="A new webhook: it is told of what happens from now on.")
class WebhookCreateInput:
    """Input of webhookCreate."""

    url: str = field(description="Where requests go: https, a public host, no redirects.")
    topics: list[WebhookTopic] = field(
        description="What it is told of. Customers: ORDER, BACKORDER, AVAILABILITY, NOTICE; suppliers: PURCHASE_ORDER."
    )
    description: str = field(default="", description="What you call it, at most 200 characters.")
    skus: list[str] | None = field(
        default=None, description="Codes of the SKUs whose availability it is told of; null for all."
    )
    customer: str | None = field(default=None, description="Planners: only events of this customer, by code.")
    supplier: str | None = field(default=None, description="Planners: only events of this supplier, by code.")


@strawberry.input(description="A change of a webhook; what is not given stays.")
class WebhookChangeInput:
    """Input of webhookChange."""

    id: strawberry.ID = field(description="Which webhook.")
    url: str | None = field(default=None, description="Where requests go; also what waits.")
    topics: list[WebhookTopic] | None = field(default=None, description="What it is told of from now on.")
    description: str | None = field(default=None, description="What you call it.")
    skus: list[str] | None = field(default=None, description="Codes of SKUs; empty: all of them again.")
    state: WebhookState | None = field(default=None, description="ACTIVE or PAUSED.")
    expected_version: int | None = field(default=None, description="Refuse when it has another version.")


@strawberry.input(description="Which webhook is taken away.")
class WebhookDeleteInput:
    """Input of webhookDelete."""

    id: strawberry.ID = field(description="Which webhook.")


@strawberry.input(description="Renew the signing secret of a webhook.")
class WebhookSecretRotateInput:
    """Input of webhookSecretRotate."""

    id: strawberry.ID = field(description="Which webhook.")
    grace_hours: int = field(
        default=24, description="So long the old secret signs beside the new one, 0 to 168 hours; 0: not at all."
    )


@strawberry.input(description="Which webhook is sent a test.")
class WebhookTestInput:
    """Input of webhookTest."""

    id: strawberry.ID = field(description="Which webhook.")


@strawberry.input(description="Which messages are sent again: either `deliveries` or `since`.")
class WebhookReplayInput:
    """Input of webhookReplay."""

    id: strawberry.ID = field(description="Which webhook.")
    deliveries: list[strawberry.ID] | None = field(default=None, description="These of its deliveries, at most 1000.")
    since: datetime | None = field(
        default=None, description="All that were queued from this instant on, the first 1000 of them."
    )


@strawberry.input(description="Which waiting message is passed over.")
class WebhookDeliverySkipInput:
    """Input of webhookDeliverySkip."""

    id: strawberry.ID = field(description="Which webhook.")
    delivery: strawberry.ID = field(description="Which of its deliveries.")


@strawberry.type(description="Answer of webhookCreate, webhookChange and webhookSecretRotate.")
class WebhookPayload:
    """The webhook after it."""

    webhook: Webhook | None = field(description="The webhook.", default=None)
    secret: str | None = field(
        description="Its new signing secret (`whsec_...`), shown this once: null in the answer to a repeat.",
        default=None,
    )
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


@strawberry.type(description="Answer of webhookDelete.")
class WebhookDeletePayload:
    """Which one is gone."""

    id: strawberry.ID | None = field(description="Id of what was taken away.", default=None)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


@strawberry.type(description="Answer of webhookTest, webhookReplay and webhookDeliverySkip.")
class WebhookQueuePayload:
    """The webhook, and how much was queued."""

    webhook: Webhook | None = field(description="The webhook.", default=None)
    delivery: WebhookDelivery | None = field(description="The test, or what was passed over.", default=None)
    queued: int = field(description="Messages that were queued.", default=0)
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")
