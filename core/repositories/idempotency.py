"""The answer each mutation gave, kept with its effect, so that a repeat is answered and not done again."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from core.errors import IdempotencyInProgress, IdempotencyMismatch
from core.ports import Transaction

_encoder = msgspec.json.Encoder(order="deterministic")


def request_hash(request: Any) -> bytes:
    """SHA-256 of the input in a fixed written form (sorted keys)."""
    return hashlib.sha256(_encoder.encode(request)).digest()


async def find_answer(uow: Transaction, operation: str, key: str, digest: bytes) -> dict[str, Any] | None:
    """The stored answer, or None for a first request.

    Raises IdempotencyInProgress while another transaction works on the same key, IdempotencyMismatch when the key was
    used with another input. The advisory lock ends with the transaction.
    """
    principal = uow.principal.id
    if not await uow.sql.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"idempotency:{principal}:{operation}:{key}"
    ):
        raise IdempotencyInProgress(key)
    row = await uow.sql.fetchrow(
        "select request_hash, result from idempotency where principal = $1 and operation = $2 and key = $3",
        principal,
        operation,
        key,
    )
    if row is None:
        return None
    if row["request_hash"] != digest:
        raise IdempotencyMismatch(key)
    return row["result"]


async def store_answer(uow: Transaction, operation: str, key: str, digest: bytes, result: dict[str, Any]) -> None:
    await uow.sql.execute(
        """insert into idempotency (principal, operation, key, request_hash, result, created_at)
        values ($1, $2, $3, $4, $5, $6)""",
        uow.principal.id,
        operation,
        key,
        digest,
        result,
        uow.now,
    )
