"""Look up transfers before their gates are taken."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import NotFound
from core.ports import Transaction


async def skus_of_transfers(uow: Transaction, transfer_ids: Iterable[int]) -> dict[int, int]:
    """SKU id by transfer id. Raises NotFound for the first that does not exist."""
    wanted = sorted(set(transfer_ids))
    rows = await uow.sql.fetch("select id, sku_id from transfer where id = any($1::bigint[])", wanted)
    found = {row["id"]: row["sku_id"] for row in rows}
    for transfer_id in wanted:
        if transfer_id not in found:
            raise NotFound("transfer", str(transfer_id))
    return found
