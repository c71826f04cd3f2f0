"""Bring kept availability curves up to date, so that readers find them; whoever comes earlier reads for himself."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from core.ports import Transaction
from core.queries.availability import drop_curves, save_curves, stale_pairs

CHUNK = 300
"""SKUs per turn; a busy stack catches up turn by turn."""
FORGOTTEN = timedelta(days=2)
"""A curve that was first asked for so long ago is dropped once it is stale; who asks again keeps it again."""


async def refresh_curves(uow: Transaction, limit: int = CHUNK) -> int:
    """Read the stale ones anew, most of all those of the SKUs that just changed; returns how many pairs.

    A row is replaced only by a higher version, so two refreshers, or one behind a reader, do no harm.
    """
    await drop_curves(uow.sql, uow.now - FORGOTTEN, uow.now)
    groups: dict[tuple[str, tuple[int, ...]], list[int]] = defaultdict(list)
    for row in await stale_pairs(uow.sql, uow.now, limit):
        groups[row["demand_class"], tuple(sorted(row["location_ids"]))].append(row["sku_id"])
    done = 0
    for (demand_class, places), sku_ids in groups.items():
        done += len(await save_curves(uow.sql, sku_ids, list(places), uow.now, demand_class))
    return done
