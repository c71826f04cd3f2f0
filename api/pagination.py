"""Opaque ids and cursors: base64url behind a version byte, and the page arguments of every connection."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from graphql import GraphQLError

from core.queries.page import Page, Sort

VERSION = 1
MAX_PAGE = 100
_MAX_BIGINT = 2**63 - 1


class BadUserInput(GraphQLError):
    """A value of the document that no field can work with: an id, a cursor, a page size."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "BAD_USER_INPUT"})


class NodeId(NamedTuple):
    """What an opaque id stands for; `sku_id` is 0 for things that belong to no SKU."""

    kind: str
    sku_id: int
    id: int


NODE_KINDS = (
    "Sku",
    "Location",
    "Customer",
    "Supplier",
    "Order",
    "OrderLine",
    "Backorder",
    "ResolutionOption",
    "Shipment",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "ShipNotice",
    "Transfer",
    "EdiDocument",
    "Notice",
    "AuditEntry",
    "JobRun",
    "Simulation",
    "RepromisingRun",
    "RebalancingProposal",
    "Webhook",
    "WebhookDelivery",
    "SupplierChange",
)
"""Position in this tuple is the type byte of an id: only ever append."""


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(bytes([VERSION]) + data).rstrip(b"=").decode()


def _unpack(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadUserInput(f"{text[:60]!r} is not {what}.") from None
    if len(data) < 2 or data[0] != VERSION or _pack(data[1:]) != text:
        raise BadUserInput(f"{text[:60]!r} is not {what}.")
    return data[1:]


def encode_id(kind: str, id: int, sku_id: int = 0) -> str:
    """The opaque id of one thing: version byte, type byte, then SKU id and id as unsigned LEB128."""
    return _pack(bytes([NODE_KINDS.index(kind)]) + _varint(sku_id) + _varint(id))


def decode_id(text: str, kind: str | None = None) -> NodeId:
    """Read an opaque id; raises BadUserInput when it is not one, or not one of `kind`."""
    data = _unpack(text, "an id")
    if data[0] >= len(NODE_KINDS):
        raise BadUserInput(f"{text[:60]!r} is not an id.")
    sku_id, rest = _read_varint(data[1:], text)
    number, rest = _read_varint(rest, text)
    node = NodeId(NODE_KINDS[data[0]], sku_id, number)
    if rest or encode_id(node.kind, node.id, node.sku_id) != text:
        raise BadUserInput(f"{text[:60]!r} is not an id.")
    if kind is not None and node.kind != kind:
        raise BadUserInput(f"{text[:60]!r} is the id of {node.kind}, not of {kind}.")
    return node


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _read_varint(data: bytes, text: str) -> tuple[int, bytes]:
    value = 0
    for index, byte in enumerate(data[:10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value > _MAX_BIGINT:
                break
            return value, data[index + 1 :]
    raise BadUserInput(f"{text[:60]!r} is not an id.")


def encode_cursor(sort: Sort, values: Sequence[Any]) -> str:
    """The place of one row in a sorted list; it is refused by a list sorted in another way."""
    return _pack(msgspec.json.encode([sort.name, *values]))


def decode_cursor(sort: Sort, text: str) -> tuple[Any, ...]:
    """The keys a cursor names, in the types of the sort; raises BadUserInput."""
    try:
        name, *values = msgspec.json.decode(_unpack(text, "a cursor"), type=list)
        if name != sort.name:
            raise BadUserInput(f"{text[:60]!r} is a cursor of a list in another order.")
        found = msgspec.convert(tuple(values), tuple[tuple(key.type for key in sort.keys)], strict=False)
        if not all(_is_storable(value) for value in found):
            raise ValueError("no column holds this")
        return found
    except (OverflowError, msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError):
        raise BadUserInput(f"{text[:60]!r} is not a cursor.") from None


def _is_storable(value: Any) -> bool:
    """What a key of a real row can be: whoever forges a cursor must not reach the database with anything else."""
    if isinstance(value, int):
        return -_MAX_BIGINT <= value <= _MAX_BIGINT
    if isinstance(value, datetime):
        return value.tzinfo is not None and value.astimezone(UTC) is not None
    return not isinstance(value, str) or "\0" not in value


def page_of(sort: Sort, first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
    """Check the four arguments of a connection: exactly one of first and last, 1 to 100; raises BadUserInput."""
    if (first is None) == (last is None):
        raise BadUserInput("Give either `first` or `last`, from 1 to 100.")
    size = first if first is not None else last
    assert size is not None
    if not 1 <= size <= MAX_PAGE:
        raise BadUserInput(f"`{'first' if first is not None else 'last'}` must be from 1 to {MAX_PAGE}, not {size}.")
    return Page(
        limit=size,
        backward=first is None,
        after=None if after is None else decode_cursor(sort, after),
        before=None if before is None else decode_cursor(sort, before),
    )


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of rows with what a PageInfo says."""

    rows: Sequence[Any]
    cursors: list[str]
    has_next: bool
    has_previous: bool


def slice_of(sort: Sort, page: Page, rows: Sequence[Any], has_more: bool) -> Slice:
    """Put cursors on the rows that a page query answered (they carry their sort keys as k0, k1, ...)."""
    cursors = [encode_cursor(sort, [row[f"k{n}"] for n in range(len(sort.keys))]) for row in rows]
    return Slice(
        rows=rows,
        cursors=cursors,
        has_next=page.before is not None if page.backward else has_more,
        has_previous=has_more if page.backward else page.after is not None,
    )
