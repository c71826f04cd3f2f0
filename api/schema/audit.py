"""Who did what to what: the sealed audit trail."""

from __future__ import annotations

import json
from datetime import datetime

import strawberry
from strawberry import field

from api.schema.node import Node, Row, register


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

    @field(description="State before, as JSON text.")
    def before(self) -> str | None:
        return (
            None if self.row["before"] is None else json.dumps(self.row["before"], ensure_ascii=False, sort_keys=True)
        )

    @field(description="State after, as JSON text.")
    def after(self) -> str | None:
        return None if self.row["after"] is None else json.dumps(self.row["after"], ensure_ascii=False, sort_keys=True)


@strawberry.input(description="Which entries.")
class AuditFilter:
    """All given conditions must hold."""

    actor: str | None = field(default=None, description="By this actor.")
    operation: str | None = field(default=None, description="Of this operation.")
    object: str | None = field(default=None, description="About this object.")
    request_id: str | None = field(default=None, description="Of this request.")
    at_from: datetime | None = field(default=None, description="At or after.")
    at_before: datetime | None = field(default=None, description="Before.")


@strawberry.type(description="A difference the auditor found: an identity of the ledgers that does not hold.")
class LedgerAlarm:
    """One alarm."""

    row: strawberry.Private[Row]
    check: str = field(description="Name of the identity; docs/auditor.md explains each.")
    count: int = field(description="How many rows are at fault.")
    found_at: datetime = field(description="When it was found first.")
    updated_at: datetime = field(description="When it was last seen to be so.")
    cleared_at: datetime | None = field(description="When it held again; null while it does not.")

    @field(description="The rows at fault (the first of them), each as JSON text.")
    def rows(self) -> list[str]:
        return [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in self.row["rows"]]


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
