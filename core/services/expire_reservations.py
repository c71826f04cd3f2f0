"""Tidy up reservations whose time is over; availability has ignored them since that instant."""

from __future__ import annotations

from core.ports import Transaction
from core.repositories.gates import take_gates
from core.repositories.reservations import announce_free_stock, expire_rows, expired_skus
from core.services.release_reservation import ask_to_serve


async def expire_reservations(uow: Transaction, limit: int = 500) -> int:
    """Turn up to `limit` overdue holds into `expired`, tell so, and let waiting lines have the units; returns how many."""
    versions = await take_gates(uow, await expired_skus(uow, limit))
    expired = await expire_rows(uow, sorted(versions), limit)
    skus = sorted(set(expired))
    if skus:
        await announce_free_stock(uow, versions, skus)
        await ask_to_serve(uow, skus)
    return len(expired)
