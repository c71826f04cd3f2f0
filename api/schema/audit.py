"""Who did what to what: the sealed audit trail."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info, field

from api.pagination import decode_id, encode_id
from api.schema.events import AlarmFact, alarm_facts
from api.schema.node import SKU_KEYED, Node, Row, register
from core.domain.mentioned_rows import Mention, mentions_in, parts_of_object, sku_of_object, with_names


@register
@strawberry.type(description="One entry of the audit trail; entries are only ever added.")
class AuditEntry(Node):
    """One entry."""

    key: strawberry.Private[int]
    row: strawberry.Private[Row]
    at: datetime = field(description="When.")
    actor: str = field(description="Who.")
    operation: str = field(description="What was done.")
    object: str = field(description="To what.")
    request_id: str | None = field(description="In which request.", default=None)
    seal_number: int | None = field(
        description="Number of its seal; null for the few seconds before it is sealed.", default=None
    )

    @field(description="Id of what it was done to, for `node`; null where that is no node, or is one with others.")
    def object_id(self) -> strawberry.ID | None:
        return node_of(self.object)

    @field(
        description="The same in words a person reads, with the number or code of what has one: `stock MUG-BLUE DC-ICN`."
    )
    async def subject(self, info: Info) -> str:
        parts = list(parts_of_object(self.object))
        names = await _names(info, {part for part in parts if not isinstance(part, str)})
        return " ".join(part if isinstance(part, str) else names.get(part, str(part[2])) for part in parts)

    @field(
        description="State before, as JSON text; beside ids the numbers or codes of what they are (`outbound` beside `outboundId`)."
    )
    async def before(self, info: Info) -> str | None:
        return await self._told(info, self.row["before"])

    @field(description="State after, as JSON text, told like `before`.")
    async def after(self, info: Info) -> str | None:
        return await self._told(info, self.row["after"])

    async def _told(self, info: Info, facts: Any) -> str | None:
        if facts is None:
            return None
        sku_id, mentions = sku_of_object(self.object), set[Mention]()
        with_names(facts, sku_id, lambda mention: mentions.add(mention))
        names = await _names(info, mentions)
        return json.dumps(with_names(facts, sku_id, names.get), ensure_ascii=False, sort_keys=True)


async def _names(info: Info, mentions: set[Mention]) -> dict[Mention, str]:
    """What people call these rows; those that are gone are left out."""
    wanted = sorted(mentions)
    found = await info.context.loaders.name_by_row.load_many(wanted)
    return {mention: row["name"] for mention, row in zip(wanted, found, strict=True) if row is not None}


_KINDS = {
    "order": "Order",
    "backorder": "Backorder",
    "purchase_order": "PurchaseOrder",
    "shipment": "Shipment",
    "sku": "Sku",
    "supplier": "Supplier",
    "supplier_change": "SupplierChange",
    "edi_document": "EdiDocument",
    "simulation": "Simulation",
    "repromising_run": "RepromisingRun",
    "webhook": "Webhook",
}
"""Nodes by the word that the trail has for them."""


def node_of(object: str) -> strawberry.ID | None:
    """The opaque id of what the trail calls `kind:id` (`kind:sku id:id` where ids are counted per SKU)."""
    word, *numbers = object.split(":")
    kind = _KINDS.get(word)
    if kind is None or len(numbers) != 1 + (kind in SKU_KEYED) or not all(one.isdecimal() for one in numbers):
        return None
    return strawberry.ID(encode_id(kind, int(numbers[-1]), int(numbers[0]) if kind in SKU_KEYED else 0))


def object_of(id: str) -> str:
    """What the trail calls the node with this id; raises BadUserInput."""
    found = decode_id(id)
    word = next((word for word, kind in _KINDS.items() if kind == found.kind), found.kind)
    return f"{word}:{found.sku_id}:{found.id}" if found.kind in SKU_KEYED else f"{word}:{found.id}"


@strawberry.input(description="Which entries.")
class AuditFilter:
    """All given conditions must hold."""

    actor: str | None = field(default=None, description="By this actor.")
    operation: str | None = field(default=None, description="Of this operation.")
    object: str | None = field(default=None, description="About this object.")
    object_id: strawberry.ID | None = field(default=None, description="About the node with this id.")
    request_id: str | None = field(default=None, description="Of this request.")
    at_from: datetime | None = field(default=None, description="At or after.")
    at_before: datetime | None = field(default=None, description="Before.")


@strawberry.type(description="Something that needed a person's eye.")
class Alarm:
    """One alarm of the event log."""

    kind: str = field(description="What is wrong, as a code; docs/operating.md lists them.")
    raised_at: datetime = field(description="When it was found.")
    facts: list[AlarmFact] = field(description="What it is about.")


@strawberry.input(description="Which alarms.")
class AlarmFilter:
    """All given conditions must hold."""

    kind: list[str] | None = field(default=None, description="One of these kinds.")
    raised_from: datetime | None = field(default=None, description="At this instant or later.")
    raised_before: datetime | None = field(default=None, description="Before this instant.")


def raised_alarm(row: Row) -> Alarm:
    """An alarm from its event."""
    return Alarm(kind=row["kind"], raised_at=row["occurred_at"], facts=alarm_facts(row["payload"]))


@strawberry.type(description="A difference the auditor found: an identity of the ledgers that does not hold.")
class LedgerAlarm:
    """One alarm."""

    row: strawberry.Private[Row]
    check: str = field(description="Name of the identity; docs/auditor.md explains each.")
    count: int = field(description="How many rows are at fault.")
    found_at: datetime = field(description="When it was found first.")
    updated_at: datetime = field(description="When it was last seen to be so.")
    cleared_at: datetime | None = field(description="When it held again; null while it does not.")

    @field(
        description="The rows at fault (the first of them), each as JSON text: its columns, and beside each id the number or "
        "code of what it is (`order_line` beside `order_line_id`)."
    )
    async def rows(self, info: Info) -> list[str]:
        mentioned = [mentions_in(item) for item in self.row["rows"]]
        names = await _names(info, {mention for one in mentioned for mention in one.values()})
        told = [
            {**item, **{word: names[mention] for word, mention in one.items() if mention in names}}
            for item, one in zip(self.row["rows"], mentioned, strict=True)
        ]
        return [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in told]


@strawberry.input(description="Which alarms.")
class LedgerAlarmFilter:
    """All given conditions must hold."""

    is_open: bool | None = field(default=None, description="Only those that still stand, or only the others.")
    check: str | None = field(default=None, description="Of this identity.")


def alarm_of(row: Row) -> LedgerAlarm:
    """An alarm from its row."""
    return LedgerAlarm(
        row=row,
        check=row["check_name"],
        count=row["count"],
        found_at=row["found_at"],
        updated_at=row["updated_at"],
        cleared_at=row["cleared_at"],
    )


@register
@strawberry.type(description="How often a caller was refused an operation within one minute.")
class AccessDenial:
    """One count."""

    principal: str = field(description="Who was refused.")
    role: str = field(description="In which role.")
    operation: str = field(description="Which root field.")
    minute: datetime = field(description="Beginning of the minute.")
    denials: int = field(description="How often.")


@strawberry.input(description="Which denials.")
class AccessDenialFilter:
    """All given conditions must hold."""

    principal: str | None = field(default=None, description="Of this caller.")
    operation: str | None = field(default=None, description="Of this root field.")
    minute_from: datetime | None = field(default=None, description="At or after.")
    minute_before: datetime | None = field(default=None, description="Before.")
