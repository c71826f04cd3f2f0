"""Webhooks: register, change, test, replay, look up."""

from __future__ import annotations

from typing import Annotated, Any

from strawberry import Info, argument

from api.context import Context
from api.pagination import decode_id, page_of, slice_of
from api.resolvers.arguments import IdempotencyKey
from api.resolvers.mutation import run_mutation
from api.schema.node import Connection, PageAfter, PageBefore, PageFirst, PageLast, build, connection
from api.schema.sku import as_filter
from api.schema.webhook import (
    Webhook,
    WebhookChangeInput,
    WebhookCreateInput,
    WebhookDeleteInput,
    WebhookDeletePayload,
    WebhookDelivery,
    WebhookDeliveryFilter,
    WebhookDeliverySkipInput,
    WebhookPayload,
    WebhookQueuePayload,
    WebhookReplayInput,
    WebhookSecretRotateInput,
    WebhookTestInput,
)
from core.domain.webhook_message import written_secret
from core.queries import webhooks
from core.services import queue_webhook_deliveries as queue
from core.services import register_webhook as register
from core.unit_of_work import UnitOfWork


async def webhook_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
) -> Connection[Webhook]:
    """Webhooks the caller may see."""
    page = page_of(webhooks.SORT, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await webhooks.webhooks_page(sql, info.context.principal, page)
    return connection(slice_of(webhooks.SORT, page, rows, more), lambda row: build("Webhook", row))


async def delivery_list(
    info: Info,
    first: PageFirst = None,
    after: PageAfter = None,
    last: PageLast = None,
    before: PageBefore = None,
    filter: Annotated[WebhookDeliveryFilter | None, argument(description="Which deliveries.")] = None,
) -> Connection[WebhookDelivery]:
    """The delivery log of the webhooks the caller may see."""
    given = as_filter(filter)
    if "webhook" in given:
        given["webhook_id"] = decode_id(given.pop("webhook"), "Webhook").id
    page = page_of(webhooks.DELIVERIES, first, after, last, before)
    async with info.context.read() as sql:
        rows, more = await webhooks.deliveries_page(sql, info.context.principal, given, page)
    return connection(slice_of(webhooks.DELIVERIES, page, rows, more), lambda row: build("WebhookDelivery", row))


def _rules(context: Context) -> register.Rules:
    settings = context.settings
    return register.Rules(settings.webhook_key.get_secret_value(), settings.allows_loopback_webhooks)


async def webhook_create(
    info: Info,
    input: Annotated[WebhookCreateInput, argument(description="Where, and of what it is told.")],
    idempotency_key: IdempotencyKey,
) -> WebhookPayload:
    """Register a webhook; its secret is in this answer and nowhere else."""
    context: Context = info.context
    wanted = register.CreateWebhook(
        input.url,
        [topic.value for topic in input.topics],
        input.description,
        input.skus,
        input.customer,
        input.supplier,
    )
    shown: list[bytes] = []

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        webhook_id, secret = await register.create_webhook(uow, wanted, _rules(context))
        shown[:] = [secret]
        return {"webhookId": webhook_id}

    return await _answer(context, "webhookCreate", input, idempotency_key, use_case, shown)


async def webhook_change(
    info: Info,
    input: Annotated[WebhookChangeInput, argument(description="What is to be different.")],
    idempotency_key: IdempotencyKey,
) -> WebhookPayload:
    """Change, pause or resume a webhook."""
    context: Context = info.context
    wanted = register.ChangeWebhook(
        decode_id(input.id, "Webhook").id,
        input.url,
        None if input.topics is None else [topic.value for topic in input.topics],
        input.description,
        input.skus,
        input.state,
        input.expected_version,
    )

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        version = await register.change_webhook(uow, wanted, _rules(context))
        return {"webhookId": wanted.webhook_id, "version": version}

    return await _answer(context, "webhookChange", input, idempotency_key, use_case, [])


async def webhook_secret_rotate(
    info: Info,
    input: Annotated[WebhookSecretRotateInput, argument(description="Whose secret, and how long the old one lives.")],
    idempotency_key: IdempotencyKey,
) -> WebhookPayload:
    """A new secret; for a while both sign."""
    context: Context = info.context
    webhook_id = decode_id(input.id, "Webhook").id
    shown: list[bytes] = []

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        shown[:] = [await register.rotate_webhook_secret(uow, webhook_id, input.grace_hours, _rules(context))]
        return {"webhookId": webhook_id}

    return await _answer(context, "webhookSecretRotate", input, idempotency_key, use_case, shown)


async def _answer(
    context: Context, operation: str, input: Any, key: str, use_case: Any, shown: list[bytes]
) -> WebhookPayload:
    done = await run_mutation(context, operation, input, key, use_case)
    if "webhookId" not in done.result:
        return WebhookPayload(user_errors=done.errors)
    row = await context.loaders.webhook_by_id.load(done.result["webhookId"])
    secret = written_secret(shown[0]) if shown else None
    return WebhookPayload(webhook=build("Webhook", row), secret=secret, user_errors=done.errors)


async def webhook_delete(
    info: Info,
    input: Annotated[WebhookDeleteInput, argument(description="Which webhook.")],
    idempotency_key: IdempotencyKey,
) -> WebhookDeletePayload:
    """Take a webhook away, with its log."""
    webhook_id = decode_id(input.id, "Webhook").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await register.remove_webhook(uow, webhook_id)
        return {"webhookId": webhook_id}

    done = await run_mutation(info.context, "webhookDelete", input, idempotency_key, use_case)
    return WebhookDeletePayload(id=input.id if "webhookId" in done.result else None, user_errors=done.errors)


async def webhook_test(
    info: Info,
    input: Annotated[WebhookTestInput, argument(description="Which webhook.")],
    idempotency_key: IdempotencyKey,
) -> WebhookQueuePayload:
    """Queue a message of type webhook.test."""
    webhook_id = decode_id(input.id, "Webhook").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"webhookId": webhook_id, "deliveryId": await queue.send_test(uow, webhook_id), "queued": 1}

    return await _queued(info.context, "webhookTest", input, idempotency_key, use_case)


