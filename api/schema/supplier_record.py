"""What a supplier's fields answer from: scorecards over a window, offers, hints, expected purchases."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from api.pagination import BadUserInput
from core.domain.scorecards import scorecard
from core.queries import supplier_portal
from core.queries.skus import skus_by_codes
from core.queries.supplier_facts import supplier_lines

if TYPE_CHECKING:
    from api.context import Context

MOST_CARDS = 100


async def scorecard_of(
    context: Context, supplier_id: int, window_days: int, as_of: date | None, sku: str | None
) -> dict[str, Any]:
    """The scorecard of a supplier the caller may see, of one SKU when named."""
    first, last = await _window(context, window_days, as_of)
    sku_id = None
    if sku is not None:
        async with context.read() as sql:
            rows = await skus_by_codes(sql, [sku])
        sku_id = rows[0]["id"] if rows else 0
    async with context.read_system() as sql:
        lines = await supplier_lines(sql, supplier_id, first, last, None if sku_id is None else [sku_id])
    return {"card": scorecard(lines, first, last), "sku_id": sku_id or None}


async def scorecards_by_sku(
    context: Context, supplier_id: int, window_days: int, as_of: date | None
) -> list[dict[str, Any]]:
    """Scorecards by SKU, those with most lines first."""
    first, last = await _window(context, window_days, as_of)
    async with context.read_system() as sql:
        lines = await supplier_lines(sql, supplier_id, first, last)
    by_sku: dict[int, list[Any]] = defaultdict(list)
    for line in lines:
        by_sku[line.sku_id].append(line)
    ranked = sorted(by_sku.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_CARDS]
    return [{"card": scorecard(mine, first, last), "sku_id": sku_id} for sku_id, mine in ranked]


async def _window(context: Context, days: int, as_of: date | None) -> tuple[date, date]:
    if not 1 <= days <= 1000:
        raise BadUserInput("windowDays lies between 1 and 1000.")
    last = as_of or (await context.now()).date()
    if not date(2000, 1, 1) <= last <= date(2200, 1, 1):
        raise BadUserInput("asOf lies between 2000 and 2200.")
    return last - timedelta(days=days - 1), last


async def forecast_of(context: Context, supplier_id: int, weeks: int) -> list[Any]:
    """What we expect to buy from it."""
    if not 1 <= weeks <= 26:
        raise BadUserInput("weeks lies between 1 and 26.")
    now = await context.now()
    async with context.read_system() as sql:
        return await supplier_portal.forecast_of(sql, supplier_id, weeks, now)
