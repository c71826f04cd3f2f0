"""Tamper evidence: audit entries, the seals over them and over promises, and the alarms of the recount."""

from datetime import datetime
from typing import Any

from core.tables import columns as c


class AuditEntry(c.Row, table=True):
    """Who did what to which object; append-only, no personal data."""

    __table_args__ = (
        c.index("audit_entry_object_idx", "object", "id"),
        c.index("audit_entry_unsealed", "id", where="seal_number is null"),
        c.index("audit_entry_seal_idx", "seal_number", "id", where="seal_number is not null"),
    )

    id: int | None = c.identity()
    seal_number: int | None = c.bigint(null=True)
    at: datetime = c.instant()
    actor: str = c.text()
    operation: str = c.text()
    object: str = c.text()
    before: Any = c.json(null=True)
    after: Any = c.json(null=True)
    request_id: str | None = c.text(null=True)
    created_at: datetime = c.created()


class AuditSeal(c.Row, table=True):
    """One link of the HMAC chain over audit entries."""

    number: int = c.key()
    entries: int = c.integer()
    first_id: int = c.bigint()
    last_id: int = c.bigint()
    previous: bytes = c.binary()
    hash: bytes = c.binary()
    format: int = c.integer(default=1)
    row_digests: bytes | None = c.binary(null=True)
    created_at: datetime = c.created()


class PromiseSeal(c.Row, table=True):
    """One link of the HMAC chain over promises."""

    number: int = c.key()
    entries: int = c.integer()
    first_id: int = c.bigint()
    last_id: int = c.bigint()
    previous: bytes = c.binary()
    hash: bytes = c.binary()
    format: int = c.integer(default=1)
    row_digests: bytes | None = c.binary(null=True)
    created_at: datetime = c.created()


class LedgerAlarm(c.Row, table=True):
    """A difference the recount found; it alarms, it never repairs."""

    __table_args__ = (c.index("ledger_alarm_open", "check_name", where="cleared_at is null", unique=True),)

    id: int | None = c.identity()
    check_name: str = c.text()
    rows: Any = c.json()
    count: int = c.bigint(default=0)
    found_at: datetime = c.instant()
    cleared_at: datetime | None = c.instant(null=True)
    created_at: datetime = c.created()
    updated_at: datetime = c.updated()