async def webhook_replay(
    info: Info,
    input: Annotated[WebhookReplayInput, argument(description="What is sent again.")],
    idempotency_key: IdempotencyKey,
) -> WebhookQueuePayload:
    """Queue messages of the log again."""
    webhook_id = decode_id(input.id, "Webhook").id
    ids = None if input.deliveries is None else [decode_id(id, "WebhookDelivery").id for id in input.deliveries]
    wanted = queue.ReplayWebhook(webhook_id, ids, input.since)

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        return {"webhookId": webhook_id, "queued": await queue.replay_deliveries(uow, wanted)}

    return await _queued(info.context, "webhookReplay", input, idempotency_key, use_case)


async def webhook_delivery_skip(
    info: Info,
    input: Annotated[WebhookDeliverySkipInput, argument(description="Which message.")],
    idempotency_key: IdempotencyKey,
) -> WebhookQueuePayload:
    """Pass over a message that is never taken."""
    webhook_id = decode_id(input.id, "Webhook").id
    delivery_id = decode_id(input.delivery, "WebhookDelivery").id

    async def use_case(uow: UnitOfWork) -> dict[str, Any]:
        await queue.skip_waiting(uow, webhook_id, delivery_id)
        return {"webhookId": webhook_id, "deliveryId": delivery_id, "queued": 0}

    return await _queued(info.context, "webhookDeliverySkip", input, idempotency_key, use_case)


async def _queued(context: Context, operation: str, input: Any, key: str, use_case: Any) -> WebhookQueuePayload:
    done = await run_mutation(context, operation, input, key, use_case)
    if "webhookId" not in done.result:
        return WebhookQueuePayload(user_errors=done.errors)
    delivery_id = done.result.get("deliveryId")
    delivery = None if delivery_id is None else await context.loaders.webhook_delivery_by_id.load(delivery_id)
    return WebhookQueuePayload(
        webhook=build("Webhook", await context.loaders.webhook_by_id.load(done.result["webhookId"])),
        delivery=build("WebhookDelivery", delivery),
        queued=done.result["queued"],
        user_errors=done.errors,
    )
