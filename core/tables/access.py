"""Credentials of machines: API keys, hashed at rest."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.domain.access import Role
from core.tables import columns as c


class ApiKey(c.Row, table=True):
    """A key found by its prefix; only the hash of its secret is kept."""

    __table_args__ = (c.unique("prefix"), c.one_of("role", [role for role in Role if role is not Role.SYSTEM]))

    id: int | None = c.identity()
    prefix: str = c.text()
    secret_hash: bytes = c.binary()
    role: str = c.text()
    scope: Any = c.json(default="{}")
    customer_id: int | None = c.ref("customer.id", null=True)
    supplier_id: int | None = c.ref("supplier.id", null=True)
    expires_at: datetime | None = c.instant(null=True)
    revoked_at: datetime | None = c.instant(null=True)
    last_used_at: datetime | None = c.instant(null=True)
    """Written once a minute at most."""
    created_at: datetime = c.created()
    name: str = c.text(default="")
    """Whose key it is: all keys of one name act as one caller, so that a key can be replaced while it is used."""


class AccessDenial(c.Row, table=True):
    """How often a caller was refused an operation within a minute; written apart from what was refused."""

    __table_args__ = (c.check("denials > 0", "denials"), c.index("access_denial_minute_idx", "minute"))

    principal: str = c.key(sa.Text)
    role: str = c.key(sa.Text)
    operation: str = c.key(sa.Text)
    minute: datetime = c.key(sa.DateTime(timezone=True))
    denials: int = c.bigint()
