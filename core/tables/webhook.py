"""Who is told of events by HTTP: addresses, their signing secrets, and the log of what was delivered."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.webhook_states import WebhookDeliveryState, WebhookState
from core.tables import columns as c


class Webhook(c.Row, table=True):
    """One address. `position` is that of the last event that was taken over into its deliveries."""

    __table_args__ = (
        c.one_of("state", WebhookState),
        c.check("customer_id is null or supplier_id is null", "owner"),
        c.check("cardinality(topics) > 0", "topics"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: int | None = c.identity()
    url: str = c.text()
    description: str = c.text(default="")
    topics: Any = c.array(sa.Text)
    sku_ids: Any = c.array(sa.BigInteger, null=True)
    customer_id: int | None = c.ref("customer.id", null=True)
    supplier_id: int | None = c.ref("supplier.id", null=True)
    state: str = c.text(default="ACTIVE")
    position: int = c.bigint()
    attempts: int = c.integer(default=0)
    retry_at: datetime | None = c.instant(null=True)
    failing_since: datetime | None = c.instant(null=True)
    last_error: str | None = c.text(null=True)
    last_delivered_at: datetime | None = c.instant(null=True)
    leased_by: str | None = c.text(null=True)
    lease_until: datetime | None = c.instant(null=True)
    actor: str = c.text()
    version: int = c.integer(default=1)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()


class WebhookSecret(c.Row, table=True):
    """A signing secret, encrypted under a key outside the database; while two are valid both sign."""

    __table_args__ = (c.index("webhook_secret_webhook_idx", "webhook_id"),)

    id: int | None = c.identity()
    webhook_id: int = c.ref("webhook.id")
    sealed: bytes = c.binary()
    expires_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()


class WebhookDelivery(c.Row, table=True):
    """One event for one address, in the order of ids; `attempts` lists the tries: at, status, error, milliseconds."""

    __table_args__ = (
        c.one_of("state", WebhookDeliveryState),
        c.index("webhook_delivery_event", "webhook_id", "position", where="replay_of is null", unique=True),
        c.index("webhook_delivery_pending", "webhook_id", "id", where="state = 'PENDING'"),
        c.index("webhook_delivery_log", "webhook_id", "id"),
        c.index("webhook_delivery_age_idx", "created_at"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: int | None = c.identity()
    webhook_id: int = c.ref("webhook.id")
    message_id: str = c.text()
    type: str = c.text()
    position: int | None = c.bigint(null=True)
    replay_of: int | None = c.bigint(null=True)
    body: str = c.text()
    state: str = c.text(default="PENDING")
    attempts: Any = c.json(default="[]")
    delivered_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
