"""The transactions around a delivery: who delivers for whom, what is due, and what became of it.

Events are taken over from the log into deliveries together with the cursor, so nothing is lost between the two; a
delivery is settled after the receiver has said yes, so whatever dies in between is sent again under the same id.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from core.domain.webhook_message import (
    GAP_TYPE,
    event_id,
    event_type,
    message_body,
    told_facts,
    wait_after,
)
from core.events import Event
from core.repositories import webhooks
from core.services.webhook_secrets import open_secret
from core.unit_of_work import UnitOfWork

LEASE_SECONDS = 30
"""A deliverer that gives no sign for so long is taken for dead; longer than one attempt may last."""
BATCH = 50
QUEUE = 100
"""Deliveries that wait at most; further events stay in the log until then."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message to send."""

    delivery_id: int
    message_id: str
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one webhook is to be sent next, in order, signed with `secrets`."""

    webhook_id: int
    version: int
    url: str
    secrets: tuple[bytes, ...]
    messages: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try ended: an HTTP status, or an error that needs none; `retry_after` as the receiver asked, in seconds."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: int | None = None

    @property
    def is_taken(self) -> bool:
        """The receiver has the message: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


async def claim_due(uow: UnitOfWork, worker: str, limit: int) -> list[int]:
    """Webhooks that this deliverer is to serve now; nobody else does for LEASE_SECONDS."""
    return await webhooks.claim_due(uow, worker, LEASE_SECONDS, limit)


async def load_batch(uow: UnitOfWork, webhook_id: int, worker: str, key: str) -> Batch | None:
    """Take events over and say what is next; None when there is nothing more or it is no longer ours."""
    row = await webhooks.lock_leased(uow, webhook_id, worker)
    if row is None:
        return None
    position = row["position"]
    if row["waiting"] < QUEUE:
        position = await _take_over(uow, row)
    await webhooks.move_on(uow, webhook_id, position, LEASE_SECONDS)
    waiting = await webhooks.waiting_deliveries(uow, webhook_id, BATCH)
    if not waiting:
        return None
    secrets = [open_secret(sealed, webhook_id, key) for sealed in await webhooks.sealed_secrets(uow, webhook_id)]
    messages = tuple(Waiting(r["id"], r["message_id"], r["type"], r["body"].encode()) for r in waiting)
    return Batch(webhook_id, row["version"], row["url"], tuple(secrets), messages)


async def _take_over(uow: UnitOfWork, row: Any) -> int:
    """Make deliveries of the next events; the position up to which it was done."""
    after, head, epoch = row["position"], row["head"], row["epoch"]
    if after < head and row["next"] != after + 1:
        # The log was cut off behind us: say so, and go on with what is left.
        after = head if row["next"] is None else row["next"] - 1
        id = f"gap_{epoch}_{after}"
        await webhooks.insert_delivery(uow, row["id"], id, GAP_TYPE, message_body(id, GAP_TYPE, uow.now, {}))
    upto = min(head, after + webhooks.SCAN)
    events = await webhooks.matching_events(uow, row["id"], after, upto, QUEUE)
    newest = {event["key"]: event["position"] for event in events if event["topic"] == "availability"}
    rows = []
    for event in events:
        if event["topic"] == "availability" and newest[event["key"]] != event["position"]:
            continue  # a state: a newer one follows in this very batch
        id, type_ = event_id(epoch, event["position"]), event_type(event["topic"], event["kind"])
        facts = told_facts(event["topic"], event["payload"])
        rows.append((event["position"], id, type_, message_body(id, type_, event["occurred_at"], facts)))
    await webhooks.insert_event_deliveries(uow, row["id"], rows)
    return events[-1]["position"] if len(events) == QUEUE else upto


async def note_attempt(uow: UnitOfWork, batch: Batch, delivery_id: int, worker: str, attempt: Attempt) -> bool:
    """Write down a try; True when this deliverer may go on with the next message.

    A refusal makes the webhook wait, the longer the more there were in a row; after the last one, or 410, it is
    disabled: audited, with an alarm event for its owner.
    """
    webhook_id = batch.webhook_id
    tried = {"status": attempt.status, "error": attempt.error, "milliseconds": attempt.milliseconds}
    if attempt.is_taken:
        goes_on = await webhooks.note_success(uow, webhook_id, worker, batch.version, LEASE_SECONDS)
        await webhooks.note_attempt(uow, delivery_id, tried, is_delivered=True)
        return goes_on
    error = attempt.error or f"HTTP {attempt.status}"
    row = await webhooks.note_failure(uow, webhook_id, worker, batch.version, error)
    await webhooks.note_attempt(uow, delivery_id, tried, is_delivered=False)
    if row is None:
        return False
    wait = None if attempt.status == 410 else wait_after(row["attempts"], attempt.retry_after)
    if wait is not None:
        await webhooks.wait_for_retry(uow, webhook_id, wait * random.uniform(1.0, 1.1))  # noqa: S311
        return False
    await webhooks.disable(uow, webhook_id)
    facts = {"webhookId": webhook_id, "attempts": row["attempts"], "error": error}
    uow.announce(
        Event(
            "alarm",
            "WEBHOOK_DISABLED",
            facts,
            key=f"webhook:{webhook_id}",
            customer_id=row["customer_id"],
            supplier_id=row["supplier_id"],
        )
    )
    uow.audit("webhookDisable", f"webhook:{webhook_id}", {"state": "ACTIVE"}, {"state": "DISABLED", "error": error})
    return False


async def hold(uow: UnitOfWork, webhook_id: int, seconds: float) -> None:
    """Leave it alone for a while: what went wrong is not its receiver's fault."""
    await webhooks.wait_for_retry(uow, webhook_id, seconds)


async def release(uow: UnitOfWork, webhook_id: int, worker: str) -> None:
    """Let others serve it."""
    await webhooks.release(uow, webhook_id, worker)
