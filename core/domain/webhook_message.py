"""What a webhook is sent: its body, its signature (Standard Webhooks), and when a failed delivery is tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.domain.access import Role

SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32
TEST_TYPE = "webhook.test"
GAP_TYPE = "webhook.resync_required"

FACTS: Mapping[str, tuple[str, ...]] = {
    "order": (
        "orderNumber",
        "lineNumber",
        "status",
        "version",
        "quantity",
        "promised",
        "previousPromised",
        "reason",
    ),
    "backorder": (
        "orderNumber",
        "lineNumber",
        "sku",
        "state",
        "quantity",
        "expected",
        "previousExpected",
        "reason",
        "version",
    ),
    "availability": ("sku", "version"),
    "purchase_order": ("purchaseOrderNumber", "lineNumber", "status", "version"),
    "notice": ("customer", "orderNumber", "template", "language", "subject", "text"),
}
"""Topic -> the facts of its events that are told; those of the subscription on the same topic."""

TOPICS_OF: Mapping[Role, frozenset[str]] = {
    Role.CUSTOMER: frozenset({"order", "backorder", "availability", "notice"}),
    Role.SUPPLIER: frozenset({"purchase_order"}),
    Role.PLANNER: frozenset(FACTS),
    Role.ADMIN: frozenset(FACTS),
}
"""What each role may be told by a webhook: what it may subscribe to."""

RETRY_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 86_400)
"""Wait after the first, second, ... failed attempt; when they are used up (76 h) the webhook is disabled."""
LONGEST_WAIT = 86_400


def event_id(epoch: int, position: int) -> str:
    """The id of an event, the same in every delivery of it to anybody."""
    return f"evt_{epoch}_{position}"


def message_body(id: str, type_: str, at: datetime, facts: Mapping[str, Any]) -> str:
    """The body as it is sent and signed: `id`, `type`, `timestamp` (when it happened, UTC) and `data`."""
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode({"id": id, "type": type_, "timestamp": stamp, "data": dict(facts)}).decode()


def event_type(topic: str, kind: str) -> str:
    """`order` and `PROMISE_MOVED` make `order.promise_moved`."""
    return f"{topic}.{kind.lower()}"


def told_facts(topic: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Those facts of an event that its readers are told."""
    return {name: payload.get(name) for name in FACTS[topic]}


def written_secret(secret: bytes) -> str:
    """A signing secret as its owner gets it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def sign(secrets: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one `v1,<base64 HMAC-SHA256>` per secret, newest first.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        f"v1,{base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()}" for secret in secrets
    )


def wait_after(attempts: int, asked: int | None = None) -> int | None:
    """Seconds until the next try after so many failed ones, at least what the receiver `asked` for; None: no more."""
    if attempts > len(RETRY_SECONDS):
        return None
    return max(RETRY_SECONDS[attempts - 1], min(asked or 0, LONGEST_WAIT))
