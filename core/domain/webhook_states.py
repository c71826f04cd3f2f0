"""Where webhooks and their messages stand, in the words of the database and the API."""

from enum import StrEnum


class WebhookState(StrEnum):
    """Is an address told of events; DISABLED is what failing for days ends in."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"


class WebhookDeliveryState(StrEnum):
    """Has an address taken a message."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    SKIPPED = "SKIPPED"
