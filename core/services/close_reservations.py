"""Close the reservations that orders have used: what an order left of one is free at once."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.reserving import HoldUse
from core.ports import Transaction
from core.repositories.reservations import announce_free_stock, write_uses
from core.services.release_reservation import ask_to_serve


async def close_reservations(uow: Transaction, versions: dict[int, int], uses: Sequence[HoldUse]) -> None:
    """Write what was used, and tell and offer what is free again; `versions` are those of the gates held."""
    await write_uses(uow, uses)
    freed = sorted({use.sku_id for use in uses if use.left and not use.is_pool})
    if freed:
        await announce_free_stock(uow, versions, freed)
        await ask_to_serve(uow, freed)
