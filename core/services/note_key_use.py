"""Keep when API keys were last used, for many requests in one statement."""

from __future__ import annotations

from collections.abc import Collection

from core.ports import Transaction
from core.repositories import api_keys


async def note_key_use(uow: Transaction, ids: Collection[int]) -> None:
    """These keys were used within the last seconds."""
    await api_keys.note_use(uow, sorted(ids))
