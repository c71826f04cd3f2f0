"""The answer each mutation gave, kept with its effect, so that a repeat is answered and not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.errors import IdempotencyInProgress, IdempotencyMismatch
from core.ports import Transaction

# Answers are kept under `Principal.account`; those of older versions under the bare id until they are purged.
# They are found too: a repeat across an upgrade is not done again.

_encoder = msgspec.json.Encoder(order="sorted")


def request_hash(request: Any) -> bytes:
    """SHA-256 of the input in a fixed written form: JSON with sorted keys, of a mapping or of a dataclass alike."""
    return hashlib.sha256(_encoder.encode(request)).digest()


async def find_answer(uow: Transaction, operation: str, key: str, digest: bytes) -> dict[str, Any] | None:
    """The stored answer, or None for a first request.

    Raises IdempotencyInProgress while another transaction works on the same key, IdempotencyMismatch when the key was
    used with another input. The advisory lock ends with the transaction.
    """
    account = uow.principal.account
    if not await uow.sql.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"idempotency:{account}:{operation}:{key}"
    ):
        raise IdempotencyInProgress(key)
    row = await uow.sql.fetchrow(
        """select request_hash, result from idempotency where principal = any($1::text[]) and operation = $2 and key = $3
        order by principal = $4 desc limit 1""",
        [account, uow.principal.id],
        operation,
        key,
        account,
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
        uow.principal.account,
        operation,
        key,
        digest,
        result,
        uow.now,
    )


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """What is known of a key: another transaction works on it, it was answered (`digest` of its input), or nothing."""

    is_busy: bool = False
    digest: bytes | None = None
    result: dict[str, Any] = field(default_factory=dict)


async def find_answers(uow: Transaction, operation: str, keys: Sequence[str]) -> dict[str, KnownAnswer]:
    """As `find_answer`, for several keys of one caller in two statements; nothing is raised."""
    account = uow.principal.account
    locked = await uow.sql.fetch(
        """select u.key, pg_try_advisory_xact_lock(hashtextextended($1 || u.key, 0)) as mine
        from unnest($2::text[]) as u(key)""",
        f"idempotency:{account}:{operation}:",
        list(keys),
    )
    found = {row["key"]: KnownAnswer(is_busy=not row["mine"]) for row in locked}
    for row in await uow.sql.fetch(
        """select key, request_hash, result from idempotency
        where principal = any($1::text[]) and operation = $2 and key = any($3::text[]) order by principal = $4""",
        [account, uow.principal.id],
        operation,
        [key for key, answer in found.items() if not answer.is_busy],
        account,
    ):
        found[row["key"]] = KnownAnswer(digest=row["request_hash"], result=row["result"])
    return found


async def store_answers(uow: Transaction, operation: str, rows: Sequence[tuple[str, bytes, dict[str, Any]]]) -> None:
    """Store (key, digest, result) of one caller."""
    if rows:
        await uow.sql.execute(
            """insert into idempotency (principal, operation, key, request_hash, result, created_at)
            select $1, $2, u.key, u.digest, u.result, $6
            from unnest($3::text[], $4::bytea[], $5::jsonb[]) as u(key, digest, result)""",
            uow.principal.account,
            operation,
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
            uow.now,
        )
