"""What an owner may do with the queue of a webhook: send a test, send again, pass over what is never taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from core.domain.webhook_message import TEST_TYPE, message_body
from core.domain.webhook_states import WebhookState
from core.errors import IllegalTransition, InvalidInput, NotFound
from core.ports import Transaction
from core.repositories import webhooks
from core.services.register_webhook import must_own

MAX_REPLAYED = 1_000
"""Messages that one replay queues at most."""


@dataclass(frozen=True, slots=True)
class ReplayWebhook:
    """Either these messages of the log, or all that were made at or after `since`."""

    webhook_id: int
    delivery_ids: Sequence[int] | None = None
    since: datetime | None = None


async def send_test(uow: Transaction, webhook_id: int) -> int:
    """Queue a message of type `webhook.test`; the delivery's id. Raises NotFound, IllegalTransition unless active."""
    row = await must_own(uow, webhook_id)
    if row["state"] != WebhookState.ACTIVE:
        raise IllegalTransition("webhook", str(webhook_id), row["state"], "TESTED")
    message_id = f"test_{uuid4().hex}"
    body = message_body(message_id, TEST_TYPE, uow.now, {"topics": row["topics"]})
    delivery_id = await webhooks.insert_delivery(uow, webhook_id, message_id, TEST_TYPE, body)
    uow.audit("webhookTest", f"webhook:{webhook_id}", None, {"deliveryId": delivery_id})
    return delivery_id


async def replay_deliveries(uow: Transaction, request: ReplayWebhook) -> int:
    """Queue settled messages again behind what waits, under their old ids; how many (at most MAX_REPLAYED).

    Raises NotFound, InvalidInput.
    """
    if (request.delivery_ids is None) == (request.since is None):
        raise InvalidInput("Name either deliveries or since.", path=("input", "since"), field="since")
    if request.delivery_ids is not None and not 0 < len(request.delivery_ids) <= MAX_REPLAYED:
        raise InvalidInput(f"Name 1 to {MAX_REPLAYED} deliveries.", path=("input", "deliveries"), field="deliveries")
    await must_own(uow, request.webhook_id)
    queued = await webhooks.copy_deliveries(uow, request.webhook_id, request.delivery_ids, request.since, MAX_REPLAYED)
    uow.audit("webhookReplay", f"webhook:{request.webhook_id}", None, {"queued": queued})
    return queued


async def skip_waiting(uow: Transaction, webhook_id: int, delivery_id: int) -> None:
    """Pass over one message that waits, so that those behind it can go. Raises NotFound, IllegalTransition."""
    await must_own(uow, webhook_id)
    state = await webhooks.skip_delivery(uow, webhook_id, delivery_id)
    if state is None:
        raise NotFound("delivery", str(delivery_id), path=("input", "delivery"))
    if state != "PENDING":
        raise IllegalTransition("delivery", str(delivery_id), state, "SKIPPED")
    uow.audit("webhookDeliverySkip", f"webhook:{webhook_id}", None, {"deliveryId": delivery_id})
