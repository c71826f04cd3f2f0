"""The gate of a SKU: the one row locked before anything about its stock, supply or demand is read or written."""

from __future__ import annotations

from collections.abc import Iterable

from core.ports import Transaction


async def take_gates(uow: Transaction, sku_ids: Iterable[int]) -> dict[int, int]:
    """Lock the gates of these SKUs, sorted, and raise their versions; returns version by SKU id.

    A statement of its own: whatever is read in a later statement is what the previous holder committed. Every writing
    transaction takes all its gates first, before any order or purchase order row.
    """
    wanted = sorted(set(sku_ids))
    if not wanted:
        return {}
    rows = await uow.sql.fetch(
        """with k as (select sku_id from sku_gate where sku_id = any($1::bigint[]) order by sku_id for no key update)
        update sku_gate g set version = g.version + 1, changed_by = pg_current_xact_id()
        from k where g.sku_id = k.sku_id returning g.sku_id, g.version""",
        wanted,
    )
    return {row["sku_id"]: row["version"] for row in rows}
