"""Estimate when parts of shown dates have come: how late their stages were, over the calendars of their places and roads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from core.domain.date_parts import DatePart, part_spread
from core.domain.eta import Spread
from core.queries.date_spreads import spreads_by_paths, supply_dates, supply_spreads
from core.repositories.network import network_now


async def estimate_dates(sql: Any, parts: Collection[DatePart], now: datetime) -> dict[DatePart, Spread | None]:
    """The distribution of each part over ordinal days; None while a stage of it was not measured. Few statements for all."""
    supplies = await supply_spreads(sql, [part.supply for part in parts if part.supply])
    paths = sorted({path for part in parts for path in part.paths})
    known = await spreads_by_paths(sql, paths) if paths else {}
    network = await network_now(sql)
    dates = {(row["sku_id"], row["id"]): supply_dates(row) for row in supplies}
    return {part: part_spread(part, dates.get(part.supply or (0, 0)), known, now, network) for part in parts}
