"""The versions of SKUs: what an answer about them was computed from, and whether it still stands."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

NETWORK = 0
"""Stands for the network of locations, lanes and calendars among the SKU ids of `answer_versions`."""


async def answer_versions(sql: Any, sku_ids: Collection[int], stamp: str) -> dict[int, int]:
    """As `gate_versions`, with what an answer rests on besides; `stamp` is the SQL of the network's stamp."""
    rows = await sql.fetch(
        f"""select sku_id, version from sku_gate where sku_id = any($1::bigint[])
        union all select {NETWORK}, hashtextextended(({stamp}), 0)""",
        list(sku_ids),
    )
    return {row["sku_id"]: row["version"] for row in rows}


async def gate_versions(sql: Any, sku_ids: Collection[int] | None = None) -> dict[int, int]:
    """Version by SKU id without taking a gate, of these SKUs or of all: the name of what a snapshot saw."""
    if sku_ids is None:
        rows = await sql.fetch("select sku_id, version from sku_gate order by sku_id")
    else:
        rows = await sql.fetch("select sku_id, version from sku_gate where sku_id = any($1::bigint[])", list(sku_ids))
    return {row["sku_id"]: row["version"] for row in rows}
