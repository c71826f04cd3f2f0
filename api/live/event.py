"""An event as the hub hands it on, and the filter that says who gets it, in memory and in SQL alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.live.cursor import encode_cursor

COLUMNS = (
    "position, topic, kind, key, sku_id, order_id, customer_id, supplier_id, channel, payload, occurred_at, traceparent"
)
RESYNC = "resync"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One fact of the event log; `payload` holds scalars as they were when it happened."""

    position: int
    cursor: str
    occurred_at: datetime
    topic: str
    kind: str
    payload: Mapping[str, Any]
    key: str = ""
    sku_id: int | None = None
    order_id: int | None = None
    customer_id: int | None = None
    supplier_id: int | None = None
    channel: str | None = None
    traceparent: str | None = None
    """The span in which it was announced, where spans were made there."""
    resync_required: bool = False
    """True for the marker that comes first when a cursor cannot be resumed: read a fresh snapshot, then go on."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], epoch: int) -> LiveEvent:
        return cls(
            position=row["position"],
            cursor=encode_cursor(epoch, row["position"]),
            occurred_at=row["occurred_at"],
            topic=row["topic"],
            kind=row["kind"],
            payload=row["payload"] or {},
            key=row["key"] or "",
            sku_id=row["sku_id"],
            order_id=row["order_id"],
            customer_id=row["customer_id"],
            supplier_id=row["supplier_id"],
            channel=row["channel"],
            traceparent=row["traceparent"],
        )

    @classmethod
    def resync(cls, epoch: int, position: int, at: datetime) -> LiveEvent:
        """The marker; its cursor was taken before the snapshot that the client reads next."""
        cursor = encode_cursor(epoch, position)
        return cls(position, cursor, at, RESYNC, "RESYNC_REQUIRED", {}, resync_required=True)


@dataclass(frozen=True, slots=True)
class LiveFilter:
    """Which events a subscriber gets. None means "any"; `customer_id` and `supplier_id` authorise.

    `accepts` narrows further in memory; it is applied to live and resumed events alike.
    `coalesce` keeps only the newest event of each SKU while the subscriber lags or resumes (state streams).
    """

    topics: frozenset[str]
    sku_ids: frozenset[int] | None = None
    order_id: int | None = None
    key: str | None = None
    customer_id: int | None = None
    supplier_id: int | None = None
    coalesce: bool = False
    accepts: Callable[[LiveEvent], bool] | None = None

    def matches(self, event: LiveEvent) -> bool:
        return (
            event.topic in self.topics
            and (self.sku_ids is None or event.sku_id in self.sku_ids)
            and (self.order_id is None or event.order_id == self.order_id)
            and (self.key is None or event.key == self.key)
            and (self.customer_id is None or event.customer_id == self.customer_id)
            and (self.supplier_id is None or event.supplier_id == self.supplier_id)
            and (self.accepts is None or self.accepts(event))
        )

    def sql(self) -> tuple[str, list[Any]]:
        """A WHERE clause over `event` (parameters from $4 on) that says the same as `matches`, save `accepts`."""
        clauses = ["topic = any($4::text[])"]
        values: list[Any] = [sorted(self.topics)]
        optional = (
            ("sku_id = any(${}::bigint[])", None if self.sku_ids is None else sorted(self.sku_ids)),
            ("order_id = ${}", self.order_id),
            ("key = ${}", self.key),
            ("customer_id = ${}", self.customer_id),
            ("supplier_id = ${}", self.supplier_id),
        )
        for clause, value in optional:
            if value is not None:
                values.append(value)
                clauses.append(clause.format(3 + len(values)))
        return " and ".join(clauses), values
