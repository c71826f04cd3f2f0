"""Who acts: the seven roles and the principal that every unit of work carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    STOREFRONT = "STOREFRONT"
    CUSTOMER = "CUSTOMER"
    SUPPLIER = "SUPPLIER"
    WAREHOUSE = "WAREHOUSE"
    PLANNER = "PLANNER"
    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"
    SYSTEM = "SYSTEM"
    """Jobs and the command line; no token carries it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One authenticated caller. `customer_id` / `supplier_id` bind CUSTOMER and SUPPLIER to their own rows."""

    id: str
    role: Role
    customer_id: int | None = None
    supplier_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    expires_at: datetime | None = None
    credential_id: str = ""
    is_publishable: bool = False
    """A publishable key may only read availability."""

    @property
    def is_row_scoped(self) -> bool:
        """True when look-ups run as the database role with row-level security."""
        return self.role in (Role.CUSTOMER, Role.SUPPLIER)

    @property
    def account(self) -> str:
        """Whose idempotency keys these are: callers of one id who are bound to different parties share none.

        The control character keeps it apart from every id: ids are printable.
        """
        return f"customer:{self.customer_id} supplier:{self.supplier_id}\x1f{self.id}"


SYSTEM = Principal(id="system", role=Role.SYSTEM)
