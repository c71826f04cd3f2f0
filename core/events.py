"""Facts we announce, as plain data: each becomes one outbox row, then one event with a position."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field


class Event(Struct, frozen=True):
    """One fact as it was: `payload` holds scalars only, equal live and on resume."""

    topic: str
    kind: str
    payload: dict[str, Any]
    key: str = ""
    """Aggregate the fact speaks of; order per key is the order of the facts."""
    sku_id: int | None = None
    order_id: int | None = None
    customer_id: int | None = None
    supplier_id: int | None = None
    channel: str | None = None


class JobRequest(Struct, frozen=True):
    """Work to do after the commit. Runs at least once; the same (function, key) waits only once."""

    function: str
    key: str
    input: dict[str, Any] = field(default_factory=dict)
    queue: str = "fast"
    run_after: datetime | None = None
