"""The versions of SKUs: what an answer about them was computed from, and whether it still stands."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


async def gate_versions(sql: Any, sku_ids: Collection[int] | None = None) -> dict[int, int]:
    """Version by SKU id without taking a gate, of these SKUs or of all: the name of what a snapshot saw."""
    if sku_ids is None:
        rows = await sql.fetch("select sku_id, version from sku_gate order by sku_id")
    else:
        rows = await sql.fetch("select sku_id, version from sku_gate where sku_id = any($1::bigint[])", list(sku_ids))
    return {row["sku_id"]: row["version"] for row in rows}
