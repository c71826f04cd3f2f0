"""Run a use case once per idempotency key: the answer commits with the effect and is given again to a repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from core.ports import Transaction
from core.repositories.idempotency import find_answer, request_hash, store_answer

MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Outcome:
    """`result` holds ids, versions and user errors (JSON); `repeated` is True when nothing was done again."""

    result: dict[str, Any]
    repeated: bool


async def run_idempotent(
    uow: Transaction,
    operation: str,
    key: str,
    request: Any,
    use_case: Callable[[], Awaitable[dict[str, Any]]],
) -> Outcome:
    """Answer from the stored result, or run `use_case` and store what it returns.

    Scope of a key: (`Principal.account`, operation). A DomainError of the use case passes through, nothing is stored then.
    Raises IdempotencyInProgress, IdempotencyMismatch, or InvalidInput for an empty or overlong key.
    """
    check_key(key)
    digest = request_hash(request)
    stored = await find_answer(uow, operation, key, digest)
    if stored is not None:
        return Outcome(stored, repeated=True)
    result = await use_case()
    await store_answer(uow, operation, key, digest, result)
    return Outcome(result, repeated=False)


def check_key(key: str) -> None:
    """Raise InvalidInput for an empty or overlong key."""
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise InvalidInput(
            f"An idempotency key has 1 to {MAX_KEY_LENGTH} characters, not {len(key)}.", path=("idempotencyKey",)
        )
