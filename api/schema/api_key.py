"""API keys of machines, as they may be shown; a key itself is told once, to whom made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry
from strawberry import field

from api.schema.enums import Role
from api.schema.errors import UserError


@strawberry.type(description="A key that a machine calls with. Keys of one name are one caller.")
class ApiKey:
    """One row of `api_key`, without its hash."""

    name: str = field(description="Whose key it is.")
    prefix: str = field(description="It begins with `bmk_` and this; tells keys of one name apart.")
    role: Role = field(description="What it may do.")
    customer: str | None = field(description="Code of the customer it acts for.")
    supplier: str | None = field(description="Code of the supplier it acts for.")
    is_publishable: bool = field(description="May stand in a page: it reads availability and nothing else.")
    is_live: bool = field(description="Is it good now.")
    created_at: datetime = field(description="When it was made.")
    expires_at: datetime | None = field(description="When it ends by itself; null: never.")
    revoked_at: datetime | None = field(description="When it was ended.")
    last_used_at: datetime | None = field(description="When it was used last, to the minute.")

    @staticmethod
    def of(row: Mapping[str, Any]) -> ApiKey:
        """The key of a row."""
        shown = ("name", "prefix", "customer", "supplier", "is_live", "created_at", "expires_at", "revoked_at")
        return ApiKey(
            role=Role(row["role"]),
            is_publishable="publishable" in row["scope"],
            last_used_at=row["last_used_at"],
            **{name: row[name] for name in shown},
        )


@strawberry.input(description="A new key, under a name that no live key has.")
class ApiKeyCreateInput:
    """Input of apiKeyCreate."""

    name: str = field(description="Whose key it is, 1 to 100 characters; a name stays with its first owner.")
    role: Role = field(description="What it may do.")
    customer: str | None = field(default=None, description="Code of the customer, for CUSTOMER and only then.")
    supplier: str | None = field(default=None, description="Code of the supplier, for SUPPLIER and only then.")
    is_publishable: bool = field(
        default=False, description="For browsers: a STOREFRONT key that reads availability and nothing else."
    )
    expires_at: datetime | None = field(default=None, description="When it ends by itself; null: never.")


@strawberry.input(description="Whose key is replaced while it is used.")
class ApiKeyRotateInput:
    """Input of apiKeyRotate."""

    name: str = field(description="Whose key.")
    overlap_hours: int = field(default=24, description="So long the old key goes on beside the new one, 0 to 720.")


@strawberry.input(description="Which keys end now.")
class ApiKeyRevokeInput:
    """Input of apiKeyRevoke."""

    name: str = field(description="Whose keys.")
    prefix: str | None = field(default=None, description="Only the key with this prefix; null: all of the name.")


@strawberry.type(description="Answer of apiKeyCreate and apiKeyRotate.")
class ApiKeyPayload:
    """The new key."""

    api_key: ApiKey | None = field(description="The key, without what proves it.", default=None)
    key: str | None = field(
        description="The key itself (`bmk_...`), told this once: null in the answer to a repeat.", default=None
    )
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")


@strawberry.type(description="Answer of apiKeyRevoke.")
class ApiKeyRevokePayload:
    """The keys that ended."""

    api_keys: list[ApiKey] = field(description="Keys that ended; requests are refused and streams end within 5 s.")
    user_errors: list[UserError] = field(description="What was refused and why; empty when all was done.")
