"""What the relay has written into the Redis stream, as events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from api.live.cursor import encode_cursor
from api.live.event import LiveEvent


def entries_of(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of an XREAD answer, which is a list under RESP2 and a map under RESP3."""
    if not answer:
        return []
    return answer[0][1] if isinstance(answer, list) else next(iter(answer.values()))[0]


class _Entry(msgspec.Struct, rename="camel"):
    epoch: int
    topic: str
    kind: str
    payload: dict[str, Any]
    occurred_at: datetime
    key: str | None = ""
    sku_id: int | None = None
    order_id: int | None = None
    customer_id: int | None = None
    supplier_id: int | None = None
    channel: str | None = None
    traceparent: str | None = None


_decoder = msgspec.json.Decoder(_Entry)


def event_of(entry: tuple[bytes, dict[bytes, bytes]], epoch: int) -> LiveEvent | None:
    """The event of a stream entry; None when it cannot be read or lay there from another epoch (the table decides)."""
    identity, fields = entry
    try:
        data = _decoder.decode(fields[b"data"])
        position = int(identity.partition(b"-")[0])
    except (KeyError, ValueError, msgspec.MsgspecError):
        return None
    if data.epoch != epoch:
        return None
    return LiveEvent(
        position=position,
        cursor=encode_cursor(epoch, position),
        occurred_at=data.occurred_at,
        topic=data.topic,
        kind=data.kind,
        payload=data.payload,
        key=data.key or "",
        sku_id=data.sku_id,
        order_id=data.order_id,
        customer_id=data.customer_id,
        supplier_id=data.supplier_id,
        channel=data.channel,
        traceparent=data.traceparent,
    )
